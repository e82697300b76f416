"""Measures live recomposition: from a change of mind to the first new chords, over the engine's real pipe.

    python tests/bench/recompose.py [VIDEO] [--changes 200] [--rounds 4] [--minutes 0] [--other FILM] [--json OUT.json]

An engine process is started as the bridge starts it and looks at VIDEO (default: the bundled clip).  Then come
changes at random moments, each a ComposeRequest with the past up to a random chord boundary kept: half of them another
mood, a quarter another progression from there on, a quarter a pin just ahead.  Counted: milliseconds from sending until
the first new slots arrive, and until the whole film is composed anew.  `--changes` of them under each of three
conditions, by turns in `--rounds` rounds, so that whatever else the machine does meets all three alike:

idle       nothing else is asked of the engine
own        the engine itself looks at another film beside (AnalyseRequest with beside, as loading another film does)
external   another process does (`python -m engine analyze FILM --no-cache`)

The other film (default: VIDEO repeated to two hours, so that its analysis outlasts the round) is read quickly.  For
`own` it is also said how fast the analysis went on, in seconds of film per second, without and with the changes.  At
the end come 200 requests within one second.
`--minutes N` composes for a film of N minutes by repeating what was seen of VIDEO; above about ten minutes the next
change does not wait for the whole film.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CLIP = ROOT / "engine" / "media" / "big-buck-bunny-30s.mp4"
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "bench")]

import analysis

from engine.music import Chord, Composition, TempoMap, parse_progression
from engine.process.messages import (
    AnalyseRequest,
    AnalysisProgress,
    Composed,
    ComposeOptions,
    ComposeRequest,
    EngineFailure,
    FilmAnalysed,
    SlotsComposed,
)
from engine.process.worker import EngineOptions, run_engine

OTHER_MINUTES = 120
_LONG = 600  # slots; for longer films only the first new chords are waited for

CONDITIONS = ("idle", "own", "external")
TITLES = {
    "idle": "idle",
    "own": "while the engine looks at another film",
    "external": "while another process does",
}


class Engine:
    """The engine process and a stop-watch on its answers."""

    def __init__(self, cache_dir: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe: Connection
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=run_engine, args=(theirs, EngineOptions(cache_dir=cache_dir)))
        self.process.start()
        theirs.close()
        self.revision = 0
        self.fraction = 0.0  # of the film that is looked at beside

    def receive(self, kind: type, revision: int | None = None) -> Any:
        while True:
            message = self.pipe.recv()
            if isinstance(message, EngineFailure):
                raise SystemExit(message.sentence)
            if isinstance(message, AnalysisProgress):
                self.fraction = message.fraction
            if isinstance(message, kind) and (revision is None or message.revision == revision):
                return message

    def ask(self, request: ComposeRequest) -> tuple[float, float, Composition]:
        """Milliseconds to the first new slots and to the whole; the result."""
        first_ms, begun = self.first(request)
        done = self.receive(Composed, self.revision)
        return first_ms, 1000 * (time.perf_counter() - begun), done.composition

    def first(self, request: ComposeRequest) -> tuple[float, float]:
        """Milliseconds to the first new slots, and when the request was sent."""
        self.revision += 1
        begun = time.perf_counter()
        self.pipe.send(replace(request, revision=self.revision))
        self.receive(SlotsComposed, self.revision)
        return 1000 * (time.perf_counter() - begun), begun


def change(base: ComposeRequest, composition: Composition, dice: random.Random) -> ComposeRequest:
    """Another mind at a random moment of the film."""
    slots = composition.slots
    now = dice.randrange(1, len(slots) - 2)
    kept = replace(base, keep=slots[:now], key=composition.key)
    kind = dice.randrange(4)
    if kind < 2:
        mood = ComposeOptions(dark_light=dice.uniform(-100, 100), calm_tense=dice.uniform(-100, 100))
        return replace(kept, options=mood)
    if kind == 2:
        chords = parse_progression(dice.choice(["Dm Bb F C", "Em C", "F G Am Em"]))
        return replace(kept, progression=chords, progression_from_s=slots[now].start_s)
    return replace(kept, pins=((slots[now + 1].start_s, Chord.parse(dice.choice(["E7", "Fm", "Bb"]))),))


def percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "p50": ordered[len(ordered) // 2],
        "p99": ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))],
        "max": ordered[-1],
    }


class Row:
    """What was measured under one condition."""

    def __init__(self) -> None:
        self.firsts_ms: list[float] = []
        self.wholes_ms: list[float] = []
        self.alone: list[float] = []  # film seconds looked at per second while nothing was composed
        self.beside: list[float] = []  # … and while changes came

    def figures(self) -> dict[str, object]:
        found: dict[str, object] = {"changes": len(self.firsts_ms), "first_ms": percentiles(self.firsts_ms)}
        if self.wholes_ms:
            found["whole_ms"] = percentiles(self.wholes_ms)
        if self.alone:
            found["film_s_per_s_alone"] = sum(self.alone) / len(self.alone)
            found["film_s_per_s_beside_changes"] = sum(self.beside) / len(self.beside)
        return found


def measure(engine: Engine, base: ComposeRequest, count: int, dice: random.Random, row: Row) -> None:
    """`count` changes, added to the row."""
    _first, _whole, composition = engine.ask(base)
    for _ in range(count):
        time.sleep(dice.uniform(0.06, 0.2))  # farther apart than what counts as a burst
        if len(composition.slots) > _LONG:  # the next change comes while the film is still being composed
            first_ms, _begun = engine.first(change(base, composition, dice))
        else:
            first_ms, whole_ms, composition = engine.ask(change(base, composition, dice))
            row.wholes_ms.append(whole_ms)
        row.firsts_ms.append(first_ms)


def read_on(engine: Engine, seconds: float) -> float:
    """How much of the other film was looked at in so long while nothing was composed, as a fraction a second."""
    engine.receive(AnalysisProgress)
    begun_s, begun = time.perf_counter(), engine.fraction
    while time.perf_counter() < begun_s + seconds:
        engine.receive(AnalysisProgress)
    return (engine.fraction - begun) / (time.perf_counter() - begun_s)


def beside_own(
    engine: Engine, base: ComposeRequest, count: int, dice: random.Random, row: Row, film: Path, other: Path
) -> None:
    """Changes while the engine's own child looks at another film, which must not be finished before them."""
    length_s = 60.0 * OTHER_MINUTES
    engine.pipe.send(AnalyseRequest(-1, str(other), "quick", use_cache=False, beside=True))
    time.sleep(2.0)
    row.alone.append(length_s * read_on(engine, 3.0))
    begun_s, begun = time.perf_counter(), engine.fraction
    measure(engine, base, count, dice, row)
    engine.receive(AnalysisProgress)
    row.beside.append(length_s * (engine.fraction - begun) / (time.perf_counter() - begun_s))
    engine.pipe.send(AnalyseRequest(-2, str(film), "quick"))
    engine.receive(FilmAnalysed, -2)


def beside_external(
    engine: Engine, base: ComposeRequest, count: int, dice: random.Random, row: Row, other: Path
) -> None:
    command = [sys.executable, "-m", "engine", "analyze", str(other), "--no-cache", "--reading", "quick"]
    busy = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(3.0)
        measure(engine, base, count, dice, row)
        if busy.poll() is not None:
            raise SystemExit("the other process had finished before the changes had.")
    finally:
        busy.kill()
        busy.wait()


def flood(engine: Engine, base: ComposeRequest, count: int = 200) -> dict[str, float]:
    """`count` requests within one second: how many slots were sent for all of them together."""
    _first, _whole, composition = engine.ask(base)
    begun = time.perf_counter()
    for number in range(count):
        engine.revision += 1
        mood = ComposeOptions(dark_light=float(number % 100))
        engine.pipe.send(replace(base, revision=engine.revision, options=mood))
        time.sleep(max(0.0, begun + (number + 1) / count - time.perf_counter()))
    slots = wholes = 0
    while True:
        message = engine.pipe.recv()
        slots += len(message.slots) if isinstance(message, SlotsComposed) else 0
        if isinstance(message, Composed):
            wholes += 1
            if message.revision == engine.revision:
                break
    return {
        "requests": count,
        "whole_answers": wholes,
        "slots_sent": slots,
        "slots_of_one_answer": len(composition.slots),
        "last_answer_ms_after_last_request": 1000 * (time.perf_counter() - begun - 1.0),
    }


def long_film(video: Path, minutes: float, cache_dir: str) -> None:
    """Puts a long film's features into the cache under the key of VIDEO: what was seen, repeated."""
    import numpy as np

    from engine.video import AnalysisOptions, FeatureCache, analyze

    options = AnalysisOptions(reading="quick")
    cache = FeatureCache(Path(cache_dir))
    seen = analyze(video, options)
    times = int(np.ceil(60 * minutes / seen.seconds))
    cache.put(
        cache.key(video, options),
        replace(
            seen,
            film=replace(seen.film, duration_s=float(times * seen.seconds)),
            seconds=times * seen.seconds,
            emotion_raw=np.tile(seen.emotion_raw, (times, 1)),
            emotion=np.tile(seen.emotion, (times, 1)),
            motion=np.tile(seen.motion, times),
            scene_offset=np.tile(seen.scene_offset, times),
            valid=np.tile(seen.valid, times),
            colour=None if seen.colour is None else np.tile(seen.colour, (times, 1)),
            card=None if seen.card is None else np.tile(seen.card, times),
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", nargs="?", type=Path, default=CLIP)
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--other", type=Path, help="what is looked at meanwhile, repeated to two hours (VIDEO)")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    video = arguments.video.resolve()
    rows = {name: Row() for name in CONDITIONS}
    counts = [len(part) for part in _parts(range(arguments.changes), arguments.rounds)]
    with tempfile.TemporaryDirectory() as cache_dir:
        other = Path(cache_dir) / "other.mp4"
        analysis.repeat((arguments.other or video).resolve(), other, 60 * OTHER_MINUTES)
        if arguments.minutes:
            long_film(video, arguments.minutes, cache_dir)
        engine = Engine(cache_dir)
        try:
            engine.pipe.send(AnalyseRequest(0, str(video), "quick"))
            film = engine.receive(FilmAnalysed).film
            base = ComposeRequest(0, TempoMap.constant(97))
            dice = {name: random.Random(number) for number, name in enumerate(CONDITIONS)}
            for count in counts:
                measure(engine, base, count, dice["idle"], rows["idle"])
                beside_own(engine, base, count, dice["own"], rows["own"], video, other)
                beside_external(engine, base, count, dice["external"], rows["external"], other)
            flooded = flood(engine, base)
        finally:
            engine.pipe.close()
            engine.process.join(10)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    result = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, load {load:.1f} at the end",
        "film_s": film.duration_s,
        **{name: row.figures() for name, row in rows.items()},
        "flood": flooded,
    }
    out = sys.stdout.write
    out(f"{video.name}: {film.duration_s:g} s of film; {result['machine']}\n")
    out(f"{'':39s}{'changes':>8s}{'first new chords, ms: p50':>28s}{'p99':>8s}{'max':>8s}{'x idle':>13s}")
    out(f"{'whole anew, ms: p50':>22s}{'p99':>8s}\n")
    idle = percentiles(rows["idle"].firsts_ms)
    for name, row in rows.items():
        first = percentiles(row.firsts_ms)
        out(f"{TITLES[name]:39s}{len(row.firsts_ms):8d}{first['p50']:28.1f}{first['p99']:8.1f}{first['max']:8.1f}")
        out(f"{first['p50'] / idle['p50']:7.2f}{first['p99'] / idle['p99']:6.2f}")
        whole = percentiles(row.wholes_ms) if row.wholes_ms else {}
        out(f"{whole['p50']:22.0f}{whole['p99']:8.0f}\n" if whole else f"{'not waited for':>30s}\n")
    own = rows["own"].figures()
    out(f"the engine's analysis: {own['film_s_per_s_alone']:.1f} s of film a second while nothing was composed, ")
    out(f"{own['film_s_per_s_beside_changes']:.1f} while the changes came\n")
    out(f"{flooded['requests']} requests in a second: {flooded['whole_answers']} whole answer(s), ")
    out(f"{flooded['slots_sent']} slots sent (one answer has {flooded['slots_of_one_answer']}), ")
    out(f"the last one {flooded['last_answer_ms_after_last_request']:.0f} ms after the last request\n")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _parts(numbers: range, count: int) -> list[range]:
    """Cut into so many parts of like length, without empty ones."""
    edges = [round(len(numbers) * part / count) for part in range(count + 1)]
    return [numbers[a:b] for a, b in pairwise(edges) if b > a]


if __name__ == "__main__":
    main()
