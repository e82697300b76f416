"""The policy `beats`: single beats are left out and held, and bars that this changes are bars of their own length."""

import io
import zipfile
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, takewhile
from xml.etree import ElementTree

import numpy as np
import pytest
import recutlab
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st
from pieces import compose
from profiles import examples
from recutlab import changes_of, cuts, film_of, notes_of

from bridge.page.feed import _bars
from engine.arrange.expression import film_levels
from engine.arrange.options import Arrangement
from engine.arrange.score import arrange_whole, build_score
from engine.conform.changes import from_path
from engine.conform.moved import conform
from engine.document import Document, Result
from engine.interchange.click import click_notes
from engine.interchange.dawproject import dawproject
from engine.interchange.piece import Piece
from engine.leadsheet import text
from engine.midifile import read_tempo_map, write_midi
from engine.music import Chord, Film, Hit, Key, MusicError, TempoMap, TimeSignature, controls, marked
from engine.music.cueplan import CuePlan, SectionPlan, Statement
from engine.music.timecode import FRAME_RATES
from engine.process.requests import recipe

OLD = Film("old.mp4", 40.0, FRAME_RATES["24"])


def section(start_s, end_s):
    return SectionPlan(
        start_s=start_s, end_s=end_s, letter="A", role="theme", mood="exciting", intensity=2, variant="E3",
        key=Key(0), unit_bars=1.0, layers=("pad", "melody"),
    )  # fmt: skip


def piece(names, meter="4/4", themes=(), edge_s=None):
    """Forty seconds at 60 bpm, a chord a bar, a slot a beat; each slot can be told from the others by its density."""
    own = TimeSignature.parse(meter)
    tempo_map = TempoMap.constant(60, own)
    slots = compose(tempo_map=tempo_map, seconds=40.0).slots
    names = names.split()
    bar = float(own.bar_beats)
    slots = tuple(
        replace(slot, chord=Chord.parse(names[int(slot.start_beats / bar + 1e-6) % len(names)]),
                density=5 + slot.index / 1000)
        for slot in slots
    )  # fmt: skip
    plans = ()
    if themes or edge_s is not None:
        edge_s = 40.0 if edge_s is None else edge_s
        parts = (section(0.0, edge_s), *([section(edge_s, 40.0)] if edge_s < 40 else []))
        statements = tuple(Statement(bar, "statement", length) for bar, length in themes)
        plans = (CuePlan(0, "montage", "piano", parts, None, statements),)
    result = Result(slots, tempo_map, "beats", complete=True, levels=film_levels(slots), plans=plans)
    made = Document(hits=tuple(Hit(float(at), "should", f"hit {at}") for at in range(3, 40, 5)), result=result)
    return replace(made, result=replace(made.result, recipe=recipe(made)))


def heard(document):
    """The old beat that each slot has."""
    return [round((slot.density - 5) * 1000) for slot in document.result.slots]


def leaps(document, made):
    """(old beat left, old beat gone on at) where the music does not go on as it was."""
    old, numbers = document.result.slots, heard(made.document)
    return [(old[a].end_beats, old[b].start_beats) for a, b in pairwise(numbers) if b != a + 1]


def bars_of(document):
    """(first beat, length) of each bar of the picture."""
    bars, end = document.result.tempo_map, document.result.slots[-1].end_beats
    found, bar = [], 1
    while (at := float(bars.bar_start(bar))) < end - 1e-6:
        found.append((at, float(bars.bar_start(bar + 1)) - at))
        bar += 1
    return found


def written_piece(document, film):
    score = build_score(document, film, (), document.result.levels)
    arranged = arrange_whole(score)
    return Piece(score.pinned, Arrangement(arranged.notes, arranged.controllers))


def conformed(document, *pieces, policy="beats"):
    changes = changes_of(*pieces)
    return conform(document, changes, film_of(changes), policy=policy)


def test_a_beat_is_left_out_before_a_join_and_its_bar_is_one_of_three():
    whole = piece("C Am F Dm Em Bb Am Dm Em F")  # phrases begin at beats 16 and 32
    made = conformed(whole, (0, 260), (284, 960))  # a second, a beat, at 10.8 s
    assert leaps(whole, made) == [(15.0, 16.0)]
    assert (12.0, 3.0) in bars_of(made.document) and [length for _, length in bars_of(made.document)].count(4.0) >= 8
    assert any("1 beat dropped at 15.00 s, before a join" in note for note in made.notes), made.notes
    assert not any("behind" in note for note in made.notes)
    marks = [(each.name, each.start_s) for each in made.document.sections]
    assert marks == [("bar of 3/4", 12.0), ("bar of 4/4", 15.0)]


def test_the_odd_bar_is_a_bar_wherever_bars_are_written(tmp_path):
    whole = piece("C Am F Dm Em Bb Am Dm Em F")
    film = film_of(changes_of((0, 260), (284, 960)))
    made = conformed(whole, (0, 260), (284, 960)).document
    written = written_piece(made, film)
    write_midi(tmp_path / "out.mid", written.composition, written.arrangement)
    meters = [(0, "4/4"), (12, "3/4"), (15, "4/4")]
    assert [(c.beat, str(c.meter)) for c in read_tempo_map(tmp_path / "out.mid").meters] == meters
    with zipfile.ZipFile(io.BytesIO(dawproject(written))) as archive:
        points = list(ElementTree.fromstring(archive.read("project.xml")).iter("TimeSignaturePoint"))
    assert [(float(p.get("time")), f"{p.get('numerator')}/{p.get('denominator')}") for p in points] == meters
    assert [row[2] for row in _bars(made.result.tempo_map, 0.0, 20.0)][:6] == [4.0, 4.0, 4.0, 3.0, 4.0, 4.0]
    assert str(made.result.tempo_map.bar_beat_at(15.0)) == "5|1.00"
    strokes = [
        note for note in click_notes(written, 0) if note.velocity == max(n.velocity for n in click_notes(written))
    ]
    assert [note.start_beats for note in strokes][:6] == [0, 4, 8, 12, 15, 19]
    rows = [line.split("|")[1].split()[0] for line in text(written.composition).splitlines() if "|" in line]
    assert rows[3:5] == ["3/4", "4/4"] and "/" not in "".join(rows[:3])
    assert not [mark for mark in written.marks(("sections",)) if mark.name.startswith("bar of")]


def test_the_odd_bar_is_a_bar_of_the_score():
    pytest.importorskip("music21")
    from engine.interchange.musicxml import musicxml

    whole = piece("C Am F Dm Em Bb Am Dm Em F")
    made = conformed(whole, (0, 260), (284, 960)).document
    xml = musicxml(written_piece(made, film_of(changes_of((0, 260), (284, 960)))))
    part = ElementTree.fromstring(xml).find("part")
    times = [(measure.get("number"), measure.find("attributes/time")) for measure in part.iter("measure")]
    signs = {number: "/".join(each.text for each in time) for number, time in times if time is not None}
    assert signs == {"1": "4/4", "4": "3/4", "5": "4/4"}


def test_a_held_chord_is_held_longer_before_a_join():
    whole = piece("C Am F Dm Em Bb Am Dm Em F")
    made = conformed(whole, (0, 260), ("title", 24), (260, 960))
    assert leaps(whole, made) == [(16.0, 15.0)]
    assert (12.0, 5.0) in bars_of(made.document)
    assert any("1 beat held at 16.00 s, before a join" in note for note in made.notes), made.notes
    two = conformed(whole, (0, 260), ("title", 48), (260, 960))
    assert leaps(whole, two) == [(16.0, 14.0)]
    assert {(12.0, 4.0), (16.0, 2.0), (18.0, 4.0)} <= set(bars_of(two.document))


def test_five_beats_are_a_bar_and_a_beat():
    whole = piece("C Am F Dm Em Bb Am Dm Em F C Am")
    made = conformed(whole, (0, 180), (300, 960))  # five seconds at 7.5 s
    first, second = leaps(whole, made)
    assert first[1] - first[0] + second[1] - second[0] == 5 and second[0] - first[1] >= 4
    long = piece("C C C Dm Dm Dm Em F C Am")
    made = conformed(long, (0, 100), (220, 960))
    ((leaves, goes_on),) = leaps(long, made)
    assert goes_on - leaves == 5
    assert any("1 bar and 1 beat dropped" in note for note in made.notes), made.notes


def test_long_held_chords_are_pedals_beyond_their_cadence():
    """Chords of four and six bars: in the middle of the second one a bar can be held, at its ends none."""
    whole = piece("C C C C F F F F F F G7 C")
    made = conformed(whole, (0, 500), ("title", 96), (500, 960))  # four beats at 20.8 s; the phrase ends at beat 32
    ((leaves, goes_on),) = leaps(whole, made)
    assert leaves - goes_on == 4 and goes_on >= 24 and any("at a pedal" in note for note in made.notes)


def test_a_theme_is_neither_cut_nor_is_a_beat_of_it_left_out():
    whole = piece("C Am F Dm Em Bb Am Dm Em F", themes=((4, 1),))  # the bar before the phrase at beat 16
    made = conformed(whole, (0, 140), (164, 960))
    assert all(goes_on - leaves != 1 or leaves != 15 for leaves, goes_on in leaps(whole, made))
    statement = made.document.result.plans[0].statements[0]
    line = float(made.document.result.tempo_map.bar_start(statement.bar))
    there = next(slot for slot in made.document.result.slots if abs(slot.start_beats - line) < 1e-6)
    assert round((there.density - 5) * 1000) == 12, "the statement is where its music is"


@pytest.mark.parametrize(("meter", "cut", "odd"), [("6/8", 36, "9/8"), ("3/4", 24, "2/4"), ("7/8", 12, "6/8")])
def test_other_meters_have_their_own_beats(meter, cut, odd):
    """A dotted quarter in 6/8 (1.5 s), a quarter in 3/4, an eighth in 7/8."""
    whole = piece("C Am F Dm Em Bb Am Dm Em F", meter)
    made = conformed(whole, (0, 100), (100 + cut, 960))
    assert [str(each.meter) for each in made.document.result.tempo_map.meters] == [meter, odd, meter]


def test_a_session_with_such_bars_can_be_conformed_again():
    """They go with their music, and stay whole bars."""
    whole = piece("C Am F Dm Em Bb Am Dm Em F")
    first = conformed(whole, (0, 260), (284, 960)).document
    frames = round(first.result.slots[-1].end_s * 24)
    for policy in controls.CONFORM_POLICIES:
        changes = changes_of((0, 50), ("title", 24), (50, frames), frames=frames)
        made = conform(first, changes, film_of(changes), policy=policy)
        lengths = {length for _, length in bars_of(made.document)[:-1]}
        assert all(float(length).is_integer() for length in lengths), (policy, bars_of(made.document))
        if policy == "beats":
            at = next(at for at, length in bars_of(made.document) if length == 3.0)
            slots = made.document.result.slots
            there = next(slot for slot in slots if abs(slot.start_beats - at) < 1e-6)
            assert round((there.density - 5) * 1000) == 12, bars_of(made.document)


def test_bars_of_another_program_are_left_alone():
    whole = piece("C Am F Dm Em Bb Am Dm Em F")
    other = TempoMap.of([(0, 60), (8, 61)])
    whole = replace(whole, result=replace(whole.result, tempo_map=other))
    made = conformed(whole, (0, 260), (284, 960))
    assert made.document.result.tempo_map == other and not made.document.sections
    assert any("another program's" in note for note in made.notes)


chords = st.lists(st.sampled_from("C C Dm F F/C G7 G7 Am Bb N".split()), min_size=4, max_size=12)  # noqa: SIM905
themes = st.lists(st.tuples(st.integers(1, 10), st.integers(1, 6)), max_size=3)


@examples(60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(controls.CONFORM_POLICIES), cuts, chords, themes, st.integers(2, 9))
@example("beats", [(0, 100), (131, 960)], ["C", "Am", "F", "Dm"], [], 3)
@example("beats", [(0, 100), ("title", 31), (100, 960)], ["C", "Am", "F", "Dm"], [], 3)
def test_whatever_is_cut(policy, cut, names, statements, edge):
    """Nothing of a theme or a cadence is left out or held, every bar is a real one, hits lie where the preview says,
    what comes before the first change is the same, and music is within half a beat of its picture or that is said."""
    whole = piece(" ".join(names), themes=statements, edge_s=4.0 * edge)
    changes = from_path(np.array(recutlab.order_of(cut)), 960, Fraction(24))
    film = film_of(changes)
    try:
        made = conform(whole, changes, film, policy=policy)
    except MusicError:  # nothing of the cue is left
        return
    document, old = made.document, whole.result.slots
    check_preview(whole, made)
    if made.first_change_s is None:
        return
    before = [slot for slot in document.result.slots[:-1] if slot.end_s <= made.first_change_s]
    assert before == list(old[: len(before)])
    if policy != "beats":
        return
    check_cuts(whole, made, statements)
    check_bars(whole, made, names)
    off = [
        slot.start_s
        for slot, beat in zip(document.result.slots[:-1], heard(document)[:-1], strict=True)
        if (source := changes.source((slot.start_s + slot.end_s) / 2)) is not None
        and abs(source - (old[beat].start_s + old[beat].end_s) / 2) > 1.0
    ]
    assert not off or any(
        "behind" in note or "ahead" in note or "join" in note or "at a" in note for note in made.notes
    )


def piece_of_two_cues(names, meter, second_in_s, own_bars):
    """The second cue has bars of its own, or those of the first; each slot can be told from the others."""
    whole = piece(names, meter)
    (first,) = whole.cue_states
    own = {controls.NAME: "1m2", controls.IN: second_in_s, controls.BAR_1: "in" if own_bars else "timeline"}
    whole = whole.with_cues([first, replace(first, number=1, settings={**first.settings, **own})], 0)
    tempo_map = marked(whole.result.tempo_map, whole.tempo_marks(60.0), 0.0)
    slots = compose(tempo_map=tempo_map, seconds=40.0).slots
    names = names.split()
    bars = [int(tempo_map.bar_position(slot.start_beats) + 1e-6) for slot in slots]
    slots = tuple(
        replace(slot, chord=Chord.parse(names[bar % len(names)]), density=5 + slot.index / 1000)
        for slot, bar in zip(slots, bars, strict=True)
    )
    whole = replace(whole, result=replace(whole.result, slots=slots, tempo_map=tempo_map))
    return replace(whole, result=replace(whole.result, recipe=recipe(whole)))


@examples(40)
@given(
    st.sampled_from(controls.CONFORM_POLICIES), cuts, chords, st.sampled_from(("4/4", "3/4", "6/8", "7/8")),
    st.integers(240, 840), st.booleans(),
)  # fmt: skip
@example("beats", [(0, 30), (0, 30)], ["C", "F", "C", "C"], "4/4", 240, True)  # the second cue begins at the change
def test_two_cues_in_any_meter(policy, cut, names, meter, in_frames, own_bars):
    """Wherever the second cue begins: the music before the first change is the same, slots leave no gap, hits lie where
    the preview says, and but for bars that the second cue cuts short every bar is whole eighths long."""
    whole = piece_of_two_cues(" ".join(names), meter, in_frames / 24, own_bars)
    changes = from_path(np.array(recutlab.order_of(cut)), 960, Fraction(24))
    try:
        made = conform(whole, changes, film_of(changes), policy=policy)
    except MusicError:  # nothing of the cues is left
        return
    check_preview(whole, made)
    if made.first_change_s is None:
        return
    slots = made.document.result.slots
    kept = [slot for slot in whole.result.slots[:-1] if slot.end_s <= made.first_change_s]
    assert policy == "ramp" or kept == list(slots[: len(kept)])  # a ramp may bend from the mark before the change on
    assert all(a.end_beats == b.start_beats and b.end_s > b.start_s for a, b in pairwise(slots))
    if policy in ("bars", "beats") and not own_bars:
        assert all(float(length * 2).is_integer() for _, length in bars_of(made.document)), bars_of(made.document)


def check_preview(whole, made):
    """Each hit lies as far from a beat as was said."""
    result = made.document.result
    for row in made.moved:
        if row.kind == "hit" and row.new_s is not None:
            beats = result.tempo_map.beats_at(row.new_s)
            off_s = result.tempo_map.seconds_at(float(round(beats))) - row.new_s
            assert row.beat_after == pytest.approx(off_s * 24, abs=1e-6)
            assert any(hit.name == row.name and hit.time_s == row.new_s for hit in made.document.hits)


def check_cuts(whole, made, statements):
    bars, old = whole.result.tempo_map, whole.result.slots
    for leaves, goes_on in leaps(whole, made):
        if leaves >= 40 or (leaves, goes_on) == (1, 0):  # outside the old music its first or last beat goes on
            continue
        left_out = 0 < goes_on - leaves < 4
        for bar, length in statements:
            low, high = float(bars.bar_start(bar)), float(bars.bar_start(bar + length))
            assert not low < leaves < high and not low < goes_on < high, (leaves, goes_on)
            over_one_bass = len({s.chord.bass_pitch_class for s in old if leaves - 1 <= s.start_beats <= goes_on}) == 1
            assert not left_out or over_one_bass or goes_on <= low or high <= leaves, (leaves, goes_on)
        before = next((slot for slot in old if abs(slot.end_beats - leaves) < 1e-6), old[-1])
        after = next((slot for slot in old if abs(slot.start_beats - leaves) < 1e-6), before)
        if before.chord == Chord.parse("G7"):
            assert after.chord != Chord.parse("C")


def check_bars(whole, made, names):
    """Whole bars, and the downbeats of the old music on bar lines, but for one that a longer bar took in."""
    document = made.document
    rows = bars_of(document)
    assert all(float(length).is_integer() for _, length in rows), rows
    lines = {at for at, _ in rows}
    taken_in = {at + length - 1 for at, length in rows}  # a bar of a single beat, by the one before it
    begins = sum(1 for _ in takewhile(lambda beat: beat == 0, heard(document))) - 1
    for slot, beat in list(zip(document.result.slots, heard(document), strict=True))[max(begins, 0) :]:
        if beat % 4 == 0 and slot.start_beats > 0 and (slot.end_beats - slot.start_beats) <= 1:
            assert slot.start_beats in lines | taken_in, (slot.start_beats, beat, rows)


def test_music_before_the_first_change_is_the_same_to_the_note():
    whole = piece("C Am F Dm Em Bb Am Dm Em F")
    changes = changes_of((0, 260), (284, 960))
    made = conform(whole, changes, film_of(changes), policy="beats")
    low = 260 / 24 - 4
    before = [note for note in notes_of(whole, OLD) if note.end_beats <= low]
    assert before == [note for note in notes_of(made.document, film_of(changes)) if note.end_beats <= low] != []
