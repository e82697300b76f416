"""Cues as they are written on a command line: `1m1 10 42.5 key=Am bpm=96 progression=Am F C G`.

Name, In and Out (picture seconds; Out may be `end`), then what the cue has of its own, in any order; `progression=`
comes last and takes the rest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from engine.music.composition import ENDINGS, Cue
from engine.music.errors import MusicError
from engine.music.key import Key
from engine.music.lead_sheet import parse_progression
from engine.music.marks import TempoMark
from engine.music.progression import MODES

WORDS: Final = ("key", "bpm", "bar1", "ending", "tail", "mode", "progression")


@dataclass(frozen=True, slots=True)
class WrittenCue:
    """What was written.  bar_1_s: picture second of its bar 1, None: its bars are the timeline's; bpm None: the film's;
    mode: of the progression."""

    name: str
    in_s: float
    out_s: float | None
    key: str = "auto"
    bpm: float | None = None
    bar_1_s: float | None = 0.0
    ending: str = "tonic"
    tail_s: float = 2.0
    mode: str = "start"
    progression: str = ""

    def cue(self, number: int, key: Key | None = None) -> Cue:
        """key: in which degrees are read where the cue has none of its own."""
        own = None if self.key == "auto" else Key.parse(self.key)
        return Cue(
            name=self.name,
            in_s=self.in_s,
            out_s=self.out_s,
            bar_1_s=self.in_s if self.bar_1_s is None else max(self.bar_1_s, self.in_s),
            key=own,
            progression=parse_progression(self.progression, self.mode, own or key) if self.progression else None,
            ending=self.ending,
            tail_s=self.tail_s,
            number=number,
        )

    @property
    def mark(self) -> TempoMark | None:
        return None if self.bar_1_s is None else TempoMark(self.bar_1_s, self.bpm, True)


def parse_cue(text: str) -> WrittenCue:
    """Raises MusicError."""
    head, _, chords = text.partition("progression=")
    words = head.split()
    if len(words) < 3:
        raise MusicError(f"'{text}' is not a cue; write its name, In and Out: `1m1 10 42.5`, or `1m1 10 end`.")
    name, in_s = words[0], _seconds(words[1], "In")
    out_s = None if words[2] == "end" else _seconds(words[2], "Out")
    given: dict[str, str] = {}
    for word in words[3:]:
        what, equals, value = word.partition("=")
        if not equals or what not in WORDS:
            raise MusicError(f"'{word}' is not a property of a cue; known are {', '.join(WORDS)}, as in key=Am.")
        given[what] = value
    ending, mode = given.get("ending", "tonic"), given.get("mode", "start")
    if ending not in ENDINGS or mode not in MODES:
        raise MusicError(f"a cue ends {', '.join(ENDINGS)}, and modes are {', '.join(MODES)}.")
    written = WrittenCue(
        name,
        in_s,
        out_s,
        given.get("key", "auto"),
        _number(given["bpm"], "bpm", 20, 400) if "bpm" in given else None,
        _seconds(given["bar1"], "bar 1") if "bar1" in given else in_s,
        ending,
        _number(given.get("tail", "2"), "tail", 0, 30),
        mode,
        chords.strip().strip("'\""),
    )
    written.cue(0)  # what cannot be is said now
    return written


def parse_cues(texts: Sequence[str]) -> tuple[WrittenCue, ...]:
    """In order of their In.  Raises MusicError where two overlap or have one name."""
    cues = tuple(sorted((parse_cue(text) for text in texts), key=lambda cue: cue.in_s))
    for first, second in pairwise(cues):
        if (first.out_s is not None and first.out_s > second.in_s) or first.in_s == second.in_s:
            raise MusicError(f"cue {second.name} would begin at {second.in_s:g} s, inside cue {first.name}.")
    names = [cue.name for cue in cues]
    for name in names:
        if names.count(name) > 1:
            raise MusicError(f"there are two cues {name}.")
    return cues


def _seconds(text: str, what: str) -> float:
    return _number(text, what, 0, 360_000)


def _number(text: str, what: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise MusicError(f"'{text}' is no {what} of a cue; it is a number from {low:g} to {high:g}.")
    return value
