"""A mix kept in a temporary file and brought, through the limiter, to a loudness."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import numpy as np

from engine.sound.files import cannot_write
from engine.sound.limiter import Limiter
from engine.sound.loudness import STEP, LoudnessMeter
from engine.sound.renderer import BLOCK

_NEAR_ENOUGH: Final = 0.2  # LU
_MOST_TRIES: Final = 5
_MOST_GAIN_DB: Final = 40.0


@contextmanager
def mix_beside(output: Path) -> Iterator[Mix]:
    """A mix without sound yet, in a file without a name on the output's disk that is gone at the end.

    Raises SoundError where none can be made.
    """
    try:
        file = tempfile.TemporaryFile(prefix=f".{output.stem}.", dir=output.parent)  # noqa: SIM115
    except OSError as error:
        raise cannot_write(output, error) from error
    with file:
        yield Mix(file, output)


class Mix:
    """Blocks are added; then its gain is found and the limited sound is read."""

    def __init__(self, file: IO[bytes], output: Path) -> None:
        self._file, self._output = file, output
        self._meter, self._peak = LoudnessMeter(), 0.0

    def add(self, block: np.ndarray) -> None:
        """block: (2, n) float32.  Raises SoundError where the disk is full."""
        self._meter.add(block)
        self._peak = max(self._peak, float(np.abs(block).max(initial=0)))
        try:
            self._file.write(block.T.astype(np.float32, copy=False).tobytes())
        except OSError as error:
            raise cannot_write(self._output, error) from error

    def gain_for(self, wanted: float | None, progress: Callable[[float], None]) -> tuple[float, float]:
        """The gain in dB that brings the mix, through the limiter, to a loudness, and the loudness that comes out.

        wanted: LUFS; None leaves the level alone.
        """
        plain = self._meter.integrated()
        if not math.isfinite(plain):
            return 0.0, plain
        gain_db = 0.0 if wanted is None else min(wanted - plain, _MOST_GAIN_DB)
        best = (gain_db, plain + gain_db)
        if self._peak * 10 ** (gain_db / 20) < 0.4:  # no point between samples can reach the ceiling
            return best
        slope, before = 1.0, None  # LU for each dB of gain: the more is limited, the less
        for attempt in range(_MOST_TRIES):
            lufs = self._meter.integrated(gain_db, self._limiter_power(gain_db))
            if wanted is None or attempt == 0 or abs(lufs - wanted) < abs(best[1] - wanted):
                best = (gain_db, lufs)
            progress((attempt + 1) / _MOST_TRIES)
            if wanted is None or abs(lufs - wanted) <= _NEAR_ENOUGH or gain_db >= _MOST_GAIN_DB:
                break
            if before is not None and gain_db != before[0]:
                slope = min(max((lufs - before[1]) / (gain_db - before[0]), 0.2), 1.0)
            before = (gain_db, lufs)
            gain_db = min(gain_db + (wanted - lufs) / slope, _MOST_GAIN_DB)
        return best

    def limited(self, gain_db: float, limiter: Limiter) -> Iterator[tuple[np.ndarray, int, np.ndarray | None]]:
        """The mix through the limiter: (sound, count, curve) for each block and for the limiter's rest.

        sound: (2, n) float32, sample for sample the mix as it was added; count: samples that went into the limiter,
        whose `delay` makes n smaller at first; curve: (count,) its gain, None: 1, of the input `delay` samples ago.
        """
        gain, late = np.float32(10 ** (gain_db / 20)), limiter.delay
        for block in self._blocks(gain):
            sound, curve = limiter.flush() if block is None else limiter.process(block)
            count = sound.shape[1]
            skipped = min(late, count)
            late -= skipped
            yield sound[:, skipped:], count, curve

    def _blocks(self, gain: np.float32) -> Iterator[np.ndarray | None]:
        self._file.seek(0)
        while data := self._file.read(BLOCK * 8):
            yield np.ascontiguousarray(np.frombuffer(data, np.float32).reshape(-1, 2).T) * gain
        yield None

    def _limiter_power(self, gain_db: float) -> np.ndarray:
        """(n,) float32: the limiter's power gain over each 5 ms of the mix, louder by `gain_db`."""
        means = []
        rest = np.zeros(0, np.float32)
        for sound, count, curve in self.limited(gain_db, Limiter()):
            power = np.ones(count, np.float32) if curve is None else curve * curve
            rest = np.concatenate([rest, power[count - sound.shape[1] :]])
            whole = len(rest) // STEP * STEP
            means.append(rest[:whole].reshape(-1, STEP).mean(axis=1))
            rest = rest[whole:]
        return np.concatenate(means)
