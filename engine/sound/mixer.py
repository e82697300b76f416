"""Parts and the film's own sound, added up block by block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

import numpy as np

from engine.sound.events import SoundEvents
from engine.sound.levels import GainCurve
from engine.sound.renderer import PartStream
from engine.sound.voice import SAMPLE_RATE, Voices

FILM: Final = "film"  # name of the film's own sound among the streams
FILM_SOUNDS: Final = ("keep", "duck", "drop")
MUSIC_DB: Final = 3.0  # brings an ordinary cue to about -21 LUFS, beside a film's sound that lies there too
DUCK_DB: Final = -12.0  # how far the film's sound goes down under music
_DUCK_FROM: Final = 10 ** (-50 / 20)  # RMS above which there is music
_DUCK_STEP: Final = SAMPLE_RATE // 100
_DUCK_DOWN, _DUCK_UP = 0.3, 1.2  # seconds to go most of the way
_FADE_OUT: Final = SAMPLE_RATE // 20  # what still rings in the film's last 50 ms fades


class Reader(Protocol):
    """A stream of stereo sound: `read(count)` gives the next (2, count) float32 samples."""

    def read(self, count: int) -> np.ndarray: ...


class Mixer:
    """Streams of the parts, with their levels, and of the film's sound.

    film: stream of the film's own sound, None leaves it out; duck: lower it while there is music.  `read` gives the
    streams by name; the mix is their sum.
    """

    def __init__(
        self,
        events: SoundEvents,
        voices: Voices,
        film: Reader | None = None,
        *,
        duck: bool = False,
    ) -> None:
        self.length = events.length
        self._parts = {
            part: PartStream(voices, events.programs(part), found.notes)
            for part, found in events.parts.items()
            if found.notes
        }
        self._gains = {part: GainCurve(events.parts[part].changes, MUSIC_DB) for part in self._parts}
        self._film = film
        self._duck = Ducker() if duck else None
        self.position = 0

    @property
    def names(self) -> tuple[str, ...]:
        return (*self._parts, *((FILM,) if self._film is not None else ()))

    def seek(self, sample: int) -> None:
        """Goes to a sample: the parts then sound as if played from the start.

        Raises ValueError where the film's sound is among the streams: it only runs on.
        """
        if self._film is not None:
            raise ValueError("a mixer with the film's sound cannot seek")
        self.position = sample
        for stream in self._parts.values():
            stream.seek(sample)

    def read(self, count: int) -> dict[str, np.ndarray]:
        """The next samples of each stream: (2, n) float32, n = count but for the last block; empty at the end."""
        start = self.position
        count = min(count, self.length - start)
        if count <= 0:
            return {}
        self.position += count
        out = {}
        for part, stream in self._parts.items():
            block = stream.read(count)
            gain = self._gains[part].values(start, count)
            block *= gain if isinstance(gain, np.ndarray) else np.float32(gain)
            out[part] = block
        if self._film is not None:
            block = self._film.read(count)
            if self._duck is not None:
                block = block * self._duck.gain(add_up(out, count))
            out[FILM] = block
        fading = start + count - (self.length - _FADE_OUT)
        if fading > 0:
            places = np.arange(start, start + count) - (self.length - _FADE_OUT)
            fade = (0.5 + 0.5 * np.cos(np.pi * np.clip(places / _FADE_OUT, 0, 1))).astype(np.float32)
            for name, block in out.items():
                if name != FILM:
                    block *= fade
        return out


def add_up(streams: Mapping[str, np.ndarray], count: int) -> np.ndarray:
    """(2, count) float32: the sum of streams, in their order."""
    mix = np.zeros((2, count), np.float32)
    for block in streams.values():
        mix += block
    return mix


class Ducker:
    """Gain of the film's sound: down while there is music, up again after it."""

    def __init__(self) -> None:
        self._db = 0.0

    def gain(self, music: np.ndarray) -> np.ndarray:
        """music: (2, n) -> (n,) float32.  Level is judged every 10 ms, the gain is straight between."""
        count = music.shape[1]
        steps = -(-count // _DUCK_STEP)
        padded = np.zeros((2, steps * _DUCK_STEP), np.float32)
        padded[:, :count] = music
        rms = np.sqrt(np.square(padded).reshape(2, steps, -1).mean(axis=(0, 2)))
        corners = [self._db]
        for level in rms:
            goal, time_s = (DUCK_DB, _DUCK_DOWN) if level > _DUCK_FROM else (0.0, _DUCK_UP)
            self._db += (goal - self._db) * min(_DUCK_STEP / SAMPLE_RATE / (time_s / 3), 1.0)
            corners.append(self._db)
        curve = np.interp(np.arange(count), np.arange(steps + 1) * _DUCK_STEP, corners)
        return (10 ** (curve / 20)).astype(np.float32)
