"""What was sent, laid out as a track: one pass as it was, later passes over earlier ones, nothing left open."""

from __future__ import annotations

import random

import pytest

from bridge.player.messages import SentEvent
from bridge.session_export import RecordingFile
from bridge.session_record import Recorder
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
    monkeypatch.setattr("bridge.session_export.LONG_NOTES", 0 if long else 1000)
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
    assert file.news() == [f"2 notes written to {path}."] and len(read_midi(path).notes) == 2
    session.recorder.add([on(2.0, 64), off(3.0, 64)])
    assert file.write(path) and file.write(path, wait=True)
    assert len(read_midi(path).notes) == 3 and file.news() == []
