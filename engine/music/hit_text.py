"""Hits as they are written on a command line: `4.71! door=9.62? 01:00:16:08`."""

from __future__ import annotations

import re
from typing import Final

from engine.music.composition import Film, Hit
from engine.music.errors import UserError

_MARKS: Final = {"!": "must", "?": "nice", "": "should"}
_WORD: Final = re.compile(r"(?:(?P<name>[^=\s]+)=)?(?P<time>[0-9][0-9:;.,]*)(?P<mark>[!?]?)")
_DECIMAL_COMMA: Final = re.compile(r"(?:[^=\s,]+=)?\d+,\d+[!?]?")


def parse_hits(text: str, film: Film) -> tuple[Hit, ...]:
    """Reads hits: seconds or timecode of the film, `!` for must, `?` for nice, a name before `=`.

    Commas part hits, or are decimal commas where every hit has the form `4,71` (see `hits_reading`).  Raises UserError.
    """
    hits = []
    for word in _words(text):
        match = _WORD.fullmatch(word)
        if match is None:
            raise UserError(f"'{word}' is not a hit; write for example 4.71, 01:00:16:08! or door=9.62?.")
        hits.append(Hit(_time_s(match["time"], film), _MARKS[match["mark"]], match["name"] or ""))
    return tuple(hits)


def hits_reading(text: str) -> str:
    """A sentence where `5,10` may be one hit or two, saying that it is taken as one; else ""."""
    words = text.split()
    if len(words) == 1 and "," in words[0] and _has_decimal_commas(words):
        one, two = words[0].replace(",", "."), words[0].replace(",", " ")
        return f"'{words[0]}' is read as one hit at {one} s; write '{two}' for two."
    return ""


def _has_decimal_commas(words: list[str]) -> bool:
    return bool(words) and all("," not in word or _DECIMAL_COMMA.fullmatch(word) for word in words)


def _words(text: str) -> list[str]:
    words = text.split()
    if _has_decimal_commas(words):
        return [word.replace(",", ".") for word in words]
    return text.replace(",", " ").split()


def _time_s(text: str, film: Film) -> float:
    if ":" not in text and ";" not in text:
        try:
            return float(text)
        except ValueError:
            raise UserError(f"'{text}' is neither seconds nor a timecode.") from None
    return float(film.clock.seconds_at(text))
