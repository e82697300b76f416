"""How fast sound is rendered, and whether it is what was asked for.

    python tests/bench/render.py FILM [--soundfont FILE] [--repeat N] [--json]

Composes for the film once, then for each font, three times over: renders a .wav of the music alone and an .mp4 with the
film's sound.  For comparison FluidSynth, where it is installed, renders the same notes into a .wav: without reverb,
chorus, mixer, loudness and limiter.  Prints seconds of work per minute of film and the ratio to real time (best and
median of three), processor time, highest resident memory, and the loudness and true peak that ffmpeg reads
from the results.  With --repeat the music comes N times over (a .wav, one run): does memory grow with the film?
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
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
    parser.add_argument("--repeat", type=int, default=0, metavar="N")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    from engine.arrange import arrange
    from engine.brief import Brief
    from engine.composer import compose_takes
    from engine.sound.events import composition_events
    from engine.sound.fonts import bundled_font, find_soundfont

    (score,) = compose_takes(arguments.film, Brief(), 1)
    composition = score.composition
    arrangement = arrange(composition)
    events = composition_events(composition, arrangement)
    fonts = [Path(font) for font in arguments.soundfont] or list(dict.fromkeys([find_soundfont(), bundled_font()]))
    fonts = [font for font in fonts if font]
    if arguments.repeat:
        for times in (1, arguments.repeat):
            events_of_it = repeated(events, times)
            row = measure(arguments.film, events_of_it, fonts[0], "a.wav", runs=1)
            print(
                f"{events_of_it.length / 48_000 / 60:.1f} min: {row['times_real_time']:.0f} x real time, processor "
                f"{row['processor_s_per_minute']:.2f} s a minute; {row['result']}"
            )
        return 0
    rows = [measure(arguments.film, events, font, name) for font in fonts for name in ("a.wav", "a.mp4")]
    rows += fluidsynth(composition, arrangement, fonts) if shutil.which("fluidsynth") else []
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return 0
    minutes = events.length / 48_000 / 60
    notes = sum(len(part.notes) for part in events.parts.values())
    print(f"{Path(arguments.film).name}: {60 * minutes:.1f} s, {notes} notes")
    for row in rows:
        print(
            f"{row['font']:18} {row['output']:10} {row['s_per_minute']:.2f} s a minute of film, "
            f"{row['times_real_time']:.0f} x real time (median {row['median_times_real_time']:.0f} x); "
            f"processor {row['processor_s_per_minute']:.2f} s a minute; {row['result']}"
        )
    return 0


def repeated(events, times: int):
    """The same music again and again."""
    from dataclasses import replace

    from engine.sound.events import PartEvents

    shifts = [events.length * count for count in range(times)]
    parts = {
        name: PartEvents(
            tuple(replace(note, start=note.start + shift) for shift in shifts for note in part.notes),
            tuple((sample + shift, *rest) for shift in shifts for sample, *rest in part.changes),
        )
        for name, part in events.parts.items()
    }
    return replace(events, length=events.length * times, parts=parts)


def measure(film: str, events, font: Path, name: str, runs: int = RUNS) -> dict:
    from engine.sound.render import RenderOptions, render

    seconds = events.length / 48_000
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / name
        options = RenderOptions(output, font, replace=True, film_sound="drop" if name.endswith("wav") else "keep")
        walls, processor = [], []
        for _ in range(runs):
            wall, work = time.perf_counter(), time.process_time()
            render(film, events, options)
            walls.append(time.perf_counter() - wall)
            processor.append(time.process_time() - work)
        lufs, peak = ebur128(output)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "font": font.name,
        "output": name[1:],
        "s_per_minute": 60 * min(walls) / seconds,
        "times_real_time": seconds / min(walls),
        "median_times_real_time": seconds / statistics.median(walls),
        "processor_s_per_minute": 60 * min(processor) / seconds,
        "result": f"{lufs:.1f} LUFS, {peak:.1f} dBTP; {memory:.0f} MiB so far",
    }


def fluidsynth(composition, arrangement, fonts: list[Path]) -> list[dict]:
    """The same notes by another renderer."""
    from engine.midifile import write_midi

    rows = []
    seconds = composition.film.duration_s
    with tempfile.TemporaryDirectory() as folder:
        midi = Path(folder) / "a.mid"
        write_midi(midi, composition, arrangement)
        for font in fonts:
            walls, processor = [], []
            for _ in range(RUNS):
                before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
                words = ["fluidsynth", "-ni", "-q", "-R", "0", "-C", "0", "-r", "48000", "-F", f"{folder}/a.wav"]
                subprocess.run([*words, str(font), str(midi)], check=True, capture_output=True)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                walls.append(time.perf_counter() - wall)
                processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
            rows.append(
                {
                    "font": font.name,
                    "output": "FluidSynth",
                    "s_per_minute": 60 * min(walls) / seconds,
                    "times_real_time": seconds / min(walls),
                    "median_times_real_time": seconds / statistics.median(walls),
                    "processor_s_per_minute": 60 * min(processor) / seconds,
                    "result": "",
                }
            )
    return rows


if __name__ == "__main__":
    sys.exit(main())
