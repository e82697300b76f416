"""How fast sound is rendered, and whether it is what was asked for.

    python tests/bench/render.py FILM [--soundfont FILE] [--json]

Composes for the film once, then for each font, three times over: renders a .wav of the music alone and an .mp4 with the
film's sound.  Prints seconds of work per minute of film and the ratio to real time (best and median of three), highest
resident memory, and the loudness and true peak that ffmpeg reads from the results.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from soundlab import ebur128

RUNS = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film")
    parser.add_argument("--soundfont", action="append", default=[])
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    from engine.arrange import arrange
    from engine.brief import Brief
    from engine.composer import compose_takes
    from engine.sound.events import composition_events
    from engine.sound.fonts import bundled_font, find_soundfont

    (score,) = compose_takes(arguments.film, Brief(), 1)
    composition = score.composition
    events = composition_events(composition, arrange(composition))
    fonts = [Path(font) for font in arguments.soundfont] or list(dict.fromkeys([find_soundfont(), bundled_font()]))
    rows = [measure(arguments.film, events, font, name) for font in fonts if font for name in ("a.wav", "a.mp4")]
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return 0
    minutes = events.length / 48_000 / 60
    notes = sum(len(part.notes) for part in events.parts.values())
    print(f"{Path(arguments.film).name}: {60 * minutes:.1f} s, {notes} notes")
    for row in rows:
        print(
            f"{row['font']:18} {row['output']:6} {row['s_per_minute']:.2f} s a minute of film, "
            f"{row['times_real_time']:.0f} x real time (median {row['median_times_real_time']:.0f} x); "
            f"processor {row['processor_s_per_minute']:.2f} s a minute; "
            f"{row['lufs']:.1f} LUFS, {row['peak']:.1f} dBTP; {row['peak_memory_mib']:.0f} MiB so far"
        )
    return 0


def measure(film: str, events, font: Path, name: str) -> dict:
    from engine.sound.render import RenderOptions, render

    seconds = events.length / 48_000
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / name
        options = RenderOptions(output, font, overwrite=True, film_sound="drop" if name.endswith("wav") else "keep")
        walls, processor = [], []
        for _ in range(RUNS):
            wall, work = time.perf_counter(), time.process_time()
            render(film, events, options)
            walls.append(time.perf_counter() - wall)
            processor.append(time.process_time() - work)
        lufs, peak = ebur128(output)
    return {
        "font": font.name,
        "output": name[1:],
        "s_per_minute": 60 * min(walls) / seconds,
        "times_real_time": seconds / min(walls),
        "median_times_real_time": seconds / statistics.median(walls),
        "processor_s_per_minute": 60 * min(processor) / seconds,
        "lufs": lufs,
        "peak": peak,
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    sys.exit(main())
