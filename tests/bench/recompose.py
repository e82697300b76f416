"""Measures live recomposition: from a change of mind to the first new chords, over the engine's real pipe.

    python tests/bench/recompose.py [VIDEO] [--changes 200] [--minutes 0] [--json OUT.json]

An engine process is started as the bridge starts it and looks at VIDEO (default: the bundled clip).  Then come
changes at random moments, each a ComposeRequest with the past up to a random chord boundary kept: half of them another
mood, a quarter another progression from there on, a quarter a pin just ahead.  Counted: milliseconds from sending until
the first new slots arrive, and until the whole film is composed anew.  The same again while another process looks at
another film without pause (`engine.video`, quick reading), and then 200 requests within one second.
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
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CLIP = ROOT / "tests" / "media" / "big-buck-bunny-30s.mp4"
sys.path.insert(0, str(ROOT))

from engine.messages import (
    AnalyseRequest,
    Composed,
    ComposeOptions,
    ComposeRequest,
    EngineFailure,
    FilmAnalysed,
    SlotsComposed,
)
from engine.music import Chord, Composition, TempoMap, parse_progression
from engine.worker import EngineOptions, run_engine

_LONG = 600  # slots; for longer films only the first new chords are waited for

BUSY = """
import os, sys
sys.path.insert(0, {root!r})
from engine.video import AnalysisOptions, analyze
if hasattr(os, "nice"):
    os.nice(10)  # as `cuebridge analyze` does, and the engine with its own child
while True:
    analyze({film!r}, AnalysisOptions(reading="quick"))
"""


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

    def receive(self, kind: type, revision: int | None = None) -> Any:
        while True:
            message = self.pipe.recv()
            if isinstance(message, EngineFailure):
                raise SystemExit(message.sentence)
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


def measure(engine: Engine, base: ComposeRequest, count: int, seed: int) -> dict[str, dict[str, float]]:
    dice = random.Random(seed)
    _first, _whole, composition = engine.ask(base)
    firsts, wholes = [], []
    for _ in range(count):
        time.sleep(dice.uniform(0.06, 0.2))  # farther apart than what counts as a burst
        if len(composition.slots) > _LONG:  # the next change comes while the film is still being composed
            first_ms, _begun = engine.first(change(base, composition, dice))
        else:
            first_ms, whole_ms, composition = engine.ask(change(base, composition, dice))
            wholes.append(whole_ms)
        firsts.append(first_ms)
    return {"first_ms": percentiles(firsts), "whole_ms": percentiles(wholes) if wholes else {}}


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
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", nargs="?", type=Path, default=CLIP)
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    video = arguments.video.resolve()
    with tempfile.TemporaryDirectory() as cache_dir:
        if arguments.minutes:
            long_film(video, arguments.minutes, cache_dir)
        engine = Engine(cache_dir)
        try:
            engine.pipe.send(AnalyseRequest(0, str(video), "quick"))
            film = engine.receive(FilmAnalysed).film
            base = ComposeRequest(0, TempoMap.constant(97))
            idle = measure(engine, base, arguments.changes, 1)
            busy = subprocess.Popen([sys.executable, "-c", BUSY.format(root=str(ROOT), film=str(video))])
            try:
                time.sleep(2.0)
                beside = measure(engine, base, arguments.changes, 2)
            finally:
                busy.kill()
                busy.wait()
            flooded = flood(engine, base)
        finally:
            engine.pipe.close()
            engine.process.join(10)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    result = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, load {load:.1f} at the end",
        "film_s": film.duration_s,
        "changes": arguments.changes,
        "idle": idle,
        "while_another_film_is_looked_at": beside,
        "flood": flooded,
    }
    out = sys.stdout.write
    out(f"{video.name}: {film.duration_s:g} s of film, {arguments.changes} changes each; {result['machine']}\n")
    out(f"{'':34s}{'first new chords, ms':>28s}{'whole film anew, ms':>28s}\n")
    for name, row in (("idle", idle), ("while another film is looked at", beside)):
        first, whole = row["first_ms"], row["whole_ms"]
        out(f"{name:34s}{first['p50']:8.1f} p50 {first['p99']:6.1f} p99")
        out(f"{first['max']:7.1f} max")
        out(f"{whole['p50']:9.0f} p50 {whole['p99']:6.0f} p99\n" if whole else "      not waited for\n")
    out(f"{flooded['requests']} requests in a second: {flooded['whole_answers']} whole answer(s), ")
    out(f"{flooded['slots_sent']} slots sent (one answer has {flooded['slots_of_one_answer']}), ")
    out(f"the last one {flooded['last_answer_ms_after_last_request']:.0f} ms after the last request\n")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
