"""Passes are laid out beside the session, whatever their number and however long the track is."""

from __future__ import annotations

import threading
import time

import pytest

from bridge.player.messages import SentEvent
from bridge.session.file import track
from bridge.session.file.recording import Recorder


def note(position_s, host_s, pitch=60):
    """On and off."""
    return [
        SentEvent(position_s, host_s, 0x90, pitch, 80, 0),
        SentEvent(position_s + 0.1, host_s + 0.1, 0x80, pitch, 0, 0),
    ]


def test_a_hundred_short_passes_over_an_hour_cost_the_session_next_to_nothing() -> None:
    """As a bundle of locates makes them while it plays; each pass is laid into all that was played before."""
    recorder = Recorder()
    recorder.add([event for number in range(7200) for event in note(number / 2, number / 2)])
    recorder.stop()
    assert len(recorder.events) == 14_400
    laid = time.perf_counter()
    recorder.add([event for number in range(100) for event in note(3000.0 - 20 * number, 4000.0 + number)])
    assert len(recorder.events) == 14_400
    took_s = time.perf_counter() - laid

    used_s = time.thread_time()
    recorder.add([event for number in range(100) for event in note(3000.0 - 20 * number, 5000.0 + number, 62)])
    recorder.stop()
    assert time.thread_time() - used_s < took_s / 5
    assert sum(event.data1 == 62 for event in recorder.events) == 200


def test_passes_that_follow_each_other_begin_one_thread(monkeypatch) -> None:
    """Each beginning of a thread may wait for its turn at the interpreter."""
    begun: list[str] = []
    start = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda self: (begun.append(self.name), start(self))[1])
    recorder = Recorder()
    for number in range(50):
        recorder.add(note(number / 2, number / 2))
        recorder.stop()
        assert len(recorder.events) == 2 * number + 2
    assert begun == ["recorded track"]


def test_a_thread_that_had_nothing_to_do_for_long_is_begun_anew(monkeypatch) -> None:
    monkeypatch.setattr(track, "IDLE_S", 0.0)
    recorder = Recorder()
    for number in range(20):
        recorder.add(note(number / 2, number / 2))
        recorder.stop()
        time.sleep(0.002 * (number % 2))
        assert len(recorder.events) == 2 * number + 2


def test_what_is_played_while_an_earlier_pass_is_laid_is_kept_in_its_order(monkeypatch) -> None:
    go_on, lay = threading.Event(), track._Laid.lay
    monkeypatch.setattr(track._Laid, "lay", lambda self, *given: (go_on.wait(10), lay(self, *given))[1])
    recorder = Recorder()
    for pitch in range(60, 70):
        recorder.add(note(1.0, 100.0 + pitch, pitch))
        recorder.stop()
    asked = recorder.events_later()
    recorder.add(note(1.0, 200.0, 80))
    recorder.stop()
    assert not asked.done() and not recorder.empty
    go_on.set()
    assert {event.data1 for event in asked.result(10)} == {69}
    assert {event.data1 for event in recorder.events} == {80}


def test_a_track_that_cannot_be_laid_is_said_to_whoever_asks_for_it(monkeypatch) -> None:
    monkeypatch.setattr(track._Laid, "lay", lambda *given: 1 / 0)
    recorder = Recorder()
    recorder.add(note(1.0, 100.0))
    with pytest.raises(ZeroDivisionError):
        _ = recorder.events_later().result(10)


def test_another_films_track_begins_empty_while_this_one_is_still_laid(monkeypatch) -> None:
    go_on, lay = threading.Event(), track._Laid.lay
    monkeypatch.setattr(track._Laid, "lay", lambda self, *given: (go_on.wait(10), lay(self, *given))[1])
    recorder = Recorder()
    recorder.add(note(1.0, 100.0))
    first = recorder.events_later()
    recorder.clear()
    assert recorder.empty
    recorder.add(note(2.0, 200.0, 62))
    second = recorder.events_later()
    go_on.set()
    assert [event.data1 for event in first.result(10)] == [60, 60]
    assert [event.data1 for event in second.result(10)] == [62, 62]
