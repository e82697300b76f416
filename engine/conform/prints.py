"""Fingerprints of a film's frames: small enough to compare every frame of one cut with every frame of another.

A print is the luma of 16 x 9 fields of the picture, matte cut away, on a grid of equal times.  Two prints are compared
without their darkest or brightest shift and without the fields that differ most, so that another size, grade, code or
burnt-in text leaves the same frame near.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from engine.music import Film

if TYPE_CHECKING:
    from engine.video.mask import Mask, Rectangle

COLUMNS, ROWS = 16, 9
FIELDS: Final = COLUMNS * ROWS
_SAMPLES: Final = 24  # frames in which a matte is looked for
KEPT: Final = round(FIELDS * 0.75)  # fields that are compared: the others may hold text or a logo


Part = tuple[float, float, float, float]
WHOLE: Final[Part] = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class FilmPrints:
    """prints: (N, FIELDS) float32, the frame that stands at each n / rate.  notes: sentences about the film.  picture:
    the part of the frame that was looked at: left, top, right and bottom as shares of it.  decoded: what it was made
    of."""

    film: Film
    rate: Fraction
    prints: np.ndarray
    notes: tuple[str, ...] = ()
    picture: Part = WHOLE
    decoded: Decoded | None = None

    def at(self, rate: Fraction) -> FilmPrints:
        """The same film at another number of prints a second; only of one that was decoded."""
        assert self.decoded is not None
        return replace(self, rate=rate, prints=self.decoded.prints(rate))

    def __len__(self) -> int:
        return len(self.prints)


def read_prints(
    path: str | os.PathLike[str],
    rate: Fraction | None = None,
    progress: Callable[[float], None] = lambda share: None,
    part: Part | None = None,
) -> FilmPrints:
    """Decodes a film.  rate: prints a second, None: the film's.  part: what of the frame to look at, None: all but its
    matte.  Raises VideoError."""
    from engine.video.film import probe
    from engine.video.mask import Mask, find_mask, matte_of

    picture = find_mask(str(path)).picture if part is None else _rectangle(probe(path), part)
    read = _read(path, Mask(picture), progress)
    if picture is None and part is None:  # of a film with few key frames the matte is seen in what was decoded
        picture = matte_of(read.samples, read.film.width, read.film.height)
        if picture is not None:
            read = _read(path, Mask(picture), progress)
    rate = rate or read.film.rate.fps
    prints = read.prints(rate)
    width, height = max(read.film.width, 1), max(read.film.height, 1)
    if picture is None:
        return FilmPrints(read.film, rate, prints, read.notes, decoded=read)
    seen = (picture.x / width, picture.y / height, (picture.x + picture.w) / width, (picture.y + picture.h) / height)
    return FilmPrints(read.film, rate, prints, read.notes, seen, read)


def _rectangle(film: Film, part: Part) -> Rectangle:
    from engine.video.mask import Rectangle

    left, top, right, bottom = (
        round(share * size) for share, size in zip(part, (film.width, film.height) * 2, strict=True)
    )
    return Rectangle(left, top, max(right - left, 1), max(bottom - top, 1))


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """times, rows: of each frame; a row is (FIELDS,) uint8.  samples: grey pictures spread over the film."""

    film: Film
    duration_s: float
    times: list[float]
    rows: list[np.ndarray]
    samples: list[np.ndarray]
    notes: tuple[str, ...]

    def prints(self, rate: Fraction) -> np.ndarray:
        """(N, FIELDS) float32: the frame that stands in the middle of each step of 1 / rate seconds, since times of
        another rate fall between the frames."""
        count = max(round(self.duration_s * float(rate)), 1)
        middles = (np.arange(count) + 0.5) / float(rate)
        places = np.clip(np.searchsorted(np.asarray(self.times), middles, side="right") - 1, 0, len(self.rows) - 1)
        return np.asarray(self.rows, np.float32)[places]


def _read(path: str | os.PathLike[str], mask: Mask, progress: Callable[[float], None]) -> Decoded:
    import cv2

    from engine.video.film import open_film
    from engine.video.frames import FrameReader

    opened = open_film(path)
    try:
        reader = FrameReader(opened, mask=mask)
        times: list[float] = []
        rows: list[np.ndarray] = []
        samples: list[np.ndarray] = []
        length_s = max(opened.film.duration_s, 1e-6)
        for picture in reader:
            grey = cv2.cvtColor(picture.small, cv2.COLOR_BGR2GRAY)
            rows.append(cv2.resize(grey, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA).reshape(-1))
            times.append(picture.time_s)
            if picture.time_s >= (len(samples) + 0.5) / _SAMPLES * length_s and len(samples) < _SAMPLES:
                samples.append(grey)
            if len(rows) % 50 == 0:
                progress(min(picture.time_s / length_s, 1.0))
        return Decoded(opened.film, reader.duration_s, times, rows, samples, tuple(opened.notes))
    finally:
        opened.close()


def distances(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How far a print (FIELDS,) is from each of others (N, FIELDS): mean luma difference of the nearest fields."""
    apart = others - one
    apart -= np.median(apart, axis=1, keepdims=True)
    np.abs(apart, out=apart)
    apart.partition(KEPT - 1, axis=1)
    return apart[:, :KEPT].mean(axis=1)


def normal(prints: np.ndarray) -> np.ndarray:
    """Prints without mean and of length 1, whose products say how alike they are."""
    centred = prints - prints.mean(axis=1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-3)
