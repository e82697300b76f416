"""The arrangement of a small piece, note for note.

A difference here is a difference that composers hear.  Where it is meant, write the file anew with

    python tests/engine/arrange/test_golden.py

and say why in the commit.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[3]))
from pieces import compose

from engine.arrange import Arrangement, arrange, paper_options
from engine.music import Cue, Hit, Section, TempoMap, TimeSignature

GOLDEN = Path(__file__).parent / "golden"


def pieces() -> dict[str, Arrangement]:
    four = compose("C Am Dm7 G7 Em7 F G7 N", seconds=16.0, tempo_map=TempoMap.constant(97), hits=(Hit(8.0, "must"),))
    seven = compose(
        "Am F C G7/B",
        key="Am",
        seconds=10.0,
        tempo_map=TempoMap.constant(140, TimeSignature(7, 8)),
        cues=(Cue("1m1", 1.0, 9.0, sections=(Section(4.0, (("pattern", "up"),), "B", True),), ending="open"),),
    )
    seconds = compose("C C G G Am F", seconds=6.0, grid="seconds", cues=(Cue(ending="cut"),))
    return {
        "four-four": arrange(four),
        "seven-eight": arrange(seven),
        "paper": arrange(seconds, paper_options()),
    }


def as_text(arrangement: Arrangement) -> str:
    lines = [
        f"{n.start_beats:9.4f} {n.length_beats:8.4f} {n.part:7} {n.channel:2} {n.pitch:3} {n.velocity:3}"
        for n in arrangement.notes
    ]
    lines += [
        f"{change.time_beats:9.4f} {change.part:7} {change.channel:2} CC{change.number} {change.value}"
        for change in arrangement.controllers
    ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", ["four-four", "seven-eight", "paper"])
def test_note_for_note(name):
    assert as_text(pieces()[name]) == (GOLDEN / f"{name}.txt").read_text()


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for piece, arranged in pieces().items():
        (GOLDEN / f"{piece}.txt").write_text(as_text(arranged))
