"""`live --sound`: the machine's own audio device, here PortAudio over a private JACK server, heard by another."""

from __future__ import annotations

import contextlib
import importlib.util
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import jacklab
import numpy as np
import pytest
from jacklab import JackServer
from livelab import CLIP, Live

pytestmark = pytest.mark.slow


def no_portaudio() -> str:
    if importlib.util.find_spec("sounddevice") is None:
        return "needs sounddevice (the audio extra)"
    try:
        import sounddevice  # noqa: F401
    except OSError as error:
        return f"needs PortAudio: {error}"
    return ""


class Ear:
    """What other JACK clients play, whoever they are."""

    def __init__(self) -> None:
        import jack

        self.client = jack.Client("ear", no_start_server=True)
        self.ports = [self.client.inports.register(f"in_{side}") for side in (1, 2)]
        self.blocks: list[np.ndarray] = []
        self._ends = threading.Event()

        @self.client.set_process_callback
        def process(frames: int) -> None:
            self.blocks.append(np.stack([port.get_array() for port in self.ports]).copy())

        self.client.activate()
        threading.Thread(target=self._connect, daemon=True).start()

    def _connect(self) -> None:
        import jack

        while not self._ends.wait(0.1):
            with contextlib.suppress(jack.JackError):
                theirs = [
                    port for port in self.client.get_ports(is_audio=True, is_output=True)
                    if not port.name.startswith(("system:", "ear:"))
                ]  # fmt: skip
                for port, ours in zip(theirs, self.ports, strict=False):
                    if not self.client.get_all_connections(ours):
                        self.client.connect(port, ours)

    def peak(self, seconds: float) -> float:
        """Over the last so many seconds."""
        count = max(int(seconds * self.client.samplerate / self.client.blocksize), 1)
        return float(max((np.abs(block).max() for block in self.blocks[-count:]), default=0.0))

    def until(self, low: float, high: float, timeout_s: float, seconds: float = 0.3) -> float:
        end_s = time.monotonic() + timeout_s
        while not low <= (found := self.peak(seconds)) <= high:
            assert time.monotonic() < end_s, f"the peak is {found} and not {low} to {high}"
            time.sleep(0.05)
        return found

    def close(self) -> None:
        self._ends.set()
        self.client.deactivate()
        self.client.close()


@pytest.fixture()
def ear() -> Iterator[Ear]:
    reason = jacklab.why_not() or no_portaudio()
    if reason:
        pytest.skip(reason)
    with JackServer(period=1024):
        found = Ear()
        try:
            yield found
        finally:
            found.close()


@pytest.mark.jack
def test_the_sound_card_plays_the_music_and_stops_with_it(ear: Ear, tmp_path: Path) -> None:
    with Live(CLIP, tmp_path, "--midi-api", "none", "--sound") as live:
        live.ready()
        assert next(line for line in live.lines if line.get("type") == "ready")["page"] is None  # no address is said
        live.send("/cue/play")
        ear.until(0.01, 1.0, 60)
        live.send("/cue/stop")
        ear.until(0.0, 0.0, 30)
        live.quit()
    assert not [line for line in live.errors if "Traceback" in line]


def test_without_a_device_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if reason := no_portaudio():
        pytest.skip(reason)
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "there-is-none")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    import sounddevice

    if any(device["max_output_channels"] for device in sounddevice.query_devices()):
        pytest.skip("this machine has an audio device")
    with Live(CLIP, tmp_path, "--midi-api", "none", "--sound") as live:
        assert live.process.wait(60) == 2
    said = "".join(live.errors)
    assert "There is no audio device here that could play" in said and "Traceback" not in said
