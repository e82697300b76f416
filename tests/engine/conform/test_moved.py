"""A session on a recut: hits, cues, sections, pins and music follow the picture."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import recutlab
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st
from profiles import examples
from recutlab import changes_of, cuts, film_of, notes_of

from engine.arrange.expression import film_levels
from engine.arrange.score import check_playable
from engine.arrange.timeline import CRESCENDO_BEATS
from engine.conform.changes import from_path
from engine.conform.moved import conform
from engine.conform.rewrite import composed_into
from engine.document import TempoOrigin
from engine.document.document import Lock
from engine.document.file import read_session
from engine.music import Chord, Film, Key, MusicError, Note, controls
from engine.music.cueplan import CuePlan, SectionPlan, Statement
from engine.music.timecode import FRAME_RATES
from engine.process.requests import recipe

FIXTURES = Path(__file__).parents[1] / "document" / "fixtures"
OLD = Film("old.mp4", 40.0, FRAME_RATES["24"])


def test_nothing_changes_where_the_cuts_are_the_same(document):
    same = changes_of((0, 960))
    made = conform(document, same, film_of(same))
    assert made.document is document and made.first_change_s is None


def test_everything_stands_on_its_frame_again(document):
    changes = changes_of((0, 240), (254, 480), ("title", 48), (480, 960))  # 14 frames at 10 s, a title at 20 s
    made = conform(document, changes, film_of(changes))
    shift = -14 / 24
    assert [hit.time_s for hit in made.document.hits] == pytest.approx([5.0, 18 + shift, 30 + shift + 2])
    assert [each.start_s for each in made.document.sections] == [8.0]
    first, second = made.document.cue_states
    assert second.in_s == pytest.approx(25 + shift + 2) and first.out_s == pytest.approx(22 + shift + 2, abs=2e-3)
    pin = made.document.pins[0]
    assert (pin.start_s, pin.end_s) == pytest.approx((10.0, 12 + shift))
    assert made.first_change_s == 10.0
    assert [row.new_s is None for row in made.moved if row.kind == "hit"] == [False] * 3


def test_what_was_lifted_goes_and_says_so(document):
    changes = changes_of((0, 400), (460, 960))  # 16.7 to 19.2 s, with the hit at 18 s
    made = conform(document, changes, film_of(changes))
    assert [hit.name for hit in made.document.hits] == ["door", "step"]
    gone = [row for row in made.moved if row.new_s is None]
    assert [(row.kind, row.name) for row in gone] == [("hit", "glass")]
    whole = changes_of((0, 590), frames=960)  # nothing of 1m2 is left
    made = conform(document, whole, film_of(whole))
    assert [state.name for state in made.document.cue_states] == ["1m1"]


def test_a_cue_whose_picture_was_turned_round_keeps_it(document):
    """Its first frame comes after its last one: it is where its picture is, from the beginning of it to the end."""
    changes = changes_of((264, 528), (0, 264), (528, 960))  # the two halves of 1m1, which ends at 22 s
    made = conform(document, changes, film_of(changes)).document
    first, second = made.cue_states
    assert (first.name, first.in_s, first.out_s) == ("1m1", 0.0, pytest.approx(22.0, abs=2e-3))
    assert second.in_s == 25.0
    whole = document.with_value(controls.OUT, None).with_cues((document.selected,), 0)
    whole = whole.with_value(controls.OUT, None)
    changes = changes_of((480, 960), ("title", 24), (240, 480), (0, 240))
    made = conform(whole, changes, film_of(changes), policy="rewrite")
    assert [(each.in_s, each.out_s) for each in made.document.cue_states] == [(0.0, None)]
    assert len(made.rewrites) == 2


@pytest.mark.parametrize("policy", list(controls.CONFORM_POLICIES))
def test_music_before_the_first_change_is_the_same_to_the_byte(document, policy):
    changes = changes_of((0, 288), (302, 480), ("title", 30), (480, 960))
    made = conform(document, changes, film_of(changes), policy=policy)
    before, after = notes_of(document, OLD), notes_of(made.document, film_of(changes))
    # A chord that is held into the change may end with it; all that is struck before its last bar is the same.
    low = document.result.tempo_map.beats_at(12.0) - 4
    assert [note for note in before if note.end_beats <= low] == [note for note in after if note.end_beats <= low]
    assert len([note for note in after if note.end_beats <= low]) > 20
    slots = [slot for slot in made.document.result.slots if slot.end_s <= 12.0]
    assert slots == list(document.result.slots[: len(slots)]) and len(slots) > 10


@pytest.mark.parametrize("policy", list(controls.CONFORM_POLICIES))
@pytest.mark.parametrize("cut", [400, 707])  # with a hit soon after, to which the music grows
def test_only_the_eight_beats_before_a_change_lead_into_what_comes_after_it(cut, policy, document):
    changes = changes_of((0, cut), (cut + 8, 960))
    made = conform(document, changes, film_of(changes), policy=policy)
    low = document.result.tempo_map.beats_at(cut / 24) - CRESCENDO_BEATS
    before, after = notes_of(document, OLD), notes_of(made.document, film_of(changes))
    assert [note for note in before if note.end_beats <= low] == [note for note in after if note.end_beats <= low] != []
    from_s = 8.0 if policy == "ramp" and cut == 400 else cut / 24  # a ramp bends from the mark before the change on
    kept = [slot for slot in made.document.result.slots if slot.end_beats <= low and slot.end_s <= from_s]
    assert kept == list(document.result.slots[: len(kept)]) != []


def test_a_cue_whose_picture_only_slid_keeps_its_music(document):
    changes = changes_of((0, 240), (254, 960))
    made = conform(document, changes, film_of(changes))
    old, new = document.result, made.document.result
    for at_s in np.arange(25.2, 39.0, 0.7):
        moved_s = at_s - 14 / 24
        old_beats = old.tempo_map.beats_at(at_s) - old.tempo_map.beats_at(25.0)
        new_beats = new.tempo_map.beats_at(moved_s) - new.tempo_map.beats_at(25.0 - 14 / 24)
        assert new_beats == pytest.approx(old_beats, abs=2e-3), "bar 1 of 1m2 went with its picture"


def test_a_ramp_keeps_hits_on_their_beats_within_its_bend(document):
    changes = changes_of((0, 240), (246, 960))  # a quarter of a second, between 8 s and the hit at 18 s
    made = conform(document, changes, film_of(changes), policy="ramp")
    row = next(row for row in made.moved if row.name == "glass")
    assert abs(row.beat_after - row.beat_before) < 0.5
    shifted = conform(document, changes, film_of(changes))
    other = next(row for row in shifted.moved if row.name == "glass")
    assert abs(other.beat_after - other.beat_before) > 3
    steep = conform(document, changes, film_of(changes), policy="ramp", bend=0.001)
    assert any("more than 0.1 %" in note for note in steep.notes)
    assert not any(each.name.startswith("ramp") for each in steep.document.sections)


def test_a_ramp_is_of_the_whole_cue_or_none_of_it_and_the_bend_that_would_do_does(document):
    """Two stretches, one of them too steep: bending the other alone would bring no later hit to its beat."""
    changes = changes_of((0, 130), (132, 240), (254, 960))  # two frames before 8 s, fourteen before the hit at 18 s
    made = conform(document, changes, film_of(changes), policy="ramp")
    said = [note for note in made.notes if note.startswith("cue 1m1")]
    assert len(said) == 1 and "more than 6 %" in said[0] and "is ramped" in said[0], made.notes
    assert not any(each.name.startswith("ramp") for each in made.document.sections)
    least = float(said[0].partition("a bend of ")[2].partition(" %")[0])
    steep = conform(document, changes, film_of(changes), policy="ramp", bend=least / 100)
    assert not any("is shifted" in note for note in steep.notes)
    row = next(row for row in steep.moved if row.name == "glass")
    assert abs(row.beat_after - row.beat_before) < 0.5
    still = conform(document, changes, film_of(changes), policy="ramp", bend=least / 100 - 0.002)
    assert any("is shifted" in note for note in still.notes)


def test_what_was_lifted_keeps_no_ramp_from_the_marks_around_it(document):
    changes = changes_of((0, 425), (440, 960))  # with the hit at 18 s; the cue ends at 22 s
    made = conform(document, changes, film_of(changes), policy="ramp", bend=0.1)
    assert any(note.startswith("cue 1m1: the tempo is") for note in made.notes)
    end_s = 25.0 - 15 / 24 - 0.01  # where the next cue begins
    old, new = document.result.tempo_map, made.document.result.tempo_map
    assert new.beats_at(end_s) == pytest.approx(old.beats_at(25.0 - 0.01), abs=0.01)


def test_pictures_that_changed_places_cannot_be_ramped(document):
    changes = changes_of((0, 60), (180, 420), (60, 180), (420, 960))
    made = conform(document, changes, film_of(changes), {"1m1": "ramp"})
    assert any("no tempo holds the music" in note for note in made.notes)


def test_what_is_composed_anew_has_a_tempo_that_brings_the_next_hit_to_its_beat(document):
    changes = changes_of((0, 240), ("title", 50), (240, 960))
    made = conform(document, changes, film_of(changes), {"1m1": "rewrite"})
    row = next(row for row in made.moved if row.name == "glass")
    assert abs(row.beat_after - row.beat_before) < 0.5 and any("instead of 120.0" in note for note in made.notes)
    tempo = made.document.result.tempo_map
    assert float(tempo.tempos[0].bpm) == float(tempo.tempos[2].bpm) == 120
    assert 110 < tempo.tempos[1].bpm < 120 and tempo.seconds_at(float(tempo.tempos[1].beat)) == pytest.approx(
        10, abs=2e-3
    )
    bar = tempo.bar_position(tempo.beats_at(row.new_s)) % 1
    assert bar == pytest.approx(float(document.result.tempo_map.bar_position(36.0) % 1), abs=0.01), (
        "the same beat of a bar"
    )


@pytest.mark.parametrize(("bpm", "origin", "stays"), [
    (120.0, TempoOrigin(asked=True), True), (0.0, TempoOrigin(asked=True), True), (120.0, TempoOrigin(), True),
    (120.0, TempoOrigin(proposed=((0, 96.0),)), True), (120.0, TempoOrigin(proposed=((1, 120.0),)), True),
    (120.0, TempoOrigin(proposed=((0, 120.0),)), False), (0.0, TempoOrigin(), False),
])  # fmt: skip
def test_a_tempo_that_a_person_has_set_stays(document, bpm, origin, stays):
    own = document.with_value(controls.TEMPO, bpm)
    changes = changes_of((0, 240), ("title", 31), (240, 960))
    made = conform(own, changes, film_of(changes), {"1m1": "rewrite"}, origin=origin)
    assert any("was set by hand and stays" in note for note in made.notes) == stays
    assert (len(made.document.result.tempo_map.tempos) == len(own.result.tempo_map.tempos)) == stays


def numbered(document, chords):
    """With other chords, a bar each in turn, and slots that can be told from each other."""
    names = chords.split()
    bars = document.result.tempo_map
    slots = tuple(
        replace(slot, chord=Chord.parse(names[int(bars.bar_position(slot.start_beats) + 1e-6) % len(names)]),
                density=5 + slot.index / 1000)
        for slot in document.result.slots
    )  # fmt: skip
    return replace(document, result=replace(document.result, slots=slots))


def heard(document):
    """Number of the old slot that each slot has."""
    return [round((slot.density - 5) * 1000) for slot in document.result.slots]


def leaps(document, made):
    """(old beats left, old beats gone on at) where the music of a film does not go on as it was."""
    old, numbers = document.result.slots, heard(made.document)
    return [(old[a].end_beats, old[b].start_beats) for a, b in pairwise(numbers) if b not in (a, a + 1)]


def test_whole_bars_are_dropped_from_a_pedal_and_added_to_it(document):
    held = numbered(document, "C F C C C C G7 F")
    changes = changes_of((0, 140), (188, 960))  # two seconds, a bar at 120 bpm, in the fourth bar
    made = conform(held, changes, film_of(changes), {"1m1": "bars"})
    first = [leap for leap in leaps(held, made) if leap[1] < 40]
    assert len(first) == 1 and first[0][1] - first[0][0] == 4 and first[0][0] >= 8 and first[0][1] <= 24
    assert any("1 bar dropped" in note and "pedal" in note for note in made.notes)
    longer = changes_of((0, 192), ("title", 48), (192, 960))
    made = conform(held, longer, film_of(longer), {"1m1": "bars"})
    assert any("1 bar repeated" in note and "pedal" in note for note in made.notes)


def test_where_nothing_can_be_cut_the_music_runs_on_and_that_is_said(document):
    moving = numbered(document, "C Dm Em F Am Dm G7 Em")
    changes = changes_of((0, 140), (188, 960))
    made = conform(moving, changes, film_of(changes), {"1m1": "bars"})
    assert not [leap for leap in leaps(moving, made) if leap[1] < 40]
    assert any("1 bar behind" in note for note in made.notes)


chords = st.lists(st.sampled_from("C C Dm F F/C G7 G7 Am Bb N".split()), min_size=4, max_size=20)  # noqa: SIM905


@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts, chords, st.lists(st.tuples(st.integers(1, 10), st.integers(1, 6)), max_size=3), st.integers(2, 9))
@example([(0, 193), (77, 475), (56, 298)], ["Dm", "F"], [], 3)  # what is wanted lies before the cue's first slot
@example([("title", 12), (0, 30), (151, 241)], ["C", "Dm", "C", "C"], [], 2)
def test_bars_go_only_at_joins_pedals_and_rests(document, cut, names, themes, edge):
    """Whatever is cut: never inside a statement of the theme, nor between a dominant and its tonic; and what is left
    and where it goes on are both beginnings of phrases, or silent, or over one bass."""
    whole = document.with_value(controls.OUT, None).with_cues((document.selected,), 0)
    bars = whole.result.tempo_map
    plan = CuePlan(0, "montage", "piano", (section(0.0, 2.0 * edge), section(2.0 * edge, 40.0)), None,
                   tuple(Statement(bar, "statement", length) for bar, length in themes))  # fmt: skip
    whole = numbered(whole, " ".join(names))
    whole = replace(whole, sections=(), result=replace(whole.result, plans=(plan,)))
    changes = from_path(np.array(recutlab.order_of(cut)), 960, Fraction(24))
    try:
        made = conform(whole, changes, film_of(changes), policy="bars")
    except MusicError:  # nothing of the cue is left
        return
    old = whole.result.slots
    for leaves, goes_on in leaps(whole, made):
        for bar, length in themes:
            low, high = float(bars.bar_start(bar)), float(bars.bar_start(bar + length))
            assert not low < leaves < high and not low < goes_on < high, (leaves, goes_on)
        before = next((slot for slot in old if abs(slot.end_beats - leaves) < 1e-6), old[-1])
        after = next((slot for slot in old if abs(slot.start_beats - leaves) < 1e-6), before)
        arrives = next(slot for slot in old if abs(slot.start_beats - goes_on) < 1e-6)
        if before.chord == Chord.parse("G7"):
            assert after.chord != Chord.parse("C")
        low, high = sorted((leaves, goes_on))
        held = {s.chord.bass_pitch_class for s in old if s.end_beats > low - 0.5 and s.start_beats < high}
        silent = after.chord.is_silence and arrives.chord.is_silence
        phrases = all(bars.bar_start(bars.bar_at(place)) == place for place in (leaves, goes_on))
        assert len(held) == 1 or silent or phrases, (leaves, goes_on)


def test_what_is_to_be_rewritten_ends_at_the_next_thing_that_is_fixed(document):
    changes = changes_of((0, 240), ("title", 48), (240, 960))
    made = conform(document, changes, film_of(changes), {"1m1": "rewrite"})
    assert made.rewrites == ((10.0, pytest.approx(20.0)),)  # to the hit that was at 18 s
    fresh = tuple(replace(slot, chord=Chord.parse("Ebm")) for slot in made.document.result.slots)
    slots = composed_into(made.document.result.slots, fresh, made.rewrites)
    new = {slot.start_s for slot in slots if slot.chord == Chord.parse("Ebm")}
    assert new and min(new) >= 9.4 and max(new) < 20.0


def test_policies_are_checked(document):
    changes = changes_of((0, 240), (254, 960))
    for words in ({"policy": "stretch"}, {"policies": {"9m9": "ramp"}}, {"policies": {"1m1": "x"}}):
        with pytest.raises(MusicError):
            conform(document, changes, film_of(changes), **words)


@pytest.mark.parametrize("name", ["one-cue-v1", "two-cues-v1", "seconds-v1"])
@pytest.mark.parametrize("policy", list(controls.CONFORM_POLICIES))
def test_kept_sessions_can_be_played_afterwards(name, policy):
    saved = read_session(FIXTURES / f"{name}.cuebridge.json")
    document = saved.steps[saved.index].document
    assert document.result.slots
    frames = round(saved.reading.film.duration_s * 24)
    changes = changes_of((0, frames // 3), (frames // 3 + 14, frames - 20), frames=frames)
    film = replace(saved.reading.film, duration_s=changes.new_frames / 24)
    made = conform(document, changes, film, policy=policy).document
    step = replace(saved.steps[saved.index], document=made)
    reading = replace(saved.reading, film=film)
    check_playable(replace(saved, steps=(step,), index=0, reading=reading))
    assert recipe(made) == made.result.recipe
    assert made.result.levels == (document.result.levels or film_levels(document.result.slots))
    assert notes_of(made, film)


def planned(document, statement_bar=13):
    """With a plan of both cues, each with a statement of the theme; the second's lies in its second bar."""
    made = replace(document.result, plans=tuple(
        CuePlan(cue, "montage", "piano", (section(start_s, end_s),), None, (Statement(bar, "statement", 2),))
        for cue, start_s, end_s, bar in ((0, 0.0, 22.0, 3), (1, 25.0, 40.0, statement_bar))
    ))  # fmt: skip
    return replace(document, result=made)


def section(start_s, end_s):
    return SectionPlan(
        start_s=start_s, end_s=end_s, letter="A", role="theme", mood="exciting", intensity=2, variant="E3",
        key=Key(0), unit_bars=1.0, layers=("pad", "melody"),
    )  # fmt: skip


def test_statements_of_the_theme_stay_with_their_picture(document):
    bars = document.result.tempo_map
    at_s = bars.seconds_at(float(bars.bar_start(14)))
    changes = changes_of((0, 240), (288, 960))  # two seconds out of 1m1
    made = conform(planned(document, 14), changes, film_of(changes)).document.result
    moved = made.plans[1].statements[0]
    assert made.tempo_map.seconds_at(float(made.tempo_map.bar_start(moved.bar))) == pytest.approx(at_s - 2, abs=1.3)
    assert made.plans[1].sections[0].start_s == pytest.approx(23.0)


def test_a_plan_goes_with_its_cue_not_with_its_place(document):
    whole = changes_of((560, 960))  # nothing of 1m1 is left
    made = conform(planned(document), whole, film_of(whole)).document
    assert [state.name for state in made.cue_states] == ["1m2"] and len(made.result.plans) == 1
    assert made.result.plans[0].cue == 0 and made.result.plans[0].sections[0].end_s == pytest.approx(40 - 560 / 24)


def test_a_lock_goes_with_its_picture_or_lets_go(document):
    def lock(start_s):
        bars = document.result.tempo_map
        start, end = bars.beats_at(start_s), bars.beats_at(start_s + 2)
        return Lock("pad", start, end, start_s, start_s + 2, (Note(60, 80, start, 1.0, 1, "pad"),), ())

    locked = replace(document, locks=(lock(4.0), lock(16.0), lock(11.0)))
    changes = changes_of((0, 240), (288, 960))  # the third one's first second is lifted
    made = conform(locked, changes, film_of(changes)).document
    assert [each.start_s for each in made.locks] == pytest.approx([4.0, 14.0])
    assert made.locks[0] == locked.locks[0]
    for each in made.locks:
        assert made.result.tempo_map.seconds_at(each.start_beats) == pytest.approx(each.start_s)
        assert each.notes[0].start_beats == each.start_beats and made.holds(each)
