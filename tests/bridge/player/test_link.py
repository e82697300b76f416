"""The player as a process: what it reports, how it ends, and what happens when it is killed.  No MIDI system needed."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.player.errors import PortError
from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PlayerStatus, PortOptions, SentEvent
from engine.music.meter import TempoMap
from engine.music.note import Controller, Note

RECORD = PlayerOptions(ports=PortOptions(api="none"))
ROOT = Path(__file__).resolve().parents[3]
posix = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


@pytest.fixture
def link() -> Iterator[PlayerLink]:
    with PlayerLink(RECORD) as made:
        made.set_tempo_map(TempoMap.constant(120), 1)
        made.load_plan(1, "beats", notes(), controllers(), 0.0)
        until(made, lambda status: status.revision == 1)
        yield made


def notes() -> list[Note]:
    arp = [Note(60 + index % 12, 80, index * 0.25, 0.2, 2, "arp") for index in range(400)]
    return arp + [Note(48, 70, 4.0 * bar, 4.0, 1, "pad") for bar in range(25)]


def controllers() -> list[Controller]:
    return [Controller(1, 20 + index, index * 0.5, 1, "pad") for index in range(100)]


def until(link: PlayerLink, ready: Callable[[PlayerStatus], bool], timeout_s: float = 30.0) -> PlayerStatus:
    status = link.wait_for(ready, timeout_s)
    assert status is not None, f"waited in vain; last {link.poll()}"
    return status


def left_sounding(events: list[SentEvent]) -> set[tuple[int, int, int]]:
    sounding: set[tuple[int, int, int]] = set()
    for event in events:
        key = (event.port, event.status & 0x0F, event.data1)
        if event.status & 0xF0 == 0x90:
            assert key not in sounding
            sounding.add(key)
        elif event.status & 0xF0 == 0x80:
            sounding.discard(key)
    return sounding


def test_plays_in_time_and_reports_what_it_sent(link: PlayerLink) -> None:
    link.play()
    until(link, lambda status: status.position_s > 1.2)
    link.stop()
    status = until(link, lambda status: not status.rolling)
    assert status.sounding == ()
    assert status.port_api == "none"
    assert "as asked" in status.port_reason
    assert status.priority
    events = link.drain_events()
    assert link.drain_events() == []
    assert not left_sounding(events)
    struck = [event for event in events if event.status == 0x91]
    for index, event in enumerate(struck):
        assert abs(event.position_s - index * 0.125) < 1e-6  # the musical position, whatever the machine does
    assert [event.data1 for event in struck] == [60 + index % 12 for index in range(len(struck))]
    assert [e.data2 for e in events if e.status == 0xB0][:3] == [20, 21, 22]


def test_locate_loop_mute_and_panic(link: PlayerLink) -> None:
    link.locate(10.0)
    assert until(link, lambda status: abs(status.position_s - 10.0) < 1e-9).rolling is False
    link.loop(True, 10.0, 10.3)
    link.play()
    status = until(link, lambda status: status.loop == (10.0, 10.3) and status.rolling)
    positions: list[float] = []

    def wraps(status: PlayerStatus) -> int:
        positions.extend(event.position_s for event in link.drain_events())
        return sum(later < earlier for earlier, later in itertools.pairwise(positions))

    until(link, lambda status: wraps(status) >= 2)
    assert max(positions) < 10.3 + 1e-6
    link.mute("arp", True)
    until(link, lambda status: status.muted == ("arp",))
    link.drain_events()
    time.sleep(0.4)
    assert not [event for event in link.drain_events() if event.status == 0x91]
    link.panic()
    link.stop()
    status = until(link, lambda status: not status.rolling)
    assert {event.data1 for event in link.drain_events() if event.status & 0xF0 == 0xB0} >= {120, 121, 123}
    assert status.sounding == ()
    with pytest.raises(ValueError):
        link.loop(True, 1.0, 1.01)


def test_a_plan_in_seconds_stays_where_it_is_when_the_tempo_changes(link: PlayerLink) -> None:
    link.load_plan(2, "seconds", [Note(72, 90, 0.5, 0.2, 4, "melody")], [], -1.0)
    link.set_tempo_map(TempoMap.constant(60), 2)
    link.play()
    until(link, lambda status: status.position_s > 0.8)
    assert [round(e.position_s, 6) for e in link.drain_events() if e.status == 0x93] == [0.5]


def test_an_older_plan_is_left_out(link: PlayerLink) -> None:
    link.load_plan(5, "beats", [], [], 0.0)
    link.load_plan(3, "beats", notes(), [], 0.0)
    link.load_plan(6, "beats", [], [], 900.0)
    until(link, lambda status: status.revision == 6)
    link.play()
    until(link, lambda status: status.position_s > 0.3)
    assert link.drain_events() == []


def test_a_part_of_another_name_is_played_too(link: PlayerLink) -> None:
    link.load_plan(2, "beats", [Note(40, 90, 0.25, 0.5, 10, "woodblock")], [], -1.0)
    link.play()
    until(link, lambda status: status.position_s > 0.5)
    assert [e.data1 for e in link.drain_events() if e.status == 0x99] == [40]


def test_close_ends_what_sounds_and_it_can_still_be_drained() -> None:
    with PlayerLink(RECORD) as link:
        link.set_tempo_map(TempoMap.constant(120), 1)
        link.load_plan(1, "beats", notes(), [], 0.0)
        link.play()
        until(link, lambda status: len(status.sounding) > 0)
    events = link.drain_events()
    assert events
    assert not left_sounding(events)
    assert not link.alive
    link.close()  # twice is no fault


@posix
def test_sigterm_ends_what_sounds_and_a_new_player_goes_on(link: PlayerLink) -> None:
    link.play()
    until(link, lambda status: len(status.sounding) > 0)
    assert link.pid is not None
    os.kill(link.pid, signal.SIGTERM)
    status = until(link, lambda status: status.restarts == 1 and status.rolling and status.revision == 1)
    assert any("player process died" in note for note in status.notes)
    link.stop()
    until(link, lambda status: not status.rolling)
    assert not left_sounding(link.drain_events())


@posix
def test_sigint_is_not_the_players_business(link: PlayerLink) -> None:
    assert link.pid is not None
    pid = link.pid
    os.kill(pid, signal.SIGINT)
    time.sleep(0.3)
    assert link.alive
    assert link.pid == pid


@posix
def test_a_killed_player_is_replaced_goes_on_where_it_would_be_and_leaves_nothing_sounding(link: PlayerLink) -> None:
    link.mute("bass", True)
    link.play()
    until(link, lambda status: len(status.sounding) > 1)
    assert link.pid is not None
    before = link.poll()
    assert before is not None
    os.kill(link.pid, signal.SIGKILL)
    status = until(link, lambda status: status.restarts == 1 and status.rolling and status.revision == 1)
    assert status.muted == ("bass",)
    assert abs(status.position_s - before.position_at(status.host_s)) < 0.1
    until(link, lambda now: now.sent > 4)
    link.stop()
    until(link, lambda status: not status.rolling)
    assert not left_sounding(link.drain_events())


@posix
def test_a_player_whose_bridge_is_killed_ends_by_itself() -> None:
    """The bridge here is a process of its own, which is killed without a chance to say anything."""
    child = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("lonely_bridge.py"))],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    pid = int(child.stdout.readline())
    child.kill()
    child.wait()
    end = time.monotonic() + 20
    while time.monotonic() < end and _runs(pid):
        time.sleep(0.02)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_an_unknown_midi_system_is_one_sentence() -> None:
    with pytest.raises(PortError, match="'casio' is not a MIDI system"):
        PlayerLink(PlayerOptions(ports=PortOptions(api="casio"))).start()


def test_a_midi_system_that_is_not_there_is_one_sentence() -> None:
    missing = "coremidi" if sys.platform != "darwin" else "winmm"
    with pytest.raises(PortError, match=f"built without {missing}"):
        PlayerLink(PlayerOptions(ports=PortOptions(api=missing))).start()


def test_a_player_that_dies_again_and_again_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.player.link.MAX_RESTARTS", 2)
    with PlayerLink(RECORD) as link:
        for times in range(3):
            assert link.pid is not None
            os.kill(link.pid, signal.SIGKILL)
            if times < 2:
                until(link, lambda status, times=times: status.restarts == times + 1 and link.alive)
        end = time.monotonic() + 20
        while link.alive and time.monotonic() < end:
            time.sleep(0.01)
        assert not link.alive
        until(link, lambda status: any("not started again" in note for note in status.notes))


@posix
def test_a_player_that_hangs_is_replaced(link: PlayerLink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.player.link.SILENCE_S", 3.0)
    link.play()
    until(link, lambda status: len(status.sounding) > 0)
    assert link.pid is not None
    time.sleep(0.2)  # the reading thread has looked at the clock anew
    os.kill(link.pid, signal.SIGSTOP)
    until(link, lambda status: status.restarts == 1 and status.rolling and status.revision == 1)
    link.stop()
    until(link, lambda status: not status.rolling)
    assert not left_sounding(link.drain_events())


@posix
def test_a_stop_that_a_dying_player_did_not_hear_is_obeyed_by_its_successor(link: PlayerLink) -> None:
    link.play()
    until(link, lambda status: len(status.sounding) > 0)
    assert link.pid is not None
    os.kill(link.pid, signal.SIGKILL)
    link.stop()
    until(link, lambda status: status.restarts == 1 and status.revision == 1 and not status.rolling)
    time.sleep(0.3)
    status = link.poll()
    assert status is not None and not status.rolling
    assert not left_sounding(link.drain_events())
