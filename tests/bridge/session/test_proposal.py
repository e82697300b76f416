"""What a film's plan proposes is taken up where nobody has said anything of it, and nowhere else."""

from dataclasses import replace
from fractions import Fraction

import pytest

from bridge.session.proposal import is_undecided, taken_up, with_first
from engine.brief import Brief
from engine.document import CueState, Document
from engine.music import Hit, TempoMap, controls
from engine.process.messages import AnalyseRequest, Proposal

PLANNED = Document().with_value(controls.FORM, "auto")
ASKED = AnalyseRequest(1, "film.mp4")


def test_a_new_session_asks_for_tempo_and_cues():
    asked = with_first(ASKED, PLANNED, Brief(wall_to_wall=False))
    assert asked.first is not None and asked.first.options.form == "auto"
    assert asked.proposes_cues and asked.meter == ""
    assert not with_first(ASKED, PLANNED, Brief(wall_to_wall=True)).proposes_cues


@pytest.mark.parametrize(
    ("document", "brief"),
    [
        (Document(), Brief()),
        (PLANNED.with_value(controls.TEMPO, 90.0), Brief()),
        (PLANNED, Brief(bpm=90.0)),
        (PLANNED, Brief(tempo_map=TempoMap.constant(90))),
        (PLANNED, Brief(grid="seconds")),
        (replace(PLANNED, hits=(Hit(3.0),)), Brief()),
        (PLANNED.with_cues((CueState(0), CueState(1, {controls.IN: 9.0})), 0), Brief()),
    ],
)
def test_what_was_said_stays(document, brief):
    assert not is_undecided(document, brief)
    assert with_first(ASKED, document, brief) == ASKED


def test_a_cue_or_progression_of_the_composers_own_is_left_alone():
    for document in (
        PLANNED.with_value(controls.OUT, 60.0),
        PLANNED.with_value(controls.PROGRESSION, "C F G"),
    ):
        asked = with_first(ASKED, document, Brief(wall_to_wall=False))
        assert asked.first is not None and not asked.proposes_cues


def test_the_tempo_becomes_a_setting_and_cues_have_their_own():
    document, asked = taken_up(PLANNED, Proposal(71.5, "3/4", "why"), Brief())
    assert document.number_of(controls.TEMPO) == 71.5 and not document.other_cues
    assert asked.meter is not None and asked.meter.bar_beats == Fraction(3)
    proposal = Proposal(80.0, "4/4", "why", ((0.0, 40.0, 80.0, "an opening"), (95.5, 140.0, 120.0, "")))
    document, _ = taken_up(PLANNED.with_value(controls.ENDING, "bump"), proposal, Brief())
    first, second = document.cues
    assert (first.name, first.in_s, first.out_s, first.number) == ("1m1", 0.0, 40.0, 0)
    assert (second.name, second.in_s, second.out_s, second.bar_1_s) == ("1m2", 95.5, 140.0, 95.5)
    assert {first.ending, second.ending} == {"bump"}
    assert [state.number_of(controls.TEMPO) for state in document.cue_states] == [80.0, 120.0]
    assert document.text(controls.FORM) == "auto"
    assert [state.text(controls.PROPOSED) for state in document.cue_states] == ["an opening", "proposed"]
