"""What docs/chords.md says of chords and keys is how they are read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.music import Key
from engine.music.lead_sheet import parse_progression

PAGE = Path(__file__).resolve().parents[3] / "docs" / "chords.md"
ROWS = [
    tuple(cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1])
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| `")
]
CHORDS = [(written.strip("`"), meant.strip("`")) for written, meant in ROWS if meant.startswith("`")]
KEYS = [
    (word, meant) for written, meant in ROWS if not meant.startswith("`") for word in re.findall("`([^`]+)`", written)
]


@pytest.mark.parametrize(("written", "meant"), CHORDS)
def test_a_row_of_chords(written, meant):
    key = Key.parse("C")
    found, expected = (parse_progression(text, "start", key).items for text in (written, meant))
    assert [(item.chord, item.bars) for item in found] == [(item.chord, item.bars) for item in expected]


@pytest.mark.parametrize(("written", "meant"), KEYS)
def test_a_row_of_keys(written, meant):
    assert Key.parse(written) == Key.parse(meant)


def test_the_page_has_rows_of_both_kinds():
    assert len(CHORDS) > 20 and len(KEYS) > 6
