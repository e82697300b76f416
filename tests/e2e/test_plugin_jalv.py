"""The LV2 plugin in jalv, a real host, on a JACK server of its own: what arrives, by the frame of the transport."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

import jacklab
import pluginlab
import pytest

from bridge.player import messages as m
from bridge.player.memory import PlayerMemory
from bridge.player.messages import PlayerStatus
from bridge.plugin.link import PluginLink
from engine.music.note import Note

RATE, PERIOD = 48000, 1024
pytestmark = pytest.mark.jack


class Player:
    """A player whose port is silent in all parts."""

    def hold(self, parts: list[str]) -> None:
        pass

    def observe(self, said: object) -> None:
        self.said = said


@pytest.fixture
def server():
    if (why := jacklab.why_not()) is not None:
        pytest.skip(why)
    if shutil.which("jalv") is None or pluginlab.compiler() is None:
        pytest.skip("jalv or a C compiler is not installed")
    with jacklab.JackServer(RATE, PERIOD) as running:
        yield running


class Taken:
    """MIDI that arrives, by the frame of the transport while it rolls."""

    def __init__(self) -> None:
        import jack

        self.client = client = jacklab.open_client("taken")
        self.port = client.midi_inports.register("in")
        self.heard: list[tuple[int, bytes]] = []

        @client.set_process_callback
        def process(frames: int) -> None:
            state, position = client.transport_query_struct()
            for offset, data in self.port.incoming_midi_events():
                at = position.frame + offset if state == jack.ROLLING else -1
                self.heard.append((at, bytes(data)))

        client.activate()

    def ons(self) -> list[tuple[int, int]]:
        return [(frame, data[1]) for frame, data in self.heard if data[0] & 0xF0 == 0x90]


def until(met, link: PluginLink, what: str, timeout_s: float = 20.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not met():
        assert time.monotonic() < end_s, what
        link.follow("A film", True, False, PlayerStatus.NONE)
        time.sleep(0.02)


def test_every_note_on_its_frame_and_after_a_locate_while_it_rolls(server, tmp_path, monkeypatch) -> None:
    path = tmp_path / "plugin-link"
    monkeypatch.setenv("CUEBRIDGE_PLUGIN_LINK", str(path))
    folder = pluginlab.make(tmp_path / "bundle", "lv2")
    player, said = Player(), []
    link = PluginLink(player, said.append, path)  # type: ignore[arg-type]
    notes = [Note(30 + i % 60, 80, 0.2 + i * 0.0777, 0.05, 2, "arp") for i in range(60)]
    for message in PlayerMemory(m.PlayerOptions()).plan(1, "seconds", notes, [], -1e9):
        link.take_player_message(message)
    link.begin()
    environment = {**os.environ, "LV2_PATH": str(folder)}
    jalv = subprocess.Popen(
        ["jalv", "-n", "plugin", "urn:cuebridge:plugin"],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    taken = Taken()
    try:
        plays = lambda: any(each.state.startswith("revision") and each.parts for each in link.summaries)  # noqa: E731
        until(plays, link, "the plan")
        ports = taken.client.get_ports("plugin", is_output=True, is_midi=True)
        assert ports, "jalv has no MIDI output"
        taken.client.connect(ports[0], taken.port)
        taken.client.transport_frame = 0
        taken.client.transport_start()
        until(lambda: len(taken.ons()) >= 40, link, "forty notes")
        first = taken.ons()
        taken.client.transport_frame = RATE  # while it rolls
        until(lambda: len(taken.ons()) >= len(first) + 20, link, "notes after the locate")
        taken.client.transport_stop()
        until(lambda: player.said.rolling is False, link, "the stop")
        assert player.said.source == "plugin"
    finally:
        taken.client.deactivate()
        taken.client.close()
        jalv.terminate()
        jalv.wait(10)
        link.close()
    wanted = [(0.2 + i * 0.0777) * RATE for i in range(60)]
    for (frame, pitch), exact, note in zip(first[:40], wanted, notes, strict=False):
        assert pitch == note.pitch and abs(frame - exact) <= 0.5
    again = [each for each in taken.ons()[len(first) :] if each[0] >= RATE][:20]
    later = [(exact, note.pitch) for exact, note in zip(wanted, notes, strict=True) if exact >= RATE - 0.5]
    assert [pitch for _, pitch in again[-15:]] == [
        pitch for exact, pitch in later if again[-15][0] - 1 < exact < again[-1][0] + 1
    ]
    for frame, pitch in again:
        assert min(abs(frame - exact) for exact, each in later if each == pitch) <= 0.5
