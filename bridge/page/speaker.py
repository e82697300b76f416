"""A sound card instead of a browser: a process that hears the page's server as a page does, and plays.

It has no part in the music: it pulls the same blocks, follows the same clock and is silent while a DAW plays.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final

from bridge.page.protocol import FILM_STREAM, MUSIC_STREAM, unpack_sound
from engine.music import controls
from engine.music.errors import UserError
from engine.music.processes import end_at_once, start_on_pipe
from engine.process.messages import SOUND_BLOCK, SOUND_RATE

AHEAD: Final = 9  # blocks: 4 s
KNOWN: Final = 150  # blocks; fewer than `Playback` keeps
_TICK_S: Final = 0.05
_PING_S: Final = 2.0
_AGAIN_S: Final = 1.0
_PATIENCE_S: Final = 1.0  # without the music that is due: a change of the plan takes less
_CALM_S: Final = 3.0  # with it, until it is said again
BEHIND: Final = "The sound cannot keep up: this computer is busy. MIDI is not affected."
NO_DEVICE: Final = "There is no audio device here that could play"


class Device:
    """An output of the sound card.  render(count) -> (2, count) float32 is called in its own thread.

    Raises UserError where there is none.
    """

    def __init__(self, render: Callable[[int], Any]) -> None:
        try:
            import sounddevice
        except OSError as error:  # the package is there and PortAudio is not
            raise UserError(f"{NO_DEVICE}: {error} (on Debian: apt install libportaudio2).") from None
        self.heard_later_s = 0.0  # from the call of render until its first sample leaves the speaker

        def callback(out: Any, frames: int, moment: Any, status: Any) -> None:
            with contextlib.suppress(AttributeError):
                self.heard_later_s = max(moment.outputBufferDacTime - moment.currentTime, 0.0)
            out[:] = render(frames).T

        try:
            self._stream = sounddevice.OutputStream(
                samplerate=SOUND_RATE, channels=2, dtype="float32", callback=callback, device=_output(sounddevice)
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            raise UserError(f"{NO_DEVICE}: {error}.") from None

    def close(self) -> None:
        self._stream.close()


def _output(sounddevice: Any) -> int | None:
    """The system's own choice; where it has none, what the first sound system with an output would take, as JACK's."""
    if sounddevice.default.device[1] >= 0:
        return None
    found = [api["default_output_device"] for api in sounddevice.query_hostapis()]
    return next((number for number in found if number >= 0), None)


class Speaker:
    """What a page knows of the transport, and the blocks that it asks for."""

    def __init__(self, playback: Any) -> None:
        self._playback = playback
        self._lock = threading.Lock()
        self._playhead: tuple[float, bool, float] = (0.0, False, 0.0)  # picture second, rolling, bridge's clock
        self._loop: tuple[int, int] | None = None
        self._daw = self._film = False
        self._film_id = ""
        self._offset_s = 0.0  # the bridge's clock minus this process's
        self._pings: list[tuple[float, float]] = []
        self._have: dict[tuple[int, int], int] = {}
        self._asked: tuple[int, bool] | None = None
        self._lacking_s: float | None = None  # since when the music that is due is not here
        self._here_s: float | None = None  # since when it is
        self._behind = False

    # from the socket ---------------------------------------------------------------------------------------------
    def heard(self, message: dict[str, Any]) -> None:
        """A message of the page's socket."""
        state = message.get("state")
        if isinstance(state, dict):
            for name, values in state["values"].items():
                self._value(name, values, state["t"])
            self._sound(state["sound"])
            self._film_is(state["film"])
        elif "set" in message:
            self._value(message["set"], message["args"], message["t"])
        elif "sound" in message:
            self._sound(message["sound"])
        elif "film" in message:
            self._film_is(message["film"])
        elif "clock" in message:
            now_s = time.perf_counter()
            self._pings = sorted(
                [*self._pings, (now_s - message["clock"], message["t"] - (now_s + message["clock"]) / 2)]
            )
            self._pings = self._pings[:16]
            self._offset_s = self._pings[0][1]

    def _value(self, name: str, values: list[Any], at_s: float) -> None:
        if name == controls.PLAYHEAD:
            self._playhead = (float(values[0]), bool(values[5]), at_s)
        elif name == controls.LOOP:
            on, from_s, to_s = (*values, False, 0.0, 0.0)[:3]
            self._loop = (round(from_s * SOUND_RATE), round(to_s * SOUND_RATE)) if on and to_s > from_s else None

    def _sound(self, sound: dict[str, Any]) -> None:
        self._daw = bool(sound.get("daw"))

    def _film_is(self, film: dict[str, Any] | None) -> None:
        self._film = bool(film and film.get("sound"))
        number = str((film or {}).get("id", ""))
        if number != self._film_id:
            self._film_id = number
            self.forget()

    def forget(self) -> None:
        """Nothing that was fetched is true any more."""
        with self._lock:
            self._have.clear()
            self._asked = None
        self._playback.clear()

    def position_s(self, later_s: float = 0.0) -> float:
        at_s, rolling, since_s = self._playhead
        return at_s + max(time.perf_counter() + self._offset_s - since_s + later_s, 0.0) * rolling

    # to the sound card --------------------------------------------------------------------------------------------
    def follow(self, later_s: float) -> None:
        """Ties what is played to the transport; later_s: from now until it is heard."""
        rolling = self._playhead[1] and not self._daw
        self._playback.follow(self.position_s(later_s) * SOUND_RATE, rolling=rolling, loop=self._loop)

    # blocks -------------------------------------------------------------------------------------------------------
    def wanted(self) -> dict[str, Any] | None:
        """What is to be asked for now; None: nothing new."""
        first = max(int(self.position_s() * SOUND_RATE // SOUND_BLOCK), 0)
        if self._daw or self._asked == (first, self._film):
            return None
        with self._lock:
            self._asked = (first, self._film)
            music = self._lacking(MUSIC_STREAM, first)
            film = self._lacking(FILM_STREAM, first) if self._film else [first, 0]
            # Where a busy machine leaves some out, those after them are here.
            have = [index for index in range(music[0], sum(music)) if (MUSIC_STREAM, index) in self._have]
        wanted = {"want": music, "film": film, **({"have": have} if have else {})}
        return wanted if music[1] or film[1] else None

    def _lacking(self, stream: int, first: int) -> list[int]:
        indices = [index for index in range(first, first + AHEAD) if (stream, index) not in self._have]
        return [indices[0], indices[-1] + 1 - indices[0]] if indices else [first, 0]

    def falls_behind(self, now_s: float) -> bool:
        """Whether the music that is due has been lacking for a while; said once, until it has been here for a while."""
        due = int(self.position_s() * SOUND_RATE // SOUND_BLOCK)
        with self._lock:
            here = self._daw or not self._playhead[1] or (MUSIC_STREAM, due) in self._have
        if here:
            self._here_s = now_s if self._here_s is None else self._here_s
            if not self._behind or now_s - self._here_s >= _CALM_S:
                self._lacking_s, self._behind = None, False
            return False
        self._here_s = None
        self._lacking_s = now_s if self._lacking_s is None else self._lacking_s
        was, self._behind = self._behind, now_s - self._lacking_s >= _PATIENCE_S
        return self._behind and not was

    def took(self, data: bytes | str) -> None:
        """A message of the sound socket."""
        if isinstance(data, str):
            self._renewed(json.loads(data))
            return
        stream, revision, index, parts = unpack_sound(data)
        with self._lock:
            self._have[stream, index] = revision
            while len(self._have) > KNOWN:
                del self._have[next(iter(self._have))]
        self._playback.put(stream, index, revision, parts)

    def _renewed(self, message: dict[str, int]) -> None:
        """Music from a block on is newer; from 0 on the film may be another too."""
        first, revision = message["from"], message["revision"]
        with self._lock:
            for (stream, index), had in list(self._have.items()):
                if first == 0 if stream == FILM_STREAM else index >= first and had < revision:
                    del self._have[stream, index]
            self._asked = None


def run_speaker(connection: Connection, port: int, secret: str) -> None:
    """Spawn target: plays until the pipe is closed.  Sends "" once it plays, or the sentence why it cannot; later what
    goes wrong."""
    from engine.sound.playback import Playback

    playback = Playback()
    try:
        device = Device(playback.render)
    except UserError as error:
        connection.send(str(error))
        connection.close()
        return
    connection.send("")
    speaker, ended = Speaker(playback), threading.Event()
    threads = [
        threading.Thread(target=_listen, args=(speaker, port, secret, ended), daemon=True),
        threading.Thread(target=_fetch, args=(speaker, port, secret, ended), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        while not connection.poll(_TICK_S):
            speaker.follow(device.heard_later_s)
            if speaker.falls_behind(time.perf_counter()):
                connection.send(BEHIND)
    except (EOFError, OSError):
        pass
    finally:
        ended.set()
        device.close()


@contextlib.contextmanager
def _connected(port: int, name: str, secret: str) -> Any:
    from websockets.sync.client import connect
    from websockets.typing import Origin

    origin = Origin(f"http://127.0.0.1:{port}")
    with connect(f"ws://127.0.0.1:{port}/{name}", origin=origin, max_size=None) as socket:
        socket.send(json.dumps({"hello": secret}))
        yield socket


def _again(work: Callable[[], None], ended: threading.Event) -> None:
    """Until the end: a server that died is started again by the bridge."""
    from websockets.exceptions import WebSocketException

    while not ended.is_set():
        with contextlib.suppress(OSError, WebSocketException):
            work()
        ended.wait(_AGAIN_S)


def _listen(speaker: Speaker, port: int, secret: str, ended: threading.Event) -> None:
    def work() -> None:
        with _connected(port, "socket", secret) as socket:
            pinged_s = 0.0
            while not ended.is_set():
                if time.perf_counter() - pinged_s > _PING_S:
                    pinged_s = time.perf_counter()
                    socket.send(json.dumps({"clock": pinged_s}))
                with contextlib.suppress(TimeoutError):
                    speaker.heard(json.loads(socket.recv(_PING_S)))

    _again(work, ended)


def _fetch(speaker: Speaker, port: int, secret: str, ended: threading.Event) -> None:
    def work() -> None:
        with _connected(port, "sound", secret) as socket:
            speaker.forget()  # a new server counts its revisions anew
            while not ended.is_set():
                wanted = speaker.wanted()
                if wanted is not None:
                    socket.send(json.dumps(wanted))
                with contextlib.suppress(TimeoutError):
                    speaker.took(socket.recv(_TICK_S))

    _again(work, ended)


class SpeakerLink:
    """The process of the speaker, which ends with the program."""

    def __init__(self, port: int, secret: str) -> None:
        self._connection, self._process = start_on_pipe(run_speaker, port, secret, name="cuebridge-speaker")

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def fault(self) -> str | None:
        """Why it cannot play, "" once it plays, later what goes wrong; None: nothing new is known."""
        try:
            return str(self._connection.recv()) if self._connection.poll() else None
        except (EOFError, OSError):
            return "the sound card's process has ended."

    def close(self) -> None:
        self._connection.close()
        self._process.join(1.0)
        self.end_at_once()

    def end_at_once(self) -> None:
        """By force, from any thread."""
        if self._process.is_alive():
            end_at_once(self._process)
            self._process.join(1.0)
