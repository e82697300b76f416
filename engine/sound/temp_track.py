"""Listening to a temp track: pulse and pitch classes by librosa (extra `temp`), loudness by itself."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.interchange.temp_analysis import bars_per_chord, energy_course, key_of_sums
from engine.interchange.temp_track import TempTrack
from engine.music.errors import UserError, shown
from engine.music.extras import need_extra

SAMPLE_RATE: Final = 22_050
LONGEST_S: Final = 1800
FEW_BEATS: Final = 8
UNSTEADY: Final = 0.05  # share of a beat by which beats may stray


def temp_of_sound(path: Path) -> TempTrack:
    """What a piece of recorded music asks for.  Raises UserError without the extra or where it cannot be read."""
    need_extra("temp", "Listening to a temp track")
    import librosa

    samples = _samples(path)
    if not len(samples) or float(np.abs(samples).max()) < 1e-4:
        raise UserError(f"{shown(path.name)} is silent.")
    seconds = samples[: len(samples) // SAMPLE_RATE * SAMPLE_RATE].reshape(-1, SAMPLE_RATE)
    loudness = np.sqrt((seconds**2).mean(axis=1)) if len(seconds) else np.zeros(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        harmonic = librosa.effects.harmonic(samples)
        _, beats = librosa.beat.beat_track(y=samples, sr=SAMPLE_RATE, units="frames")
        chroma = librosa.feature.chroma_cqt(y=harmonic, sr=SAMPLE_RATE)
    bpm, notes = pulse(librosa.frames_to_time(beats, sr=SAMPLE_RATE))
    sums: Any = chroma.T if len(beats) < FEW_BEATS else librosa.util.sync(chroma, list(map(int, beats))).T
    rhythm = "auto" if len(beats) < FEW_BEATS else bars_per_chord(sums)
    return TempTrack(
        path.name, bpm, False, key_of_sums(chroma.sum(axis=1)), rhythm, energy_course(np.log10(loudness + 1e-3)), notes
    )


def pulse(times_s: np.ndarray) -> tuple[float | None, tuple[str, ...]]:
    """Quarter notes a minute, and what to say of them."""
    if len(times_s) < FEW_BEATS:
        return None, ("no steady pulse was heard.",)
    # A line through the beats: more exact than the middle of the gaps, which are whole frames of the analysis.
    numbers = np.arange(len(times_s))
    slope, start = np.polyfit(numbers, times_s, 1)
    strays = float(np.std(times_s - (start + slope * numbers)))
    if strays > UNSTEADY * slope:  # what is heard as beats is then often something else
        return None, ("its beats are not steady, so no tempo is taken: give one with --bpm.",)
    return round(60.0 / float(slope), 1), ("the tempo is as it was heard, which may be another: --bpm says it.",)


def _samples(path: Path) -> np.ndarray:
    """The file's first sound, mono.  Raises UserError."""
    import av

    parts: list[np.ndarray] = []
    count = 0
    try:
        with av.open(f"file:{os.path.abspath(path)}") as container:
            if not container.streams.audio:
                raise UserError(f"{shown(path.name)} has no sound.")
            resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
            for frame in container.decode(container.streams.audio[0]):
                for part in resampler.resample(frame):
                    parts.append(part.to_ndarray().reshape(-1).astype(np.float32))
                    count += len(parts[-1])
                if count > LONGEST_S * SAMPLE_RATE:
                    break
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UserError(f"{shown(path.name)} cannot be read as sound ({error}).") from None
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
