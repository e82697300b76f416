"""One film's rows: what is seen and what is heard in each second, and their file.

Nothing here knows other films.  Chords are kept as they sound; they are transposed when a set is made.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.dataset import chords as chord_reading
from engine.dataset.errors import DatasetError
from engine.dataset.keys import KeyVote, check_keys, vote
from engine.dataset.notes import KINDS, density_kind, density_of
from engine.dataset.sound import loudness_by_second, passages
from engine.music.files import open_regular, written_aside
from engine.music.mood import EMOTIONS
from engine.music.temporary import TemporaryFolder
from engine.video.features import SEMANTIC_SIZE
from engine.video.options import AnalysisOptions

FORMAT: Final = 1
VERSION: Final = 1  # raise when the same film and options give other rows than before
PIECE_S: Final = 300  # MuVi-Sync's longest: what is longer becomes several pieces, each with its key


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """density: "notes" or "onsets".  nets: of the chord ensemble, 1 to 5.  piece_s: seconds of the longest piece."""

    density: str = "notes"
    nets: int = chord_reading.NETS
    piece_s: int = PIECE_S

    def __post_init__(self) -> None:
        if self.density not in KINDS:
            raise DatasetError(f"Density counts {' or '.join(KINDS)}, not '{self.density}'.")
        if not 1 <= self.nets <= chord_reading.NETS:
            raise DatasetError(f"--chord-nets is 1 to {chord_reading.NETS}, not {self.nets}.")
        if not 10 <= self.piece_s <= PIECE_S:
            raise DatasetError(f"--piece is 10 to {PIECE_S} s, not {self.piece_s}.")


@dataclass(frozen=True, slots=True, eq=False)
class FilmRows:
    """T rows, one a second.  chord: (T,) uint8 ids as they sound.  density, loudness, motion: (T,) float32.

    emotion: (T, 6) float16, unsmoothed.  scene_offset: (T,) int16.  semantic: (T, 768) int8 with scale (T,) float16, or
    None in the quick reading.  keys: of each piece of at most piece_s seconds.
    """

    name: str
    reading: str
    options: ListenOptions
    chord: np.ndarray
    density: np.ndarray
    loudness: np.ndarray
    motion: np.ndarray
    emotion: np.ndarray
    scene_offset: np.ndarray
    semantic: np.ndarray | None
    scale: np.ndarray | None
    keys: tuple[KeyVote, ...]

    @property
    def seconds(self) -> int:
        return len(self.chord)

    def pieces(self) -> list[slice]:
        """The rows of each piece."""
        step = self.options.piece_s
        return [slice(first, min(first + step, self.seconds)) for first in range(0, self.seconds, step)]

    def save(self, path: Path) -> None:
        """Writes an .npz, aside first.  Raises OSError."""
        meta = {
            "format": FORMAT,
            "name": self.name,
            "reading": self.reading,
            "options": asdict(self.options),
            "keys": [[each.key, *each.each] for each in self.keys],
        }
        arrays: dict[str, Any] = {name: getattr(self, name) for name in _ARRAYS}
        if self.semantic is not None:
            arrays |= {"semantic": self.semantic, "scale": self.scale}
        with written_aside(path) as aside, aside.open("wb") as file:
            np.savez_compressed(file, meta=np.array(json.dumps(meta)), **arrays)

    @classmethod
    def load(cls, path: Path) -> FilmRows:
        """Reads what `save` wrote.  Raises DatasetError."""
        try:
            with open_regular(path) as file, np.load(file, allow_pickle=False) as archive:
                meta = json.loads(str(archive["meta"][()]))
                if meta["format"] != FORMAT:
                    raise DatasetError(f"{path.name} was written by another version (format {meta['format']}).")
                arrays = {name: archive[name] for name in archive.files if name != "meta"}
            semantic, scale = arrays.pop("semantic", None), arrays.pop("scale", None)
            return cls(
                name=str(meta["name"]), reading=str(meta["reading"]), options=ListenOptions(**meta["options"]),
                semantic=semantic, scale=scale,
                keys=tuple(KeyVote(words[0], tuple(words[1:])) for words in meta["keys"]), **arrays,
            )  # fmt: skip
        except DatasetError:
            raise
        except Exception as error:  # a damaged archive fails in a dozen ways
            raise DatasetError(f"{path.name} is not a film's rows that can be read.") from error


_ARRAYS: Final = ("chord", "density", "loudness", "motion", "emotion", "scene_offset")


def check_listening(asked: str) -> str:
    """What counts density, "notes" or "onsets".  Raises UserError where something that listens is not installed."""
    chord_reading.check_chords()
    check_keys()
    return density_kind(asked)


def rows_of(film: Path, looking: AnalysisOptions, listening: ListenOptions) -> FilmRows:
    """Looks at a film and listens to it.  Raises VideoError, DatasetError."""
    from engine.video import analyze

    features = analyze(film, looking)
    loudness = loudness_by_second(str(film), features.seconds)
    chord, density = [], []
    with TemporaryFolder() as folder:
        for passage in passages(str(film), features.seconds, folder):
            chord.append(chord_reading.chords_of(passage, listening.nets))
            density.append(density_of(passage, listening.density))
    semantic, scale = _in_bytes(features.semantic) if features.semantic is not None else (None, None)
    chords = np.concatenate(chord)
    return FilmRows(
        name=film.name,
        reading=features.reading,
        options=listening,
        chord=chords,
        density=np.concatenate(density),
        loudness=loudness,
        motion=features.motion.astype(np.float32),
        emotion=features.emotion_raw.astype(np.float16),
        scene_offset=np.minimum(features.scene_offset, np.iinfo(np.int16).max).astype(np.int16),
        semantic=semantic,
        scale=scale,
        keys=tuple(
            vote(chords[first : first + listening.piece_s]) for first in range(0, len(chords), listening.piece_s)
        ),
    )


def _in_bytes(semantic: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T, 768) float32 as int8 with a scale a row: off by half a scale at most."""
    assert semantic.shape[1] == SEMANTIC_SIZE and len(EMOTIONS) == 6
    scale = np.maximum(np.abs(semantic).max(axis=1) / 127, 1e-6).astype(np.float16)
    return np.clip(np.rint(semantic / scale[:, None].astype(np.float32)), -127, 127).astype(np.int8), scale
