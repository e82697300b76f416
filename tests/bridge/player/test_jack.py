"""The player on a real JACK server, heard by an independent client: right notes, silence after every kind of death."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PortOptions, SyncOptions
from bridge.player.ports import probe_apis
from engine.music.meter import TempoMap
from engine.music.note import Note
from tests.jacklab import Capture, Captured, JackServer, still_sounding, why_not
from tests.livelab import without_package

reason = why_not()
pytestmark = [pytest.mark.jack, pytest.mark.skipif(reason is not None, reason=str(reason))]
ROOT = Path(__file__).resolve().parents[3]
PORT = "CueBridge:CueBridge"
APIS = ("jack-client", "jack")


@pytest.fixture(scope="module")
def server() -> Iterator[JackServer]:
    with JackServer() as running:
        yield running


def options(api: str, **more: object) -> PlayerOptions:
    return PlayerOptions(ports=PortOptions(api=api, **more))  # type: ignore[arg-type]


def music() -> list[Note]:
    arp = [Note(60 + index % 12, 1 + index % 127, index * 0.25, 0.24, 2, "arp") for index in range(400)]
    return arp + [Note(48 + part, 70, 4.0 * bar, 4.0, 1, "pad") for bar in range(25) for part in (0, 4, 7)]


def rolling(link: PlayerLink) -> None:
    link.set_tempo_map(TempoMap.constant(120), 1)
    link.load_plan(1, "beats", music(), [], 0.0)
    link.play()
    assert link.wait_for(lambda status: len(status.sounding) > 3, 10.0)


def on(events: list[Captured]) -> list[Captured]:
    return [event for event in events if event.data[0] & 0xF0 == 0x90]


def quiet(capture: Capture, timeout_s: float = 3.0) -> list[tuple[int, int]]:
    """What still sounds, once it is nothing or time is up."""
    end = time.monotonic() + timeout_s
    while True:
        left = still_sounding([e.data for e in capture.events], doubled_too=not capture.lost_cycles)
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.02)


@pytest.mark.parametrize("api", APIS)
def test_notes_arrive_as_planned(server: JackServer, api: str) -> None:
    with Capture() as capture, PlayerLink(options(api)) as link:
        capture.connect(PORT)
        rolling(link)
        assert link.wait_for(lambda status: status.position_s > 2.0, 10.0)
        link.stop()
        assert link.wait_for(lambda status: not status.rolling, 5.0)
        assert quiet(capture) == []
        sent = [event for event in link.drain_events() if event.status & 0xF0 == 0x90]
        heard = on(capture.heard())
        if capture.lost_cycles:
            pytest.skip(f"this machine lost {capture.lost_cycles} JACK periods, and the notes in them")
        assert [(e.status, e.data1, e.data2) for e in sent] == [tuple(e.data) for e in heard]
        errors = sorted(e.host_s - s.host_s for e, s in zip(heard, sent, strict=True))
        assert errors[len(errors) // 2] < 0.05  # gross; the bench measures
        status = link.poll()
        assert status is not None
        assert status.port_api == api


def test_per_part_ports_have_names(server: JackServer) -> None:
    for api, client in (("jack-client", "CueBridge:CueBridge"), ("jack", "CueBridge")):
        with Capture("parts", 2) as capture, PlayerLink(options(api, layout="per-part")) as link:
            for index, part in enumerate(("Pad", "Arp")):
                name = f"{client} {part}" if api == "jack-client" else f"CueBridge {part}:CueBridge {part}"
                capture.connect(name, index)
            rolling(link)
            assert link.wait_for(lambda status: status.position_s > 0.6, 10.0)
            link.stop()
            assert link.wait_for(lambda status: not status.rolling, 5.0)
            assert quiet(capture) == []
            assert {event.data[0] & 0x0F for event in capture.heard(0)} == {0}
            assert {event.data[0] & 0x0F for event in capture.heard(1)} == {1}


@pytest.mark.parametrize("api", APIS)
def test_a_player_killed_again_and_again_leaves_no_note(server: JackServer, api: str) -> None:
    """SIGKILL in the middle of chords; the receiver stays, the link's new player ends what the old one left.
    CUEBRIDGE_KILLS=20 kills as often as the figures in the docs say."""
    kills = int(os.environ.get("CUEBRIDGE_KILLS", "6"))
    with Capture() as capture, PlayerLink(options(api)) as link:
        capture.connect(PORT)
        rolling(link)
        for kill in range(kills):
            ready = link.wait_for(lambda status: bool(status.peers) and len(status.sounding) > 3, 15.0)
            assert ready, f"kill {kill}: {link.poll()}; alive {link.alive}"
            # So many deaths in a row would rightly be given up.
            link._restarts = link._restarts[-1:]
            assert link.pid is not None
            old = link.pid
            if kill % 3 == 2:
                time.sleep(kill * 0.013)  # at other moments than just after a status
            os.kill(old, signal.SIGKILL)
            while link.pid == old:
                time.sleep(0.005)
        link.stop()  # also while the last successor is still starting
        assert link.wait_for(lambda status: not status.rolling and not status.sounding, 15.0)
        assert quiet(capture) == []
        assert len(on(capture.heard())) > kills


@pytest.mark.parametrize("api", APIS)
def test_sigterm_and_a_killed_bridge_leave_no_note(server: JackServer, api: str) -> None:
    for how in (signal.SIGKILL, signal.SIGTERM):
        with Capture(autoconnect=PORT) as capture:
            bridge = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("lonely_bridge.py")), api],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                text=True,
            )
            assert bridge.stdout is not None
            assert int(bridge.stdout.readline())
            end = time.monotonic() + 5
            while not still_sounding([e.data for e in capture.events]) and time.monotonic() < end:
                time.sleep(0.01)
            assert still_sounding([e.data for e in capture.events]), "nothing sounded before the kill"
            bridge.send_signal(how)
            bridge.wait(10)
            assert quiet(capture) == []


def test_without_a_server_auto_says_why_and_records(server: JackServer) -> None:
    server.stop()
    try:
        found = {probe.api: probe for probe in probe_apis()}
        assert not found["jack-client"].available
        assert f"no JACK server '{server.name}' is running" in found["jack-client"].reason
        if found["alsa"].available:
            pytest.skip("this machine has ALSA, so auto opens a port there")
        with PlayerLink(options("auto")) as link:
            status = link.poll()
            assert status is not None
            assert status.port_api == "none"
            assert "no JACK server" in status.port_reason
            assert "alsa" in status.port_reason
    finally:
        server.start()


def test_without_its_package_auto_falls_back_and_says_so(
    server: JackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a player process in which JACK-Client is not there."""
    for name, value in without_package(tmp_path, "jack").items():
        monkeypatch.setenv(name, value)
    sync = SyncOptions(position="auto", tempo="auto")
    with PlayerLink(PlayerOptions(ports=PortOptions(api="auto"), sync=sync)) as link:
        status = link.wait_for(lambda now: now.rolling or bool(now.notes), 5.0)
        assert status is not None
        assert status.port_api in ("alsa", "jack")
        assert "not jack-client: the extra is not installed: pip install 'cuebridge[jack]'" in status.port_reason
        if status.port_api == "jack":  # a JACK server is there, and its transport cannot be heard
            assert "The JACK transport is not among the sources" in " ".join(status.notes)


def test_the_probe_lists_ports(server: JackServer) -> None:
    with PlayerLink(options("jack-client")):
        found = {probe.api: probe for probe in probe_apis()}
        for api in APIS:
            assert found[api].available
            assert any(PORT in name for name in found[api].inputs)


@pytest.mark.parametrize("api", (*APIS, "auto"))
def test_a_server_that_goes_away_and_comes_back(server: JackServer, api: str) -> None:
    with PlayerLink(options(api)) as link:
        rolling(link)
        server.stop()
        lost = link.wait_for(lambda status: not status.port_up, 5.0)
        assert lost is not None
        assert lost.rolling  # the playhead goes on
        time.sleep(1.5)  # tried again in vain
        still = link.poll()
        assert still is not None and not still.port_up
        server.start()
        with Capture(autoconnect=PORT) as capture:
            assert link.wait_for(lambda status: status.port_up, 10.0)
            end = time.monotonic() + 5
            while not on(capture.heard()) and time.monotonic() < end:
                time.sleep(0.02)
            assert on(capture.heard()), "nothing came after the port was back"
            link.stop()
            assert link.wait_for(lambda status: not status.rolling, 5.0)
            assert quiet(capture) == []


@pytest.mark.parametrize("api", APIS)
def test_the_clock_port_sends_a_clock_that_a_strangers_program_understands(server: JackServer, api: str) -> None:
    """jack_mclk_dump (of x42's jack_midi_clock) decodes the tempo."""
    dump = shutil.which("jack_mclk_dump")
    if dump is None:
        pytest.skip("jack_mclk_dump is not installed")
    ports = PortOptions(api=api, sync_out=True)
    with PlayerLink(PlayerOptions(ports=ports, sync=SyncOptions(send_clock=True))) as link:
        link.set_tempo_map(TempoMap.constant(97), 1)
        name = "CueBridge:CueBridge Clock" if api == "jack-client" else "CueBridge Clock:CueBridge Clock"
        with Capture() as capture:
            capture.connect(name)
            listener = subprocess.Popen([dump, "-n", name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            time.sleep(1.0)
            link.play()
            assert link.wait_for(lambda status: status.position_s > 4.0, 15.0)
            link.stop()
            assert link.wait_for(lambda status: not status.rolling, 5.0)
            time.sleep(0.3)
            listener.send_signal(signal.SIGINT)
            text, _ = listener.communicate(timeout=5)
            messages = [event.data[0] for event in capture.heard()]
        if capture.lost_cycles:
            pytest.skip(f"this machine lost {capture.lost_cycles} JACK periods, and the clocks in them")
        assert messages[0] in (0xF2, 0xFA)
        assert 0xFA in messages and 0xFC in messages
        assert messages.count(0xF8) > 140
        tempi = [float(found) for found in re.findall(rb"flt:\s*([0-9.]+)\[BPM", text)]
        assert tempi and abs(sorted(tempi)[len(tempi) // 2] - 97) < 5, text[-300:]
