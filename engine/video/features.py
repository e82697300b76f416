"""What analysis sees: one row per picture second, and its file form (.npz without pickle).

Row k belongs to the film's frame at second k.  All arrays have T = `seconds` rows.
"""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.music import Cut, Film, FrameRate, Timecode
from engine.music.files import open_regular
from engine.music.mood import EMOTIONS
from engine.music.timecode import timecode_rate
from engine.video.errors import VideoError

_LONGEST_S: Final = 100 * 3600.0
FORMAT: Final = 1  # of the .npz
SEMANTIC_SIZE: Final = 768


@dataclass(frozen=True, slots=True, eq=False)
class FeatureRow:
    """One second, final.  cuts: those at or after `second` and before the next.  Fields as in VideoFeatures."""

    second: int
    semantic: np.ndarray | None
    emotion_raw: np.ndarray
    emotion: np.ndarray
    motion: float
    scene_offset: int
    valid: bool
    cuts: tuple[Cut, ...]
    colour: tuple[float, float, float] = (0.0, 0.0, 0.0)
    card: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class VideoFeatures:
    """Everything that music follows.

    seconds: T, the film's length rounded up.
    semantic: (T, 768) float32 CLIP image embedding, unnormalised; None in the quick reading.
    emotion_raw: (T, 6) float32, weights >= 0 with sum 1 in the order of engine.music.mood.EMOTIONS.
    emotion: (T, 6) float32, the mean of emotion_raw over the second and up to four before it (paper 3.2.2).
    motion: (T,) float32, mean absolute RGB difference to the frame before, 0..255 (3.2.4); row 0 is 0.
    scene_offset: (T,) int32, seconds since the last cut or the start (3.2.3).
    valid: (T,) bool, False where there is no picture to score.
    card: (T,) bool, writing on an even ground, which has no mood; None in files of earlier versions.
        Where a second has none (a card, or not valid), the mood before it is held, at the film's head it is neutral.
    colour: (T, 3) float32, brightness 0..1, saturation 0..1, warmth -1..1; None in files of earlier versions.
    reading: "full" or "quick"; reason: why that one.  notes: sentences for the person.
    """

    film: Film
    seconds: int
    semantic: np.ndarray | None
    emotion_raw: np.ndarray
    emotion: np.ndarray
    motion: np.ndarray
    scene_offset: np.ndarray
    valid: np.ndarray
    cuts: tuple[Cut, ...]
    reading: str
    reason: str
    notes: tuple[str, ...] = ()
    colour: np.ndarray | None = None
    card: np.ndarray | None = None

    def __post_init__(self) -> None:
        rows = self.seconds
        shapes = {
            "emotion_raw": (rows, len(EMOTIONS)),
            "emotion": (rows, len(EMOTIONS)),
            "motion": (rows,),
            "scene_offset": (rows,),
            "valid": (rows,),
        }
        if self.semantic is not None:
            shapes["semantic"] = (rows, SEMANTIC_SIZE)
        if self.colour is not None:
            shapes["colour"] = (rows, 3)
        if self.card is not None:
            shapes["card"] = (rows,)
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != shape:
                raise VideoError(f"the features' {name} has shape {array.shape}, not {shape}.")
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise VideoError(f"the features' {name} holds values that are not numbers.")

    def mean_mood(self) -> tuple[float, ...]:
        """Six weights, the mean over all seconds whose picture has a mood; over all where none has."""
        shown = self.valid if self.card is None else self.valid & ~self.card
        rows = self.emotion[shown] if shown.any() else self.emotion
        return tuple(float(weight) for weight in rows.mean(axis=0))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes an .npz, aside first, then renamed.  Raises VideoError where that cannot be done."""
        file = Path(path)
        film = self.film
        meta = {
            "format": FORMAT,
            "film": {
                "path": film.path,
                "duration_s": film.duration_s,
                "fps": str(film.rate.fps),
                "drop": film.rate.drop,
                "width": film.width,
                "height": film.height,
                "content_key": film.content_key,
                "start_frames": None if film.start_timecode is None else film.start_timecode.frames,
            },
            "seconds": self.seconds,
            "cuts": [dataclasses.asdict(cut) for cut in self.cuts],
            "reading": self.reading,
            "reason": self.reason,
            "notes": list(self.notes),
            "emotions": list(EMOTIONS),
        }
        arrays: dict[str, Any] = {
            name: getattr(self, name) for name in ("emotion_raw", "emotion", "motion", "scene_offset", "valid")
        }
        if self.semantic is not None:
            arrays["semantic"] = self.semantic
        if self.colour is not None:
            arrays["colour"] = self.colour
        if self.card is not None:
            arrays["card"] = self.card
        aside = file.with_name(f".{file.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
        try:
            with aside.open("wb") as handle:
                np.savez_compressed(handle, meta=np.array(json.dumps(meta)), **arrays)
                handle.flush()
                os.fsync(handle.fileno())
            os.replace(aside, file)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise VideoError(f"{file} cannot be written: {error.strerror or error}.") from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> VideoFeatures:
        """Reads what `save` wrote.  Raises VideoError for anything else."""
        file = Path(path)
        try:
            with (
                open_regular(file) as opened,
                np.load(opened, allow_pickle=False) as archive,
                np.errstate(all="ignore"),  # what is no number is refused, and needs no warning
            ):
                meta = json.loads(str(archive["meta"][()]))
                if meta["format"] != FORMAT:
                    raise VideoError(f"{file.name} was written by another version (format {meta['format']}).")
                film = meta["film"]
                rate = FrameRate(Fraction(film["fps"]), bool(film["drop"]))
                start = film["start_frames"]
                found = cls(
                    film=Film(
                        path=str(film["path"]),
                        duration_s=float(film["duration_s"]),
                        rate=rate,
                        width=int(film["width"]),
                        height=int(film["height"]),
                        content_key=str(film["content_key"]),
                        start_timecode=None
                        if start is None
                        else Timecode(int(start), timecode_rate(rate.fps, drop=rate.drop)),
                    ),
                    seconds=int(meta["seconds"]),
                    semantic=np.asarray(archive["semantic"], np.float32) if "semantic" in archive.files else None,
                    emotion_raw=np.asarray(archive["emotion_raw"], np.float32),
                    emotion=np.asarray(archive["emotion"], np.float32),
                    motion=np.asarray(archive["motion"], np.float32),
                    scene_offset=np.asarray(archive["scene_offset"], np.int32),
                    valid=np.asarray(archive["valid"], bool),
                    cuts=tuple(
                        Cut(float(cut["time_s"]), float(cut["strength"]), str(cut["kind"])) for cut in meta["cuts"]
                    ),
                    reading=str(meta["reading"]),
                    reason=str(meta["reason"]),
                    notes=tuple(str(note) for note in meta["notes"]),
                    colour=np.asarray(archive["colour"], np.float32) if "colour" in archive.files else None,
                    card=np.asarray(archive["card"], bool) if "card" in archive.files else None,
                )
                found._check()
                return found
        except FileNotFoundError:
            raise VideoError(f"There is no file {file}.") from None
        except VideoError:
            raise
        except Exception as error:  # a damaged archive fails in a dozen ways: zlib, struct, encryption bits, sizes
            raise VideoError(f"{file.name} is not a feature file that can be read.") from error

    def _check(self) -> None:
        """Raises ValueError where what was read cannot be of a film."""
        length_s, ends = self.film.duration_s, [cut.time_s for cut in self.cuts] + [cut.strength for cut in self.cuts]
        if not 0 < length_s < _LONGEST_S or not 0 < self.seconds <= length_s + 1:
            raise ValueError("length")
        if not all(0 <= value <= length_s + 1 for value in ends) or self.reading not in ("full", "quick"):
            raise ValueError("cuts")
        if self.emotion.min() < 0 or self.emotion_raw.min() < 0 or self.emotion.max() > 1.01 or self.motion.min() < 0:
            raise ValueError("weights")

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers; the semantic embedding is left out (it is in the .npz)."""
        film = self.film
        return {
            "film": {
                "path": film.path,
                "duration_s": round(film.duration_s, 6),
                "frame_rate": str(film.rate),
                "width": film.width,
                "height": film.height,
                "start_timecode": None if film.start_timecode is None else str(film.start_timecode),
            },
            "seconds": self.seconds,
            "reading": self.reading,
            "reason": self.reason,
            "notes": list(self.notes),
            "emotions": list(EMOTIONS),
            "cuts": [
                {"time_s": round(cut.time_s, 6), "strength": round(cut.strength, 4), "kind": cut.kind}
                for cut in self.cuts
            ],
            "rows": [
                {
                    "second": row,
                    "motion": round(float(self.motion[row]), 4),
                    "scene_offset": int(self.scene_offset[row]),
                    "emotion": [round(float(value), 4) for value in self.emotion[row]],
                    "emotion_raw": [round(float(value), 4) for value in self.emotion_raw[row]],
                    "valid": bool(self.valid[row]),
                    "card": self.card is not None and bool(self.card[row]),
                }
                for row in range(self.seconds)
            ],
        }
