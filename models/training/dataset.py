"""MuVi-Sync for training and evaluation: songs, batches with padding masks, and what is varied at random.

MuVi-Sync (Kang, Poria, Herremans 2024, Zenodo record 10057093): one row per second of 748 music videos.  Expected
in one folder: `muvi-sync.npz` and `semantic-*.npz` (int8 embeddings with a scale per row).  A set that
`cuebridge dataset build` made has the same arrays in `dataset.npz`, and semantics of the films that were read in full.

Targets follow the paper's protocol: inputs are chords[0:299], targets chords[1:300]; a song shorter than 300 rows is
followed by END once; the rest is PAD and ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np
import torch

from engine.music.chord import CHORD_END, CHORD_LABELS, CHORD_PAD, VOCABULARY_SIZE
from models.conditioning import CONDITION_WIDTH, SECTION_WIDTH, condition_rows, section_rows
from models.errors import ModelError
from models.film import (
    EMOTION_COLUMNS,
    FEATURE_WIDTH,
    MAX_SLOTS,
    MOTION_COLUMN,
    SCENE_COLUMN,
    SEMANTIC_WIDTH,
    smooth_emotion,
)
from models.training.labels import MoodLabels, boundaries, sections
from models.training.variation import LabelVariation, Variation
from models.vocabulary import EMOTIONS, transpose_ids

Split = Literal["train", "val", "test"]
TABLES: Final = ("muvi-sync.npz", "dataset.npz")
MUVI_SYNC: Final = "MuVi-Sync (Kang, Poria, Herremans 2024), Zenodo record 10057093, split v1"
_PER_PIECE: Final = {"ids": "U", "split": "U", "minor": "biu"}  # name -> kinds of values
_PER_ROW: Final = {
    "chord": "iu",
    **dict.fromkeys(("note_density", "loudness", "motion", "emotion", "scene_offset"), "fiu"),
}


@dataclass(frozen=True, slots=True)
class Song:
    """One video of T rows.  chords (T,) ids in C major / A minor; emotion (T, 6), raw and smoothed."""

    id: str
    split: str
    minor: bool
    chords: np.ndarray
    density: np.ndarray  # (T,) notes per second
    loudness: np.ndarray  # (T,) 0..1
    motion: np.ndarray  # (T,) 0..255
    scene_offset: np.ndarray  # (T,) seconds since the last cut
    emotion: np.ndarray
    emotion_smooth: np.ndarray
    semantic: np.ndarray | None  # (T, 768) int8
    semantic_scale: np.ndarray | None  # (T,)

    @property
    def length(self) -> int:
        return len(self.chords)

    def features(self, *, smooth: bool) -> np.ndarray:
        """(T, 776) float32 in the authors' order and raw units; absent semantics are zeros."""
        out = np.zeros((self.length, FEATURE_WIDTH), dtype=np.float32)
        if self.semantic is not None and self.semantic_scale is not None:
            out[:, :SEMANTIC_WIDTH] = self.semantic * self.semantic_scale[:, None].astype(np.float32)
        out[:, SCENE_COLUMN] = self.scene_offset + 1
        out[:, MOTION_COLUMN] = self.motion
        out[:, EMOTION_COLUMNS] = self.emotion_smooth if smooth else self.emotion
        return out


@dataclass(frozen=True, slots=True)
class Batch:
    """B songs padded to the longest.  S film rows, T <= S chord steps."""

    features: torch.Tensor  # (B, S, 776)
    valid: torch.Tensor  # (B, S) bool
    semantic_present: torch.Tensor  # (B,) bool
    emotion_present: torch.Tensor  # (B,) bool
    minor: torch.Tensor  # (B,) bool
    inputs: torch.Tensor  # (B, T) int64, PAD after the end
    targets: torch.Tensor  # (B, T) int64, PAD where nothing is to be predicted
    emotion_next: torch.Tensor  # (B, T) int64: strongest emotion of the second that the target sounds in
    dynamics: torch.Tensor  # (B, S, 2) notes per second, loudness
    conditions: torch.Tensor  # (B, S, 12 + 15) of models.conditioning, zeros where absent
    ends: torch.Tensor  # (B,) bool: the last row is the song's last
    read_chords: torch.Tensor  # (B, S) int64: the chords that a regressor reads, PAD where it reads none


@dataclass(frozen=True, slots=True)
class Labelling:
    """Inverse labels to be put into the conditioning columns, see models.training.labels."""

    labels: MoodLabels
    variation: LabelVariation


class MuViSync:
    """The data set in memory (about 160 MB with semantics).  Raises ModelError where files are missing or strange."""

    def __init__(self, folder: Path, *, semantics: bool = True) -> None:
        path = folder
        if folder.suffix != ".npz":
            path = next((folder / name for name in TABLES if (folder / name).is_file()), folder / TABLES[0])
        if not path.is_file():
            raise ModelError(f"No training data: {path} does not exist (MuVi-Sync, Zenodo record 10057093).")
        self.about = MUVI_SYNC if path.name == TABLES[0] else f"own films, {path.name} of `cuebridge dataset build`"
        data = _opened(path)
        missing = [name for name in (*_PER_PIECE, *_PER_ROW, "offsets", "chord_vocab") if name not in data]
        if missing:
            raise ModelError(f"{path} is not MuVi-Sync: it has no {', '.join(missing)}.")
        if tuple(data["chord_vocab"]) != CHORD_LABELS:
            raise ModelError(f"{path} names its chords in another order than this program does.")
        wrong = _wrong(data)
        if wrong:
            raise ModelError(f"{path} is damaged: {wrong}.")
        scale = None
        semantic = None
        if semantics and data.get("has_semantic", np.ones(1, bool)).any():
            semantic, scale = _semantics(path.parent, len(data["chord"]))
        self.songs: tuple[Song, ...] = tuple(_songs(data, semantic, scale))

    @property
    def sizes(self) -> str:
        """How many songs train, validate and test, as a card says it: "597/75/75"."""
        return "/".join(str(sum(song.split == name for song in self.songs)) for name in ("train", "val", "test"))

    def split(self, name: Split) -> list[Song]:
        """The songs of the paper's split v1, in file order."""
        return [song for song in self.songs if song.split == name]


def _opened(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a .npz file.  Raises ModelError."""
    try:
        with np.load(path, allow_pickle=False) as table:
            return {name: table[name] for name in table.files}
    except Exception as error:  # what a damaged archive runs into has no common type
        reason = (str(error) or type(error).__name__).splitlines()[0][:120].rstrip(".")
        raise ModelError(f"Cannot read training data {path}: {reason}.") from error


def _wrong(data: dict[str, np.ndarray]) -> str:
    """What of a table's arrays does not fit together or is out of range; "" where nothing is."""
    pieces, rows, offsets = len(data["ids"]), len(data["chord"]), data["offsets"]
    sized = [*((name, kinds, pieces) for name, kinds in _PER_PIECE.items())]
    sized += [(name, kinds, rows) for name, kinds in _PER_ROW.items()]
    for name, kinds, length in sized:
        array = data[name]
        wanted = (length, len(EMOTIONS)) if name == "emotion" else (length,)
        if array.shape != wanted or array.dtype.kind not in kinds:
            return f"{name} is {array.dtype} {array.shape}, not {wanted}"
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            return f"{name} holds values that are not numbers"
    if offsets.dtype.kind not in "iu" or offsets.shape != (pieces + 1,):
        return f"offsets is {offsets.dtype} {offsets.shape}, not {(pieces + 1,)}"
    if (np.diff(offsets.astype(np.int64)) < 1).any() or offsets[0] < 0 or offsets[-1] > rows:
        return "offsets do not say where each piece begins"
    if len(data.get("has_semantic", data["ids"])) != pieces:
        return "has_semantic is not of as many pieces as the rest"
    if rows and (data["chord"].min() < 0 or data["chord"].max() >= VOCABULARY_SIZE):
        return "it has chords that there are not"
    return ""


def _semantics(folder: Path, rows: int) -> tuple[np.ndarray, np.ndarray]:
    out = np.zeros((rows, SEMANTIC_WIDTH), dtype=np.int8)
    scale = np.zeros(rows, dtype=np.float16)
    done = 0
    for path in sorted(folder.glob("semantic-*.npz")):
        shard = _opened(path)
        try:
            start = int(shard["start"])
            stop = start + len(shard["semantic"])
            out[start:stop], scale[start:stop] = shard["semantic"], shard["scale"]
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{path} does not fit the table beside it.") from error
        done += stop - start
    if not np.isfinite(scale).all():
        raise ModelError(f"{folder} has semantics that are not numbers.")
    if done != rows:
        raise ModelError(f"{folder} has semantics for {done} of {rows} rows: files semantic-*.npz are missing.")
    return out, scale


def _songs(data: dict[str, np.ndarray], semantic: np.ndarray | None, scale: np.ndarray | None) -> list[Song]:
    out = []
    has_semantic = data.get("has_semantic", np.full(len(data["ids"]), semantic is not None))
    for index, name in enumerate(data["ids"]):
        start, stop = (int(v) for v in data["offsets"][index : index + 2])
        rows = slice(start, min(stop, start + MAX_SLOTS))
        emotion = data["emotion"][rows].astype(np.float32)
        out.append(
            Song(
                id=str(name),
                split=str(data["split"][index]),
                minor=bool(data["minor"][index]),
                chords=data["chord"][rows].astype(np.int64),
                density=data["note_density"][rows],
                loudness=data["loudness"][rows],
                motion=data["motion"][rows],
                scene_offset=data["scene_offset"][rows].astype(np.float32),
                emotion=emotion,
                emotion_smooth=smooth_emotion(emotion),
                semantic=semantic[rows] if semantic is not None and has_semantic[index] else None,
                semantic_scale=scale[rows] if scale is not None and has_semantic[index] else None,
            )
        )
    return out


def chord_steps(chords: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T,) chords -> inputs and targets of the paper's protocol, each (T,) or (299,) for a song of 300 rows."""
    if len(chords) >= MAX_SLOTS:
        return chords[: MAX_SLOTS - 1], chords[1:MAX_SLOTS]
    return chords, np.append(chords[1:], CHORD_END)


# size: training, validation and evaluation each need a few of these keywords.
def make_batch(
    songs: Sequence[Song],
    *,
    smooth: bool = True,
    variation: Variation | None = None,
    rng: np.random.Generator | Sequence[np.random.Generator] | None = None,
    films: Sequence[Song] | None = None,
    without: frozenset[str] = frozenset(),
    labelling: Labelling | None = None,
    excerpt: int = 0,
    pool: Sequence[Song] | None = None,
    read_chords: Sequence[np.ndarray | None] | None = None,
) -> Batch:
    """Pads songs to the longest and varies them.

    films: where given, film k is shown for song k instead of its own (cut or padded to the song's length).
    without: "semantic" and/or "emotion" are hidden for every song (evaluation rows).  labelling: fills the conditions
    from the songs' own chords.  excerpt: random passages of at most so many slots instead of whole songs, 0 = whole.
    variation, labelling and excerpt need an rng: one for all songs or one for each, so that what happens to a song does
    not hang on those beside it.  pool: the songs whose picture another song may be shown, by default the batch's.
    read_chords: the chords that a regressor reads with each song, (T,) ids, in place of the song's own; None: unknown.
    """
    random = [rng] * len(songs) if rng is None or isinstance(rng, np.random.Generator) else rng
    if rng is None and (variation is not None or labelling is not None or excerpt):
        raise ValueError("a variation needs a random generator")
    passages = [_passage(song.length, excerpt, own) for song, own in zip(songs, random, strict=True)]
    rows = max(passage.stop - passage.start for passage in passages)
    steps = min(rows, MAX_SLOTS - 1)
    count = len(songs)
    made = _empty(count, rows, steps)
    for k, song in enumerate(songs):
        passage, draw = passages[k], random[k]
        here = slice(0, passage.stop - passage.start)
        if labelling is not None and draw is not None:
            made["conditions"][k, here] = inverse_conditions(song, labelling, draw, passage)
        shown = _Shown(
            film=song if films is None else films[k],
            chords=song.chords,
            sounding=song.chords if read_chords is None else read_chords[k],
            has_semantic="semantic" not in without,
            has_emotion="emotion" not in without,
        )
        if variation is not None and draw is not None:
            shown = shown.varied(variation, draw, songs if pool is None else pool)
        shown, seen = shown.seen(song.length, smooth, variation, draw)
        made["semantic_present"][k], made["emotion_present"][k] = shown.has_semantic, shown.has_emotion
        made["features"][k, here] = seen[passage]
        if shown.sounding is not None:
            made["read_chords"][k, here] = shown.sounding[passage]
        made["valid"][k, here] = True
        made["dynamics"][k, here] = np.stack((song.density[passage], song.loudness[passage]), axis=1)
        x, y = chord_steps(shown.chords)
        made["ends"][k] = passage.stop == song.length < MAX_SLOTS  # a song of 300 rows was cut off
        x, y = x[passage], y[passage]
        made["inputs"][k, : len(x)], made["targets"][k, : len(y)] = x, y
        strongest = (shown.film.emotion_smooth if smooth else shown.film.emotion).argmax(axis=1)
        strongest = _fit(strongest[:, None], song.length)[:, 0]
        made["emotion_next"][k, : len(y)] = np.append(strongest[1:], strongest[-1])[passage][: len(y)]
    return Batch(
        minor=torch.tensor([song.minor for song in songs]),
        **{name: torch.from_numpy(values) for name, values in made.items()},
    )


def _empty(count: int, rows: int, steps: int) -> dict[str, np.ndarray]:
    """The columns of a Batch of `count` songs, but for `minor`, nothing in them yet."""
    return {
        "features": np.zeros((count, rows, FEATURE_WIDTH), dtype=np.float32),
        "valid": np.zeros((count, rows), dtype=bool),
        "semantic_present": np.zeros(count, dtype=bool),
        "emotion_present": np.zeros(count, dtype=bool),
        "inputs": np.full((count, steps), CHORD_PAD, dtype=np.int64),
        "targets": np.full((count, steps), CHORD_PAD, dtype=np.int64),
        "emotion_next": np.zeros((count, steps), dtype=np.int64),
        "dynamics": np.zeros((count, rows, 2), dtype=np.float32),
        "conditions": np.zeros((count, rows, CONDITION_WIDTH + SECTION_WIDTH), dtype=np.float32),
        "ends": np.ones(count, dtype=bool),
        "read_chords": np.full((count, rows), CHORD_PAD, dtype=np.int64),
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """A song as it is shown in one step.  chords, sounding (what a regressor reads, None: unknown): (T,) ids."""

    film: Song
    chords: np.ndarray
    sounding: np.ndarray | None
    has_semantic: bool
    has_emotion: bool

    def varied(self, variation: Variation, draw: np.random.Generator, others: Sequence[Song]) -> _Shown:
        """In another key, with another film, or with less of its film."""
        film, chords, sounding = self.film, self.chords, self.sounding
        if draw.random() < variation.transpose:
            semitones = int(draw.integers(1, 12))
            chords = transpose_ids(chords, semitones)
            sounding = None if sounding is None else transpose_ids(sounding, semitones)
        if draw.random() < variation.other_film:
            film = others[int(draw.integers(len(others)))]
        semantic = draw.random() >= variation.drop_semantic
        emotion = draw.random() >= variation.drop_emotion
        return _Shown(film, chords, sounding, self.has_semantic and semantic, self.has_emotion and emotion)

    def seen(
        self, length: int, smooth: bool, variation: Variation | None, draw: np.random.Generator | None
    ) -> tuple[_Shown, np.ndarray]:
        """With features (length, FEATURE_WIDTH) in which what is hidden is 0."""
        shown = replace(self, has_semantic=self.has_semantic and self.film.semantic is not None)
        seen = _fit(self.film.features(smooth=smooth), length)
        if variation is not None and draw is not None:
            _vary(seen, variation, draw)
        if not shown.has_semantic:
            seen[:, :SEMANTIC_WIDTH] = 0
        if not shown.has_emotion:
            seen[:, EMOTION_COLUMNS] = 0
        if variation is not None and variation.drop_film and draw is not None and draw.random() < variation.drop_film:
            seen[:] = 0
            return replace(shown, has_semantic=False, has_emotion=False), seen
        return shown, seen


def _passage(length: int, excerpt: int, rng: np.random.Generator | None) -> slice:
    if rng is None or not 0 < excerpt < length:
        return slice(0, length)
    start = int(rng.integers(0, length - excerpt + 1))
    return slice(start, start + excerpt)


def inverse_conditions(song: Song, labelling: Labelling, rng: np.random.Generator, passage: slice) -> np.ndarray:
    """(n, 12 + 15) of a passage of one song, each group there or not.

    Letters and returns are the passage's own: the network does not know what was before it.
    """
    vary = labelling.variation
    own = rng.spawn(1)[0]  # what is drawn for sections changes nothing of the rest
    absent = rng.random() < vary.drop_all
    mood = labelling.labels.course(song.chords, song.minor, vary, rng)
    cuts = boundaries(song.chords, vary, rng)
    with_mood = not absent and rng.random() >= vary.drop_mood
    with_cuts = not absent and rng.random() >= vary.drop_boundaries
    rows = condition_rows(song.length, mood if with_mood else None, cuts if with_cuts else None)[passage]
    form = np.zeros((len(rows), SECTION_WIDTH), dtype=np.float32)
    if own.random() >= vary.drop_sections:
        form = section_rows(len(rows), sections(song.chords[passage], vary, own))
    return np.concatenate([rows, form], axis=1)


def _fit(rows: np.ndarray, length: int) -> np.ndarray:
    """Cuts or repeats rows (a shorter film starts over) to the length."""
    return rows[np.arange(length) % len(rows)]


def _vary(features: np.ndarray, variation: Variation, rng: np.random.Generator) -> None:
    """Changes one song's rows (T, 776) in place."""
    emotion = features[:, EMOTION_COLUMNS]
    if rng.random() < variation.noise_emotion:
        share = rng.random()
        emotion = (1 - share) * emotion + share * rng.dirichlet(np.ones(emotion.shape[1]))
    if rng.random() < variation.permute_emotion:
        emotion = emotion[rng.permutation(len(emotion))]
    features[:, EMOTION_COLUMNS] = emotion
    if variation.noise_features:
        noise = rng.standard_normal((len(features), MOTION_COLUMN + 1), dtype=np.float32)
        columns = features[:, : MOTION_COLUMN + 1]
        spread = np.sqrt((columns[:, :SEMANTIC_WIDTH] ** 2).mean())
        columns[:, :SEMANTIC_WIDTH] += variation.noise_features * spread * noise[:, :SEMANTIC_WIDTH]
        columns[:, MOTION_COLUMN] *= np.exp(variation.noise_features * noise[:, MOTION_COLUMN])
