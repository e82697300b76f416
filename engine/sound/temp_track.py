"""Listening to a temp track: onsets and pitch classes by librosa (extra `temp`), tempo by `engine.sound.pulse`."""

from __future__ import annotations

import os
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.interchange.temp_analysis import bars_per_chord_heard, energy_course, sure_key
from engine.interchange.temp_track import TempTrack
from engine.music.errors import UserError, shown
from engine.music.extras import need_extra
from engine.sound.pulse import Pulse, find_pulse

SAMPLE_RATE: Final = 22_050
LONGEST_S: Final = 1800
_HOP: Final = 256
_BANDS: Final = 64
_FAINT: Final = 1e-4  # of the loudest moment: onsets below it are none
_END: Final = 0.02  # of the loudest second: what is softer at the end is the room after the last note


def temp_of_sound(path: Path) -> TempTrack:
    """What a piece of recorded music asks for.  Raises UserError without the extra or where it cannot be read."""
    need_extra("temp", "Listening to a temp track")
    import librosa

    samples = samples_of(path)
    if not len(samples) or float(np.abs(samples).max()) < 1e-4:
        raise UserError(f"{shown(path.name)} is silent.")
    seconds = samples[: len(samples) // SAMPLE_RATE * SAMPLE_RATE].reshape(-1, SAMPLE_RATE)
    loudness = np.sqrt((seconds**2).mean(axis=1)) if len(seconds) else np.zeros(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pulse = find_pulse(_onsets(samples), SAMPLE_RATE / _HOP)
        chroma = librosa.feature.chroma_cqt(y=librosa.effects.harmonic(samples), sr=SAMPLE_RATE)
    rhythm = "auto" if pulse.bpm is None else bars_per_chord_heard(_by_beats(chroma, pulse))
    sounding = np.flatnonzero(loudness > _END * loudness.max(initial=0.0))
    course = loudness[: sounding[-1] + 1] if len(sounding) else loudness
    key, doubt = sure_key(chroma.sum(axis=1), _by_halves(chroma))
    notes = (pulse.sentence, doubt) if doubt else (pulse.sentence,)
    return TempTrack(path.name, pulse.bpm, False, key, rhythm, energy_course(course), notes)


def _onsets(samples: np.ndarray) -> np.ndarray:
    """(frames,) by how much the bands of the spectrum grow, on a logarithmic scale."""
    import librosa

    bands: Any = librosa.feature.melspectrogram(
        y=samples, sr=SAMPLE_RATE, n_fft=1024, hop_length=_HOP, n_mels=_BANDS, fmin=30.0, fmax=9000.0
    )
    levels = np.log1p(bands / (_FAINT * bands.max()))
    return np.asarray(np.maximum(np.diff(levels, axis=1), 0.0).mean(axis=0))


def _by_beats(chroma: np.ndarray, pulse: Pulse) -> np.ndarray:
    """(beats, 12) of (12, frames): the middle of the frames in each beat."""
    frames_s = 512 / SAMPLE_RATE  # librosa's own hop
    count = int((chroma.shape[1] * frames_s - pulse.first_s) / pulse.period_s)
    edges = np.round((pulse.first_s + np.arange(count + 1) * pulse.period_s) / frames_s).astype(int)
    rows = [np.median(chroma[:, a : max(b, a + 1)], axis=1) for a, b in pairwise(edges)]
    return np.array(rows) if rows else np.zeros((0, 12))


def _by_halves(chroma: np.ndarray) -> np.ndarray:
    """(half seconds, 12) of (12, frames): the middle of the frames in each."""
    count = round(SAMPLE_RATE / 2 / 512)
    rows = [np.median(chroma[:, first : first + count], axis=1) for first in range(0, chroma.shape[1], count)]
    return np.array(rows)


def samples_of(path: Path) -> np.ndarray:
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
        why = getattr(error, "strerror", None) or error
        raise UserError(f"{shown(path.name)} cannot be read as sound: {why}.") from None
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
