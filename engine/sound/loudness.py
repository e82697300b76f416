"""Programme loudness after ITU-R BS.1770-4 and EBU R 128, of a stream of any length.

pyloudnorm holds the whole sound and brings SciPy; a film of two hours and one more download of 35 MB speak against it.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Final

import numpy as np

from engine.sound.voice import SAMPLE_RATE

STEP: Final = 240  # samples that are summed together
_HOP: Final = SAMPLE_RATE // 10 // STEP  # gating blocks of 400 ms begin every 100 ms
_TAPS: Final = 2048  # of the K filter; what follows is 90 dB down
_FFT: Final = 16384
# BS.1770-4 tables 1 and 2, 48 kHz: a shelf for the head, then a high-pass.
_SHELF: Final = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
_HIGH_PASS: Final = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))


@cache
def _k_spectrum() -> np.ndarray:
    """(8193,) complex64: the response of both filters, of 2048 samples of their impulse response."""
    response = np.zeros(_TAPS)
    response[0] = 1.0
    for above, below in (_SHELF, _HIGH_PASS):
        out = np.zeros(_TAPS)
        x1 = x2 = y1 = y2 = 0.0
        for index, x in enumerate(response):
            y = above[0] * x + above[1] * x1 + above[2] * x2 - below[1] * y1 - below[2] * y2
            x1, x2, y1, y2 = x, x1, y, y1
            out[index] = y
        response = out
    return np.fft.rfft(response, _FFT).astype(np.complex64)


class LoudnessMeter:
    """Takes blocks of sound; `integrated` gives the loudness so far."""

    def __init__(self) -> None:
        self._spectrum = _k_spectrum()
        self._past = np.zeros((2, _TAPS - 1), np.float32)
        self._waiting = np.zeros((2, 0), np.float32)
        self._steps: list[np.ndarray] = []  # sums over both channels of the squares of 5 ms

    def add(self, block: np.ndarray) -> None:
        """block: (2, n) float32, both channels counted once (BS.1770: left and right have weight 1)."""
        self._waiting = np.concatenate([self._waiting, block], axis=1) if self._waiting.size else block
        most = (_FFT - _TAPS + 1) // STEP * STEP
        while self._waiting.shape[1] >= STEP:
            count = min(self._waiting.shape[1] // STEP * STEP, most)
            self._measure(self._waiting[:, :count])
            self._waiting = self._waiting[:, count:]

    def _measure(self, block: np.ndarray) -> None:
        count = block.shape[1]
        joined = np.concatenate([self._past, block], axis=1)
        self._past = joined[:, -(_TAPS - 1) :].copy()
        if not joined.any():
            self._steps.append(np.zeros(count // STEP, np.float32))
            return
        spectrum = np.fft.rfft(joined, _FFT, axis=1) * self._spectrum
        weighted = np.fft.irfft(spectrum, _FFT, axis=1)[:, _TAPS - 1 : _TAPS - 1 + count]
        squares = np.square(weighted).reshape(2, -1, STEP).sum(axis=(0, 2))
        self._steps.append(squares.astype(np.float32))

    def integrated(self, gain_db: float = 0.0, curve: np.ndarray | None = None) -> float:
        """LUFS of what was added, -inf for silence and for less than 400 ms.

        As if it were louder by gain_db, and under a gain that moves: curve (n,), power gain of each STEP samples.  A
        gain that moves slowly against 5 ms passes the K filter as good as unchanged.
        """
        steps = np.concatenate(self._steps).astype(np.float64) if self._steps else np.zeros(0)
        if curve is not None:
            count = min(len(curve), len(steps))
            steps[:count] *= curve[:count]
        tenths = steps[: len(steps) // _HOP * _HOP].reshape(-1, _HOP).sum(axis=1)
        if len(tenths) < 4:
            return -math.inf
        power = (tenths[:-3] + tenths[1:-2] + tenths[2:-1] + tenths[3:]) / (4 * _HOP * STEP)
        power = power[power > 0] * 10 ** (gain_db / 10)
        loud = power[_lufs(power) > -70.0]
        if not len(loud):
            return -math.inf
        return float(_lufs(loud[_lufs(loud) > _lufs(loud.mean()) - 10.0].mean()))


def _lufs(power: np.ndarray | float) -> np.ndarray:
    return -0.691 + 10 * np.log10(power)
