"""The set as one typed file, which training reads: `dataset.npz`, with `semantic-*.npz` beside it.

The arrays are those of MuVi-Sync's compact form, in its order of chords; a film that is longer than a piece has
several ids.  What is written depends on the films, the options and the seed alone, to the byte.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.dataset.duplicates import Pair, Recording, groups, near_duplicates
from engine.dataset.errors import DatasetError
from engine.dataset.film import FilmRows
from engine.dataset.keys import KeyVote
from engine.dataset.splits import split_groups
from engine.music.chord import CHORD_LABELS, QUALITIES, VOCABULARY_SIZE
from engine.music.files import open_regular, written_aside
from engine.video.features import SEMANTIC_SIZE

TABLE: Final = "dataset.npz"
FORMAT: Final = 1
SHARD_ROWS: Final = 40_000  # of semantics: 31 MB
# name -> dtype, rows of the table or videos, further axes, smallest and largest value
ROWS: Final = {
    "chord": ("uint8", (), 0, VOCABULARY_SIZE - 1),
    "note_density": ("float32", (), 0, 500),
    "loudness": ("float32", (), 0, 1),
    "motion": ("float32", (), 0, 255),
    "emotion": ("float16", (6,), 0, 1),
    "scene_offset": ("int16", (), 0, 32767),
}
VIDEOS: Final = {"ids": "str", "split": "str", "key": "str", "minor": "bool", "names": "str", "films": "str",
                 "has_semantic": "bool", "key_votes": "str"}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The arrays of a set by name, and what it says of itself.  duplicates: pairs of ids that are nearly the same."""

    arrays: dict[str, np.ndarray]
    about: dict[str, Any]

    @property
    def videos(self) -> int:
        return len(self.arrays["ids"])

    def rows_of(self, index: int) -> slice:
        start, stop = self.arrays["offsets"][index : index + 2]
        return slice(int(start), int(stop))


def transposed(chords: np.ndarray, semitones: int) -> np.ndarray:
    """(T,) ids, each so many semitones higher; N stays."""
    ids = chords.astype(np.int64)
    width = len(QUALITIES)
    root, quality = np.divmod(ids - 1, width)
    return np.where(ids == 0, 0, 1 + (root + semitones) % 12 * width + quality).astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    id: str
    film: str
    rows: FilmRows
    span: slice
    vote: KeyVote


def build_table(films: Iterable[tuple[str, FilmRows]], folder: Path, seed: int = 0) -> Table:
    """Writes the typed file and the semantics.  films: (id, rows); two of one id are one film.

    Raises DatasetError where there is nothing, or films were heard in different ways.
    """
    known = dict(sorted(films, key=lambda each: (each[0], each[1].name)))
    if not known:
        raise DatasetError("No film could be read, so there is no set to write.")
    options = {rows.options for rows in known.values()}
    if len(options) > 1:
        raise DatasetError("The films were heard with different options; build them anew into another folder.")
    pieces = []
    for film, rows in known.items():
        spans = rows.pieces()
        for number, (span, vote) in enumerate(zip(spans, rows.keys, strict=True), 1):
            pieces.append(_Piece(film if len(spans) == 1 else f"{film}-{number:02d}", film, rows, span, vote))
    pairs = near_duplicates([Recording(each, rows.chord, rows.loudness) for each, rows in known.items()])
    hanging = groups(list(known), pairs)
    split = split_groups(hanging, {film: rows.seconds for film, rows in known.items()}, seed)
    arrays = _arrays(pieces, split)
    about = {
        "format": FORMAT,
        "seed": seed,
        "density": next(iter(options)).density,
        "piece_s": next(iter(options)).piece_s,
        "films": len(known),
        "duplicates": [_pair(pair) for pair in pairs],
    }
    _write_semantics(pieces, folder)
    with written_aside(folder / TABLE) as aside, aside.open("wb") as file:
        np.savez_compressed(file, about=np.array(json.dumps(about, sort_keys=True)), **arrays)  # type: ignore[arg-type]
    return Table(arrays, about)


def _pair(pair: Pair) -> list[Any]:
    return [pair.first, pair.second, pair.lag_s, pair.overlap_s, pair.loudness, pair.chords]


def _arrays(pieces: Sequence[_Piece], split: dict[str, str]) -> dict[str, np.ndarray]:
    lengths = [piece.span.stop - piece.span.start for piece in pieces]

    def rows(name: str) -> np.ndarray:
        return np.concatenate([getattr(piece.rows, name)[piece.span] for piece in pieces])

    return {
        "ids": np.array([piece.id for piece in pieces]),
        "films": np.array([piece.film for piece in pieces]),
        "names": np.array([piece.rows.name for piece in pieces]),
        "split": np.array([split[piece.film] for piece in pieces]),
        "offsets": np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        "key": np.array([piece.vote.key for piece in pieces]),
        "key_votes": np.array([list(piece.vote.each) for piece in pieces]),
        "minor": np.array([piece.vote.minor for piece in pieces]),
        "has_semantic": np.array([piece.rows.semantic is not None for piece in pieces]),
        "chord_vocab": np.array(CHORD_LABELS),
        "chord": np.concatenate(
            [transposed(piece.rows.chord[piece.span], piece.vote.to_reference) for piece in pieces]
        ),
        "note_density": rows("density"),
        "loudness": rows("loudness"),
        "motion": rows("motion"),
        "emotion": rows("emotion"),
        "scene_offset": rows("scene_offset"),
    }


def _write_semantics(pieces: Sequence[_Piece], folder: Path) -> None:
    """Shards that together cover every row; films without have zeros.  None where no film has any."""
    for old in folder.glob("semantic-*.npz"):
        old.unlink()
    if not any(piece.rows.semantic is not None for piece in pieces):
        return
    values: list[np.ndarray] = []
    scales: list[np.ndarray] = []
    start = number = 0

    def write() -> None:
        nonlocal start, number
        semantic, scale = np.concatenate(values), np.concatenate(scales)
        with written_aside(folder / f"semantic-{number:05d}.npz") as aside, aside.open("wb") as file:
            np.savez_compressed(file, start=np.array(start), semantic=semantic, scale=scale)
        start, number = start + len(scale), number + 1
        values.clear()
        scales.clear()

    for piece in pieces:
        semantic, scale, count = piece.rows.semantic, piece.rows.scale, piece.span.stop - piece.span.start
        values.append(np.zeros((count, SEMANTIC_SIZE), np.int8) if semantic is None else semantic[piece.span])
        scales.append(np.zeros(count, np.float16) if scale is None else scale[piece.span])
        if sum(map(len, scales)) >= SHARD_ROWS:
            write()
    if scales:
        write()


def load_table(folder: Path) -> Table:
    """Reads the typed file of a set.  Raises DatasetError, also where its arrays are not those of a set."""
    path = folder if folder.suffix == ".npz" else folder / TABLE
    try:
        with open_regular(path) as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files if name != "about"}
            about = json.loads(str(archive["about"][()])) if "about" in archive.files else {}
    except FileNotFoundError:
        raise DatasetError(f"There is no set in {folder}: {path.name} is missing.") from None
    except Exception as error:
        raise DatasetError(f"{path} is not a set that can be read.") from error
    table = Table(arrays, about)
    if wrong := _schema_faults(table):
        raise DatasetError(f"{path} is not a set: {'; '.join(wrong)}.")
    return table


def _schema_faults(table: Table) -> list[str]:
    """Arrays that are missing, or of another type or length than a set's: nothing else can then be said of it."""
    arrays = table.arrays
    missing = [name for name in (*ROWS, *VIDEOS, "offsets", "chord_vocab") if name not in arrays]
    if missing:
        return [f"{', '.join(missing)} missing"]
    out, offsets, count = [], arrays["offsets"], arrays["ids"].size
    if (
        offsets.dtype.kind not in "iu"
        or offsets.shape != (count + 1,)
        or offsets[0] != 0
        or (np.diff(offsets) <= 0).any()
    ):
        return ["offsets do not rise from 0, one for each id and one for the end"]
    if not count:
        return ["it holds no piece"]
    for name in VIDEOS:
        if arrays[name].shape[:1] != (count,):
            out.append(f"{name} has {arrays[name].size} entries for {count} ids")
    for name, (dtype, shape, _low, _high) in ROWS.items():
        array = arrays[name]
        if array.dtype != np.dtype(dtype) or array.shape != (offsets[-1], *shape):
            out.append(f"{name} is {array.dtype} {array.shape}, not {dtype} {(int(offsets[-1]), *shape)}")
    return out


def faults(table: Table) -> list[str]:
    """What is wrong with a set: schema, ranges, splits that divide a film or near duplicates.  Empty where nothing."""
    if wrong := _schema_faults(table):
        return wrong
    arrays, out = table.arrays, []
    for name, (_dtype, _shape, low, high) in ROWS.items():
        array = arrays[name]
        if not np.isfinite(array).all() or array.min() < low or array.max() > high * 1.001:
            out.append(f"{name} leaves {low}..{high}")
    if tuple(arrays["chord_vocab"].tolist()) != CHORD_LABELS:
        out.append("chords are named in another order")
    if len(set(arrays["ids"].tolist())) != table.videos:
        out.append("an id is there twice")
    sums = arrays["emotion"].astype(np.float32).sum(axis=1)
    if (np.abs(sums - 1) > 0.02).any():
        out.append("emotion does not sum to 1 in every row")
    where = dict(zip(arrays["films"].tolist(), arrays["split"].tolist(), strict=True))
    if any(where[film] != split for film, split in zip(arrays["films"], arrays["split"], strict=True)):
        out.append("pieces of one film are in different splits")
    ids = set(arrays["films"].tolist())
    recordings = [Recording(each, *_whole(table, each)) for each in sorted(ids)]
    for pair in near_duplicates(recordings):
        if where[pair.first] != where[pair.second]:
            out.append(f"{pair.first} ({where[pair.first]}) is nearly {pair.second} ({where[pair.second]})")
    return out


def _whole(table: Table, film: str) -> tuple[np.ndarray, np.ndarray]:
    spans = [table.rows_of(int(k)) for k in np.flatnonzero(table.arrays["films"] == film)]
    chord, loudness = table.arrays["chord"], table.arrays["loudness"]
    return np.concatenate([chord[span] for span in spans]), np.concatenate([loudness[span] for span in spans])
