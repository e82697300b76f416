from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from pieces import compose

from engine.arrange import arrange
from engine.music import Cue, MusicError, Section


def cue(*sections):
    return compose("C C C C", seconds=16.0, density=12.0, cues=(Cue("1m1", ending="cut", sections=sections),))


def arp(result, a, b):
    notes = [note for note in result.notes if note.part == "arp" and a <= note.start_beats < b]
    return [(note.start_beats - a, note.pitch % 12) for note in notes]


def test_a_section_starts_on_its_frame_with_an_accent_and_its_pattern_anew():
    result = arrange(cue(Section(5.25, (("pattern", "1 2 * *"),), "B")))  # beat 10.5
    assert [start for start, _ in arp(result, 10.5, 12.5)] == [0.0, 0.25, 1.0, 1.25]
    assert any(note.start_beats == 10.5 for note in result.notes if note.part == "pad")
    assert any(note.start_beats == 10.5 and note.pitch == 49 for note in result.notes if note.part == "drums")
    plain = arrange(cue())
    assert arp(plain, 0, 10) == arp(result, 0, 10)


def test_a_breath_before_it_only_if_asked():
    def gap(breath):
        notes = [n for n in arrange(cue(Section(6.0, breath=breath))).notes if n.part != "drums"]
        return [n for n in notes if n.start_beats < 12 < n.end_beats + 0.25 - 1e-9 and n.part == "pad"]

    assert gap(False) and not gap(True)


def test_sections_switch_parts_activity_and_dynamics_and_keep_them():
    result = arrange(
        cue(
            Section(4.0, (("parts", "pad bass"), ("dynamics", "100"))),
            Section(8.0, (("activity", "100"), ("/cue/parts", "arp,bass"))),
        )
    )
    between = lambda a, b: [n for n in result.notes if a <= n.start_beats < b]  # noqa: E731
    assert {n.part for n in between(0, 8)} >= {"pad", "arp", "bass"}
    assert {n.part for n in between(8, 16)} == {"pad", "bass"}
    assert {n.part for n in between(16, 32)} == {"arp", "bass"}
    assert len([n for n in between(16, 32) if n.part == "arp"]) == 64
    assert min(n.velocity for n in between(8, 16) if n.part == "pad") >= 88
    assert min(n.velocity for n in between(16, 32) if n.part == "bass") >= 90


def test_a_control_of_others_is_left_to_them_and_a_bad_value_is_a_sentence():
    assert arrange(cue(Section(4.0, (("mood", "dark"),)))).notes
    for change in (("parts", "tuba"), ("activity", "much"), ("pattern", "x"), ("dynamics", "300")):
        with pytest.raises(MusicError):
            arrange(cue(Section(4.0, (change,))))
