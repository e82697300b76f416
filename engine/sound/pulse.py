"""The tempo of recorded music, or why none is taken.

The onsets' autocorrelation is looked at through a comb of many beats (as Davies & Plumbley, *Context-Dependent Beat
Tracking of Musical Audio*, IEEE TASLP 2007, do), weighted by how usual a tempo is; the exact tempo is the strongest
line of the onsets' spectrum next to it.  One tempo, its half and its double often fit alike: the onsets between the
beats decide, and where they do not, no tempo is taken.  A wrong tempo is worse than none, since a person can say it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

# As tests/bench/temp_track.py has chosen them.
SLOWEST, FASTEST = 45.0, 240.0  # quarter notes a minute that are looked for
USUAL_BPM: Final = 105.0
SPREAD_OCTAVES: Final = 0.7  # of the weight around it
LEAST: Final = 0.05  # comb of a pulse, 0..1: music without one has .03 or less
COHERENT: Final = 0.9  # of the phases of the parts of the piece
PARTS: Final = 6
RIVAL_HALF: Final = 0.25  # share of the best comb at which half the tempo may be meant, where nothing divides the beat
RIVAL_DOUBLE: Final = 0.5  # the same of the double, where every half beat may be a beat
SLOW: Final = 55.0  # half a tempo below it is not meant
OTHER_RIVAL: Final = 0.8  # the same of any other tempo
WEAK: Final = 0.15  # comb of a pulse that is soft (bowed strings): there also three to two is doubted
RIVAL_WEAK: Final = 0.4  # the same of two thirds of such a tempo, and of one and a half
LOST: Final = 0.25  # share of a half's own best comb at which the tempo of the whole is not in it
BETWEEN: Final = 0.03  # onsets half way between beats, as a share of those on them; below it nothing divides the beat
EVEN: Final = 0.6  # the same; above it every half beat may be a beat
THREE: Final = 0.15  # onsets at thirds of the beat
_BEATS: Final = 16  # of the comb
_PHASES: Final = 24


@dataclass(frozen=True, slots=True)
class Pulse:
    """bpm: quarter notes a minute, None where it is not sure.  period_s, first_s: of the beats that are heard, 0: none.
    sentence: for the person."""

    bpm: float | None
    period_s: float
    first_s: float
    sentence: str


def find_pulse(onsets: np.ndarray, rate: float) -> Pulse:
    """onsets: (frames,) strength of onsets, rate frames a second."""
    none = Pulse(None, 0.0, 0.0, "no steady pulse was heard, so no tempo is taken: give one with --bpm.")
    strength = _flattened(onsets, rate)
    if len(strength) < 8 * rate or not strength.any():
        return none
    tempi, fits = _comb(strength, rate)
    peaks = [i for i in range(1, len(fits) - 1) if fits[i] >= fits[i - 1] and fits[i] > fits[i + 1]]
    peaks = sorted((i for i in peaks if fits[i] >= LEAST), key=lambda i: -fits[i])[:4]
    found = [(_exact(strength, rate, float(tempi[i])), float(fits[i])) for i in peaks]
    found = [(bpm, fit) for bpm, fit in found if _coherence(strength, rate, bpm) >= COHERENT]
    if not found:
        return none
    bpm, best = found[0]
    other = _elsewhere(strength, rate, bpm)
    if other is not None:
        low, high = sorted((bpm, other))
        said = f"its tempo changes ({low:.0f} and {high:.0f} are heard), so none is taken: give one with --bpm."
        return Pulse(None, 0.0, 0.0, said)
    shares, phase = _between(strength, rate, bpm)
    half, third, quarter = (shares[round(_PHASES * each)] for each in (1 / 2, 1 / 3, 1 / 4))
    period_s = 60.0 / bpm
    heard = Pulse(None, period_s, phase * period_s, "")

    def unsure(other: float) -> Pulse:
        low, high = sorted((bpm, other))
        said = f"its tempo may be {low:.0f} or {high:.0f}, so none is taken: give one with --bpm."
        return Pulse(None, heard.period_s, heard.first_s, said)

    if third > THREE and max(half, quarter) < 0.5 * third:
        said = (
            f"{bpm:.0f} beats a minute are heard, divided by three: with --meter 6/8 that is --bpm {1.5 * bpm:.0f}, "
            f"with triplets --bpm {bpm:.0f}; none is taken."
        )
        return Pulse(None, heard.period_s, heard.first_s, said)

    def fit_at(tempo: float) -> float:
        return float(np.interp(tempo, tempi, fits)) if SLOWEST <= tempo <= FASTEST else 0.0

    if half < BETWEEN and bpm / 2 >= SLOW and fit_at(bpm / 2) > RIVAL_HALF * best:
        return unsure(bpm / 2)
    if half > EVEN and fit_at(2 * bpm) > RIVAL_DOUBLE * best:
        return unsure(2 * bpm)
    for other in (bpm * 2 / 3, bpm * 3 / 2):
        if best < WEAK and fit_at(other) > RIVAL_WEAK * best:
            return unsure(other)
    for other, fit in found[1:]:
        octave = abs(math.log2(other / bpm))
        if fit > OTHER_RIVAL * best and abs(octave - round(octave)) > 0.03:
            return unsure(other)
    said = "the tempo is as it was heard, which may be another: --bpm says it."
    return Pulse(round(bpm, 1), heard.period_s, heard.first_s, said)


def _flattened(onsets: np.ndarray, rate: float) -> np.ndarray:
    """Onsets above what is usual around them, in units of their own spread."""
    if len(onsets) < 2:
        return np.zeros(0)
    width = round(rate) | 1
    around = np.convolve(np.pad(onsets, width // 2, "edge"), np.full(width, 1 / width), "valid")
    above = np.maximum(onsets - around[: len(onsets)], 0.0)
    spread = float(above.std())
    return above / spread if spread > 1e-9 else np.zeros(len(onsets))


def _comb(strength: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Tempi, and how well each fits: the autocorrelation at its beats less half of that between them."""
    count = len(strength)
    spectrum = np.fft.rfft(strength - strength.mean(), 2 * count)
    alike = np.fft.irfft(np.abs(spectrum) ** 2)[:count] / np.arange(count, 0, -1)
    alike /= alike[0]
    tempi = np.geomspace(SLOWEST, FASTEST, 1200)
    fits = np.zeros(len(tempi))
    places = np.arange(count)
    for index, bpm in enumerate(tempi):
        lag = 60.0 / bpm * rate
        beats = np.arange(1, max(int(min(_BEATS, 0.6 * count / lag)), 1) + 1)
        on, off = np.interp(beats * lag, places, alike).mean(), np.interp((beats - 0.5) * lag, places, alike).mean()
        fits[index] = on - 0.5 * max(off, 0.0)
    return tempi, fits * np.exp(-0.5 * (np.log2(tempi / USUAL_BPM) / SPREAD_OCTAVES) ** 2)


def _wave(strength: np.ndarray, rate: float, hertz: float) -> np.ndarray:
    return np.asarray(np.exp(-2j * np.pi * hertz * np.arange(len(strength)) / rate) * strength)


def _exact(strength: np.ndarray, rate: float, bpm: float) -> float:
    near = np.linspace(0.985 * bpm, 1.015 * bpm, 241)
    heights = [sum(abs(_wave(strength, rate, each / 60.0 * n).sum()) for n in (1, 2, 4)) for each in near]
    return float(near[int(np.argmax(heights))])


def _coherence(strength: np.ndarray, rate: float, bpm: float) -> float:
    """1 where the beats of all parts of the piece meet, less where they drift apart."""
    sums = np.array([part.sum() for part in np.array_split(_wave(strength, rate, bpm / 60.0), PARTS)])
    return float(abs(sums.sum()) / max(np.abs(sums).sum(), 1e-9))


def _elsewhere(strength: np.ndarray, rate: float, bpm: float) -> float | None:
    """The tempo of a half of the piece that has a clear one and none of the beats of the whole; None: there is none."""
    for part in np.array_split(strength, 2):
        if len(part) < 8 * rate or not part.any():
            continue
        tempi, fits = _comb(part, rate)
        best = int(np.argmax(fits))
        # Half and double of a tempo share its beats, so they are no change of it.
        shared = max(float(np.interp(bpm * ratio, tempi, fits)) for ratio in (0.5, 1.0, 2.0))
        if fits[best] >= WEAK and shared < LOST * fits[best]:
            return _exact(part, rate, float(tempi[best]))
    return None


def _between(strength: np.ndarray, rate: float, bpm: float) -> tuple[np.ndarray, float]:
    """(_PHASES,) onsets at places within the beat, as a share of those on it (both sides and neighbours: the larger),
    and where in its period the beat lies, 0..1."""
    phases = np.arange(len(strength)) / rate * bpm / 60.0 % 1.0
    course = np.array([
        strength[np.abs((phases - k / _PHASES + 0.5) % 1.0 - 0.5) < 0.6 / _PHASES].mean() for k in range(_PHASES)
    ])  # fmt: skip
    beat = int(np.argmax(course))
    course = np.roll(course, -beat) / max(float(course.max()), 1e-9)
    wide = np.maximum(np.maximum(np.roll(course, 1), np.roll(course, -1)), course)
    return (wide + np.roll(wide[::-1], 1)) / 2, beat / _PHASES
