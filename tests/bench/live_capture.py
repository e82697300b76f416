"""Captured notes against composed notes: the whole chain, from film to a JACK client that only listens.

    python tests/bench/live_capture.py [--film FILM] [--seconds 20] [--apis jack jack-client] [--period 256]

For each output (rtmidi on JACK, JACK process callback) and each case it prints how many composed notes were heard, how
many were missing or too many, and |captured onset - composed onset| (their median taken away: the constant between the
two clocks) as p50 / p99 / max.  Cases: both grids from a standing start, idle and while the engine composes one take
after another; after a locate; in a loop; after a new progression while rolling; after a new tempo while rolling.
It needs jackd and JACK-Client.  The priority that the player got, jackd's mode and the period are printed with the
table; where real-time priority is refused the figures are left out and the reason is printed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from jacklab import Capture, JackServer, still_sounding, why_not
from livelab import CLIP, Live, Match, composed_notes, match, port_name, struck

LOOP_S = (4.0, 8.0)


def export(live: Live, path: Path) -> list[tuple[float, int, int, int]]:
    """What is composed at this moment, written by the program and read back by mido."""
    answer = live.send("/cue/export", str(path))
    end = time.monotonic() + 10
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.05)
    if not path.exists():
        raise RuntimeError(f"/cue/export wrote nothing: {answer and (answer.address, answer.params)}")
    time.sleep(0.1)
    return composed_notes(path)


def until(live: Live, picture_s: float, timeout_s: float = 120) -> None:
    live.wait(lambda line: line.get("type") == "status" and line["picture_s"] >= picture_s, f"{picture_s} s", timeout_s)


def stop(live: Live) -> None:
    live.send("/cue/stop")
    time.sleep(0.4)


def from_standing_start(live: Live, capture: Capture, out: Path, seconds: float) -> list[Match]:
    composed = export(live, out)
    live.send("/cue/locate", 0.0)
    live.send("/cue/play")
    until(live, seconds)
    stop(live)
    return [match(struck(capture.heard()), [note for note in composed if note[0] < seconds - 0.3])]


def while_composing(live: Live, capture: Capture, out: Path, seconds: float) -> list[Match]:
    """The end of the film is composed over and over, so that the notes heard stay the same."""
    composed = export(live, out)
    end_s = live.last("status")["composed_to_s"]
    busy = threading.Event()

    def ask() -> None:
        while not busy.wait(0.25):
            live.send("/cue/rewrite", end_s - 6.0, end_s)

    live.send("/cue/locate", 0.0)
    live.send("/cue/play")
    thread = threading.Thread(target=ask)
    thread.start()
    until(live, seconds)
    busy.set()
    thread.join()
    stop(live)
    return [match(struck(capture.heard()), [note for note in composed if note[0] < seconds - 0.3])]


def after_locate(live: Live, capture: Capture, out: Path, seconds: float) -> list[Match]:
    composed = export(live, out)
    found = []
    for place in (7.0, 3.0, 11.0):
        live.send("/cue/play")
        time.sleep(1.06)  # rolling, so that the locate is a jump, and no note of the old place lies just before it
        capture.events.clear()
        live.send("/cue/locate", place)
        time.sleep(min(4.0, seconds / 4))
        stop(live)
        notes = [note for note in struck(capture.heard()) if note.channel != 1]
        begun = match(notes, [note for note in composed if place <= note[0] < place + 2 and note[3] != 1])
        found.append(begun)
    return found


def in_a_loop(live: Live, capture: Capture, out: Path, seconds: float) -> list[Match]:
    composed = [note for note in export(live, out) if LOOP_S[0] - 0.001 <= note[0] < LOOP_S[1] - 0.001 and note[3] != 1]
    live.send("/cue/loop", True, *LOOP_S)
    live.send("/cue/locate", LOOP_S[0])
    live.send("/cue/play")
    passes = max(3, int(seconds / (LOOP_S[1] - LOOP_S[0])))
    time.sleep(passes * (LOOP_S[1] - LOOP_S[0]) + 0.5)
    stop(live)
    live.send("/cue/loop", False)
    notes = [note for note in struck(capture.heard()) if note.channel != 1]
    length = LOOP_S[1] - LOOP_S[0]
    unrolled = [(time_s - LOOP_S[0] + turn * length, *rest) for turn in range(passes) for time_s, *rest in composed]
    return [match(notes, unrolled)]


def _after_change(live: Live, capture: Capture, out: Path, seconds: float, change: tuple) -> list[Match]:
    """What is heard from two bars after a change on is what is composed now."""
    live.send("/cue/locate", 0.0)
    live.send("/cue/play")
    until(live, 3.0)
    live.send(*change)
    until(live, seconds)
    stop(live)
    composed = [note for note in export(live, out) if 10.0 <= note[0] < seconds - 0.3 and note[3] != 1]
    notes = [note for note in struck(capture.heard()) if note.channel != 1]
    first = notes[0].host_s
    return [match([note for note in notes if note.host_s - first > 8.0], composed)]


def after_progression(live: Live, capture: Capture, out: Path, seconds: float) -> list[Match]:
    return _after_change(live, capture, out, seconds, ("/cue/progression", "Fm Db Ab Eb"))


def after_tempo(live: Live, capture: Capture, out: Path, seconds: float) -> list[Match]:
    return _after_change(live, capture, out, seconds, ("/cue/tempo", 113.0))


CASES = (
    ("standing start, beats grid", ("--grid", "beats"), from_standing_start),
    ("standing start, seconds grid", ("--grid", "seconds"), from_standing_start),
    ("while the engine composes", ("--grid", "beats"), while_composing),
    ("after a locate, beats grid", ("--grid", "beats"), after_locate),
    ("after a locate, seconds grid", ("--grid", "seconds"), after_locate),
    ("in a loop, beats grid", ("--grid", "beats"), in_a_loop),
    ("in a loop, seconds grid", ("--grid", "seconds"), in_a_loop),
    ("after a new progression, beats grid", ("--grid", "beats"), after_progression),
    ("after a new progression, seconds grid", ("--grid", "seconds"), after_progression),
    ("after a new tempo, beats grid", ("--grid", "beats"), after_tempo),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--film", type=Path, default=CLIP)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--apis", nargs="+", default=["jack", "jack-client"])
    parser.add_argument("--period", type=int, default=256)
    parser.add_argument("--cases", default="", help="only cases whose name holds this text")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if (reason := why_not()) is not None:
        print(f"not measured: {reason}")
        return 0
    rows = []
    with tempfile.TemporaryDirectory() as folder, JackServer(period=options.period) as server:
        print(f"{server.about}; film {options.film.name}, {options.seconds:g} s a case; milliseconds")
        print(f"{'output':<12} {'case':<40} {'notes':>5} {'missing':>7} {'extra':>5} {'p50':>8} {'p99':>8} {'max':>8}")
        for api in options.apis:
            for name, arguments, case in CASES:
                if options.cases not in name:
                    continue
                row = measure(options, Path(folder), api, name, arguments, case)
                if row is None:
                    return 0
                rows.append({**row, "server": server.about})
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return 0


def measure(
    options: argparse.Namespace, home: Path, api: str, name: str, arguments: tuple, case: Callable
) -> dict | None:
    """One case: a line of the table, printed; None where real-time priority is refused."""
    arguments = (*arguments, "--midi-api", api, "--out", str(home / "live.mid"), "--osc-folder", str(home))
    with Live(options.film, home, *arguments) as live, Capture() as capture:
        ready = live.ready()
        if not ready["priority"].startswith("SCHED_FIFO"):
            print(f"not measured: the player runs at {ready['priority']}")
            return None
        capture.connect(port_name(ready))
        found = case(live, capture, home / f"{api}-{name.replace(' ', '-')}.mid", options.seconds)
        hanging = still_sounding([event.data for event in capture.heard()])
        live.quit()
    offsets = sorted(abs(value) * 1000 for one in found for value in one.offsets_s) or [float("nan")]
    row = {
        "output": api,
        "case": name,
        "notes": len(offsets),
        "missing": sum(len(one.missing) for one in found),
        "extra": sum(len(one.extra) for one in found),
        "p50_ms": offsets[len(offsets) // 2],
        "p99_ms": offsets[min(int(len(offsets) * 0.99), len(offsets) - 1)],
        "max_ms": offsets[-1],
        "hanging": len(hanging),
        "priority": ready["priority"],
        "xruns": capture.xruns,
        "lost_cycles": capture.lost_cycles,
    }
    print(
        "{output:<12} {case:<40} {notes:>5} {missing:>7} {extra:>5} {p50_ms:>8.3f} {p99_ms:>8.3f} {max_ms:>8.3f}"
        "  hanging {hanging}, {priority}, xruns {xruns}, lost cycles {lost_cycles}".format(**row),
        flush=True,
    )
    return row


if __name__ == "__main__":
    sys.exit(main())
