"""Milliseconds to arrange one bar of all parts, as the bridge does it: one Arranger, bar after bar, state carried.

    python tests/bench/arrange.py [--minutes 10] [--json]

One stretch without a plan in both voicing styles (random chords of all types, every part at full activity), and a
planned cue of every ensemble whose palette changes every eight bars.  Reports p50, p99 and the worst over all bars in
wall-clock and in CPU time (which a busy machine changes less), CPU time of the whole film, and the time to make the
Arranger.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine.arrange import ArrangeOptions, Arranger
from engine.arrange.rhythm import build_grid
from engine.music import QUALITIES, Chord, Composition, Film, FrameRate, Slot, TempoMap
from engine.music.cueplan import ENSEMBLES


def film(seconds: float) -> Composition:
    tempo_map = TempoMap.constant(97)
    random_ = random.Random(1)
    slots = tuple(
        Slot(
            slot.index, slot.start_s, slot.end_s, slot.start_beats, slot.end_beats,
            Chord(random_.randrange(12), random_.choice(QUALITIES)), random_.uniform(0, 30), random_.uniform(0, 0.4),
            motion=random_.uniform(0, 40),
        )
        for slot in build_grid("beats", tempo_map, seconds)
    )  # fmt: skip
    return Composition(1, Film("film.mp4", seconds, FrameRate(Fraction(24))), tempo_map, slots)


def planned(seconds: float, ensemble: str) -> Composition:
    """The same length with a plan: sections of eight bars in turn loud and soft, a theme stated in every other one."""
    from engine.arrange.ensembles import ensembles
    from engine.harmony.palettes import palettes
    from engine.music import Key
    from engine.music.cueplan import CuePlan, SectionPlan, Statement
    from engine.theme import build_theme

    plain, length_s = film(seconds), 8 * 4 * 60 / 97
    variants, players = ("E1", "S1", "N2", "T1"), ensembles()[ensemble]
    draw = random.Random(2)
    values: dict[tuple[object, ...], float] = {}
    first = palettes()[variants[0]]
    theme = build_theme(
        first.mood, first.mode, first.shapes, first.rhythms, 4.0, lambda *words: values.setdefault(words, draw.random())
    )
    sections = []
    for number in range(max(int(seconds // length_s), 1)):
        palette, level = palettes()[variants[number % 4]], (4, 2)[number % 2]
        with_theme = number % 2 == 0
        layers = (*(players.theme if with_theme else players.layers)[level], *(("melody",) if with_theme else ()))
        sections.append(
            SectionPlan(
                number * length_s, (number + 1) * length_s, "A", "theme", palette.mood, level, palette.variant,
                Key(2, palette.mode), 1.0, tuple(dict.fromkeys(layers)), centre=palette.centre,
            )
        )  # fmt: skip
    statements = tuple(Statement(8 * number + 1, "statement", 8) for number in range(0, len(sections), 2))
    plan = CuePlan(0, "montage", ensemble, tuple(sections), theme, statements, "ring-off", seed=3)
    return replace(plain, plans=(plan,))


def measure(composition: Composition, options: ArrangeOptions) -> dict[str, float]:
    started = time.perf_counter()
    arranger = Arranger(composition, options)
    made_ms = (time.perf_counter() - started) * 1000
    times, cpu, state, notes = [], [], None, 0
    position = arranger.start_beats
    while position < arranger.end_beats:
        started, started_cpu = time.perf_counter(), time.thread_time()
        piece = arranger.arrange(position, position + 4, state)
        times.append((time.perf_counter() - started) * 1000)
        cpu.append((time.thread_time() - started_cpu) * 1000)
        state, position, notes = piece.state, position + 4, notes + len(piece.notes)
    total_s = sum(cpu) / 1000
    times.sort(), cpu.sort()
    return {
        "arranger_ms": round(made_ms, 3),
        "bars": len(times),
        "notes": notes,
        "bar_p50_ms": round(times[len(times) // 2], 3),
        "bar_p99_ms": round(times[int(len(times) * 0.99)], 3),
        "bar_max_ms": round(times[-1], 3),
        "bar_cpu_p99_ms": round(cpu[int(len(cpu) * 0.99)], 3),
        "bar_cpu_max_ms": round(cpu[-1], 3),
        "film_cpu_s": round(total_s, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    composition = film(arguments.minutes * 60)
    rows = {style: measure(composition, ArrangeOptions(voicing=style, activity=100)) for style in ("close", "open")}
    rows |= {f"planned, {name}": measure(planned(arguments.minutes * 60, name), ArrangeOptions()) for name in ENSEMBLES}
    if arguments.json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return
    for style, row in rows.items():
        sys.stdout.write(f"{style}: " + ", ".join(f"{name} {value}" for name, value in row.items()) + "\n")


if __name__ == "__main__":
    main()
