"""What was sent, laid out as a track: one pass as it was, later passes over earlier ones, nothing left open."""

from __future__ import annotations

import random
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from offlinelab import Patience

from bridge.player.messages import SentEvent
from bridge.session.file.export import RecordingFile
from bridge.session.file.recording import Journal, Recorder, cut_off, journal_path, read_journal
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


def test_a_recording_grows_with_each_stop_and_a_fault_ends_nothing(stage, tmp_path) -> None:
    session = stage(12.0).session
    file, path, missing = RecordingFile(session), tmp_path / "take.mid", tmp_path / "no folder" / "take.mid"
    missing.parent.write_text("")
    assert not file.write(path) and not path.exists()
    session.recorder.add([on(0.0, 60), off(1.0, 60)])
    file.write(missing, wait=True)
    assert "cannot be written" in file.news()[0] and file.news() == []
    file.write(missing)  # again beside the session, or not
    file.leave(None)
    file.end()
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
    file.leave(path)
    session.recorder.clear()  # as another film does
    path.parent.unlink()
    path.parent.mkdir(exist_ok=True)  # the film that was left may be written, and its folder made, at any moment
    session.recorder.add([on(0.0, 62), off(1.0, 62)])
    assert file.write(other, wait=True)
    assert [note.pitch for note in read_midi(path).notes] == [60]
    assert [note.pitch for note in read_midi(other).notes] == [62]


def test_a_stop_while_the_last_recording_is_being_written_is_made_up_for(real_stage, tmp_path, monkeypatch) -> None:
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
    until(
        lambda: file.catch_up() or (path.exists() and len(read_midi(path).notes) == 2), "the second stop was forgotten"
    )
    file.end()


def control(position_s, number, host_s, value=0):
    return SentEvent(position_s, host_s, 0xB0, number, value, 0)


def notes_at(recorder):
    return [event.position_s for event in recorder.events if event.status & 0xF0 == 0x90]


def test_locating_and_panic_take_nothing_away() -> None:
    """Play four seconds, stop, locate to the beginning, panic, locate to 8, play."""
    recorder = Recorder()
    for beat in range(8):
        recorder.add([on(beat / 2, 60, 100 + beat / 2), off(beat / 2 + 0.4, 60, 100 + beat / 2 + 0.4)])
    recorder.stop()
    recorder.add([control(0.0, 1, 110.0, 64), control(0.0, 11, 110.0, 100)])
    recorder.add([control(0.0, number, 112.0) for number in (123, 120, 121)])
    recorder.add([control(8.0, 1, 115.0, 64)])
    recorder.stop()
    recorder.add([on(8.0, 62, 116.0), off(9.0, 62, 117.0)])
    assert notes_at(recorder) == [beat / 2 for beat in range(8)] + [8.0]
    assert [event.position_s for event in recorder.events if event.status == 0xB0] == [8.0]


@given(st.lists(st.tuples(st.sampled_from(["play", "locate", "panic"]), st.integers(0, 20)), max_size=12))
def test_only_what_is_played_again_replaces(moves) -> None:
    """Whatever is located and panicked between, each second holds the note that was played there last."""
    recorder, held, host_s, place_s = Recorder(), {}, 0.0, 0
    for number, (move, value) in enumerate(moves):
        host_s += 5.0
        if move == "locate":
            place_s = value
            recorder.add([control(float(place_s), 1, host_s, 64)])
        elif move == "panic":
            recorder.add([control(float(place_s), each, host_s) for each in (123, 120, 121)])
        else:
            for second in range(place_s, place_s + 1 + value % 4):
                held[second] = number
                begun_s = host_s + second - place_s
                recorder.add([on(second + 0.1, number, begun_s), off(second + 0.9, number, begun_s + 0.8)])
            place_s, host_s = second + 1, host_s + second + 1 - place_s
        recorder.stop()  # as the session does in every tick while nothing plays
    found = {int(event.position_s): event.data1 for event in recorder.events if event.status == 0x90}
    assert found == held


def test_a_note_that_sounds_at_the_stop_ends_there_whenever_the_file_is_written() -> None:
    recorder = Recorder()
    recorder.add([on(0.0, 60, 50.0), on(1.0, 62, 51.0)])
    assert len(recorder.events) == 2  # written while it plays
    recorder.add([off(2.0, 60, 52.0), off(2.0, 62, 52.0)])
    ends = [event.position_s for event in recorder.events if event.status == 0x80]
    assert ends == [2.0, 2.0]


def test_a_note_of_a_dead_player_ends_where_play_was() -> None:
    """Its successor pays the note-offs before it knows where play is."""
    recorder = Recorder()
    recorder.add([on(0.0, 60, 50.0), off(9.0, 60, 59.0)])
    recorder.stop()
    recorder.add([on(2.0, 62, 72.0), off(0.0, 62, 73.0), on(3.0, 64, 73.0), off(4.0, 64, 74.0)])
    assert [(event.position_s, event.status, event.data1) for event in recorder.events] == [
        (0.0, 0x90, 60), (2.0, 0x80, 60), (2.0, 0x90, 62), (3.0, 0x80, 62), (3.0, 0x90, 64), (4.0, 0x80, 64),
    ]  # fmt: skip


def test_a_journal_that_is_read_again_is_the_recording_that_was_made(tmp_path) -> None:
    """Leaps come in one piece with what is played after them."""
    recorder = Recorder()
    recorder.journal = Journal(tmp_path / "take.mid", TempoMap.constant(120))
    recorder.add([on(beat / 2, 60, 100 + beat / 2) for beat in range(8)])
    recorder.add([on(0.1, 62, 104.0), on(0.6, 63, 104.5)])
    recorder.add([on(1.1, 64, 105.0), on(1.7, 64, 105.6)])
    recorder.stop()
    recorder.add([on(3.0, 66, 110.0), on(3.6, 66, 110.6)])
    recorder.journal.close(keep=True)
    again = read_journal(recorder.journal.path)
    assert again is not None and notes_at(recorder) == [
        event.position_s for event in again[0] if event.status & 0xF0 == 0x90
    ]


PLAYING = """
import os, sys
from pathlib import Path
from bridge.player.messages import SentEvent
from bridge.session.file.recording import Journal, Recorder
from engine.music import TempoMap

recorder = Recorder()
recorder.journal = Journal(Path(sys.argv[1]), TempoMap.constant(96))
for beat in range(40):
    start_s, end_s = beat / 2, beat / 2 + 0.4
    recorder.add([SentEvent(start_s, start_s, 0x90, 60, 80, 0), SentEvent(end_s, end_s, 0x80, 60, 0, 0)])
sys.stdout.write("played\\n")
sys.stdout.flush()
sys.stdin.read()
"""


def test_what_a_killed_run_had_played_is_found_by_the_next(stage, tmp_path) -> None:
    path = tmp_path / "take.mid"
    run = subprocess.Popen(
        [sys.executable, "-c", PLAYING, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout.readline() == "played\n"
    whole = lambda found: found is not None and len(found[0]) == 80  # noqa: E731
    until(lambda: whole(read_journal(journal_path(path))), "the thread of the journal has not written it")
    assert cut_off(path) == []  # it still runs
    run.kill()
    run.wait()
    session = stage(12.0).session
    file = RecordingFile(session)
    file.begin(path)
    told: list[str] = []
    until(lambda: told.extend(file.news()) or told, "nothing was recovered")
    (sentence,) = told
    recovered = tmp_path / "take-recovered.mid"
    assert "cut off" in sentence and str(recovered) in sentence
    assert len(read_midi(recovered).notes) == 40
    session.recorder.add([on(0.0, 60), off(1.0, 60)])
    assert file.write(path, wait=True)
    file.end()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["take-recovered.mid", "take.mid"]


@pytest.mark.parametrize("replace", [False, True])
def test_a_file_of_an_earlier_run_is_not_written_over(stage, tmp_path, replace) -> None:
    path = tmp_path / "take.mid"
    path.write_bytes(b"an earlier evening")
    session = stage(12.0).session
    file = RecordingFile(session, replace=replace)
    for second in (0.0, 2.0):  # each stop writes; what this run wrote it may write again
        session.recorder.add([on(second, 60), off(second + 1.0, 60)])
        assert file.write(path, wait=True)
    written, old = (path, tmp_path / "take.mid.bak") if replace else (tmp_path / "take-2.mid", path)
    assert old.read_bytes() == b"an earlier evening" and len(read_midi(written).notes) == 2
    assert str(written) in file.news()[0] and sorted(tmp_path.iterdir()) == sorted([old, written])


def test_a_journal_that_is_still_needed_is_not_written_over(tmp_path) -> None:
    path = tmp_path / "take.mid"
    journals = [Journal(path, TempoMap.constant(120)) for _ in range(3)]
    for number, journal in enumerate(journals):
        journal.add([on(0.0, 60 + number), off(1.0, 60 + number)])
    for journal in journals:
        journal.close(keep=True)
    played = [read_journal(each)[0][0].data1 for each in cut_off(path)]
    assert sorted(played) == [60, 61, 62]


def test_a_journal_that_is_torn_or_another_file_is_no_fault(tmp_path) -> None:
    path = tmp_path / "take.mid"
    journal = Journal(path, TempoMap.constant(120))
    journal.add([on(0.0, 60), off(1.0, 60), on(1.0, 62)])
    journal.close(keep=True)
    data = journal_path(path).read_bytes()
    for end in (len(data), len(data) - 7):
        journal_path(path).write_bytes(data[:end])
        track, tempo_map = read_journal(journal_path(path))
        assert tempo_map == TempoMap.constant(120)
        assert sum(event.status == 0x90 for event in track) == sum(event.status == 0x80 for event in track)
    for text in (b"", b"something else", data[:30]):
        journal_path(path).write_bytes(text)
        assert read_journal(journal_path(path)) is None


def test_a_session_keeps_what_it_played_over_stop_locate_and_panic(stage) -> None:
    made = stage(12.0)
    session = made.session
    session.play()
    made.until(lambda: session.position_s() > 2.0)
    session.stop()
    made.until(lambda: not session.rolling)
    made.run(0.1)
    before = [each for each in session.recorder.events if each.status & 0xF0 == 0x90]
    for act in (lambda: session.locate(0.0), session.panic, lambda: session.locate(6.0), session.play):
        act()
        made.run(0.15)
    made.until(lambda: session.position_s() > 7.0)
    session.stop()
    made.until(lambda: not session.rolling)
    made.run(0.1)
    track = [each for each in session.recorder.events if each.status & 0xF0 == 0x90]
    assert before and [each for each in track if each.position_s < 3.0] == before
    assert [each for each in track if each.position_s >= 6.0]
    assert not [each for each in session.recorder.events if each.status & 0xF0 == 0xB0 and each.data1 >= 120]


def playing(session, file, path, pitch):
    """A note while it plays, with a journal."""
    file.begin(path)
    session.recorder.add([on(0.0, pitch), off(1.0, pitch)])
    session.recorder.stop()


def test_a_journal_goes_once_its_recording_is_written_however_late(stage, tmp_path) -> None:
    """Of each film by itself: what is owed of one keeps no other's journal, and a late file takes its own away."""
    session = stage(12.0).session
    file, first, second = RecordingFile(session), tmp_path / "one" / "a.mid", tmp_path / "b.mid"
    first.parent.mkdir()
    playing(session, file, first, 60)
    until(lambda: journal_path(first).exists())
    first.mkdir()  # a folder where the file is to be
    file._targets[0, first] = first
    assert not file.write(first, wait=True)
    file.leave(first)
    session.recorder.clear()
    playing(session, file, second, 62)
    until(lambda: journal_path(second).exists())
    assert file.write(second, wait=True)
    assert journal_path(first).exists()  # nothing else holds those notes
    file.end()
    assert not journal_path(second).exists() and journal_path(first).exists()
    first.rmdir()
    session.recorder.add([on(1.0, 64), off(2.0, 64)])
    assert file.write(second, wait=True)  # with time to wait what is owed is tried again
    assert len(read_midi(first).notes) == 1 and not journal_path(first).exists()
    assert not list(tmp_path.rglob("*.playing"))


def test_a_journal_that_is_made_late_goes_as_well(tmp_path) -> None:
    """A disk that answers after the end: whoever closes the journal waits no longer than its patience."""
    slow = threading.Event()
    journal = Journal(tmp_path / "a.mid", TempoMap.constant(120), first=lambda: slow.wait(10))
    journal._thread.join = lambda timeout=None: None  # the patience is over
    journal.add([on(0.0, 60), off(1.0, 60)])
    journal.close()
    slow.set()
    del journal._thread.join
    journal._thread.join(10)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "stays"),
    [(b"", False), (b"Cue", False), (b"another program's file", True), (b'{"a": 1}', True)],
    ids=["nothing", "the beginning of one", "another file", "JSON"],
)
def test_only_journals_of_ours_are_cleared_away(stage, tmp_path, data, stays) -> None:
    session = stage(12.0).session
    file, path = RecordingFile(session), tmp_path / "a.mid"
    journal_path(path).write_bytes(data)
    file.begin(path)
    file.end()
    assert journal_path(path).exists() == stays
    assert [str(journal_path(path)) in said for said in file.news()] == ([True] if stays else [])


def test_a_journal_that_the_disk_does_not_give_stays(stage, tmp_path, monkeypatch) -> None:
    journal = Journal(tmp_path / "a.mid", TempoMap.constant(120))
    journal.add([on(0.0, 60), off(1.0, 60)])
    journal.close(keep=True)

    def broken(path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("bridge.session.file.export.read_journal", broken)
    session = stage(12.0).session
    file = RecordingFile(session)
    file.begin(tmp_path / "a.mid")
    file.end()
    (said,) = file.news()
    assert "stays in" in said and "Input/output error" in said
    assert read_journal(journal.path)[0]


def until(true, lacking="") -> None:
    patience = Patience()
    while not true():
        patience.wait(lacking)
