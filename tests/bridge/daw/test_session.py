"""A DAW script's messages, as they come over the wire, and what the session makes of them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from dawlab import transport

from bridge.daw.protocol import (
    Ack,
    Bye,
    DoClips,
    DoPrint,
    DoSession,
    DoTempo,
    Hello,
    MarkerItem,
    MarkersChunk,
    PrintRequest,
    RegionItem,
    RegionsChunk,
    SessionPath,
    TempoMapChunk,
    TempoPoint,
    ThawRequest,
)
from bridge.session.edits import chords, printed
from bridge.session.snapshot import snapshot
from engine.arrange.score import arrange_whole
from engine.document.printed import ranges_s
from engine.music import Chord, UserError
from engine.music.arguments import ControlError
from engine.music.controls import BY_ADDRESS


def test_it_plays_where_the_daw_plays(wired) -> None:
    session = wired.session
    began = time.perf_counter()
    for seq in range(1, 60):
        wired.say(transport(seq, 5.0 + time.perf_counter() - began))
        wired.run(0.03)
    assert session.rolling and session.position_s() == pytest.approx(5.0 + time.perf_counter() - began, abs=0.1)
    wired.say(transport(99, 7.0, rolling=False))
    wired.run(0.5)
    assert not session.rolling
    on = [event for event in session.recorder.events if event.status & 0xF0 == 0x90]
    assert on and min(event.position_s for event in on) > 4.9


def test_reapers_own_osc_is_followed_before_it_tells_a_tempo(wired) -> None:
    from bridge.osc.codec import Message
    from bridge.osc.server import Datagram

    def say(word, value):
        message = Message(f"/daw/reaper/{word}", (value,))
        wired.controls.datagram(Datagram((message,), ("127.0.0.1", 4712), time.perf_counter()))

    wired.say(Bye())  # the script
    say("play", 1.0)
    began = time.perf_counter()
    for _ in range(50):
        say("time", 5.0 + time.perf_counter() - began)
        wired.run(0.03)
    session = wired.session
    assert session.rolling and session.position_s() == pytest.approx(5.0 + time.perf_counter() - began, abs=0.1)
    assert any(event.status & 0xF0 == 0x90 for event in session.recorder.events)
    assert session.tempo_map.bpm_at(10) == 120


def test_its_tempo_map_becomes_ours_and_chords_stay(wired) -> None:
    before = wired.session.score().pinned
    points = (TempoPoint(0.0, 0.0, 97.0, 3, 4), TempoPoint(12.0, 12 * 60 / 97, 110.0, 4, 4))
    wired.say(TempoMapChunk(1, 2, 0, points))
    wired.run(0.3)
    after = wired.session.score().pinned
    assert [after.tempo_map.bpm_at(beat) for beat in (0, 13)] == [97.0, 110.0]
    assert all(slot.chord == before.slot_at((slot.start_s + slot.end_s) / 2).chord for slot in after.slots)


def test_names_of_markers_are_hits_pins_sections_and_progressions_once(wired) -> None:
    session = wired.session
    markers = (
        MarkerItem(1, 4.0, "chords: Dm A7"),
        MarkerItem(2, 9.0, "hit must: door"),
        MarkerItem(3, 12.0, "section: activity=80"),
        MarkerItem(4, 15.0, "pin: F#m"),
        MarkerItem(5, 18.0, "chords: X9"),
        MarkerItem(6, 20.0, "the composer's own"),
    )
    wired.say(MarkersChunk(1, len(markers), 0, markers))
    wired.run(0.6)
    steps = session.history.undo_count
    assert session.document.text("/cue/progression") == "Dm A7" and session.document.progression_from_s == 4.0
    assert [(hit.time_s, hit.weight) for hit in session.document.hits] == [(9.0, "must")]
    assert session.document.sections[0].changes == (("activity", "80"),)
    assert session.document.pins[0].chord.lead_sheet() == "F#m"
    assert any("X9" in sentence for sentence in wired.stage.said)
    wired.say(MarkersChunk(2, len(markers), 0, markers))
    wired.run(0.3)
    assert session.history.undo_count == steps


def test_printed_notes_are_streamed_notes(wired, tmp_path) -> None:
    from bridge.daw.print import read_print

    wired.say(PrintRequest("selection", 4.0, 12.0))
    assert wired.answers(DoPrint), wired.stage.said
    order = wired.answers(DoPrint)[0]
    printed = read_print(Path(order.path).read_text())
    low, high = wired.session.beats_at(4.0), wired.session.beats_at(12.0)
    made = arrange_whole(wired.session.score()).notes
    expected = sorted((note.pitch, note.velocity, note.channel) for note in made if low <= note.start_beats < high)
    assert expected
    assert sorted((n.pitch, n.velocity, n.channel) for part in printed.parts for n in part.notes) == expected


def test_clips_of_a_launcher_are_not_taken_for_a_playing_arrangement(wired) -> None:
    """What is printed into Bitwig's launcher plays when it is dragged to the arrangement: the stream goes on."""
    import mido

    wired.say(Bye())  # of the script that could print
    wired.say(Hello("bitwig", "2", 1, abilities="transport do_clips"))
    wired.daw.print_range("film")
    (order,) = wired.answers(DoClips)
    composed = arrange_whole(wired.session.score()).notes
    found = [one for clip in order.items for one in mido.MidiFile(clip.path).tracks[0] if one.type == "note_on"]
    assert len([one for one in found if one.velocity]) == len({(n.start_beats, n.pitch, n.channel) for n in composed})
    wired.say(Ack(order.request, 1, "5 clips in scene 2 of the launcher"))
    assert not wired.session.document.printed
    assert any("drag the clips to 1|1" in sentence for sentence in wired.stage.said), wired.stage.said


def test_the_transport_is_the_daws(wired) -> None:
    from engine.music.arguments import ControlError

    for order in (wired.session.play, wired.session.stop):
        with pytest.raises(ControlError):
            order()


def test_a_name_that_is_gone_takes_its_effect_back_unless_the_composer_changed_it_here(wired) -> None:
    session = wired.session
    markers = (
        MarkerItem(1, 4.0, "chords: Dm A7"),
        MarkerItem(2, 9.0, "hit must: door"),
        MarkerItem(3, 12.0, "section: activity=80"),
        MarkerItem(4, 15.0, "pin: F#m"),
        MarkerItem(5, 20.0, "pin: Em"),
    )
    wired.say(MarkersChunk(1, len(markers), 0, markers))
    wired.run(0.6)
    assert len(session.document.pins) == 2
    session.edit(chords.pin, Chord.parse("B7"), 20.0)
    wired.run(0.3)
    kept = (MarkerItem(1, 4.0, "chords: Gm D7"),)
    wired.say(MarkersChunk(2, 1, 0, kept))
    wired.run(0.6)
    document = session.document
    assert (
        document.hits == () and document.sections == () and [pin.chord.lead_sheet() for pin in document.pins] == ["B7"]
    )
    assert document.text("/cue/progression") == "Gm D7"
    wired.say(MarkersChunk(3, 0, 0, ()))
    wired.run(0.6)
    assert session.document.text("/cue/progression") == ""
    wired.say(MarkersChunk(4, 1, 0, markers[3:4]))  # and here again
    wired.run(0.6)
    assert "F#m" in [pin.chord.lead_sheet() for pin in session.document.pins]


def test_the_daw_asks_to_thaw(wired) -> None:
    session = wired.session
    session.edit(printed.mute, "all")
    wired.say(ThawRequest("selection", 4.0, 8.0))
    assert {(round(low, 3), round(high, 3)) for _, low, high in ranges_s(session.document)} == {
        (0.0, 4.0), (8.0, round(session.end_s, 3))
    }  # fmt: skip
    wired.say(ThawRequest("selection", 4.0, 8.0))
    assert any("is printed there" in sentence for sentence in wired.stage.said)


def test_cues_of_regions_come_move_and_go_and_each_has_its_own_progression(wired) -> None:
    session = wired.session

    def regions(revision, *items):
        made = tuple(RegionItem(number, *item) for number, item in enumerate(items))
        wired.say(RegionsChunk(revision, len(made), 0, made))
        wired.run(0.8)
        return [(state.name, round(state.in_s, 3)) for state in session.document.cue_states]

    first, second = (2.0, 8.0, "cue: 1m1"), (12.0, 20.0, "cue: 1m2")
    assert regions(1, first, second, (12.0, 20.0, "chords: Gm D7")) == [("1m1", 2.0), ("1m2", 12.0)]
    chosen = session.document.selected.name
    texts = {state.name: state.text("/cue/progression") for state in session.document.cue_states}
    assert texts == {"1m1": "", "1m2": "Gm D7"} and session.document.selected.name == chosen
    assert regions(2, (3.0, 8.0, "cue: 1m1"), second) == [("1m1", 3.0), ("1m2", 12.0)]  # moved, not doubled
    assert all(state.text("/cue/progression") == "" for state in session.document.cue_states)
    assert regions(3, (3.0, 8.0, "cue: 2m1"), second) == [("2m1", 3.0), ("1m2", 12.0)]  # renamed
    assert regions(4, second) == [("1m2", 12.0)]


def test_a_script_that_falls_silent_is_first_bridged_over_and_then_lost(wired) -> None:
    for tenth in range(20):
        wired.say(transport(tenth, 5.0 + tenth / 10))
        wired.run(0.1)
    assert snapshot(wired.session).state == "playing"
    seen = []
    for _ in range(60):
        wired.run(0.05)
        seen.append(snapshot(wired.session).state)
    assert list(dict.fromkeys(seen)) == ["playing", "freewheel", "lost"]


def test_the_tempo_of_the_film_is_written_into_the_daw(wired) -> None:
    wired.controls.perform(BY_ADDRESS["/cue/tempo/push"], ())
    (order,) = wired.answers(DoTempo)
    step = order.items[0]
    assert (step.bpm, step.numerator, step.denominator) == (wired.session.tempo_map.bpm_at(0), 4, 4)
    wired.say(Bye())
    with pytest.raises(ControlError):
        wired.controls.perform(BY_ADDRESS["/cue/tempo/push"], ())


def test_a_daw_that_cannot_change_its_tempo_says_what_helps(wired) -> None:
    wired.say(Hello("bitwig", "1", 1, abilities="do_marker"))
    with pytest.raises(UserError, match=r"export a \.mid"):
        wired.controls.perform(BY_ADDRESS["/cue/tempo/push"], ())


def test_the_project_remembers_the_session_and_says_when_it_is_another(wired) -> None:
    wired.say(Hello("reaper", "1", 1, abilities="do_session"))
    wired.daw.store_session("/films/a.cuebridge.json")
    (order,) = wired.answers(DoSession)
    assert order.path == "/films/a.cuebridge.json"
    wired.say(SessionPath("/films/a.cuebridge.json"))
    assert not [said for said in wired.stage.said if "remembers the session" in said]
    wired.say(SessionPath("/films/b.cuebridge.json"))
    assert [said for said in wired.stage.said if "/films/b.cuebridge.json" in said]
