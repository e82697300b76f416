"""OSC 1.0 address patterns, matched in time that a sender cannot stretch.

A pattern becomes one automaton whose states are the bits of an integer, all alternatives of its braces side by side; an
address is then a few operations a character, whatever the pattern is.  Lengths are bounded, so that the worst pattern
costs a few milliseconds over all addresses (see tests/bench/osc_flood.py).

Source: OpenSoundControl Specification 1.0, "OSC Message Dispatching and Pattern Matching".
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from bridge.osc.codec import MAX_ADDRESS

MAX_WRITTEN_OUT: Final = 2048  # characters of a pattern with its braces written out
_MARKS: Final = frozenset("*?[{")


class PatternError(ValueError):
    """A pattern that is too long or has too many alternatives; the text is one sentence."""


def is_pattern(address: str) -> bool:
    """Whether an address asks for several (`*`, `?`, `[…]`, `{a,b}`)."""
    return not _MARKS.isdisjoint(address)


@lru_cache(maxsize=256)
def matching(pattern: str, addresses: tuple[str, ...]) -> tuple[str, ...]:
    """The addresses that match, in their order.  Raises PatternError."""
    automaton = Pattern(pattern)
    return tuple(address for address in addresses if automaton.matches(address))


class Pattern:
    """A pattern ready to be matched.  Raises PatternError."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_ADDRESS:
            raise PatternError(f"a pattern has at most {MAX_ADDRESS} characters.")
        self._literal: dict[str, int] = {}  # character -> positions that it leads on from
        self._any = 0  # positions that any character but a slash leads on from
        self._stars = 0
        self._excluded: dict[str, int] = {}  # character -> positions of `[!…]` that it does not lead on from
        self._start = self._end = 0
        position = 0
        for alternative in written_out(text):
            self._start |= 1 << position
            position = self._add(alternative, position)
            self._end |= 1 << position
            position += 1
        self._start = self._after_stars(self._start)

    def _add(self, text: str, position: int) -> int:
        """Appends one alternative; returns the position after it."""
        index, star_before = 0, False
        while index < len(text):
            mark = text[index]
            close = text.find("]", index + 1) if mark == "[" else -1
            bit = 1 << position
            index += 1
            if mark == "*":
                if star_before:
                    continue
                self._stars |= bit
            elif mark == "?":
                self._any |= bit
            elif close > 0:
                self._add_set(text[index:close], bit)
                index = close + 1
            else:
                self._literal[mark] = self._literal.get(mark, 0) | bit
            star_before = mark == "*"
            position += 1
        return position

    def _add_set(self, text: str, bit: int) -> None:
        inverted = text.startswith("!")
        table = self._excluded if inverted else self._literal
        if inverted:
            self._any |= bit
        for character in _characters(text[inverted:]):
            table[character] = table.get(character, 0) | bit

    def _after_stars(self, reached: int) -> int:
        """With the positions behind a `*` that matches nothing; no two stars stand beside each other."""
        return reached | (reached & self._stars) << 1

    def matches(self, address: str) -> bool:
        reached = self._start
        for character in address:
            onward = self._literal.get(character, 0)
            if character != "/":
                onward |= self._any & ~self._excluded.get(character, 0)
                stay = reached & self._stars
            else:
                stay = 0
            reached = self._after_stars((reached & onward) << 1 | stay)
            if not reached:
                return False
        return bool(reached & self._end)


def written_out(pattern: str) -> tuple[str, ...]:
    """`{a,b}` written out; without braces the pattern itself.  Raises PatternError for too many alternatives."""
    results: list[str] = [""]
    index = 0
    while index < len(pattern):
        close = pattern.find("}", index) if pattern[index] == "{" else -1
        following = close + 1 if close >= 0 else _next_brace(pattern, index)
        pieces = pattern[index + 1 : close].split(",") if close >= 0 else [pattern[index:following]]
        length = sum(len(head) for head in results) * len(pieces) + sum(map(len, pieces)) * len(results)
        if length > MAX_WRITTEN_OUT or len(results) * len(pieces) > MAX_WRITTEN_OUT // 8:
            raise PatternError("this pattern has too many alternatives; subscribe or set in several messages.")
        results = [head + piece for head in results for piece in pieces]
        index = following
    return tuple(results)


def _next_brace(pattern: str, index: int) -> int:
    """The next `{` after a position, or the end."""
    found = pattern.find("{", index + 1)
    return len(pattern) if found < 0 else found


def _characters(text: Sequence[str]) -> set[str]:
    found: set[str] = set()
    index = 0
    while index < len(text):
        if index + 2 < len(text) and text[index + 1] == "-":
            found.update(chr(code) for code in range(ord(text[index]), min(ord(text[index + 2]), 126) + 1))
            index += 3
        else:
            found.add(text[index])
            index += 1
    return found
