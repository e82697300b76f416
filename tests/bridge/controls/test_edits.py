"""Edits as a page makes them: chord borders, hits, sections; tried first, grouped by gesture, with who made them."""

from __future__ import annotations

import math
import time
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from offlinelab import ASKER, OfflineStage
from profiles import examples
from sessionlab import Engine

from bridge.osc.codec import decode, encode, encode_bundle
from bridge.osc.server import Datagram
from bridge.session.edits.values import set_value
from bridge.session.file.later import Later
from bridge.session.session import SessionOptions
from engine.arrange.score import arrange_whole
from engine.brief import Brief
from engine.document import Document
from engine.document.file.reading import decode_session
from engine.document.file.writing import SessionWriter
from engine.music.arguments import ControlError
from engine.music.controls import BY_ADDRESS, CONTROLS


@pytest.fixture
def ready(clock):
    """A composed film of 24 s at 120 bpm: a chord slot is two beats, one second."""
    made = OfflineStage(clock, Engine(24.0), SessionOptions("film.mp4", tempo=Brief(bpm=120)))
    made.ready()
    yield made
    made.close()


def notes_of(stage: OfflineStage):
    return sorted(
        arrange_whole(stage.session.score()).notes, key=lambda note: (note.start_beats, note.part, note.pitch)
    )


def blocks(stage: OfflineStage, from_s: float = 0.0, *to_s: float):
    flat = stage.osc("/cue/chords/list", from_s, *to_s)
    return [flat[at : at + 4] for at in range(0, len(flat), 4)]


def refusal(stage: OfflineStage, address: str, *arguments) -> str:
    with pytest.raises(AssertionError):
        stage.osc(address, *arguments)
    return stage.refused[-1][2]


def border(stage: OfflineStage, after_s: float = 4.0) -> tuple[float, float, float]:
    """The first border after a second: where it is, where the chord before it begins and the one after it ends."""
    row = blocks(stage)
    index = next(i for i, block in enumerate(row) if block[0] > after_s)
    return row[index][0], row[index - 1][0], row[index][1]


def test_a_border_goes_to_the_nearest_beat_inside_a_slot_and_only_these_two_chords_sound_different(ready) -> None:
    before, notes = blocks(ready), notes_of(ready)
    at_s, low_s, high_s = border(ready)
    answered = ready.osc("/cue/chords/move", at_s, at_s + 0.49)
    assert answered[1] == pytest.approx(at_s + 0.5)  # one beat of 120 bpm, half a slot
    ready.ready()
    after = blocks(ready)
    assert [block[0] for block in after if block[0] not in [b[0] for b in before]] == [pytest.approx(at_s + 0.5)]
    assert [block[2] for block in after] == [block[2] for block in before]
    assert {block[3] for block in after if low_s <= block[0] < high_s} == {"pinned"}
    runs = ready.session.runs()
    here = next(i for i, run in enumerate(runs) if run.start_s == pytest.approx(at_s + 0.5))
    low, high = runs[max(here - 2, 0)].start_beats, runs[min(here + 1, len(runs) - 1)].end_beats
    outside = lambda row: [note for note in row if not low <= note.start_beats < high]  # noqa: E731
    assert repr(outside(notes)) == repr(outside(notes_of(ready))) and notes != notes_of(ready)
    ready.osc("/cue/undo")
    ready.ready()
    assert blocks(ready) == before and notes_of(ready) == notes


def test_the_player_has_the_moved_border(ready) -> None:
    """What goes out on the pad's channel changes at the new place, not at the old one."""
    at_s, _, _ = border(ready)
    ready.osc("/cue/chords/move", at_s, at_s + 0.5)
    ready.ready()
    played = ready.session.whole()[1].notes
    pads = {round(note.start_beats / 2, 3) for note in played if note.part == "pad"}
    assert at_s + 0.5 in pads and at_s not in pads


def test_a_chord_is_split_changed_merged_and_given_back(ready) -> None:
    first = blocks(ready)
    block = next(each for each in first if each[1] - each[0] >= 1.0)
    ready.osc("/cue/chords/split", block[0] + 0.5)
    assert [each[2] for each in blocks(ready, block[0], block[1])] == [block[2]] * 2
    ready.osc("/cue/chords/pin", "Ebmaj7", block[0] + 0.6)
    assert [each[2:] for each in blocks(ready, block[0], block[1])] == [(block[2], "pinned"), ("Ebmaj7", "typed")]
    assert ready.session.document.block_at(block[0] + 0.25).end_s == pytest.approx(block[0] + 0.5)
    ready.osc("/cue/chords/merge", block[0])
    assert [each[2] for each in blocks(ready, block[0], block[1])] == [block[2]]
    ready.osc("/cue/chords/unpin", block[0], block[1])
    assert blocks(ready) == first


def test_a_chord_is_copied_with_its_words(ready) -> None:
    row = blocks(ready)
    ready.osc("/cue/chords/pin", "Dbmaj7", row[2][0])
    ready.osc("/cue/chords/copy", row[2][0], row[6][0])
    assert blocks(ready)[6][2:] == ("Dbmaj7", "typed")
    assert ready.session.history.undo_label == "copy Dbmaj7"


def test_what_cannot_be_is_refused_and_nothing_changes(ready) -> None:
    at_s, low_s, high_s = border(ready)
    before = ready.session.document
    assert "stays between" in refusal(ready, "/cue/chords/move", at_s, high_s + 1)
    assert "stays between" in refusal(ready, "/cue/chords/move", at_s, low_s)
    assert "no chord" in refusal(ready, "/cue/chords/move", 300.0, 4.0)
    assert "no chord follows" in refusal(ready, "/cue/chords/merge", 23.9)
    assert "no chord is pinned" in refusal(ready, "/cue/chords/unpin", 1.0, 2.0)
    assert ready.session.document is before
    ready.osc("/cue/printed/mute", "pad", at_s, high_s)
    bar = ready.session.document.result.tempo_map.bar_at(at_s * 2)
    assert refusal(ready, "/cue/chords/move", at_s, at_s + 0.5).startswith(f"bar {bar} is in the DAW")


def test_a_section_may_begin_bars_of_another_length_or_a_tempo(ready: OfflineStage) -> None:
    """`meter` begins a bar, `bpm` is a tempo without a new section; deleted, both are gone."""
    before = ready.session.document.result.tempo_map
    ready.osc("/cue/sections/add", 9.0, "meter=3/4")
    ready.osc("/cue/sections/add", 12.0, "bpm=90")
    assert not ready.refused
    bars = ready.session.document.result.tempo_map
    assert bars.bar_start(bars.bar_at(18.0 + 1e-6)) == 18 and str(bars.meter_at(18.5)) == "3/4"
    assert bars.bpm_at(bars.beats_at(13.0)) == 90 and bars.bpm_at(bars.beats_at(11.0)) == 120
    assert "3/5" in refusal(ready, "/cue/sections/add", 15.0, "meter=3/5")
    assert refusal(ready, "/cue/sections/add", 15.0, "bpm=5000")
    ready.osc("/cue/sections/remove", 9.0)
    ready.osc("/cue/sections/remove", 12.0)
    assert ready.session.document.result.tempo_map == before


def test_hits_and_sections_are_moved_renamed_weighted_and_merged(ready) -> None:
    ready.osc("/cue/hits/add", 3.0, "must", "door")
    ready.osc("/cue/hits/move", 3.1, 3.5)
    ready.osc("/cue/hits/weight", 3.5, "nice")
    ready.osc("/cue/hits/name", 3.5, "gate")
    assert ready.osc("/cue/hits") == (3.5, "nice", "gate")
    ready.osc("/cue/hits/add", 8.0)
    assert "already" in refusal(ready, "/cue/hits/move", 3.5, 8.0)
    for at_s, name in ((4.0, "A"), (10.0, "B"), (16.0, "C")):
        ready.osc("/cue/sections/add", at_s, "activity=40", name)
    ready.osc("/cue/sections/move", 10.0, 12.0)
    assert "stays between" in refusal(ready, "/cue/sections/move", 12.0, 17.0)
    ready.osc("/cue/sections/name", 13.0, "B flat")
    ready.osc("/cue/sections/merge", 12.5)
    assert ready.osc("/cue/sections") == (4.0, "activity=40", "A", 12.0, "activity=40", "B flat")
    count = ready.session.history.undo_count
    for _ in range(count):
        ready.osc("/cue/undo")
    assert ready.session.document.hits == () and ready.session.document.sections == ()


def test_a_gesture_is_one_step_of_undo(ready) -> None:
    at_s, _, _ = border(ready)
    first = ready.session.document
    ready.osc("/cue/gesture", "d1")
    for beats in (1, 2, 1, 3):
        ready.osc("/cue/chords/move", ready.session.document.blocks(at_s - 0.5, at_s + 2)[1].start_s, at_s + beats / 8)
    ready.osc("/cue/chords/pin", "F#m", 8.0)
    assert ready.session.history.undo_count == 1
    ready.osc("/cue/gesture", "d2")
    ready.osc("/cue/swing", 60.0)
    ready.clock.advance(3.0)  # longer than moves of a fader are joined
    ready.osc("/cue/swing", 61.0)
    ready.osc("/cue/activity", 30.0)
    assert ready.session.history.undo_count == 2
    ready.osc("/cue/gesture")
    ready.osc("/cue/swing", 62.0)
    assert ready.session.history.undo_count == 3
    for _ in range(3):
        ready.osc("/cue/undo")
    assert ready.session.document.pins == first.pins and ready.session.document.settings == first.settings


def test_a_gesture_ends_by_itself_and_is_its_senders_alone(ready) -> None:
    ready.osc("/cue/gesture", "d1")
    ready.osc("/cue/swing", 60.0)
    ready.clock.advance(11.0)
    ready.osc("/cue/swing", 61.0)
    assert ready.session.history.undo_count == 2
    with ready.session.log.acting("keys"):
        ready.controls.perform(next(c for c in CONTROLS if c.address == "/cue/swing"), (62.0,))
    assert ready.session.history.undo_count == 3


def test_who_made_an_edit_is_kept_and_told(ready) -> None:
    ready.osc("/cue/swing", 60.0)
    assert ready.osc("/cue/edits/last")[1:3] == ("swing", "osc 127.0.0.1:5555")
    with ready.session.log.acting("page 1"):
        ready.session.undo()
    number, label, who, _ = ready.osc("/cue/edits/last")
    assert (label, who) == ("undo swing", "page 1")
    ready.osc("/cue/redo")
    assert ready.osc("/cue/edits/last")[:3] == (number + 1, "redo swing", "osc 127.0.0.1:5555")
    assert ready.osc("/cue/edits/list", "latest") == (1, 0, "", "", 1, "swing", "osc 127.0.0.1:5555")
    assert ready.osc("/cue/edits/list", 1) == (1, 1, "swing", "osc 127.0.0.1:5555")


def test_pins_and_makers_survive_the_session_file(ready) -> None:
    from bridge.session.file.autosave import saved_state

    at_s, _, _ = border(ready)
    ready.osc("/cue/chords/move", at_s, at_s + 0.5)
    saved = saved_state(ready.session, "0" * 64)
    assert saved is not None
    again = decode_session(SessionWriter().encode(saved))
    assert again.steps[-1].who == "osc 127.0.0.1:5555"
    assert again.steps[-1].document.pins == ready.session.document.pins
    assert again.steps[-1].document.slots == ready.session.document.slots


TRIED = st.sampled_from(
    [
        ("/cue/chords/move", (4.0, 4.5)), ("/cue/chords/move", (4.0, 40.0)), ("/cue/chords/split", (6.25,)),
        ("/cue/chords/merge", (3.0,)), ("/cue/chords/copy", (2.0, 9.0)), ("/cue/chords/pin", ("E7", 5.0)),
        ("/cue/chords/pin", ("J7", 5.0)), ("/cue/chords/unpin", (5.0,)), ("/cue/chords/rewrite", (6.0, 9.0)),
        ("/cue/hits/add", (7.0, "must")), ("/cue/hits/move", (7.0, 8.0)), ("/cue/hits/weight", (7.0, "nice")),
        ("/cue/sections/add", (5.0, "activity=40")), ("/cue/sections/move", (5.0, 6.0)),
        ("/cue/sections/merge", (5.0,)), ("/cue/swing", (62.0,)), ("/cue/mood/dark_light", (40.0,)),
        ("/cue/key", ("F# minor",)), ("/cue/key", ("J",)), ("/cue/tempo", (90.0,)), ("/cue/take/new", ()),
        ("/cue/take/select", (3,)), ("/cue/cues/add", (4.0, 12.0)), ("/cue/cues/remove", ("nine",)),
        ("/cue/cues/add", (0.0, 8.0, "1m1")), ("/cue/cues/add", (8.0, "end", "1m2")), ("/cue/cues/remove", ("1m1",)),
        ("/cue/take/new", ("chord",)), ("/cue/chords/next", ("Am",)), ("/cue/hits/accept_cuts", (0.1,)),
        ("/cue/printed/mute", ("pad", 2.0, 6.0)), ("/cue/part/bass/on", (False,)), ("/cue/ending", ("cut",)),
    ]
)  # fmt: skip


@examples(20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(TRIED, min_size=1, max_size=4), plays=st.booleans())
def test_what_is_tried_is_answered_as_the_edit_is_and_changes_nothing(clock, edits, plays) -> None:
    stage = OfflineStage(clock, Engine(24.0), SessionOptions("film.mp4", tempo=Brief(bpm=120)))
    try:
        stage.ready()
        if plays:
            stage.osc("/cue/play")
            stage.run(1.0)
        for address, arguments in edits:
            before, sent = stage.session.document, len(stage.engine.requests)
            steps, queued = stage.session.history.steps, stage.session.composing.queued
            try:
                tried = stage.osc("/cue/try", address, *arguments)
                fault = None
            except AssertionError:
                tried, fault = (), stage.refused[-1][2]
            assert stage.session.document is before and stage.session.history.steps == steps
            assert stage.session.composing.queued is queued and len(stage.engine.requests) == sent
            try:
                answered = stage.osc(address, *arguments)
            except AssertionError:
                assert fault == stage.refused[-1][2]
                continue
            assert fault is None and tried[0] == address and tried[-1] == pytest.approx(answered[-1], abs=0.05)
            if BY_ADDRESS[address].access == "do":  # a take's number, a cue's place and name, … as they would be
                assert tried[1:-1] == answered[:-1]
    finally:
        stage.close()


def test_only_edits_can_be_tried(ready) -> None:
    assert "not an edit" in refusal(ready, "/cue/try", "/cue/play")
    assert "not an edit" in refusal(ready, "/cue/try", "/cue/quit")
    assert "not an address" in refusal(ready, "/cue/try", "/cue/nothing")
    with pytest.raises(ControlError):
        ready.controls.tried("/cue/swing", ())


@examples(60)
@given(edges=st.lists(st.floats(0.1, 23.9), min_size=2, max_size=8))
def test_cut_slots_cover_the_same_film(edges) -> None:
    """Pins at any place: slots without gaps, each chord's share of time right to a sixteenth."""
    from engine.arrange.rhythm import build_grid
    from engine.document import Pin, Result
    from engine.music import Chord, Slot, TempoMap

    tempo_map = TempoMap.constant(97)
    grid = build_grid("beats", tempo_map, 24.0)
    slots = tuple(
        Slot(each.index, each.start_s, each.end_s, each.start_beats, each.end_beats, Chord.parse("C")) for each in grid
    )
    document = Document(result=Result(slots, tempo_map))
    for low, high in zip(sorted(edges), sorted(edges)[1:], strict=False):
        if high - low > 0.2:
            document = document.with_pin(Pin(low, high, Chord.parse("F"), "", True))
    row = document.slots
    assert row[0].start_s == slots[0].start_s and row[-1].end_s == slots[-1].end_s
    assert all(first.end_s == second.start_s for first, second in pairwise(row))
    assert all(first.end_beats == second.start_beats for first, second in pairwise(row))
    sixteenth_s = 60 / 97 / 4
    for pin in document.pins:
        shared = sum(max(min(slot.end_s, pin.end_s) - max(slot.start_s, pin.start_s), 0) for slot in row if slot.pinned)
        assert shared == pytest.approx(pin.end_s - pin.start_s, abs=1.01 * sixteenth_s)
    assert sum(block.end_s - block.start_s for block in document.blocks()) == pytest.approx(24.0)


def test_takes_are_rated_noted_and_compared(ready) -> None:
    ready.osc("/cue/take/new")
    ready.ready()
    ready.osc("/cue/take/rate", 1, 4)
    ready.osc("/cue/take/note", 2, "too bright")
    assert ready.osc("/cue/takes/rated") == (1, 4, "", 2, 0, "too bright")
    ready.osc("/cue/take/keep", "warm")
    assert ready.osc("/cue/takes/rated")[3:] == (2, 0, "too bright")
    assert "no take 9" in refusal(ready, "/cue/take/rate", 9, 1)
    assert "no take 9" in refusal(ready, "/cue/take/compare", 1, 9)
    what = ready.osc("/cue/take/compare", 1, 2)
    assert what[:2] == (1, 2) and what[2] == "chords alike" and what[3] != "100 %"
    assert ready.osc("/cue/take/compare", 1, 1) == (1, 1)


def test_notes_are_asked_for_by_range_and_part(ready) -> None:
    count, *rows = ready.osc("/cue/notes", 4.0, 6.0)
    played = [note for note in ready.session.whole()[1].notes if 8.0 <= note.start_beats < 12.0]
    assert count == len(played) > 0 and len(rows) == 5 * count
    found = {(rows[at], rows[at + 1], round(rows[at + 3] * 2, 4)) for at in range(0, len(rows), 5)}
    assert found == {(note.part, note.pitch, round(note.start_beats, 4)) for note in played}
    bass = ready.osc("/cue/notes", 4.0, 6.0, "bass")
    assert bass[0] == sum(note.part == "bass" for note in played)
    assert ready.osc("/cue/plan") == () == ready.osc("/cue/theme/statements")  # without a form


@pytest.mark.parametrize("last", ["/cue/ping", "/cue/redo"])
def test_a_bundle_that_takes_long_is_done_over_several_turns_and_as_a_whole(ready, last) -> None:
    """The session goes on between, nothing is answered before all is done, and what is refused late is taken back."""
    before = ready.session.document
    ready.answers.clear()
    messages = [encode("/cue/swing", [51.0 + number / 10]) for number in range(40)]
    pins = [encode("/cue/chords/pin", ("E7", 2.0 * number)) for number in range(5)]
    data = decode(encode_bundle([*messages, *pins, encode(last)]))
    ready.controls.datagram(Datagram(data, ASKER, 0.0), budget_s=0.0)
    turns = 1
    while ready.controls.busy:
        ready.session.tick()
        ready.controls.go_on(0.0)
        turns += 1
        if ready.answers:  # all is done, and the rest of the answers follows
            assert ready.session.document.value("/cue/swing") == pytest.approx(54.9)
            break
    ready.controls.go_on()
    assert turns > 40 and not ready.controls.busy
    document = ready.session.document
    if last == "/cue/ping":
        assert len(ready.answers) == 46 and document.value("/cue/swing") == pytest.approx(54.9) and document.pins
    else:
        assert ready.refused[0][:2] == ("/cue/redo", "not_ready") and document.settings == before.settings
        assert document.pins == before.pins


@pytest.mark.parametrize(
    "asked",
    [("/cue/tempo", 93.0), ("/cue/bar_1", 1.3), ("/cue/picture_starts_at", "01:00:00:00"), ("/cue/lock", "all"),
     ("/cue/lock", "arp", 4.0, 9.0), ("/cue/try", "/cue/tempo", 93.0), ("/cue/try", "/cue/lock", "bass"),
     ("/cue/progression", "C G " * 120), ("/cue/try", "/cue/progression", "| C / F / " * 50),
     ("/cue/progression", "C " * 600), ("/cue/progression", "(" * 500 + "C"),
     ("/cue/try", "/cue/progression", "C" * 500),
     ("/cue/tempo", 1e9), ("/cue/lock", "nobody"), ("/cue/lock", "all", 5.0, 5.0)],
)  # fmt: skip
def test_what_grows_with_the_film_is_done_in_pieces_and_gives_the_same(clock, monkeypatch, asked) -> None:
    monkeypatch.setattr("bridge.session.tempo.PIECE_SLOTS", 3)

    def done(budget_s: float):
        made = OfflineStage(clock, Engine(24.0), SessionOptions("film.mp4", tempo=Brief(bpm=120)))
        made.ready()
        address, *values = asked
        made.controls.datagram(Datagram(decode(encode(address, values)), ASKER, 0.0), budget_s=budget_s)
        turns = 1
        while made.controls.busy:
            made.session.tick()
            made.controls.go_on(budget_s)
            turns += 1
        assert made.session.refits is None
        document = made.session.document
        made.close()
        return document.result.slots, document.locks, document.settings, made.answers, made.refused, turns

    *at_once, once = done(math.inf)
    *in_pieces, turns = done(0.0)
    assert at_once == in_pieces and once == 1 and bool(at_once[3]) != bool(at_once[4])
    assert turns > 3 or at_once[4]


def test_a_step_that_takes_long_waits_for_a_turn_of_its_own(ready) -> None:
    """Others that had their time in the same turn count as well as what a datagram did itself."""
    data = decode(encode("/cue/progression", ["C G " * 120]))
    ready.controls.datagram(Datagram(data, ASKER, 0.0), budget_s=60.0, spent_s=0.0)
    assert not ready.controls.busy and ready.answers
    ready.answers.clear()
    ready.controls.datagram(Datagram(data, ASKER, 0.0), budget_s=60.0, spent_s=13.0)
    assert ready.controls.busy and not ready.answers
    ready.controls.go_on(60.0, 0.0)
    assert ready.answers


def test_a_lock_holds_what_is_there_when_it_is_made_not_when_it_was_begun(ready) -> None:
    ready.controls.datagram(Datagram(decode(encode("/cue/lock", ["all"])), ASKER, 0.0), budget_s=0.0)
    assert ready.controls.busy
    ready.session.edit(set_value, "/cue/transpose", 2)  # from the keyboard
    ready.ready()
    ready.controls.go_on()
    pitches = {note.pitch for note in ready.session.whole()[1].notes}
    assert {note.pitch for lock in ready.session.document.locks for note in lock.notes} == pitches


def test_what_is_asked_right_before_the_end_is_written_on_a_slow_disk_too(ready, monkeypatch, tmp_path) -> None:
    file = tmp_path / "late.mid"
    slow = Later(lambda: (time.sleep(0.1), file)[1])
    monkeypatch.setattr(ready.controls._allowed, "path", lambda text, suffix: slow)
    assert ready.osc("/cue/export", str(file)) == () and not file.exists()
    ready.controls.finish_files()
    assert file.exists() and ready.answers[-1][0] == "/cue/export"


def test_a_bundle_that_takes_too_much_is_refused_as_a_whole(ready, monkeypatch) -> None:
    monkeypatch.setattr("bridge.controls.dispatch.BUNDLE_S", 0.0)
    before = ready.session.document
    data = decode(encode_bundle([encode("/cue/swing", [55.0])] * 3))
    ready.controls.datagram(Datagram(data, ASKER, 0.0), budget_s=0.0)
    while ready.controls.busy:
        ready.controls.go_on(0.0)
    assert "busy" in {code for _, code, _ in ready.refused} and ready.session.document.settings == before.settings


def test_the_tempo_of_a_daw_is_not_set_here(ready) -> None:
    from dataclasses import replace

    from bridge.session.edits.tempo import set_tempo

    now = ready.session.now()
    for source in ("script", "clock", "jack"):
        theirs = replace(now, timing=replace(now.timing, source=source))
        with pytest.raises(ControlError, match=rf"comes from the DAW \({source}\)"):
            set_tempo(ready.session.document, theirs, 90.0)


def test_a_step_that_takes_long_begins_in_a_turn_with_room(ready) -> None:
    done, controls = [], ready.controls

    def steps():
        for name in ("first", "long", "last"):
            end_s = time.thread_time() + 0.002
            while time.thread_time() < end_s:
                pass
            done.append(name)
            yield name == "first"

    controls._under_way = steps()
    controls.go_on(0.005)
    assert done == ["first"] and controls.busy
    controls.go_on(0.005)
    assert done == ["first", "long", "last"] and not controls.busy
    controls._under_way = steps()
    controls.go_on()
    assert done[3:] == done[:3]
