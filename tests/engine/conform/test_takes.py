"""Kept takes on a recut: notes that are the same music stay to the note, the others follow their chords."""

from dataclasses import replace

import pytest
from recutlab import changes_of, film_of, notes_of

from engine.arrange.score import arrange_whole, build_score
from engine.conform.moved import conform
from engine.conform.takes import conform_takes
from engine.document import SavedTake
from engine.document.takes import KeptTake, kept_take, span_beats
from engine.music import Chord

MARK = 21  # a pitch that nothing arranges: who hears it hears the kept take


def kept(document, cue):
    """A kept take of a cue, each of whose notes can be told from an arranged one."""
    document = document.select(cue)
    made = arrange_whole(build_score(document, film_of(changes_of((0, 960))), (), document.result.levels))
    marks = tuple(replace(note, pitch=MARK) if note.part == "pad" else note for note in made.notes)
    return SavedTake(cue, 1, kept_take({}, document, marks, made.controllers, f"mine {cue}"))


def heard(takes, document, film):
    table = {(each.cue, each.number): each.take for each in takes}
    return arrange_whole(build_score(document, film, (), document.result.levels, table)).notes


def marked(notes):
    return [note for note in notes if note.pitch == MARK]


@pytest.mark.parametrize("policy", ["shift", "ramp", "bars"])
def test_a_cue_that_only_slid_keeps_its_notes_and_one_before_the_change_too(policy, document):
    takes = [kept(document, 0), kept(document, 1)]
    changes = changes_of((0, 552), ("title", 48), (552, 960))  # two seconds between the cues
    film = film_of(changes)
    made = conform(document, changes, film, policy=policy)
    moved = conform_takes(takes, document, made, changes, film, policy=policy)
    assert not moved.notes and [each.take.to_beats for each in moved.takes] == [None, None]
    first, second = (each.take for each in moved.takes)
    assert first.notes == takes[0].take.notes, "before the change nothing is touched"
    old_tempo, new_tempo = document.result.tempo_map, made.document.result.tempo_map
    before = [old_tempo.seconds_at(note.start_beats) + 2.0 for note in takes[1].take.notes]
    after = [new_tempo.seconds_at(note.start_beats) for note in second.notes]
    assert after == pytest.approx(before, abs=1 / 48)
    everything = heard(moved.takes, made.document, film)
    assert len(marked(everything)) == len(marked((*first.notes, *second.notes))) > 20


def test_a_cut_inside_a_cue_keeps_what_comes_before_it_and_says_so(document):
    takes = [kept(document, 0)]
    changes = changes_of((0, 240), (254, 960))  # 14 frames at 10 s
    film = film_of(changes)
    made = conform(document, changes, film)
    moved = conform_takes(takes, document, made, changes, film)
    take = moved.takes[0].take
    assert 18 <= take.to_beats <= 20 and take.kept and take.name == "mine 0"
    assert take.notes == tuple(note for note in takes[0].take.notes if note.start_beats < take.to_beats)
    assert len(moved.notes) == 1 and "mine 0" in moved.notes[0] and "undo" in moved.notes[0]
    notes = heard(moved.takes, made.document, film)
    before = [note for note in notes if note.start_beats < take.to_beats]
    assert before == [note for note in takes[0].take.notes if note.start_beats < take.to_beats]
    after = [note for note in notes if note.start_beats >= take.to_beats]
    assert after and not marked(after)
    plain = [note for note in notes_of(made.document, film) if note.start_beats >= take.to_beats]
    assert after == plain, "the rest is arranged from the chords that stand on the new picture"


def test_a_ramp_keeps_every_note_on_its_beat(document):
    takes = [kept(document, 0)]
    changes = changes_of((0, 240), (246, 960))
    film = film_of(changes)
    made = conform(document, changes, film, policy="ramp", bend=0.2)
    moved = conform_takes(takes, document, made, changes, film, policy="ramp", bend=0.2)
    take = moved.takes[0].take
    upto = span_beats(made.document, 0)[1] if take.to_beats is None else take.to_beats
    assert upto > 40, "to the end of the cue, not to the change at beat 20"
    assert take.notes == tuple(note for note in takes[0].take.notes if note.start_beats < upto)


def test_other_takes_go_with_the_picture_and_can_be_chosen(document):
    """One that is not in force, and was never kept, has its chords under the picture they were under."""
    other = replace(document, take=2)
    slots = tuple(
        replace(slot, chord=Chord.parse("F#m")) if 12 < slot.start_s < 14 else slot for slot in document.slots
    )
    other = replace(other, result=replace(other.result, slots=slots))
    remembered = SavedTake(0, 2, KeptTake(other, "2"))
    changes = changes_of((0, 48), ("title", 96), (48, 960))
    film = film_of(changes)
    made = conform(document, changes, film)
    moved = conform_takes([remembered], document, made, changes, film)
    there = moved.takes[0].take.document
    assert not moved.notes and there.take == 2
    middle = there.block_at(13.0 + 4.0)
    assert middle.chord == Chord.parse("F#m") and there.slots[-1].end_s == pytest.approx(film.duration_s)


def test_a_take_whose_cue_is_gone_stays_with_the_old_cut(document):
    takes = [kept(document, 0), kept(document, 1)]
    changes = changes_of((0, 590))
    film = film_of(changes)
    made = conform(document, changes, film)
    moved = conform_takes(takes, document, made, changes, film)
    assert [each.cue for each in moved.takes] == [0]
    assert any("mine 1" in note and "undo" in note for note in moved.notes)


def test_rewritten_chords_are_under_the_take_that_is_in_force(document):
    takes = [kept(document, 0)]
    changes = changes_of((0, 240), ("title", 48), (240, 960))
    film = film_of(changes)
    made = conform(document, changes, film, policy="rewrite")
    low, high = made.rewrites[0]
    slots = tuple(
        replace(slot, chord=Chord.parse("Bdim")) if low <= (slot.start_s + slot.end_s) / 2 < high else slot
        for slot in made.document.result.slots
    )
    made = replace(made, document=replace(made.document, result=replace(made.document.result, slots=slots)))
    moved = conform_takes(takes, document, made, changes, film, policy="rewrite")
    take = moved.takes[0].take
    assert take.document.result == made.document.result and 18 <= take.to_beats <= 20
    notes = heard(moved.takes, made.document, film)
    assert [n for n in notes if n.start_beats < take.to_beats] == [
        n for n in takes[0].take.notes if n.start_beats < take.to_beats
    ]


def test_the_same_cut_leaves_the_takes_alone(document):
    takes = [kept(document, 0)]
    same = changes_of((0, 960))
    made = conform(document, same, film_of(same))
    assert conform_takes(takes, document, made, same, film_of(same)).takes == tuple(takes)
