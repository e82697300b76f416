"""What the Cubase and Nuendo script says over the sync port: private SysEx, F0 7D 43 42 kind … F7.

kind 1 hello (protocol), 2 state (flags 1 play, 2 record, 8 cycle), 3 tempo (1/10000 bpm, four times seven bits,
highest first), 4 goodbye, 5 a row of its self-test (1 works, 0 refused or 2 not tried, then text: what for, call and
why, with line ends between), 6 who it is (text: host with its version, script, interpreter).  Text is ASCII.  To the
script goes kind 7: say everything again.  7D is the number that the MIDI specification leaves for private use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bridge.transport.state import TransportObservation

HEADER: Final = bytes((0xF0, 0x7D, 0x43, 0x42))
SAY_AGAIN: Final = HEADER + bytes((7, 0xF7))
PROTOCOL: Final = 1
_PLAYING, _RECORDING, _LOOPING = 1, 2, 8
_LENGTHS: Final = {1: 1, 2: 1, 3: 4, 4: 0}
_MOST_TEXT: Final = 300  # bytes of a row or a name
_MOST_ROWS: Final = 64
# What a missing piece costs: the rest of "In this Cubase 12.0.70, …".
COSTS: Final = {
    "tempo": "the tempo is not told: use MIDI clock (--tempo clock)",
    "play": "play is known by timecode alone",
    "record": "recording is taken for play",
    "cycle": "the cycle is not known, so notes may sound on over its end",
    "idle": "a bridge that starts later hears tempo and state only when they change",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One call of the host that the script needs.  works: 1, 0 refused or 2 not tried."""

    works: int
    feature: str
    call: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class SysexState:
    """One message; None = not said.  protocol: a hello.  leaving: a goodbye.  names: host, script, interpreter."""

    bpm: float | None = None
    rolling: bool | None = None
    recording: bool | None = None
    loop: bool | None = None
    protocol: int | None = None
    leaving: bool = False
    row: Row | None = None
    names: tuple[str, ...] | None = None


def decode(data: bytes) -> SysexState | None:
    """None for anything that is not ours or not whole; never raises."""
    if len(data) < 6 or data[:4] != HEADER or data[-1] != 0xF7:
        return None
    kind, body = data[4], data[5:-1]
    if any(byte > 127 for byte in body):
        return None
    if kind in (5, 6):
        return _texts(kind, body)
    if _LENGTHS.get(kind) != len(body):
        return None
    if kind == 1:
        return SysexState(protocol=body[0])
    if kind == 2:
        flags = body[0]
        return SysexState(None, bool(flags & _PLAYING), bool(flags & _RECORDING), bool(flags & _LOOPING))
    if kind == 3:
        number = body[0] << 21 | body[1] << 14 | body[2] << 7 | body[3]
        bpm = number / 10_000
        return SysexState(bpm=bpm) if 5 <= bpm <= 999 else None
    return SysexState(leaving=True)


def _texts(kind: int, body: bytes) -> SysexState | None:
    if not 1 <= len(body) <= _MOST_TEXT:
        return None
    texts = (body[1:] if kind == 5 else body).decode("ascii").split("\n")
    texts = ["".join(letter for letter in text if letter.isprintable()) for text in texts]
    if kind == 6:
        return SysexState(names=(*texts, "", "", "")[:3])
    if body[0] > 2 or len(texts) != 3 or not texts[0] or not texts[1]:
        return None
    return SysexState(row=Row(body[0], *texts))


def read_sysex(message: bytes, host_s: float) -> list[TransportObservation]:
    """What the synchronizer makes of it: tempo and record state; the position comes by MIDI timecode."""
    said = decode(message)
    if said is None or (said.bpm is None and said.recording is None):
        return []
    return [TransportObservation("script", host_s, bpm=said.bpm, recording=said.recording)]


class SyncScript:
    """What is known of the script on the sync port; `feed` answers with sentences for the user, each said once."""

    def __init__(self) -> None:
        self.host = self.script = self.interpreter = ""
        self.rows: dict[tuple[str, str], Row] = {}
        self._said: set[str] = set()

    def feed(self, message: bytes) -> list[str]:
        said = decode(message)
        if said is None:
            return []
        if said.protocol is not None and said.protocol != PROTOCOL:
            return self._once(
                f"The Cubase script speaks protocol {said.protocol}, this is {PROTOCOL}: run `cuebridge install-script "
                "cubase` again and reload the scripts in the MIDI Remote Manager."
            )
        if said.names is not None:
            self.host, self.script, self.interpreter = said.names
            return self._once(f"{self.host or 'Cubase'}: the script {self.script} tells tempo and state.")
        if said.row is not None and len(self.rows) < _MOST_ROWS:
            self.rows[said.row.feature, said.row.call] = said.row
            if said.row.works == 0:
                cost = COSTS.get(said.row.feature, f"{said.row.call} does not work")
                why = f": {said.row.why}" if said.row.why else ""
                return self._once(f"In this {self.host or 'Cubase'}, {cost} ({said.row.call}{why}).")
        return []

    def _once(self, sentence: str) -> list[str]:
        if sentence in self._said or len(self._said) > _MOST_ROWS:
            return []
        self._said.add(sentence)
        return [sentence]
