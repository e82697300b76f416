"""Chords by the shipped networks, without a plan and with one, and the notes of plans: these goldens alone are remade
when weights change, those of plans too when planned music is meant to change.

CUEBRIDGE_REMAKE_GOLDENS=1 python -m pytest tests/golden/test_network.py
"""

from __future__ import annotations

import json
import shlex

import pytest
from golden.facts import check, midi_lines, number_lines
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


PLANNED = {
    "planned-notes": "--take 1",
    "planned-strings": "--take 2 --ensemble strings --form reveal --ending unresolved",
}


@pytest.mark.parametrize("name", PLANNED)
def test_notes_with_a_plan(name, tmp_path, monkeypatch) -> None:
    out = tmp_path / "x.mid"
    command(monkeypatch, "compose", str(CLIP), "-o", str(out), "--no-cache", *shlex.split(PLANNED[name]), network=True)
    check(HERE / "network" / f"{name}.txt", [f"compose {PLANNED[name]}", *midi_lines(out)])
