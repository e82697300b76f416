"""What the bridge sends as a clock, read back by readers that were tested against hand-made streams."""

from __future__ import annotations

import pytest

from bridge.player.messages import PlayerOptions, SyncOptions
from bridge.player.performer import Performer
from bridge.player.tempo import TempoLine
from bridge.transport.sender import SyncSender
from bridge.transport.state import Loop, Motion
from engine.music.timecode import FRAME_RATES
from tests.bridge.player.stage import Port
from tests.bridge.transport.streams import Desk

RATES = ("23.976", "24", "25", "29.97", "29.97 DF", "30")


def sent(sender: SyncSender, until_s: float) -> list[tuple[float, bytes]]:
    for step in range(int(until_s * 100)):
        sender.advance(step / 100)
    found, sender.out = sender.out, []
    return found


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("position_s", [0.0, 3599.123, 598.9])
def test_timecode_is_read_back_where_it_was(name: str, position_s: float) -> None:
    sender = SyncSender(FRAME_RATES[name], False, lambda: TempoLine.constant(120))
    sender.move(Motion(0.0, position_s, 1.0, True), jump=True)
    heard = Desk("mtc", name).feed(sent(sender, 5.0))
    locked = [(host, position) for host, position, state in heard if state == "locked"]
    assert len(locked) > 350
    assert all(abs(position - position_s - host) < 1e-4 for host, position in locked)


@pytest.mark.parametrize("position_s", [0.0, 0.4, 100.3])
def test_clock_is_read_back_where_it_was(position_s: float) -> None:
    line = TempoLine([(0.0, 0.0, 0.5), (202.0, 101.0, 0.6)])
    sender = SyncSender(None, True, lambda: line)
    sender.move(Motion(0.0, position_s, 1.0, True), jump=True)
    stream = sent(sender, 4.0)
    assert (b"\xfa" in [data for _, data in stream]) == (position_s == 0.0)
    heard = Desk("clock", tempo=line).feed(stream)
    rolling = [(host, position) for host, position, state in heard if state == "locked"]
    assert len(rolling) > 120
    assert all(abs(position - position_s - host) < 0.004 for host, position in rolling)


def test_stop_states_the_position() -> None:
    sender = SyncSender(FRAME_RATES["25"], True, lambda: TempoLine.constant(120))
    sender.move(Motion(0.0, 0.0, 1.0, True), jump=True)
    sent(sender, 2.0)
    sender.move(Motion(2.0, 2.0, 0.0, False), jump=True)
    messages = [data for _, data in sent(sender, 3.0)]
    assert messages[0] == b"\xfc"
    assert any(data[0] == 0xF0 for data in messages)
    assert any(data[0] == 0xF2 for data in messages)
    assert b"\xf8" not in messages


def test_the_player_sends_its_own_transport_with_its_loop() -> None:
    port = Port()
    sync = SyncOptions(send_mtc=True, send_clock=True, frame_rate="25")
    player = Performer(PlayerOptions(sync=sync), lambda: port, 0.0)  # type: ignore[arg-type,return-value]
    player.set_tempo(1, TempoLine.constant(120), 0.0)
    player.set_loop(Loop(0.0, 2.0), 0.0)
    player.play(0.0)
    for step in range(700):
        player.step(step / 100)
    for source in ("mtc", "clock"):
        heard = Desk(source, "25" if source == "mtc" else None).feed(port.synced)
        right = [abs(position - host % 2.0) < 0.01 for host, position, _ in heard if 0.3 < host % 2.0 < 1.9]
        assert sum(right) > 0.98 * len(right) > 300
