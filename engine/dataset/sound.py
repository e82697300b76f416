"""A film's sound for those who listen to it: passages as .wav files, and how loud each second is."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from engine.dataset.errors import DatasetError
from engine.sound.film_sound import FilmSound
from engine.sound.voice import SAMPLE_RATE

PASSAGE_S: Final = 600  # so much is heard at a time, however long the film
MARGIN_S: Final = 6  # heard before and after a passage too, since a chord or a note needs its surroundings
_FULL_SCALE: Final = 32767


@dataclass(frozen=True, slots=True)
class Passage:
    """wave: mono, 16 bits, 48 kHz.  begin_s, end_s: what it stands for; first_s: the film's second at its sample 0."""

    wave: Path
    first_s: int
    begin_s: int
    end_s: int


def loudness_of(samples: np.ndarray) -> float:
    """Paper eq. 1 and 2: 20 log10(RMS / 32767) in dB, and 10^(dB / 20), 0..1.

    samples: (n,) float32 of one second, -1..1, mono, as 16 bits hold them.
    """
    if not len(samples):
        return 0.0
    rms = float(np.sqrt(np.mean(np.square(_integers(samples), dtype=np.float64))))
    if rms <= 0:
        return 0.0
    decibels = 20 * np.log10(rms / _FULL_SCALE)
    return min(1.0, float(10 ** (decibels / 20)))


def loudness_by_second(film: str, seconds: int) -> np.ndarray:
    """(seconds,) float32, 0..1.  Raises DatasetError where the film has no sound."""
    with closing(_open(film)) as sound:
        found = [loudness_of(sound.read(SAMPLE_RATE).mean(axis=0)) for _ in range(seconds)]
    return np.array(found, np.float32)


def passages(film: str, seconds: int, folder: Path) -> Iterator[Passage]:
    """Writes the sound as .wav files of at most ten minutes and twice the margin; each is removed when the next is
    asked for.
    """
    with closing(_open(film)) as sound:
        kept = np.zeros(0, np.int16)
        kept_first = at = 0  # seconds: where `kept` begins, and how far the film has been read
        for begin in range(0, seconds, PASSAGE_S):
            end = min(seconds, begin + PASSAGE_S)
            first, last = max(0, begin - MARGIN_S), min(seconds, end + MARGIN_S)
            kept, kept_first = kept[(first - kept_first) * SAMPLE_RATE :], first
            pieces = [kept]
            while at < last:
                pieces.append(_integers(sound.read(SAMPLE_RATE).mean(axis=0)).astype(np.int16))
                at += 1
            kept = np.concatenate(pieces)
            path = folder / f"passage-{begin}.wav"
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(SAMPLE_RATE)
                file.writeframes(kept.astype("<i2").tobytes())
            yield Passage(path, first, begin, end)
            path.unlink()


def _open(film: str) -> FilmSound:
    sound = FilmSound(film)
    if not sound.present:
        sound.close()
        raise DatasetError(f"{Path(film).name} has no sound, so there is no music to learn from.")
    return sound


def _integers(samples: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(samples * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE)
