"""What the kinds of MIDI output share: the inputs that come with one, its loss, and errors in one line.

python-rtmidi and JACK let their C libraries write complaints to file descriptor 2; `quiet_stderr` keeps them off the
terminal.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass


class PortLostError(Exception):
    """The port or its MIDI system went away."""


@dataclass(frozen=True, slots=True)
class SyncIn:
    """The port through which the DAW's MTC, clock and MMC come: its name, and who is told (host_s, message).
    `hear` is called from a thread of the MIDI system: it stores the message and wakes the player, nothing
    more."""

    name: str
    hear: Callable[[float, bytes], None]


@dataclass(frozen=True, slots=True)
class ControlIn:
    """The port through which a person's faders, pads and pedals come.  source: a part of the name of an input to be
    connected to it, "" for none.  `hear` as in SyncIn."""

    name: str
    hear: Callable[[float, bytes], None]
    source: str = ""


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """File descriptor 2 goes nowhere inside: C libraries write there whatever Python does."""
    sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # closed already
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def one_line(error: BaseException) -> str:
    words = re.sub(r"^Midi(In|Out)\w*::\w+: ", "", " ".join(str(error).split()))  # as rtmidi begins
    return words or type(error).__name__


def no_source(wanted: str, names: Sequence[str]) -> str:
    """Said where `--control-from` names nothing."""
    there = f"there are: {', '.join(names)}" if names else "there is none"
    return f"no MIDI input has '{wanted}' in its name ({there}); the control port is open, nothing is connected to it."
