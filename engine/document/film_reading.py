"""A film and what was seen in it, as a session keeps it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.music import Cut, Film


@dataclass(frozen=True, slots=True)
class FilmReading:
    """A film and what was seen in it.

    reading: "full" or "quick", reason: why.  affect_mean: six weights over the film.  fingerprint: of the file's
    content, "" where it is not known.
    """

    film: Film
    cuts: tuple[Cut, ...] = ()
    reading: str = "quick"
    reason: str = ""
    affect_mean: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    fingerprint: str = ""
