"""The running cue: edits, undo, boundaries, late answers, deaths; with a real player, notes as really sent."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction

import pytest

from bridge.engine_link import EngineGone
from bridge.session.answers import STATES
from bridge.session.edits import chords, marks, tempo
from bridge.session.edits.values import set_value
from bridge.session.snapshot import snapshot
from engine.arrange.score import arrange_whole
from engine.arrange.tempofit import fit_tempos
from engine.music import Chord, Draws, TempoMap, film_seed
from engine.music.arguments import ControlError
from engine.process.messages import EngineFailure, EngineReady


def notes_of(session):
    return sorted(arrange_whole(session.score()).notes, key=lambda note: (note.start_beats, note.channel, note.pitch))


def found(session, *given):
    asked = tempo.search(session.document, session.now(), *given)
    return fit_tempos(asked.hits, asked.rate, asked.options, (asked.kind,))


def sent_on(session):
    return [event for event in session.recorder.events if event.status & 0xF0 == 0x90]


def test_it_composes_plays_and_ends_with_what_was_composed(stage) -> None:
    made = stage(4.0, play=True, once=True)
    session = made.session
    made.until(lambda: session.finished, 15)
    made.run(0.1)
    expected = sorted((note.pitch, note.velocity, note.channel) for note in notes_of(session))
    heard = sorted((event.data1, event.data2, (event.status & 15) + 1) for event in sent_on(session))
    assert heard == expected
    by_start = {(note.pitch, note.channel): [] for note in notes_of(session)}
    for note in notes_of(session):
        by_start[note.pitch, note.channel].append(session.tempo_map.seconds_at(note.start_beats))
    for event in sent_on(session):
        starts = by_start[event.data1, (event.status & 15) + 1]
        assert min(abs(event.position_s - start) for start in starts) < 0.005


def test_a_new_progression_is_heard_from_the_next_bar_and_the_past_stays(stage) -> None:
    made = stage(30.0)
    session = made.session
    before = session.document.slots
    session.play()
    made.until(lambda: session.position_s() > 0.5)
    heard_s = session.edit(set_value, "/cue/progression", "F#m B7")
    assert heard_s == pytest.approx(2.0)  # 120 bpm: the next bar
    made.until(
        lambda: (
            session.document.result.complete
            and session.composing.queued is None
            and session.composing.in_flight is None
        )
    )
    after = session.document.slots
    assert [slot for slot in after if slot.start_s < 2.0] == [slot for slot in before if slot.start_s < 2.0]
    assert [slot.chord.lead_sheet() for slot in after if 2.0 <= slot.start_s < 6.0] == ["F#m"] * 2 + ["B7"] * 2
    made.until(lambda: session.position_s() > 3.5)
    session.stop()
    made.run(0.1)
    pad = {event.data1 % 12 for event in sent_on(session) if event.status == 0x90 and 2.0 <= event.position_s < 3.5}
    assert pad and pad <= {6, 9, 1}


def test_two_hundred_moves_of_a_fader_cost_one_composition(stage, monkeypatch) -> None:
    """The hand moves by a clock of its own: however long a crowded machine takes over them, it is 0.8 s of moves."""
    made = stage(24.0)
    session = made.session
    asked = len(made.engine.requests)
    began_s = time.perf_counter() - 0.8
    with monkeypatch.context() as patch:
        for number in range(200):
            patch.setattr(time, "perf_counter", lambda moved_s=began_s + number * 0.004: moved_s)
            session.edit(set_value, "/cue/mood/dark_light", number / 2)
    made.ready()
    made.run(0.3)
    assert len(made.engine.requests) == asked + 1
    assert made.engine.requests[-1].options.dark_light == 99.5
    assert session.history.undo_count == 1


def test_controls_without_a_network_ask_the_engine_nothing(stage) -> None:
    made = stage(24.0)
    session = made.session
    asked = len(made.engine.requests)
    chords = [slot.chord for slot in session.document.slots]
    session.play()
    made.until(lambda: session.position_s() > 1.0)
    for address, value in (
        ("/cue/transpose", 2),
        ("/cue/pattern", "up"),
        ("/cue/activity", 100.0),
        ("/cue/swing", 60.0),
    ):
        heard_s = session.edit(set_value, address, value)
        assert heard_s - session.position_s() < 0.5  # within a beat at 120 bpm
    made.until(lambda: session.position_s() > 3.0)
    session.stop()
    made.run(0.1)
    assert len(made.engine.requests) == asked
    assert [slot.chord for slot in session.document.slots] == chords
    late = [event for event in sent_on(session) if 2.0 <= event.position_s < 3.0 and event.status == 0x91]
    slot = session.score().pinned.slot_at(2.1)
    classes = {
        (pitch + 2) % 12
        for slot in session.document.slots
        if 2 <= slot.start_s < 3
        for pitch in slot.chord.pitch_classes()
    }
    assert slot is not None and late and {event.data1 % 12 for event in late} <= classes


def test_a_pin_and_its_removal_move_nothing_else(stage) -> None:
    made = stage(60.0)
    session = made.session
    asked, before = len(made.engine.requests), notes_of(session)
    run = session.runs()[10]
    session.edit(chords.pin, Chord.parse("G#dim7"), run.start_s + 0.1)
    after = notes_of(session)
    previous, following = session.runs()[9], session.runs()[11]
    keep = lambda notes: [n for n in notes if not previous.start_beats <= n.start_beats < following.end_beats]  # noqa: E731
    assert keep(before) == keep(after) and before != after
    session.edit(chords.unpin, run.start_s + 0.1)
    assert notes_of(session) == before
    assert len(made.engine.requests) == asked
    with pytest.raises(ControlError):
        session.edit(chords.unpin, run.start_s)


def test_takes_come_back_note_for_note(stage) -> None:
    made = stage(24.0)
    session = made.session
    first = notes_of(session)
    number, _ = session.new_take()
    made.ready()
    made.until(lambda: session.composing.in_flight is None and session.composing.queued is None)
    second = notes_of(session)
    assert number == 2 and first != second
    asked = len(made.engine.requests)
    session.select_take(1)
    assert notes_of(session) == first
    session.select_take(2)
    assert notes_of(session) == second
    made.run(0.2)
    assert len(made.engine.requests) == asked  # results are kept, not composed again
    assert session.keep_take("the good one").kept


def test_a_new_film_draws_for_itself_and_an_older_session_from_its_next_take_on(stage) -> None:
    made = stage(24.0)
    session = made.session
    assert session.analysed is not None
    key = session.analysed.film.content_key
    if key:
        assert session.document.draws == Draws(film_seed(key))
    # As a session of a version that knew no film seeds is opened: nothing of it changes, whatever the film.
    session.film.analysed = replace(session.analysed, film=replace(session.analysed.film, content_key="some film"))
    session.history.amend(replace(session.document, draws=Draws()))
    before = notes_of(session)
    assert made.engine.requests
    number, _ = session.new_take()
    made.until(lambda: session.composing.idle)
    assert session.document.draws == Draws(film_seed("some film"), number)
    asked = made.engine.requests[-1]
    assert (asked.film_seed, asked.film_seed_since_take) == (film_seed("some film"), number)
    session.select_take(1)
    assert notes_of(session) == before
    later, _ = session.new_take()
    assert later > number and session.document.draws == Draws(film_seed("some film"), number)


def test_rewriting_a_range_leaves_the_rest(stage) -> None:
    made = stage(40.0)
    session = made.session
    before = session.document.slots
    session.edit(chords.rewrite, session.rewrites + 1, 10.0, 20.0)
    made.until(lambda: session.composing.idle)
    made.ready()
    after = session.document.slots
    assert len(after) == len(before)
    changed = [slot.start_s for slot, old in zip(after, before, strict=True) if slot.chord != old.chord]
    assert changed and min(changed) >= 10.0 and max(changed) < 20.0
    session.undo()
    assert session.document.slots == before


def test_a_tempo_change_keeps_chords_at_their_picture_time(stage) -> None:
    made = stage(40.0)
    session = made.session
    asked = len(made.engine.requests)
    before = session.score().pinned
    session.edit(set_value, "/cue/tempo", 150.0)
    made.ready()
    after = session.score().pinned
    assert len(made.engine.requests) == asked
    assert after.tempo_map.bpm_at(0) == 150
    for slot in after.slots:
        middle_s = (slot.start_s + slot.end_s) / 2
        assert slot.chord == before.slot_at(middle_s).chord
    session.undo()
    assert session.score().pinned.slots == before.slots and session.tempo_map == before.tempo_map


def test_an_answer_that_comes_too_late_is_put_off_to_a_later_bar(stage) -> None:
    made = stage(30.0)
    session = made.session
    session.play()
    made.until(lambda: session.position_s() > 0.6)
    made.engine.hold = True
    heard_s = session.edit(set_value, "/cue/progression", "F#")
    made.until(lambda: session.position_s() > heard_s - session.options.commit_s)
    made.engine.hold = False
    made.until(
        lambda: (
            session.document.result.complete
            and session.composing.queued is None
            and session.composing.in_flight is None
        )
    )
    first = next(slot.start_s for slot in session.document.slots if slot.chord == Chord.parse("F#"))
    assert first > heard_s
    assert any("longer than the bar" in sentence for sentence in made.said)


def test_a_dead_engine_stops_nothing_and_what_was_asked_is_asked_again(stage) -> None:
    made = stage(30.0)
    session = made.session
    session.play()
    made.until(lambda: session.position_s() > 0.3)
    made.engine.hold = True
    session.edit(set_value, "/cue/progression", "F#")
    made.run(0.3)
    asked = len(made.engine.requests)
    made.engine.inbox.clear()
    session.on_engine(EngineGone("the engine was killed.", -9, 1))
    made.run(1.0)
    assert session.rolling and any(event.position_s > 1.0 for event in sent_on(session))
    made.engine.hold = False
    session.on_engine(EngineReady(1, "again"))
    made.until(
        lambda: (
            session.document.result.complete
            and session.composing.queued is None
            and session.composing.in_flight is None
        )
    )
    assert len(made.engine.requests) == asked + 1
    assert Chord.parse("F#") in [slot.chord for slot in session.document.slots]
    assert "the engine was killed." in made.said


def test_a_composition_over_which_the_engine_dies_again_and_again_is_given_up(stage) -> None:
    session = (made := stage(24.0)).session
    before = notes_of(session)
    made.engine.hold = True
    session.edit(set_value, "/cue/progression", "F#")
    for death in (1, 2, 3):
        made.run(0.3)
        assert session.composing.in_flight is not None
        session.on_engine(EngineGone("the engine ran out of memory.", 12, death))
        session.on_engine(EngineReady(1, "again"))
        made.engine.inbox.clear()
        session.on_engine(session.analysed)
    made.run(0.3)
    assert session.composing.in_flight is None and session.composing.queued is None
    assert [said for said in made.said if "is given up" in said] and notes_of(session) == before
    assert session.failure is None


def test_clients_hear_of_a_dead_engine_and_of_its_return(stage) -> None:
    session = (made := stage(24.0)).session
    session.on_engine(EngineGone("the engine was killed.", -9, 1))
    assert STATES["/cue/progress"](session, snapshot(session), None) == ("engine", 0.0, "the engine was killed.")
    session.on_engine(EngineReady(1, "again"))
    made.until(lambda: session.progress[0] == "ready")


def test_a_failed_composition_keeps_the_old_music_and_says_why(stage) -> None:
    made = stage(24.0)
    session = made.session
    before = notes_of(session)
    made.engine.hold = True
    session.edit(set_value, "/cue/mood/calm_tense", 50.0)
    made.run(0.2)
    session.on_engine(EngineFailure(session.composing.revision, "the weights are broken."))
    assert notes_of(session) == before and "the weights are broken." in made.said and session.failure is None


def test_refusals(stage) -> None:
    made = stage(24.0)
    session = made.session
    for address, value in (("/cue/progression", "J7"), ("/cue/key", "X major"), ("/cue/part/pad/low", 80)):
        with pytest.raises(ControlError):
            session.edit(set_value, address, value)
    with pytest.raises(ControlError):
        session.loop(True, 5.0, 5.0)
    assert session.history.undo_count == 0


def test_the_daws_tempo_moves_bars_but_not_chords(stage) -> None:
    made = stage(24.0)
    session = made.session
    before = session.score().pinned
    session.use_daw_map(TempoMap.constant(97, origin_s=Fraction(1, 2)), "the DAW")
    made.ready()
    after = session.score().pinned
    assert after.tempo_map.bpm_at(0) == 97
    for slot in after.slots:
        assert slot.chord == before.slot_at((slot.start_s + slot.end_s) / 2).chord
    assert any("97" in sentence for sentence in made.said)


def test_in_a_loop_a_change_is_there_on_the_next_pass(stage) -> None:
    made = stage(30.0)
    session = made.session
    session.loop(True, 2.0, 4.0)
    session.locate(2.0)
    session.play()
    session.edit(set_value, "/cue/progression/mode", "exact")
    tones = {"F#": {6, 10, 1}, "C": {0, 4, 7}}
    for chord in ("F#", "C", "F#"):
        made.until(lambda: 3.0 < session.position_s() < 3.3)
        session.edit(set_value, "/cue/progression", chord, "loop")
        made.until(lambda: session.position_s() < 2.9)
    made.until(lambda: session.position_s() > 3.7)
    session.stop()
    made.run(0.1)
    # The recorder keeps the last pass: all of it is the new chord, its first note included.
    heard = {event.data1 % 12 for event in sent_on(session) if event.status in (0x90, 0x91)}
    assert heard and heard <= tones[chord]


def test_what_is_asked_right_after_a_locate_reckons_from_there(stage) -> None:
    made = stage(30.0)
    session = made.session
    session.locate(20.0)
    session.play()
    made.until(lambda: session.rolling and session.position_s() > 20.2)
    session.locate(2.0)
    assert session.position_s() == pytest.approx(2.0, abs=0.1)
    heard_s = session.edit(set_value, "/cue/progression", "F#m B7")  # before the player has said where it is
    assert 2.0 < heard_s <= 6.0
    made.until(lambda: 2.0 < session.position_s() < 4.0)


def test_after_a_locate_the_playhead_does_not_step_back(stage) -> None:
    """The player's last word from before it is still on its way."""
    made = stage(30.0)
    session = made.session
    session.play()
    for locate in range(30):
        wanted_s = 20.0 if locate % 2 else 5.0
        session.locate(wanted_s)
        end = time.perf_counter() + 0.08
        while time.perf_counter() < end:
            session.tick()
            made.pause(0.002)
            assert session.position_s() == pytest.approx(wanted_s, abs=0.5)


def test_outside_the_cue_nothing_sounds(stage) -> None:
    made = stage(30.0)
    session = made.session
    session.edit(set_value, "/cue/in", 8.0)
    session.edit(set_value, "/cue/out", 16.0)
    made.ready()
    made.until(lambda: session.composing.idle)
    starts = [session.picture_at(note.start_beats) for note in notes_of(session)]
    assert starts and min(starts) >= 7.9 and max(starts) <= 16.1
    assert made.engine.requests[-1].cues[0].in_s == 8.0
    with pytest.raises(ControlError):
        session.edit(set_value, "/cue/out", 4.0)
    session.undo()
    session.undo()
    assert min(session.picture_at(note.start_beats) for note in notes_of(session)) < 1.0


def test_hits_are_set_removed_and_taken_from_cuts(stage) -> None:
    made = stage(24.0)
    session = made.session
    session.edit(marks.add_hit, 5.0, "must", "door")
    session.edit(marks.add_hit, 5.01, "nice")  # the same place: it replaces
    assert [(hit.time_s, hit.weight) for hit in session.document.hits] == [(5.01, "nice")]
    count = len(session.document.hits)
    session.edit(marks.accept_cuts, 0.5)
    count = len(session.document.hits) - count
    assert count == 3 and [hit.time_s for hit in session.document.hits] == [3.0, 5.01, 7.5, 12.0]
    made.until(lambda: session.composing.idle)
    assert made.engine.requests[-1].hits == session.document.hits
    assert session.score().pinned.hits == session.document.hits
    session.edit(marks.remove_hit, 7.4)
    assert len(session.document.hits) == 3
    with pytest.raises(ControlError):
        session.edit(marks.remove_hit, 20.0)


def test_a_section_changes_what_plays_from_there_on(stage) -> None:
    made = stage(24.0)
    session = made.session
    session.edit(marks.add_section, 12.0, "parts=pad", "quiet")
    made.ready()
    made.until(lambda: session.composing.idle)
    late = {note.part for note in notes_of(session) if session.picture_at(note.start_beats) >= 12.1}
    early = {note.part for note in notes_of(session) if session.picture_at(note.start_beats) < 11.9}
    assert late == {"pad"} and len(early) > 1
    for wrong in ("loudness=3", "activity=900", "activity=much", "parts=kazoo", "key=J", "", "pattern=zigzag"):
        with pytest.raises(ControlError):
            session.edit(marks.add_section, 3.0, wrong)
    session.edit(marks.remove_section, 15.0)
    assert not session.document.sections


def test_where_the_picture_starts_moves_the_timeline_not_the_music(stage) -> None:
    made = stage(24.0)
    session = made.session
    session.edit(set_value, "/cue/picture_starts_at", "01:00:00:00")
    made.ready()
    assert session.starts_s == 3600.0
    made.run(0.3)
    assert session.position_s() == pytest.approx(0.0, abs=0.01)  # the playhead went with the film
    session.play()
    made.until(lambda: session.position_s() > 0.6)
    session.stop()
    made.run(0.2)
    assert sent_on(session) and min(event.position_s for event in sent_on(session)) >= 3599.9
    assert session.score().pinned.slots[0].start_s == 0.0
    assert session.tempo_map.seconds_at(session.score().pinned.slots[0].start_beats) == 3600.0
    with pytest.raises(ControlError):
        session.edit(set_value, "/cue/picture_starts_at", "yesterday")
    session.undo()
    made.run(0.2)
    assert session.starts_s == 0.0 and 0.5 < session.position_s() < 5.0


def test_a_tempo_that_fits_the_hits_is_found(stage) -> None:
    made = stage(24.0)
    session = made.session
    for second in (3.0, 6.0, 9.0):
        session.edit(marks.add_hit, second)
    best = found(session, 70, 110).fixed[0]
    assert best.met == 3
    session.edit(marks.add_hit, 11.4)
    for kind in ("ramp", "steps", "bars"):
        plan = found(session, 70, 110, kind, 10.0).of(kind)[0]
        assert plan.kind == kind and plan.met == 4 and plan.bend_percent <= 10
    with pytest.raises(ControlError):
        tempo.search(session.document, session.now(), 110, 70)


def test_a_cue_beyond_the_film_is_silent(stage) -> None:
    made = stage(12.0)
    session = made.session
    session.edit(set_value, "/cue/in", 1000.0)
    made.until(lambda: session.composing.idle)
    made.run(0.3)
    session.play()
    made.run(1.0)
    assert not sent_on(session)


def test_a_take_whose_chords_are_not_there_yet_cannot_be_kept_with_those_of_the_take_before(stage) -> None:
    made = stage(8.0)
    session = made.session
    made.ready()
    made.engine.hold = True
    number, _ = session.new_take()
    made.run(0.1)
    with pytest.raises(ControlError, match="still being composed"):
        session.keep_take()
    made.engine.hold = False
    made.ready()
    kept = session.keep_take()
    assert session.document.take == number and kept.document.result is session.document.result


def test_a_take_is_kept_at_once_and_its_notes_follow(stage, monkeypatch) -> None:
    """As of a long film, whose notes are taken from the plan beside the session."""
    monkeypatch.setattr("bridge.session.arranging.Arranging.is_long", staticmethod(lambda document: True))
    made = stage(24.0)
    session = made.session
    assert session.keep_take("first").notes is None
    session.takes.rename(session.document.cue, 1, "second")
    session.edit(set_value, "/cue/transpose", 3)  # what is edited meanwhile is not in it
    session.takes.collect(wait=True)
    kept = session.takes.get(0, 1)
    assert kept.kept and kept.name == "second" and kept.document.value("/cue/transpose") == 0
    session.undo()
    made.ready()
    assert sorted(kept.notes, key=repr) == sorted(session.plan.notes, key=repr)
    assert session.keep_take("third").name == "third"
    session.close()
