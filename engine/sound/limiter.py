"""A true-peak limiter that looks ahead: no sample and no point between samples above the ceiling.

Gain needed at each sample -> the least of the next 5 ms -> recovery at 40 dB a second -> smoothed over those 5 ms, so
that the gain is down before the peak comes.  True peaks as in ITU-R BS.1770-4 annex 2: four times oversampled.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from engine.sound.voice import SAMPLE_RATE

CEILING_DBTP: Final = -1.0
_MARGIN_DB: Final = 0.25  # the gain moves between the samples that it was computed for
LOOK_AHEAD: Final = 240  # samples
_RECOVERY_DB: Final = 40.0 / SAMPLE_RATE  # a sample
_TAPS: Final = 8  # on each side of the interpolated point; BS.1770 has 6
_CONTEXT: Final = 2 * LOOK_AHEAD + 2 * _TAPS
_PIECE: Final = 512  # samples that are looked at together
_OVERSHOOT: Final = 2.0  # no real sound is more than 6 dB above its highest sample between two of them


def _interpolators() -> np.ndarray:
    """(3, 16): windowed sincs for the points a quarter, a half and three quarters after a sample."""
    offsets = np.arange(-_TAPS + 1, _TAPS + 1)[None, :] - np.array([0.25, 0.5, 0.75])[:, None]
    taps = np.sinc(offsets) * np.kaiser(2 * _TAPS + 1, 7.0)[np.newaxis, :-1]
    return (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)


_INTERPOLATORS: Final = _interpolators()


def true_peaks(block: np.ndarray, least: float = 0.0) -> np.ndarray:
    """(n - 15,) float32: the greatest magnitude of both channels at a sample 7 <= i < n - 8 or up to the next one.

    block: (2, n) float32.  Where nothing near is above `least` / 2, between samples nothing is looked for.
    """
    count = block.shape[1] - 2 * _TAPS + 1
    levels = np.abs(block).max(axis=0)
    peaks = levels[_TAPS - 1 : _TAPS - 1 + count].copy()
    for start in range(0, count, _PIECE):
        end = min(start + _PIECE, count)
        near = slice(start, end + 2 * _TAPS - 1)
        if levels[near].max() * _OVERSHOOT < least:
            continue
        for side in (0, 1):
            for taps in _INTERPOLATORS:
                between = np.convolve(block[side, near], taps[::-1], "valid")
                np.maximum(peaks[start:end], np.abs(between), out=peaks[start:end])
    return peaks


class Limiter:
    """Limits a stream of blocks; what comes out is `delay` samples late, `flush` gives the rest.

    Depends on the sound alone, not on how it is cut into blocks (within rounding).
    """

    delay: Final = LOOK_AHEAD + _TAPS

    def __init__(self, ceiling_dbtp: float = CEILING_DBTP) -> None:
        self._ceiling = 10 ** ((ceiling_dbtp - _MARGIN_DB) / 20)
        self._held = np.zeros((2, _CONTEXT), np.float32)  # the last samples of the input
        self._gain_db = np.zeros(LOOK_AHEAD, np.float64)  # recovered gain before the smoothing, the last ones
        self._last_db = 0.0
        self.greatest_db = 0.0  # most that was taken off so far

    def process(self, block: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """block: (2, n) float32 -> the limited sound and the gain that did it, (n,) or None for "none was needed".

        Both belong to the input of `delay` samples ago.
        """
        count = block.shape[1]
        joined = np.concatenate([self._held, block], axis=1)
        self._held = joined[:, -_CONTEXT:].copy()
        # The output's samples within `joined`.
        first = _CONTEXT - self.delay
        out = joined[:, first : first + count]
        if self._last_db == 0.0 and not self._gain_db.any() and np.abs(joined).max() * _OVERSHOOT < self._ceiling:
            return out, None
        # Needed gain for outputs up to LOOK_AHEAD later than these.
        peaks = true_peaks(joined[:, first - _TAPS + 1 :], self._ceiling)[: count + LOOK_AHEAD]
        needed = np.minimum(20 * np.log10(self._ceiling / np.maximum(peaks, 1e-9)), 0.0)
        least = _sliding_least(needed, LOOK_AHEAD)[:count]
        # Recovery: G(i) = min over j <= i of least(j) + slope (i - j).
        slope = _RECOVERY_DB * np.arange(1, count + 1)
        recovered = np.minimum(np.minimum.accumulate(np.append(self._last_db, least - slope))[1:] + slope, 0.0)
        self._last_db = float(recovered[-1]) if count else self._last_db
        run = np.concatenate([self._gain_db, recovered])
        self._gain_db = run[-LOOK_AHEAD:].copy()
        total = np.concatenate([[0.0], np.cumsum(run)])
        smooth = (total[LOOK_AHEAD + 1 :] - total[1:-LOOK_AHEAD]) / LOOK_AHEAD
        self.greatest_db = min(self.greatest_db, float(smooth.min(initial=0.0)))
        gain = (10 ** (smooth / 20)).astype(np.float32)
        return out * gain, gain

    def flush(self) -> tuple[np.ndarray, np.ndarray | None]:
        """The last `delay` samples."""
        return self.process(np.zeros((2, self.delay), np.float32))


def _sliding_least(values: np.ndarray, width: int) -> np.ndarray:
    """(n - width + 1,): the least of values[i : i + width], by doubling windows."""
    found, size = values, 1
    while size * 2 <= width:
        found = np.minimum(found[:-size], found[size:])
        size *= 2
    rest = width - size
    return np.minimum(found[: len(found) - rest], found[rest:]) if rest else found
