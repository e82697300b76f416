"""The theme moved and the proposed form decided by hand, by the shipped networks on the bundled clip.

What an edit names changes; what lies outside stays note for note.
"""

from __future__ import annotations

import pytest
from golden import stored
from livelab import CLIP

from engine.arrange.score import arrange_whole

SIX = 6  # values of a row of /cue/form/sections


@pytest.fixture
def live(tmp_path, request):
    form = getattr(request, "param", "under dialogue")
    with stored.live(str(CLIP), "--form", form, "--ensemble", "strings", folder=tmp_path, network=True) as stage:
        yield stage


def plan_of(stage):
    return stage.session.document.result.plans[0]


def notes_of(stage):
    made = arrange_whole(stage.session.score()).notes
    return sorted(made, key=lambda note: (note.start_beats, note.part, note.pitch))


def second_of(stage, bar):
    result = stage.session.document.result
    return result.tempo_map.seconds_at(float(result.tempo_map.bar_start(bar))) - result.starts_s


def do(stage, address, *arguments):
    answer = stage.osc(address, *arguments)
    stage.ready()
    return answer


def refusal(stage, address, *arguments) -> str:
    with pytest.raises(AssertionError):
        stage.osc(address, *arguments)
    assert stage.refused[-1][0] == address
    return stage.refused[-1][2]


def sections_of(stage):
    flat = stage.osc("/cue/form/sections")
    return [flat[at : at + SIX] for at in range(0, len(flat), SIX)]


def steps(stage):
    return stage.session.history.undo_count


def changed_bars(stage, before, after):
    """Bars, and parts in them, in which a note begins that the other arrangement has not."""
    tempo_map = stage.session.tempo_map
    notes = [
        {(n.part, n.pitch, round(n.start_beats, 4), round(n.length_beats, 4)) for n in all_} for all_ in (before, after)
    ]
    return {(tempo_map.bar_at(row[2] + 1e-6), row[0]) for row in notes[0] ^ notes[1]}


# the theme ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("to_bar", [1, 3, 6, 9])
def test_a_statement_moves_and_only_the_bars_that_it_leaves_and_takes_change(live, to_bar) -> None:
    """Bar 1 and 3 lie in a section without a tune: its players go under the one that it gets, and no other section."""
    (statement,) = plan_of(live).statements
    section = plan_of(live).section_at(second_of(live, to_bar))
    before, slots, count = notes_of(live), live.session.document.slots, steps(live)
    length = statement.length_bars
    answer = do(live, "/cue/theme/move", second_of(live, statement.bar) + 0.3, second_of(live, to_bar) + 0.2)
    assert answer[1] == pytest.approx(second_of(live, to_bar))
    (moved,) = plan_of(live).statements
    assert (moved.bar, moved.kind, moved.bars) == (to_bar, statement.kind, statement.bars)
    assert live.osc("/cue/theme/statements")[3] == to_bar
    after = notes_of(live)
    # The cue's last chord is everybody's: where its section gets the tune, there is a tone of rest over it.
    closes = live.session.tempo_map.bar_at(max(note.start_beats for note in after if note.part == "bass") + 1e-6)
    tune = [note for note in after if note.part == "melody"]
    assert tune and {live.session.tempo_map.bar_at(note.start_beats + 1e-6) for note in tune} <= {
        closes, *(to_bar + each for each in range(length))
    }  # fmt: skip
    own = {first + each for first in (statement.bar, to_bar) for each in range(length)}
    # The accompaniment's first bar after a statement is voiced from where it stood.
    allowed = own | {first + length for first in (statement.bar, to_bar)}
    if "melody" not in section.layers:
        allowed |= {
            bar for bar in range(1, 11) if section.start_s - 0.01 <= second_of(live, bar) < section.end_s - 0.01
        }
    changed = changed_bars(live, before, after) - {(closes, "melody")}
    assert {bar for bar, _ in changed} <= allowed
    assert live.session.document.slots == slots and steps(live) == count + 1
    do(live, "/cue/undo")
    assert notes_of(live) == before and plan_of(live).statements == (statement,)
    do(live, "/cue/redo")
    assert notes_of(live) == after


def test_a_statement_does_not_go_where_it_cannot(live) -> None:
    (statement,) = plan_of(live).statements
    here, before, count = second_of(live, statement.bar) + 0.1, live.session.document, steps(live)
    assert "no statement of the theme sounds at 1.00 s" in refusal(live, "/cue/theme/move", 1.0, 9.0)
    assert "may begin in bars 1 to 9" in refusal(live, "/cue/theme/move", here, 29.9)
    assert do(live, "/cue/theme/move", here, here + 0.2)[1] == pytest.approx(here - 0.1)  # the bar that it stands in
    assert live.session.document is before and steps(live) == count
    do(live, "/cue/theme/state", second_of(live, 8), "memory")
    assert "already; move that memory first" in refusal(live, "/cue/theme/move", here, second_of(live, 7))
    do(live, "/cue/printed/mute", "melody", 0.0, 8.0)
    assert "in the DAW; unmute it first" in refusal(live, "/cue/theme/move", here, second_of(live, 2))
    do(live, "/cue/printed/unmute", "melody", 0.0, 8.0)
    do(live, "/cue/lock", "melody", here, here + 4)
    assert "locked; unlock it first" in refusal(live, "/cue/theme/move", here, second_of(live, 2))
    with pytest.raises(AssertionError):
        live.osc("/cue/theme/move", here)
    assert live.osc("/cue/try", "/cue/theme/move", second_of(live, 8) + 0.1, second_of(live, 7))[0] == "/cue/theme/move"
    assert [each.bar for each in plan_of(live).statements] == [statement.bar, 8]


def test_a_moved_statement_stays_where_it_is_while_faders_move(live) -> None:
    (statement,) = plan_of(live).statements
    do(live, "/cue/theme/move", second_of(live, statement.bar), second_of(live, 8))
    do(live, "/cue/mood/dark_light", -30.0)
    assert [each.bar for each in plan_of(live).statements if each.kind == statement.kind] == [8]


def test_the_theme_is_assigned_to_a_character(live) -> None:
    """Hits and sections with the character's name, here a hit and a section of the form; one step."""
    do(live, "/cue/hits/add", second_of(live, 3), "should", "Bunny")
    do(live, "/cue/hits/add", second_of(live, 9), "nice", "door")
    do(live, "/cue/form/name", plan_of(live).sections[1].start_s, "Bunny")
    before, count, slots = plan_of(live), steps(live), live.session.document.slots
    assert do(live, "/cue/theme/assign", "bunny", "hint")[:2] == ("bunny", 2)
    bars = {each.bar for each in plan_of(live).statements if each.kind == "hint"}
    assert {3, live.session.tempo_map.bar_at(live.session.beats_at(before.sections[1].start_s) + 1e-6)} <= bars
    assert steps(live) == count + 1 and live.session.document.slots == slots
    do(live, "/cue/undo")
    assert plan_of(live) == before
    assert "is called 'nobody'" in refusal(live, "/cue/theme/assign", "nobody")
    assert "is called ''" in refusal(live, "/cue/theme/assign", " ")


# the form -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("live", ["comedy"], indirect=True)
def test_a_proposed_section_is_accepted_named_and_stays_in_other_takes(live) -> None:
    rows, before, count = sections_of(live), notes_of(live), steps(live)
    assert len(rows) == 3 and {row[5] for row in rows} == {"proposed"}
    start_s = rows[1][0]
    do(live, "/cue/form/accept", start_s)
    assert [row[5] for row in sections_of(live)] == ["proposed", "accepted", "proposed"] and notes_of(live) == before
    do(live, "/cue/form/name", start_s + 1, "The door")
    assert sections_of(live)[1][4:] == ("The door", "accepted") and notes_of(live) == before
    assert steps(live) == count + 2
    do(live, "/cue/form/accept", start_s)  # nothing new
    assert steps(live) == count + 2
    do(live, "/cue/form", "chase")  # another form: two sections of other lengths
    do(live, "/cue/take/new")
    found = [row for row in sections_of(live) if abs(row[0] - start_s) < 1.0]
    assert found and found[0][4:] == ("The door", "accepted")
    do(live, "/cue/form/name", start_s + 1, "")
    assert [row[4:] for row in sections_of(live) if abs(row[0] - start_s) < 1.0] == [("", "accepted")]


@pytest.mark.parametrize("live", ["comedy"], indirect=True)
def test_a_section_is_moved_and_the_others_stay(live) -> None:
    plan, before, count = plan_of(live), notes_of(live), steps(live)
    at_s, wanted = plan.sections[2].start_s, second_of(live, 8)
    answer = do(live, "/cue/form/move", at_s, wanted + 0.3)
    assert answer[1] == pytest.approx(wanted)
    moved = plan_of(live)
    assert [each.start_s for each in moved.sections] == pytest.approx([0.0, plan.sections[1].start_s, wanted])
    assert moved.sections[1].end_s == pytest.approx(wanted) and moved.sections[0] == plan.sections[0]
    assert sections_of(live)[2][5] == "moved" and steps(live) == count + 1
    # The tail of what played before the sections that were touched stays, and their border is heard.
    after = notes_of(live)
    first_bar = live.session.tempo_map.bar_at(live.session.beats_at(plan.sections[1].start_s) + 1e-6)
    bars = {bar for bar, _ in changed_bars(live, before, after)}
    assert bars and min(bars) >= first_bar - 1
    do(live, "/cue/undo")
    assert plan_of(live) == plan and notes_of(live) == before
    assert "begins with the cue" in refusal(live, "/cue/form/move", 0.0, 6.0)
    assert "each keeps a bar at least" in refusal(live, "/cue/form/move", at_s, 2.0)
    assert "no section of this cue plays at 999.00 s" in refusal(live, "/cue/form/move", 999.0, 2.0)


@pytest.mark.parametrize("live", ["comedy"], indirect=True)
@pytest.mark.parametrize("address", ["/cue/form/refuse", "/cue/form/merge"])
def test_a_section_goes_up_in_the_one_before(live, address) -> None:
    plan, before, count = plan_of(live), notes_of(live), steps(live)
    at_s = plan.sections[1 if address.endswith("refuse") else 0].start_s
    do(live, address, at_s)
    joined = plan_of(live)
    assert [each.start_s for each in joined.sections] == [0.0, plan.sections[2].start_s]
    assert (joined.sections[0].letter, joined.sections[0].end_s) == ("A", plan.sections[1].end_s)
    assert [row[5] for row in sections_of(live)] == ["proposed", "proposed"] and steps(live) == count + 1
    # Its bars have music of the section that they are in now.
    there = [n for n in notes_of(live) if at_s - 0.01 < live.session.picture_at(n.start_beats) < plan.sections[1].end_s]
    assert there
    do(live, "/cue/undo")
    assert plan_of(live) == plan and notes_of(live) == before
    edge = ("/cue/form/refuse", 0.0) if address.endswith("refuse") else ("/cue/form/merge", plan.sections[2].start_s)
    assert "section" in refusal(live, *edge)


@pytest.mark.parametrize("live", ["comedy"], indirect=True)
def test_decisions_about_the_form_outlive_the_session_file(live) -> None:
    from bridge.session.file.autosave import saved_state
    from engine.document.file.reading import decode_session
    from engine.document.file.writing import SessionWriter
    from engine.document.form_decisions import decisions

    do(live, "/cue/form/name", plan_of(live).sections[1].start_s, "Rooftop")
    do(live, "/cue/form/move", plan_of(live).sections[1].start_s, second_of(live, 5))
    again = decode_session(SessionWriter().encode(saved_state(live.session, "0" * 64)))
    document = again.steps[again.index].document
    assert document == live.session.document
    assert [(each.bar, each.word, each.name) for each in decisions(document).values()] == [(5, "moved", "Rooftop")]


def test_a_cue_without_a_form_says_what_it_needs(tmp_path) -> None:
    with stored.live(str(CLIP), "--form", "none", folder=tmp_path, network=True) as stage:
        assert stage.osc("/cue/form/sections") == ()
        for command in (
            ("/cue/theme/move", 1.0, 2.0), ("/cue/form/accept", 1.0), ("/cue/form/refuse", 1.0),
            ("/cue/form/merge", 1.0), ("/cue/form/move", 1.0, 2.0), ("/cue/form/name", 1.0, "a"),
        ):  # fmt: skip
            assert "set /cue/form first" in refusal(stage, *command)
