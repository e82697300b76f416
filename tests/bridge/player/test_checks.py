"""Doctor's rows say what is there and what to do."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

import pytest

from bridge.player.checks import check_ports, check_priority, check_sync, check_timer
from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PortOptions, SyncOptions
from bridge.player.ports import ApiProbe, match_windows_port
from bridge.player.priority import may_lock_memory
from tests.jacklab import JackServer, open_client, why_not


def test_no_midi_system_gives_advice_and_each_reason() -> None:
    rows = check_ports([ApiProbe("alsa", False, (), (), "no sequencer"), ApiProbe("jack", False, (), (), "no server")])
    assert [row.ok for row in rows] == [None, None, False]
    assert "no sequencer" in rows[0].found
    assert "no server" in rows[1].found
    assert rows[-1].advice


def test_one_usable_system_is_enough() -> None:
    rows = check_ports([ApiProbe("alsa", True, ("synth",), (), ""), ApiProbe("jack", False, (), (), "no server")])
    assert rows[-1].ok
    assert "auto takes alsa" in rows[-1].found
    assert "synth" in rows[0].found


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="scheduling as Linux has it")
def test_asking_for_priority_leaves_this_thread_as_it_was() -> None:
    before = os.sched_getscheduler(0)
    rows = check_priority()
    assert os.sched_getscheduler(0) == before
    assert len(rows) == 1
    assert rows[0].ok == rows[0].found.startswith("SCHED_FIFO")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="scheduling as Linux has it")
def test_a_player_locks_its_memory_where_no_limit_forbids_it() -> None:
    with PlayerLink(PlayerOptions(ports=PortOptions(api="none"))) as link:
        status = link.poll()
        assert status is not None
        assert status.priority.endswith("memory locked") == may_lock_memory()
    with PlayerLink(PlayerOptions(ports=PortOptions(api="none"), realtime=False)) as link:
        status = link.poll()
        assert status is not None and "locked" not in status.priority


def test_timer_states_three_figures() -> None:
    assert "p99" in check_timer(steps=20)[0].found


def test_windows_ports_are_found_with_their_index_and_the_built_in_pair_is_second_choice() -> None:
    assert match_windows_port(["Synth 0", "CueBridge 2"], "CueBridge") == 1
    assert match_windows_port(["Default App Loopback (A)", "Default App Loopback (B) 1"], "CueBridge") == 0
    assert match_windows_port(["Default App Loopback (A) 3", "CueBridge"], "CueBridge") == 1
    assert match_windows_port(["CueBridge Arp 1"], "CueBridge") is None


def test_silence_on_the_sync_port_is_said_with_what_to_do() -> None:
    rows = check_sync(PlayerOptions(ports=PortOptions(api="none")), listen_s=0.1)
    assert [row.ok for row in rows] == [None]
    assert "nothing arrived" in rows[0].found
    assert rows[0].advice


@pytest.mark.jack
@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
def test_timecode_on_jack_is_heard_and_its_rate_measured_against_the_stated_one() -> None:
    """Another player is the DAW: it sends timecode that calls itself 24 and runs at 23.976."""
    ports = PortOptions(api="jack-client", name="Daw", sync_in=False, sync_out=True)
    sender = PlayerOptions(ports=ports, sync=SyncOptions(send_mtc=True, frame_rate="23.976"))
    done = threading.Event()
    with JackServer(period=1024), PlayerLink(sender) as daw:
        wires = open_client("wires")

        def keep_connected() -> None:
            while not done.wait(0.05):
                with contextlib.suppress(Exception):
                    wires.connect("Daw:Daw Clock", "CueBridge:CueBridge Sync")

        thread = threading.Thread(target=keep_connected)
        thread.start()
        try:
            daw.play()
            options = PlayerOptions(ports=PortOptions(api="jack-client"), sync=SyncOptions(frame_rate="24"))
            short = check_sync(options, listen_s=2.0)
            rows = check_sync(options, listen_s=14.0)
        finally:
            done.set()
            thread.join()
            wires.close()
    assert short[0].ok and "mtc, locked" in short[0].found
    assert short[1].ok and "takes --listen" in short[1].found  # two seconds cannot tell, and it says so
    rate = next(row for row in rows if row.name == "timecode rate")
    assert rate.ok is False
    assert any("--frame-rate 23.976" in row.found for row in rows)
