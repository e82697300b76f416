"""What the /daw/* messages are made of: their base, their limits, and the checks that several share."""

from __future__ import annotations

from typing import ClassVar, Final

from bridge.osc import codec
from engine.music.errors import UserError

PROTOCOL: Final = 1
PREFIX: Final = "/daw/"
DEFAULT_PORT: Final = 9317  # where the shipped scripts send; chosen from IANA's unassigned ports
MAX_ARGUMENTS: Final = codec.MAX_ARGUMENTS  # of one message: longer lists come in chunks
TEXT_LIMIT: Final = 1024  # characters
POSITION_LIMIT_S: Final = 1_000_000.0  # 11 days: beyond it no timeline reaches
MAX_ITEMS: Final = 4096  # tempo points, markers or regions of one project

PLAYING, RECORDING, PAUSED, LOOPING, COUNT_IN = 1, 2, 4, 8, 16
REFUSED, WORKS, NOT_TRIED = 0, 1, 2  # of a Capability
ALL_MARKERS: Final = -1  # in DoUnmark: every marker that we set
SCOPES: Final = ("selection", "cue", "film")


class DawProtocolError(UserError):
    """A refused message.  code: "unknown_address", "bad_type" or "bad_value"."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def bad_value(sentence: str) -> DawProtocolError:
    """To be raised: a value that cannot be."""
    return DawProtocolError("bad_value", sentence)


def plain(text: str) -> str:
    """Text from outside as it may be shown: a terminal obeys control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


class Message:
    """A message, or an item of one.  TAGS: OSC type tags of its fields in order, but for the items."""

    __slots__ = ()
    ADDRESS: ClassVar[str]
    TAGS: ClassVar[str]

    def check(self) -> None:
        """Raises DawProtocolError for values that fit their types and yet cannot be."""


def check_tempo(bpm: float, numerator: int, denominator: int) -> None:
    if not 1 <= bpm <= 2000:
        raise bad_value(f"tempo {bpm:g} is outside 1 to 2000 bpm.")
    if not 1 <= numerator <= 64 or denominator not in (1, 2, 4, 8, 16, 32, 64):
        raise bad_value(f"{numerator}/{denominator} is not a time signature.")


def check_position(seconds: float) -> None:
    if abs(seconds) > POSITION_LIMIT_S:
        raise bad_value(f"position {seconds:g} s is outside any timeline.")


def check_range(start_s: float, end_s: float) -> None:
    check_position(start_s)
    check_position(end_s)
    if end_s < start_s:
        raise bad_value(f"a range from {start_s:g} to {end_s:g} s ends before it begins.")


def check_chunk(total: int, first: int, count: int) -> None:
    if not 0 <= total <= MAX_ITEMS or not 0 <= first <= first + count <= total or (total > 0 and count == 0):
        raise bad_value(f"items {first} to {first + count} of {total} are no part of a list.")
