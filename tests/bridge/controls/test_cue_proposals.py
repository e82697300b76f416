"""Cues that spotting proposes are accepted and refused one by one, each as one step of undo."""

from __future__ import annotations

import pytest
from golden import stored
from livelab import CLIP

from bridge.session.proposal import taken_up
from engine.brief import Brief
from engine.document import TempoOrigin
from engine.process.messages import Proposal

PROPOSAL = Proposal(
    80.0, "4/4", "why", ((0.0, 8.0, 80.0, "an opening"), (10.0, 18.0, 90.0, "much motion"), (20.0, 28.0, 80.0, ""))
)


@pytest.fixture
def live(tmp_path):
    """A session that has taken up a proposal of three cues, as one on a long film does."""
    with stored.live(str(CLIP), "--form", "auto", folder=tmp_path, network=True) as stage:
        session = stage.session
        document, session.tempo.asked = taken_up(session.document, PROPOSAL, Brief())
        session.amend(document)
        session.amend(session.tempo.choose(session.document, session.now()))
        stage.osc("/cue/take/new")
        stage.ready()
        yield stage


def test_who_chose_the_tempo_is_kept(live) -> None:
    session = live.session
    session.tempo.propose(session.document, "tempo why.")
    assert session.choice.origin == TempoOrigin(proposed=((0, 80.0), (1, 90.0), (2, 80.0)))
    assert not any(session.choice.origin.is_by_hand(state) for state in session.document.cue_states)
    do(live, "/cue/cues/select", "1m2")
    do(live, "/cue/tempo", 97.0)
    assert [session.choice.origin.is_by_hand(state) for state in session.document.cue_states] == [False, True, False]
    do(live, "/cue/undo")
    assert not any(session.choice.origin.is_by_hand(state) for state in session.document.cue_states)


@pytest.mark.parametrize(("words", "asked"), [((), False), (("--bpm", "97"), True)])
def test_a_tempo_of_the_command_line_is_a_persons(words, asked, tmp_path) -> None:
    with stored.live(str(CLIP), *words, folder=tmp_path, network=True) as stage:
        assert stage.session.choice.origin == TempoOrigin(asked=asked)


def rows(stage):
    flat = stage.osc("/cue/cues/proposed")
    return [flat[at : at + 3] for at in range(0, len(flat), 3)]


def names(stage):
    return list(stage.osc("/cue/cues")[1::5])


def steps(stage):
    return stage.session.history.undo_count


def do(stage, *command):
    answer = stage.osc(*command)
    stage.ready()
    return answer


def test_each_is_accepted_or_refused_in_one_step(live) -> None:
    count = steps(live)
    assert rows(live) == [(1, "1m1", "an opening"), (2, "1m2", "much motion"), (3, "1m3", "proposed")]
    slots = live.session.document.slots
    assert do(live, "/cue/cues/accept", "1m2")[0] == "1m2"
    assert [row[1] for row in rows(live)] == ["1m1", "1m3"] and names(live) == ["1m1", "1m2", "1m3"]
    assert live.session.document.slots == slots and live.session.document.selected.name == "1m1"
    assert do(live, "/cue/cues/refuse", "3")[0] == "1m3"
    assert names(live) == ["1m1", "1m2"] and [row[1] for row in rows(live)] == ["1m1"]
    assert not [slot for slot in live.session.document.slots if slot.start_s > 20 and not slot.chord.is_silence]
    assert do(live, "/cue/cues/accept")[0] == "1m1" and rows(live) == []  # the selected one
    assert steps(live) == count + 3
    for left in (["1m1"], ["1m1", "1m3"], ["1m1", "1m2", "1m3"]):
        do(live, "/cue/undo")
        assert [row[1] for row in rows(live)] == left
    do(live, "/cue/redo")
    assert [row[1] for row in rows(live)] == ["1m1", "1m3"]


def test_what_is_moved_or_named_is_accepted(live) -> None:
    do(live, "/cue/out", 7.0)
    assert [row[1] for row in rows(live)] == ["1m2", "1m3"]
    live.osc("/cue/cues/select", "1m2")
    do(live, "/cue/name", "Chase")
    assert [row[1] for row in rows(live)] == ["1m3"]
    do(live, "/cue/undo")
    assert [row[1] for row in rows(live)] == ["1m2", "1m3"]


def test_what_is_not_proposed_is_not_refused(live) -> None:
    do(live, "/cue/cues/accept", "1m1")
    document = live.session.document
    for command, said in (
        (("/cue/cues/refuse", "1m1"), "accepted already; /cue/cues/remove deletes it"),
        (("/cue/cues/accept", "1m1"), "accepted already"),
        (("/cue/cues/accept", "9m9"), "there is no cue '9m9'"),
    ):
        with pytest.raises(AssertionError):
            live.osc(*command)
        assert said in live.refused[-1][2]
    assert live.session.document is document


def test_a_session_file_keeps_what_is_proposed(live) -> None:
    from bridge.session.file.autosave import saved_state
    from engine.document.file.reading import decode_session
    from engine.document.file.writing import SessionWriter

    do(live, "/cue/cues/accept", "1m2")
    again = decode_session(SessionWriter().encode(saved_state(live.session, "0" * 64)))
    assert again.steps[again.index].document == live.session.document
