"""From an OSC message to what it asks of which controls: names in use and old ones, patterns, buttons."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bridge.osc.codec import Message
from bridge.osc.patterns import PatternError, is_pattern, matching
from engine.music.arguments import ControlError, Value
from engine.music.controls import ALIASES, BY_ADDRESS, Control, current_address

MAX_REQUESTS: Final = 256  # of one datagram
MAX_PATTERNS: Final = 8  # of one datagram
_LIKE: Final = 0.75  # how alike a misspelt address has to be
_LONGEST_LIKE: Final = 64
_MOST_LIKE: Final = 4  # misspelt addresses of one datagram for which the right one is looked for

# What can be subscribed; under old names too: whoever uses one is answered and sent values on it.
READABLE: Final = tuple(address for address, control in BY_ADDRESS.items() if control.access != "do")
OLD_READABLE: Final = tuple(old for old, address in ALIASES.items() if address in READABLE)


@dataclass(frozen=True, slots=True)
class Request:
    """One thing asked of one control.  asked: its address as the sender has it; arguments: none reads a value."""

    control: Control
    arguments: tuple[Value, ...]
    asked: str


def requests_of(messages: tuple[Message, ...]) -> tuple[list[Request], list[tuple[str, ControlError]]]:
    """What the messages of a datagram ask for, checked, and what is refused: (address as sent, why)."""
    found: list[Request] = []
    refused: list[tuple[str, ControlError]] = []
    for _ in read_requests(messages, found, refused):
        pass
    return found, refused


def read_requests(
    messages: tuple[Message, ...], found: list[Request], refused: list[tuple[str, ControlError]]
) -> Iterator[None]:
    """The same, message by message, since hundreds of them take longer than a turn of the session has."""
    patterns = 0
    for message in messages:
        try:
            patterns += message.address not in BY_ADDRESS and is_pattern(message.address)
            if patterns > MAX_PATTERNS:
                raise ControlError("busy", f"a bundle has at most {MAX_PATTERNS} patterns.")
            found += _requests(message, len(refused) < _MOST_LIKE)
            if len(found) > MAX_REQUESTS:
                raise ControlError("busy", f"one datagram may ask for at most {MAX_REQUESTS} things.")
        except ControlError as error:
            refused.append((message.address, error))
        yield


def _requests(message: Message, suggests: bool) -> list[Request]:
    rows = _find(message.address, suggests)
    several = len(rows) > 1
    result = []
    for asked, control in rows:
        pressed = control.button(message.arguments)
        if pressed is not None:
            if pressed:
                result.append(Request(control, (), asked))
            continue
        if control.access == "state" and message.arguments:
            if several:
                continue
            raise ControlError("bad_type", f"{control.address} can only be read.")
        reads = not message.arguments and control.access in ("value", "state")
        result.append(Request(control, () if reads else control.check(message.arguments), asked))
    return result


def _find(address: str, suggests: bool) -> list[tuple[str, Control]]:
    control = BY_ADDRESS.get(current_address(address))
    if control is not None:
        return [(address, control)]
    if not is_pattern(address):
        nearest = _nearest(address) if suggests else ""
        raise ControlError("unknown_address", f"{address[:80]} is not an address of CueBridge{nearest}.")
    try:
        names = matching(address, tuple(BY_ADDRESS)) or matching(address, tuple(ALIASES))
    except PatternError as error:
        raise ControlError("bad_value", str(error)) from None
    if not names:
        raise ControlError("unknown_address", f"no address matches {address[:80]}.")
    rows = [(name, BY_ADDRESS[current_address(name)]) for name in names]
    if any(control.access == "do" for _, control in rows):
        raise ControlError("bad_value", "a pattern may read and set values, not trigger actions.")
    return rows


@lru_cache(maxsize=256)
def _nearest(address: str) -> str:
    """`; the nearest is /cue/chords/pin`, or nothing where none is near."""
    if len(address) > _LONGEST_LIKE:
        return ""
    tail = "/" + address.strip("/").rpartition("/")[2]
    same_end = [known for known in BY_ADDRESS if known.endswith(tail) and "/part/" not in known]
    close = same_end or difflib.get_close_matches(address, BY_ADDRESS, 1, _LIKE)
    return f"; the nearest is {min(close, key=len)}" if close else ""
