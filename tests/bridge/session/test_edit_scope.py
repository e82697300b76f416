"""What an edit touches, and that two hundred of every kind come back note for note."""

from __future__ import annotations

import random

import pytest
from profiles import count

from bridge.session.edits import chords, marks
from bridge.session.edits.values import set_value
from engine.arrange.score import arrange_whole
from engine.music import Chord
from engine.music.arguments import ControlError


def notes_of(session):
    return sorted(arrange_whole(session.score()).notes, key=lambda note: (note.start_beats, note.channel, note.pitch))


def test_one_pin_among_three_hundred_chords_moves_at_most_its_neighbours_voicing(stage) -> None:
    made = stage(310.0)
    session = made.session
    runs = session.runs()
    assert len(runs) >= 200
    before = notes_of(session)
    run = runs[len(runs) // 2]
    index = runs.index(run)
    session.edit(chords.pin, Chord.parse("G#dim7"), run.start_s + 0.1)
    after = notes_of(session)
    low, high = runs[index - 1].start_beats, runs[index + 1].end_beats
    outside = lambda notes: [note for note in notes if not low <= note.start_beats < high]  # noqa: E731
    assert repr(outside(before)) == repr(outside(after)) and before != after


def test_rewriting_keeps_to_its_range(stage) -> None:
    made = stage(40.0)
    session = made.session
    session.edit(marks.add_hit, 21.0)
    made.ready()
    session.locate(9.2)
    made.run(0.1)
    chord = session.document.chords_at(9.2)[0]
    bars = [session.picture_at(float(session.tempo_map.bar_start(bar))) for bar in (5, 8)]
    for what, low, high in (
        (("chord",), chord.start_s, chord.end_s),
        (("hit",), 9.0, 21.0),
        (("bars", 5, 7), bars[0], bars[1]),
        (("cue",), 9.0, 41.0),
        ((12.0, 16.0), 12.0, 16.0),
    ):
        before = session.document.slots
        session.edit(chords.rewrite, session.rewrites + 1, *what)
        made.ready()
        after = session.document.slots
        changed = [new.start_s for old, new in zip(before, after, strict=True) if old.chord != new.chord]
        assert changed and low - 0.01 <= min(changed) and max(changed) < high, what
    for what in (("bars",), ("bars", 9, 3), ("chord", 3.0)):
        with pytest.raises(ControlError):
            session.edit(chords.rewrite, session.rewrites + 1, *what)


def test_a_progression_may_begin_at_a_picture_position(stage) -> None:
    made = stage(30.0)
    session = made.session
    before = session.document.slots
    heard_s = session.edit(set_value, "/cue/progression", "F#m B7", 12.0)
    made.ready()
    assert heard_s == pytest.approx(12.0)
    assert [s for s in session.document.slots if s.start_s < 12] == [s for s in before if s.start_s < 12]
    assert next(s for s in session.document.slots if s.start_s >= 12).chord.lead_sheet() == "F#m"
    session.play()
    made.until(lambda: session.position_s() > 1.0)
    with pytest.raises(ControlError, match="cannot be reached"):
        session.edit(set_value, "/cue/progression", "C", 0.5)


def edit_at_random(session, rng: random.Random) -> None:
    kind = rng.randrange(16)
    edit = session.edit
    at_s = rng.uniform(0, 23)
    if kind == 0:
        edit(chords.pin, Chord.parse(rng.choice(["Dm", "E7", "F#m7b5", "Bb"])), at_s)
    elif kind == 1:
        edit(chords.unpin, at_s)
    elif kind == 2:
        edit(set_value, "/cue/mood/dark_light", rng.uniform(-100, 100))
    elif kind == 3:
        session.new_take()
    elif kind == 4:
        session.select_take(rng.randint(1, 4))
    elif kind == 5:
        edit(set_value, "/cue/progression", rng.choice(["C F", "Am G", "Em", ""]))
    elif kind == 6:
        edit(marks.add_hit, at_s, rng.choice(["must", "should", "nice"]))
    elif kind == 7:
        edit(marks.remove_hit, at_s)
    elif kind == 8:
        edit(marks.add_section, at_s, rng.choice(["activity=40", "pattern=up; parts=arp,bass", "tempo=100", "key=Am"]))
    elif kind == 9:
        edit(chords.rewrite, session.rewrites + 1, at_s, at_s + 4)
    elif kind == 10:
        session.add_cue(at_s, min(at_s + rng.uniform(2, 6), 23.5))
    elif kind == 11:
        session.remove_cue(str(rng.randint(1, 4)))
    elif kind == 12:
        session.select_cue(str(rng.randint(1, 4)))
    elif kind == 13:
        address, value = rng.choice(
            [
                ("/cue/key", "F# minor"),
                ("/cue/tempo", 90.0),
                ("/cue/bar_1", "in"),
                ("/cue/out", at_s),
                ("/cue/in", at_s),
            ]
        )
        edit(set_value, address, value)
    elif kind == 14:
        address, value = rng.choice(
            [("/cue/picture_starts_at", "00:59:58:00"), ("/cue/picture_starts_at", "2"), ("/cue/frame_rate", "25"),
             ("/cue/nudge", rng.uniform(-50, 50)), ("/cue/take/repeat", "new"), ("/cue/middle_c", "C3")]
        )  # fmt: skip
        edit(set_value, address, value)
    else:
        address, value = rng.choice(
            [("/cue/transpose", rng.randint(-12, 12)), ("/cue/activity", rng.uniform(0, 100)), ("/cue/swing", 60.0),
             ("/cue/part/bass/on", rng.random() < 0.5), ("/cue/part/pad/low", rng.randint(36, 50)),
             ("/cue/cc11", rng.choice(["curve", "off"])), ("/cue/ending", "open"), ("/cue/looseness", 12.0)]
        )  # fmt: skip
        edit(set_value, address, value)


@pytest.mark.slow
def test_random_edits_undone_and_redone_give_identical_notes(stage) -> None:
    made = stage(24.0)
    session, rng = made.session, random.Random(1)

    def stands(index: int):
        """The document, what is to be arranged, and of each fifth the notes: the rest follow from what is arranged."""
        return session.document, session.score(), notes_of(session) if index % 5 == 0 else None

    row = [stands(0)]
    refused = 0
    while session.history.undo_count < count(200):
        try:
            edit_at_random(session, rng)
        except ControlError:
            refused += 1
            assert refused < 2000
            continue
        made.ready()
        step = session.history.undo_count
        del row[step:]
        row.append(stands(step))
        assert len(row) == step + 1
    for index in range(len(row) - 2, -1, -1):
        session.undo()
        assert stands(index) == row[index], index
    for index in range(1, len(row)):
        session.redo()
        assert stands(index) == row[index], index
    with pytest.raises(ControlError):
        session.redo()
