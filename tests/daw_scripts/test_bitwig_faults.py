"""What Bitwig does that its script must bear: methods of Java's, late changes, missing calls, its launcher."""

from __future__ import annotations

from itertools import pairwise

import mido
import pytest
from dawhosts import Stage

from bridge.daw.link import MarkerWish, PrintJob, PrintPart
from bridge.daw.protocol import DoTempo, TempoStep
from engine.music.note import Controller, Note


@pytest.fixture
def start(desk, repository, monkeypatch):
    made = []

    def go(**how):
        made.append(Stage("bitwig", desk, repository, monkeypatch, **how))
        return made[-1]

    yield go
    for one in made:
        one.daw.process.kill()
        one.daw.process.wait()


def test_the_hosts_methods_are_no_javascript_functions(start, desk):
    """`connection.sendMessage.apply(…)` raises there, as in Nashorn; nothing would ever be sent."""
    stage = start()
    stage.heard("tempo_map")
    stage.heard("capabilities")
    assert stage.daw.do()["errors"] == []


def test_nothing_is_told_of_a_marker_of_ours_before_it_has_its_name(start, desk):
    stage = start(lateMs=150)
    stage.heard("tempo_map")
    desk.ask("push_markers", [MarkerWish(1, 3.0, "cut 1"), MarkerWish(2, 5.0, "cut 2")])
    assert stage.answered(2)[2]
    assert stage.daw.shown() == [(3.0, "cut 1"), (5.0, "cut 2")]
    desk.ask("push_markers", [MarkerWish(1, 4.0, "cut 1b")])
    assert stage.answered(3)[2]
    desk.ask("clear_markers")
    assert stage.answered(4)[2]
    stage.run(0.6)
    assert stage.daw.shown() == []
    assert [mark.name for found in desk.events.all("markers") for mark in found[1]] == []
    answer = stage.daw.do()
    assert answer["errors"] == [] and answer["flushes"] > 5  # flush is there


def test_many_late_markers_do_not_silence_the_heartbeat(start, desk):
    stage = start(lateMs=120)
    stage.heard("tempo_map")
    desk.ask("push_markers", [MarkerWish(number, number * 1.5, f"cut {number}") for number in range(1, 17)])
    stage.until(lambda: len(desk.events.all("acknowledged")) == 16, 25)
    arrived = [at for at, address, _, _ in desk.raw if address == "/daw/transport"]
    assert max(after - before for before, after in pairwise(arrived)) < 1.5
    assert desk.events.all("bye") == []


@pytest.mark.parametrize(
    ("call", "cost"),
    [
        ("Transport.playPositionInSeconds", "automated tempo"),
        ("Transport.arrangerLoopStart", "loop"),
        ("Arranger.createCueMarkerBank", "markers are not read"),
        ("ControllerHost.createMainTrackBank", "printed"),
        ("ControllerHost.getDocumentState", "panel"),
        ("Transport.timeSignature", "4/4"),
    ],
)
def test_a_missing_call_costs_what_it_says_and_nothing_else(start, desk, call, cost):
    stage = start(missing=[call], version="4.1")
    stage.heard("capabilities")
    note = next(note for (note,) in desk.events.all("note") if note.startswith("In this Bitwig 4.1, "))
    assert cost in note
    errors = stage.daw.do()["errors"]
    assert errors and len(errors) == len(set(errors))  # each kind once
    stage.daw.play(4.0)
    one = stage.seen(lambda one: one.rolling)
    assert one.position_s == pytest.approx(4.0, abs=1e-6) and one.position_beats == pytest.approx(8.0)


def test_a_port_for_answers_that_cannot_be_opened_is_said_in_the_bridge(start, desk):
    stage = start(missing=["OscModule.createUdpServer"])
    stage.until(lambda: [note for (note,) in desk.events.all("note") if "does not hear CueBridge" in note], 12)
    assert any("OscModule.createUdpServer" in error for error in stage.daw.do()["errors"])


def job():
    pad = tuple(Note(60 + step, 64 + step, 8 + step / 2 + 0.013, 0.4, 1, "pad") for step in range(16))
    arp = tuple(Note(72 - step, 50 + step, 8 + step / 4, 0.2, 2, "arp") for step in range(32))
    swell = tuple(Controller(1, 30 + step, 8 + step, 1, "pad") for step in range(8))
    return PrintJob("Take A", 4.0, 8.0, 8.0, 16.0, (
        PrintPart("pad", "CueBridge Pad", 1, pad, swell), PrintPart("arp", "CueBridge Arp", 2, arp),
    ))  # fmt: skip


def notes_of(path):
    """(beat, pitch, velocity, channel, length) and the file's length in beats."""
    found, open_notes, at = [], {}, 0
    file = mido.MidiFile(path)
    for message in file.tracks[0]:
        at += message.time
        beat = at / file.ticks_per_beat
        if message.type == "note_on" and message.velocity:
            open_notes[message.note] = (beat, message.velocity, message.channel + 1)
        elif message.type in ("note_on", "note_off"):
            began, velocity, channel = open_notes.pop(message.note)
            found.append((began, message.note, velocity, channel, beat - began))
    return sorted(found), at / file.ticks_per_beat


def test_a_take_is_printed_into_an_empty_row_of_the_launcher(start, desk):
    stage = start()
    stage.heard("tempo_map")
    stage.daw.do(tracks=["Drums", "Pad"])
    stage.daw.do(fill=[1, 0])  # the composer's own clip
    desk.ask("print_job", job())
    answer = stage.answered(1)
    assert answer[2] and "scene 2" in answer[3], answer
    tracks = dict(stage.daw.do()["tracks"])
    assert sorted(tracks) == ["Drums", "Pad", "arp"]  # arp was made
    assert tracks["Pad"][0] is None and not any(tracks["Drums"])
    for name, part in (("Pad", job().parts[0]), ("arp", job().parts[1])):
        notes, length = notes_of(tracks[name][1])
        wanted = sorted((n.start_beats - 8, n.pitch, n.velocity, n.channel, n.length_beats) for n in part.notes)
        assert length == 8.0 and len(notes) == len(wanted)
        for got, want in zip(notes, wanted, strict=True):
            assert got[1:4] == want[1:4]
            assert got[0] == pytest.approx(want[0], abs=1 / 1920) and got[4] == pytest.approx(want[4], abs=1 / 960)
    controls = [one for one in mido.MidiFile(tracks["Pad"][1]).tracks[0] if one.type == "control_change"]
    assert [one.value for one in controls] == list(range(30, 38))
    desk.ask("print_job", job())  # again: the next row, nothing is overwritten
    assert "scene 3" in stage.answered(2)[3]


def test_a_launcher_that_takes_no_midi_files_says_what_to_do(start, desk):
    stage = start(refusesFiles=True)
    stage.heard("tempo_map")
    for request in (1, 2):  # it may have been the moment: the second time it is asked again
        desk.ask("print_job", job())
        answer = stage.answered(request)
        assert not answer[2] and "drag the exported .mid in" in answer[3]
    row = stage.heard("capabilities", lambda info: any("failed" in row.why for row in info.capabilities))[0]
    assert "do_clips" in row.abilities


def test_an_error_inside_a_request_is_answered_and_the_next_one_works(start, desk):
    stage = start()
    stage.heard("tempo_map")
    with desk.lock:
        _, out = desk.link._ask("do_tempo", lambda n: DoTempo(n, (TempoStep(0, 99, 4, 4),)))
    desk.send(out)
    assert stage.answered(1)[2]
    stage.until(lambda: stage.daw.tempo_now() == 99)
