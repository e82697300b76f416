"""What was sent, laid out as a track: one pass as it was, later passes over earlier ones, nothing left open."""

from __future__ import annotations

import random
import threading
import time

import pytest

from bridge.player.messages import SentEvent
from bridge.session.file.export import RecordingFile
from bridge.session.file.recording import Recorder
from engine.midifile import read_midi, write_events
from engine.music import C_MAJOR, DEFAULT_CHANNELS, TempoMap


def on(position_s, pitch, host_s=None, channel=0):
    return SentEvent(position_s, position_s if host_s is None else host_s, 0x90 | channel, pitch, 80, 0)


def off(position_s, pitch, host_s=None, channel=0):
    return SentEvent(position_s, position_s if host_s is None else host_s, 0x80 | channel, pitch, 0, 0)


def test_a_single_pass_is_written_as_it_was(tmp_path) -> None:
    recorder = Recorder()
    recorder.add([on(0.0, 60), on(0.5, 64), off(1.0, 60), off(1.0, 64)])
    path = tmp_path / "a.mid"
    tempo_map = TempoMap.constant(120)
    assert write_events(path, recorder.events, tempo_map, key=C_MAJOR, channels=dict(DEFAULT_CHANNELS)) == 2
    notes = sorted(read_midi(path).notes, key=lambda note: note.start_beats)
    assert [(note.pitch, note.start_beats, note.length_beats) for note in notes] == [
        (60, pytest.approx(0, abs=0.002), pytest.approx(2, abs=0.002)),
        (64, pytest.approx(1, abs=0.002), pytest.approx(1, abs=0.002)),
    ]


def test_the_next_pass_of_a_loop_takes_the_place_of_the_last() -> None:
    recorder = Recorder()
    recorder.add([on(0.0, 50), off(4.0, 50), on(4.0, 52), off(6.0, 52)])
    recorder.add([on(1.0, 70), off(3.0, 70)])
    recorder.add([on(1.0, 71), off(3.0, 71)])
    played = [(event.position_s, event.status & 0xF0, event.data1) for event in recorder.events]
    # The long note is cut where the new pass began.
    assert played == [
        (0.0, 0x90, 50), (1.0, 0x80, 50), (1.0, 0x90, 71), (3.0, 0x80, 71), (4.0, 0x90, 52), (6.0, 0x80, 52),
    ]  # fmt: skip


def test_random_passes_leave_every_note_closed_and_in_order() -> None:
    rng = random.Random(5)
    for _ in range(200):
        recorder = Recorder()
        for _ in range(rng.randrange(1, 6)):
            at = rng.uniform(0, 20)
            events = []
            for _ in range(rng.randrange(1, 12)):
                pitch, start = rng.randrange(60, 66), at
                at += rng.uniform(0.05, 1)
                events += [on(start, pitch), off(at, pitch)]
            recorder.add(events)
        sounding: set[int] = set()
        positions = [event.position_s for event in recorder.events]
        assert positions == sorted(positions)
        for event in recorder.events:
            if event.status & 0xF0 == 0x90:
                assert event.data1 not in sounding
                sounding.add(event.data1)
            else:
                assert event.data1 in sounding
                sounding.discard(event.data1)
        assert not sounding


@pytest.mark.parametrize("long", [False, True], ids=["at once", "beside the session"])
def test_a_recording_grows_with_each_stop_and_a_fault_ends_nothing(stage, tmp_path, monkeypatch, long) -> None:
    monkeypatch.setattr("bridge.session.file.export.LONG_NOTES", 0 if long else 1000)
    session = stage(12.0).session
    file, path, missing = RecordingFile(session), tmp_path / "take.mid", tmp_path / "no folder" / "take.mid"
    missing.parent.write_text("")
    assert not file.write(path) and not path.exists()
    session.recorder.add([on(0.0, 60), off(1.0, 60)])
    file.write(missing, wait=True)
    assert "cannot be written" in file.news()[0] and file.news() == []
    file.write(missing)  # again beside the session, or not
    file.forget()
    assert "cannot be written" in file.news()[0]
    session.recorder.add([on(1.0, 62), off(2.0, 62)])
    assert file.write(path)
    assert file.write(path, wait=True)
    told, again = file.news()  # what could not be written is tried again where there is time
    assert told == f"2 notes written to {path}." and "cannot be written" in again and len(read_midi(path).notes) == 2
    missing.parent.unlink()
    missing.parent.mkdir()
    session.recorder.add([on(2.0, 64), off(3.0, 64)])
    assert file.write(path) and file.write(path, wait=True)
    assert len(read_midi(path).notes) == 3 and file.news() == [f"1 notes written to {missing}."]


def test_a_film_whose_recording_could_not_be_written_is_written_later(stage, tmp_path) -> None:
    session = stage(12.0).session
    file, path, other = RecordingFile(session), tmp_path / "folder" / "a.mid", tmp_path / "b.mid"
    path.parent.write_text("")
    session.recorder.add([on(0.0, 60), off(1.0, 60)])
    assert not file.write(path, wait=True)
    file.forget()
    session.recorder.clear()  # as another film does
    path.parent.unlink()
    path.parent.mkdir()
    session.recorder.add([on(0.0, 62), off(1.0, 62)])
    assert file.write(other, wait=True)
    assert [note.pitch for note in read_midi(path).notes] == [60]
    assert [note.pitch for note in read_midi(other).notes] == [62]


def test_a_stop_while_the_last_recording_is_being_written_is_made_up_for(real_stage, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("bridge.session.file.export.LONG_NOTES", 0)
    go_on = threading.Event()
    monkeypatch.setattr(
        "engine.midifile.write_events", lambda *made, **more: (go_on.wait(10), write_events(*made, **more))[1]
    )
    session, path = real_stage(12.0).session, tmp_path / "a.mid"
    file = RecordingFile(session)
    session.recorder.add([on(0.0, 60), off(1.0, 60)])
    file.write(path)
    session.recorder.add([on(1.0, 62), off(2.0, 62)])
    file.write(path)
    file.catch_up()
    go_on.set()
    end = time.perf_counter() + 10
    while not path.exists() or len(read_midi(path).notes) < 2:
        assert time.perf_counter() < end, "the second stop was forgotten"
        file.catch_up()
        time.sleep(0.01)
    file.forget()
