"""Several cues: each with its own key, progression, tempo and takes; silence outside; what one has moves no other."""

from __future__ import annotations

import pytest

from bridge.session.edits import chords, marks
from bridge.session.edits.values import set_value
from engine.arrange.score import arrange_whole
from engine.music import Chord
from engine.music.arguments import ControlError


def notes_of(session):
    return sorted(arrange_whole(session.score()).notes, key=lambda note: (note.start_beats, note.channel, note.pitch))


def between(session, from_s, to_s):
    return [
        (round(session.picture_at(note.start_beats), 6), note.pitch, note.velocity, note.channel)
        for note in notes_of(session)
        if from_s <= session.picture_at(note.start_beats) < to_s
    ]


def three_cues(stage):
    made = stage(48.0)
    session = made.session
    session.add_cue(2.0, 14.0, "1m1")
    session.add_cue(18.0, 30.0, "1m2")
    session.add_cue(34.0, "end", "1m3")
    made.ready()
    return made


def change(made, address, value, **more):
    made.session.edit(set_value, address, value, **more)
    made.ready()


def test_outside_the_cues_nothing_sounds_and_the_last_chord_lands_on_out(stage) -> None:
    session = three_cues(stage).session
    starts = [session.picture_at(note.start_beats) for note in notes_of(session)]
    assert not [at for at in starts if at < 1.99 or 14.01 < at < 17.99 or 30.01 < at < 33.99]
    assert [at for at in starts if abs(at - 14.0) < 0.01] and [at for at in starts if abs(at - 30.0) < 0.01]


def test_each_cue_has_its_own_key_progression_tempo_and_takes(stage) -> None:
    made = three_cues(stage)
    session = made.session
    before = between(session, 0, 16), between(session, 32, 60)
    session.select_cue("1m2")
    change(made, "/cue/key", "F# minor")
    change(made, "/cue/progression", "F#m B7 E A")
    assert (between(session, 0, 16), between(session, 32, 60)) == before
    chords = [slot.chord.lead_sheet() for slot in session.document.slots if 18 <= slot.start_s < 22]
    assert chords and chords[0] == "F#m" and "B7" in chords
    assert {cue.name: cue.key.name for cue in session.document.cues}["1m2"] == "F# minor"
    session.new_take()
    made.ready()
    assert session.document.take == 2 and sorted(session.takes.of_cue(session.document.cue)) == [1, 2]
    assert (between(session, 0, 16), between(session, 32, 60)) == before
    session.select_cue("1")
    assert session.document.take == 1 and session.document.text("/cue/key") == "auto"
    assert session.document.text("/cue/progression") == ""


def test_a_cue_has_its_own_bar_1_and_tempo(stage) -> None:
    made = three_cues(stage)
    session = made.session
    first = between(session, 0, 16)
    session.select_cue("1m2")
    change(made, "/cue/bar_1", 18.25)
    change(made, "/cue/tempo", 90.0)
    beats = session.beats_at(18.25)
    assert float(session.tempo_map.next_bar(round(beats, 6))) == pytest.approx(beats, abs=1e-3)
    assert session.tempo_map.bpm_at(beats + 0.1) == 90 and session.tempo_map.bpm_at(beats - 0.1) == 120
    assert between(session, 0, 16) == first
    session.undo()
    session.undo()
    made.ready()
    assert len(session.tempo_map.tempos) == 1


def test_a_kept_take_of_one_cue_comes_back_note_for_note_whatever_the_others_do(stage) -> None:
    made = three_cues(stage)
    session = made.session
    session.select_cue("1m2")
    kept = between(session, 16, 32)
    session.keep_take("dusk")
    session.new_take()
    made.ready()
    assert between(session, 16, 32) != kept
    session.select_cue("1m1")
    change(made, "/cue/tempo", 100.0)
    change(made, "/cue/transpose", 3)
    session.select_cue("1m2")
    others = between(session, 0, 16), between(session, 32, 60)
    session.select_take(1)
    made.ready()
    assert between(session, 16, 32) == kept
    assert (between(session, 0, 16), between(session, 32, 60)) == others
    change(made, "/cue/transpose", 5)  # what is turned after that is heard again
    assert between(session, 16, 32) != kept


def test_cues_that_cannot_be_are_refused(stage) -> None:
    session = three_cues(stage).session
    for in_s, out_s, name in ((10.0, 12.0, "x"), (15.0, 20.0, "x"), (15.0, 17.0, "1m1"), (99.0, "end", "x")):
        with pytest.raises(ControlError):
            session.add_cue(in_s, out_s, name)
    with pytest.raises(ControlError, match="no cue"):
        session.select_cue("9m9")
    session.select_cue("1m2")
    with pytest.raises(ControlError):
        session.edit(set_value, "/cue/in", 5.0)
    with pytest.raises(ControlError):
        session.edit(set_value, "/cue/out", 40.0)
    assert [state.name for state in session.document.cue_states] == ["1m1", "1m2", "1m3"]


def test_cues_are_added_moved_and_taken_away_and_undone(stage) -> None:
    made = three_cues(stage)
    session = made.session
    whole = notes_of(session)
    session.select_cue("1m3")
    change(made, "/cue/in", 32.0)
    assert min(at for at, *_ in between(session, 31, 60)) == pytest.approx(32.0, abs=0.13)
    session.remove_cue("1m2")
    made.ready()
    assert [state.name for state in session.document.cue_states] == ["1m1", "1m3"] and not between(session, 15, 31)
    session.undo()
    session.undo()
    made.ready()
    assert notes_of(session) == whole
    session.redo()
    session.redo()
    for name in ("1m1", "1m3"):
        session.remove_cue(name)
    made.ready()
    assert session.document.cues == () and between(session, 0, 2)


def test_pins_and_sections_keep_to_their_cue(stage) -> None:
    made = three_cues(stage)
    session = made.session
    others = between(session, 0, 16), between(session, 32, 60)
    session.edit(chords.pin, Chord.parse("Ebm"), 20.1)
    session.edit(marks.add_section, 24.0, "tempo=140; pattern=up; parts=arp", "B")
    made.ready()
    assert between(session, 0, 16) == others[0]
    assert session.tempo_map.bpm_at(session.beats_at(25.0)) == 140
    assert {channel for at, _, _, channel in between(session, 24.2, 29.5)} == {2}


def test_a_new_cue_has_nothing_of_one_that_was_removed(stage) -> None:
    made = three_cues(stage)
    session = made.session
    session.select_cue("1m3")
    session.keep_take("dusk")
    known = {state.number for state in session.document.cue_states}
    for name in ("1m1", "1m2", "1m3"):
        session.remove_cue(name)
        made.ready()
    assert session.document.cue not in known and not session.takes.get(session.document.cue, 1).kept
    session.add_cue(4.0, 12.0, "2m1")
    session.add_cue(20.0, 28.0, "2m2")
    made.ready()
    for state in session.document.cue_states:
        assert state.number not in known
        assert not any(take.kept for take in session.takes.of_cue(state.number).values())
    for _ in range(3):  # 2m2, 2m1 and the removal of 1m3
        session.undo()
        made.ready()
    assert [state.name for state in session.document.cue_states] == ["1m3"]
    assert session.takes.get(session.document.cue, session.document.take).name == "dusk"


def test_a_removed_cue_that_undo_knows_keeps_its_number_to_itself(stage) -> None:
    made = stage(48.0)
    session = made.session
    session.add_cue(2.0, 14.0, "1m1")
    session.add_cue(18.0, 30.0, "1m2")
    removed = made.session.document.cue
    session.remove_cue("1m2")
    session.add_cue(20.0, 28.0, "1m3")
    assert made.session.document.cue != removed
