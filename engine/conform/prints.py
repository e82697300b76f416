"""Fingerprints of a film's frames: small enough to compare every frame of one cut with every frame of another.

A print is the luma of 16 x 9 fields of the picture, matte cut away, on a grid of equal times.  Two prints are compared
without their darkest or brightest shift and without the fields that differ most, so that another size, grade, code or
burnt-in text leaves the same frame near.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from engine.music import Film

COLUMNS, ROWS = 16, 9
FIELDS: Final = COLUMNS * ROWS
KEPT: Final = round(FIELDS * 0.75)  # fields that are compared: the others may hold text or a logo


@dataclass(frozen=True, slots=True, eq=False)
class FilmPrints:
    """prints: (N, FIELDS) float32, the frame that stands at each n / rate.  notes: sentences about the film."""

    film: Film
    rate: Fraction
    prints: np.ndarray
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.prints)


def read_prints(
    path: str | os.PathLike[str],
    rate: Fraction | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> FilmPrints:
    """Decodes a film once.  rate: prints a second, None: the film's.  Raises VideoError."""
    import cv2

    from engine.video.film import open_film
    from engine.video.frames import FrameReader
    from engine.video.mask import Mask, find_mask

    found = find_mask(str(path))
    opened = open_film(path)
    try:
        reader = FrameReader(opened, mask=Mask(found.picture))
        times: list[float] = []
        rows: list[np.ndarray] = []
        for picture in reader:
            grey = cv2.cvtColor(picture.small, cv2.COLOR_BGR2GRAY)
            rows.append(cv2.resize(grey, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA).reshape(-1))
            times.append(picture.time_s)
            if len(rows) % 50 == 0:
                progress(min(picture.time_s / max(opened.film.duration_s, 1e-6), 1.0))
        duration_s = reader.duration_s
    finally:
        opened.close()
    rate = rate or opened.film.rate.fps
    count = max(round(duration_s * float(rate)), 1)
    # The frame that stands in the middle of each step: times of another rate fall between ours.
    middles = (np.arange(count) + 0.5) / float(rate)
    places = np.clip(np.searchsorted(np.asarray(times), middles, side="right") - 1, 0, len(rows) - 1)
    return FilmPrints(opened.film, rate, np.asarray(rows, np.float32)[places], tuple(opened.notes))


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
