"""How soon the page hears something, and how fast blocks of sound come.

    python tests/bench/sound_blocks.py FILM|SESSION.json [--changes 40] [--soundfont FILE.sf2]

Starts the sound process, gives it the film's notes, and prints: from its start to the first block; blocks a second in
straight play against real time; then, for random places, from a plan change (another revision, every pitch moved) and
from a jump to the first block there.  Half a second a block.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine.process.messages import Quit, SoundBlock, SoundPlan, SoundWanted
from engine.sound.fonts import find_soundfont
from engine.sound.stream import run_sound


def plan_of(film: str) -> SoundPlan:
    if film.endswith(".json"):
        from engine.arrange.score import session_arrangement
        from engine.document.file import read_session

        composition, arrangement = session_arrangement(read_session(Path(film)), printed=True)
    else:
        from engine.arrange import arrange
        from engine.brief import Brief
        from engine.composer import compose_takes

        (score,) = compose_takes(film, Brief(), 1)
        composition, arrangement = score.composition, arrange(score.composition)
    return SoundPlan(
        1,
        arrangement.notes,
        arrangement.controllers,
        composition.tempo_map,
        composition.picture_starts_at_s,
        composition.film.duration_s,
    )


class Renderer:
    """The process and how long its answers take."""

    def __init__(self, soundfont: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=run_sound, args=(theirs, soundfont), daemon=True)
        self.process.start()
        theirs.close()

    def first_block_s(self, revision: int, index: int, count: int = 8) -> float:
        """Seconds from asking to the first block of `count`, which are all read."""
        begun = time.perf_counter()
        self.connection.send(SoundWanted(revision, index, count))
        first = 0.0
        while True:
            block = self.connection.recv()
            assert isinstance(block, SoundBlock), block
            if block.revision != revision or not index <= block.index < index + count:
                continue
            first = first or time.perf_counter() - begun
            if block.index == index + count - 1 or block.last:
                return first


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film")
    parser.add_argument("--changes", type=int, default=40)
    parser.add_argument("--soundfont")
    arguments = parser.parse_args()
    plan = plan_of(arguments.film)
    blocks = int(plan.duration_s * 2)
    soundfont = str(find_soundfont(arguments.soundfont))
    begun = time.perf_counter()
    renderer = Renderer(soundfont)
    renderer.connection.send(plan)
    renderer.first_block_s(1, 0, 1)
    print(f"{Path(soundfont).name}, {len(plan.notes)} notes, {plan.duration_s:.1f} s")
    print(f"from the process's start to its first block: {1000 * (time.perf_counter() - begun):.0f} ms")
    begun = time.perf_counter()
    renderer.first_block_s(1, 0, blocks)
    took = time.perf_counter() - begun
    print(f"straight play: {blocks / took:.0f} blocks a second, {plan.duration_s / took:.0f} x real time")
    random.seed(7)
    changes, jumps = [], []
    for revision in range(2, arguments.changes + 2):
        moved = tuple(
            replace(note, pitch=note.pitch + revision % 5) if note.part != "drums" else note for note in plan.notes
        )
        place = random.randrange(blocks)
        begun = time.perf_counter()
        renderer.connection.send(replace(plan, revision=revision, notes=moved))
        changes.append(time.perf_counter() - begun + renderer.first_block_s(revision, place))
        jumps.append(renderer.first_block_s(revision, random.randrange(blocks)))
    for what, seconds in (("plan change", changes), ("jump", jumps)):
        ordered = sorted(1000 * value for value in seconds)
        print(
            f"{what} -> first block: p50 {statistics.median(ordered):.0f} ms, "
            f"p95 {ordered[int(0.95 * len(ordered))]:.0f} ms, worst {ordered[-1]:.0f} ms"
        )
    renderer.connection.send(Quit())
    renderer.process.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
