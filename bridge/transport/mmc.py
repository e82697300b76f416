"""MIDI machine control: locate, record strobe and exit, play and stop (MMA RP-013).

`F0 7F id 06 command … F7`.  DAWs that send MTC often tell a locate at standstill, and the record state, only
here.
"""

from __future__ import annotations

from typing import Final

from bridge.transport.mtc import MtcReader
from bridge.transport.state import TransportObservation

STOP, PLAY, DEFERRED_PLAY, RECORD_STROBE, RECORD_EXIT, RECORD_PAUSE, PAUSE, LOCATE = 1, 2, 3, 6, 7, 8, 9, 0x44
_RECORDING: Final = {RECORD_STROBE: True, RECORD_EXIT: False, STOP: False}


def read_mmc(message: bytes, host_s: float, mtc: MtcReader) -> list[TransportObservation]:
    """Observations of one message; [] for anything else.  `mtc` knows the stated frame rate."""
    if len(message) < 6 or message[:2] != b"\xf0\x7f" or message[3] != 6 or message[-1] != 0xF7:
        return []
    found: list[TransportObservation] = []
    body = message[4:-1]
    index = 0
    while index < len(body):
        command = body[index]
        index += 1
        if command in (0x40, 0x41, 0x43, 0x44, 0x45, 0x47) or 0x40 <= command <= 0x77:
            if index >= len(body):
                break
            length = body[index]
            data = body[index + 1 : index + 1 + length]
            index += 1 + length
            if command == LOCATE and length >= 5 and len(data) >= 5 and data[0] == 1:
                code = mtc.located(data[1] >> 5 & 3, data[1] & 31, data[2], data[3], data[4] & 31)
                if code is not None:
                    position = float(code.seconds)
                    found.append(TransportObservation("mmc", host_s, position_s=position, locate=True))
            continue
        if command in _RECORDING:
            found.append(TransportObservation("mmc", host_s, recording=_RECORDING[command]))
    return found
