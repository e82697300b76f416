"""Measures the quick analysis: CPU time beside a bare decode of the same file in the same run, wall time, peak memory.

    python tests/bench/analysis.py [FILM] [--repeat 3] [--hours 2] [--other TREE] [--json OUT.json]   (Linux)

The film (default: the bundled clip) is encoded to 640x360, 1280x720 and 1920x1080 H.264 first.  Each measurement
runs in a fresh process; bare decode and analysis take turns, and the least CPU time of each counts.  Memory is the
peak resident size above that of a process that only imports the same modules.  `--hours` makes a long film by
repeating the 360p file's packets.  `--other`: another checkout, whose analysis takes turns with this one's.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SIZES = ((640, 360), (1280, 720), (1920, 1080))

CHILD = """
import json, sys, time
sys.path.insert(0, {root!r})
import av, cv2, numpy
from engine.video import AnalysisOptions, open_stream
cv2.setNumThreads(1)
def peak_kb():  # of this program alone: ru_maxrss would count the process that started it
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
what, path = sys.argv[1:3]
base_kb = peak_kb()
cpu_s, wall_s = time.process_time(), time.perf_counter()
rows, first_s = 0, None
if what == "decode":
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            rows += 1
elif what == "analyze":
    with open_stream(path, AnalysisOptions(reading="quick")) as opened:
        for row in opened:
            if first_s is None:
                first_s = time.perf_counter() - wall_s
            rows += 1
print(json.dumps(dict(cpu_s=time.process_time() - cpu_s, wall_s=time.perf_counter() - wall_s,
    rows=rows, first_s=first_s,
    above_imports_mb=(peak_kb() - base_kb) / 1024)))
"""


def measure(what: str, path: Path, tree: Path = ROOT) -> dict[str, Any]:
    """One fresh process."""
    code = CHILD.format(root=str(tree))
    done = subprocess.run([sys.executable, "-c", code, what, str(path)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def encode(film: Path, target: Path, width: int, height: int) -> None:
    """Re-encodes the picture as H.264 at a size."""
    import av

    with av.open(str(film)) as source, av.open(str(target), "w") as sink:
        picture = source.streams.video[0]
        stream = sink.add_stream("libx264", rate=picture.average_rate, options={"crf": "20", "preset": "fast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in source.decode(picture):
            scaled = frame.reformat(width, height, "yuv420p", interpolation="BICUBIC")
            sink.mux(stream.encode(scaled))
        sink.mux(stream.encode())


def repeat(film: Path, target: Path, length_s: float) -> None:
    """A long film: the packets of a short one again and again."""
    import av

    with av.open(str(film)) as source, av.open(str(target), "w") as sink:
        picture = source.streams.video[0]
        stream = sink.add_stream_from_template(picture)
        once = picture.duration
        shift = 0
        while shift * picture.time_base < length_s:
            source.seek(0)
            for packet in source.demux(picture):
                if packet.dts is None:
                    continue
                packet.stream = stream
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                sink.mux(packet)
            shift += once


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film", nargs="?", type=Path, default=ROOT / "engine/media/big-buck-bunny-30s.mp4")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--hours", type=float, default=0.0, help="also a film of this length, for memory")
    parser.add_argument("--other", type=Path, help="another checkout, measured in turns with this one")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    other = arguments.other.resolve() if arguments.other else None
    table: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for width, height in SIZES:
            film = Path(folder) / f"{height}p.mp4"
            encode(arguments.film, film, width, height)
            pairs, others = [], []
            for _ in range(arguments.repeat):
                pairs.append((measure("decode", film), measure("analyze", film)))
                if other is not None:
                    others.append(measure("analyze", film, other)["cpu_s"])
            decode_cpu_s = min(pair[0]["cpu_s"] for pair in pairs)
            best = min((pair[1] for pair in pairs), key=lambda run: run["cpu_s"])
            table.append(
                {
                    "size": f"{width}x{height}",
                    "film_s": best["rows"],
                    "decode_cpu_s": decode_cpu_s,
                    "analysis_cpu_s": best["cpu_s"],
                    "ratio": best["cpu_s"] / decode_cpu_s,
                    **({"other_ratio": min(others) / decode_cpu_s} if others else {}),
                    "analysis_wall_s": best["wall_s"],
                    "first_row_s": best["first_s"],
                    "decode_memory_mb": max(pair[0]["above_imports_mb"] for pair in pairs),
                    "analysis_memory_mb": max(pair[1]["above_imports_mb"] for pair in pairs),
                }
            )
        if arguments.hours:
            film = Path(folder) / "long.mp4"
            repeat(Path(folder) / "360p.mp4", film, arguments.hours * 3600)
            run = measure("analyze", film)
            table.append(
                {
                    "size": "640x360",
                    "film_s": run["rows"],
                    "analysis_cpu_s": run["cpu_s"],
                    "analysis_wall_s": run["wall_s"],
                    "first_row_s": run["first_s"],
                    "analysis_memory_mb": run["above_imports_mb"],
                }
            )
    names = list(table[0])
    print(" | ".join(names))
    for entry in table:
        cells = (entry.get(name, "–") for name in names)
        print(" | ".join(f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in cells))
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
