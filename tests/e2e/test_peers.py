"""Programs that others wrote, on a private JACK server: jack_midi_clock as the clock (its song positions too), and
klick as the timebase master with a tempo map.  Neither shares a line with us."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest

from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PortOptions, SyncOptions
from engine.music.meter import TempoMap
from engine.music.note import Note
from tests.jacklab import Capture, JackServer, open_client, still_sounding, why_not

missing = [name for name in ("klick", "jack_midi_clock") if shutil.which(name) is None]
reason = why_not() or (f"{' and '.join(missing)} not installed" if missing else None)
pytestmark = [pytest.mark.jack, pytest.mark.slow, pytest.mark.skipif(reason is not None, reason=str(reason))]
GROSS_S = 0.12  # a shared machine
RATE = 48000


@contextlib.contextmanager
def peer(*command: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def wire(client, source: str, sink: str) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            client.connect(source, sink)
            return
        except Exception:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def test_a_clock_made_by_jack_midi_clock_is_followed_also_from_a_song_position() -> None:
    bpm = 97.0
    music = [Note(36 + k % 60, 1 + k % 127, k * 0.25, 0.2, 1, "arp") for k in range(400)]
    planned = {(note.pitch, note.velocity): note.start_beats * 60 / bpm for note in music}
    options = PlayerOptions(ports=PortOptions(api="jack-client"), sync=SyncOptions("clock", "clock"))
    with (
        JackServer(period=256),
        peer("klick", "-T", f"{bpm:g}"),  # jack_midi_clock takes bars and beats from a timebase master
        peer("jack_midi_clock"),
        PlayerLink(options) as link,
        Capture() as capture,
    ):
        link.set_tempo_map(TempoMap.constant(bpm), 1)
        link.load_plan(1, "beats", music, [], 0.0)
        client = open_client("wires")
        try:
            wire(client, "jack_midi_clock:mclk_out", "CueBridge:CueBridge Sync")
            capture.connect("CueBridge:CueBridge")
            for begin_s in (0.0, 10.0):
                client.transport_stop()
                time.sleep(0.5)
                client.transport_frame = round(begin_s * RATE)
                time.sleep(2.5)  # it tells the position, and waits two seconds before it goes on
                capture.events.clear()
                client.transport_start()
                status = link.wait_for(lambda now, at=begin_s: now.rolling and now.position_s > at + 4.0, 15.0)
                assert status is not None, f"from {begin_s:g} s: {link.poll()}"
                assert status.tempo_bpm == pytest.approx(bpm, abs=1.5)  # a lost period shows for eight beats
                assert status.tempo_source == "clock"
                _, place = client.transport_query()
                zero_s = place["usecs"] / 1e6 - place["frame"] / RATE - capture.offset_s()
                heard = [event for event in capture.heard() if event.data[0] == 0x90 and event.data[2]]
                errors = [event.host_s - zero_s - planned[event.data[1], event.data[2]] for event in heard]
                assert len(errors) > 10
                assert max(map(abs, errors)) < GROSS_S
                # jack_midi_clock 0.4 sends Continue with the clock after the one that it stated the position for.
                expected = 0.0 if not begin_s else 60 / bpm / 24
                assert sorted(errors)[len(errors) // 2] == pytest.approx(expected, abs=0.01)
            client.transport_stop()
            assert link.wait_for(lambda now: not now.rolling and not now.sounding, 5.0) is not None
            time.sleep(0.2)
            assert still_sounding([event.data for event in capture.events], doubled_too=False) == []
        finally:
            client.close()


def test_the_tempo_map_that_klick_gives_is_the_tempo_heard(tmp_path) -> None:
    """4/4 at 120, then 3/4 at 90, then 7/8 whose 150 klick states in eighths: quarter notes a minute are meant."""
    (tmp_path / "map").write_text("2 4/4 120\n2 3/4 90\n8 7/8 150\n")
    options = PlayerOptions(ports=PortOptions(api="jack-client"), sync=SyncOptions("jack", "jack"))
    with JackServer(period=256), peer("klick", "-T", "-f", str(tmp_path / "map")), PlayerLink(options) as link:
        client = open_client("wires")
        try:
            time.sleep(1.0)
            client.transport_frame = 0
            time.sleep(0.5)
            client.transport_start()
            for at_s, bpm in ((2.0, 120.0), (6.0, 90.0), (10.0, 150.0)):
                status = link.wait_for(lambda now, at=at_s: now.rolling and now.position_s > at, 15.0)
                assert status is not None
                assert (status.tempo_source, status.position_source) == ("jack", "jack")
                assert status.tempo_bpm == pytest.approx(bpm, abs=0.1)
        finally:
            client.transport_stop()
            client.close()
