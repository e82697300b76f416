"""How long a warm engine takes from a film it has never seen to its first chords, for films of different length.

    python tests/bench/first_chords.py [FILM] [--minutes 0.5 10 120] [--heights 360 1080] [--repeat 2] [--idle 6]

Twice each: with the process that looks started ahead, as an idle engine does, and without.  --idle: seconds that the
engine is left alone before it is asked.  FILM (default: the bundled clip) is encoded at each height and repeated to
each length.  Time runs from the request to the first chords that arrive at the bridge's end of the pipe; the bridge
sends notes a tenth of a second later.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/bench")]

import analysis

from engine.music import TempoMap
from engine.process.messages import AnalyseRequest, ComposeRequest, EngineFailure, EngineReady, SlotsComposed
from engine.process.worker import EngineOptions, run_engine


def first_chords_s(film: Path, cache: str, idle_s: float, start_ahead: bool) -> float:
    """Seconds from the request to the first chords; the engine is started and warm before."""
    options = EngineOptions(cache_dir=cache, start_ahead=start_ahead)
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    process = context.Process(target=run_engine, args=(theirs, options))
    process.start()
    theirs.close()
    try:
        while not isinstance(pipe.recv(), EngineReady):
            pass
        time.sleep(idle_s)
        asked_s = time.perf_counter()
        pipe.send(AnalyseRequest(1, str(film), "quick"))
        pipe.send(ComposeRequest(2, TempoMap.constant(120)))
        while True:
            message = pipe.recv()
            if isinstance(message, EngineFailure):
                raise SystemExit(f"{film.name}: {message}")
            if isinstance(message, SlotsComposed):
                return time.perf_counter() - asked_s
    finally:
        pipe.close()
        process.join(10)
        if process.is_alive():
            process.kill()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film", nargs="?", type=Path, default=ROOT / "engine/media/big-buck-bunny-30s.mp4")
    parser.add_argument("--minutes", nargs="+", type=float, default=[0.5, 10, 120])
    parser.add_argument("--heights", nargs="+", type=int, default=[360, 1080])
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--idle", type=float, default=6.0)
    arguments = parser.parse_args()
    print("picture | film, minutes | first chords after, s: started ahead (least, most) | not (least, most)")
    with tempfile.TemporaryDirectory() as folder:
        for height in arguments.heights:
            once = Path(folder) / f"{height}.mp4"
            analysis.encode(arguments.film, once, height * 16 // 9, height)
            for minutes in arguments.minutes:
                film = Path(folder) / "film.mp4"
                analysis.repeat(once, film, 60 * minutes)
                runs: dict[bool, list[float]] = {True: [], False: []}
                for number in range(arguments.repeat):
                    for ahead, times in runs.items():
                        cache = f"{folder}/cache-{height}-{minutes}-{number}-{ahead}"
                        times.append(first_chords_s(film, cache, arguments.idle, ahead))
                told = " | ".join(f"{min(times):.2f}, {max(times):.2f}" for times in runs.values())
                print(f"{height * 16 // 9}x{height} | {minutes:g} | {told}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
