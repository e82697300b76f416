"""Chords by the shipped networks, without a plan and with one: these goldens alone are remade when weights change.

CUEBRIDGE_REMAKE_GOLDENS=1 python -m pytest tests/golden/test_network.py
"""

from __future__ import annotations

import json
import shlex

import pytest
from golden.facts import check, number_lines
from golden.stored import HERE, chord_number, command
from livelab import CLIP

COMPOSE = {
    "planned": "--take 1",
    "plain": "--form none --bpm 120",
    "take-3-after-a-progression": "--form none --bpm 97 --take 3 --key Dm --progression 'Dm Bb F'",
    "mood": "--form none --bpm 120 --dark-light -80 --calm-tense 60 --adventurous 8",
    "best-of-three": "--form none --grid seconds --candidates 3",
    "two-cues": "--form none --cue '1m1 2 12 key=Am' --cue '1m2 15 end key=Eb' --take 2",
}


@pytest.mark.parametrize("name", COMPOSE)
def test_chords(name, tmp_path, monkeypatch) -> None:
    printed = command(
        monkeypatch, "compose", str(CLIP), "-o", str(tmp_path / "x.mid"), "--no-cache", "--json",
        *shlex.split(COMPOSE[name]), network=True,
    )  # fmt: skip
    facts = json.loads(printed)
    asked = {key: facts[key] for key in ("take", "bpm", "slots", "chords")}
    check(HERE / "network" / f"{name}.txt", [f"compose {COMPOSE[name]}", *number_lines(asked, chord_number)])
