"""A set in MuVi-Sync's own files, as Video2Music's scripts read them: a line a second, a file a film and feature."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from engine.dataset.splits import SPLITS
from engine.dataset.table import Table
from engine.music.chord import CHORD_LABELS, QUALITIES, SHARP_NAMES
from engine.music.files import write_whole, written_aside
from engine.music.mood import EMOTIONS
from engine.video.features import SEMANTIC_SIZE

FOLDER: Final = "muvi-sync"


def write_layout(table: Table, folder: Path) -> Path:
    """Writes `vevo_chord/lab_v2_norm/all/ID.lab` and its like below folder/muvi-sync, in place of what was there."""
    target = folder / FOLDER
    aside = folder / f".{FOLDER}.part"
    shutil.rmtree(aside, ignore_errors=True)
    for index in range(table.videos):
        _write_video(table, index, aside)
    _write_meta(table, aside / "vevo_meta")
    semantics = _semantics(folder)
    arrays = table.arrays
    if arrays["has_semantic"].any():
        rows = np.zeros((0, SEMANTIC_SIZE), np.float32)
        for index in range(table.videos):
            span = table.rows_of(index)
            while len(rows) < span.stop - span.start:
                rows = np.concatenate([rows, next(semantics)])
            here, rows = rows[: span.stop - span.start], rows[span.stop - span.start :]
            if arrays["has_semantic"][index]:
                path = aside / "vevo_semantic/all/2d/clip_l14p" / f"{arrays['ids'][index]}.npy"
                path.parent.mkdir(parents=True, exist_ok=True)
                with written_aside(path) as part:
                    np.save(part, here)
    shutil.rmtree(target, ignore_errors=True)
    aside.rename(target)
    return target


def _semantics(folder: Path) -> Iterator[np.ndarray]:
    """(n, 768) float32 of each shard."""
    for path in sorted(folder.glob("semantic-*.npz")):
        with np.load(path, allow_pickle=False) as shard:
            yield shard["semantic"] * shard["scale"][:, None].astype(np.float32)


def _write_video(table: Table, index: int, folder: Path) -> None:
    arrays, span = table.arrays, table.rows_of(index)
    name = str(arrays["ids"][index])
    offset = arrays["scene_offset"][span]
    scene = np.cumsum((offset == 0) & (np.arange(len(offset)) > 0))
    head = "time " + " ".join(f"{emotion}_prob" for emotion in EMOTIONS)
    key = f"key {arrays['key'][index]}"
    moods = (" ".join(f"{value:.4f}" for value in row) for row in arrays["emotion"][span])
    lines = {
        "vevo_chord/lab_v2_norm/all": [key, *_lines(CHORD_LABELS[chord] for chord in arrays["chord"][span])],
        "vevo_note_density/all": _lines(f"{value:g}" for value in arrays["note_density"][span]),
        "vevo_loudness/all": _lines(f"{value:.4f}" for value in arrays["loudness"][span]),
        "vevo_motion/all": _lines(f"{value:.4f}" for value in arrays["motion"][span]),
        "vevo_scene/all": _lines(str(value) for value in scene),
        "vevo_scene_offset/all": _lines(str(value) for value in offset),
        "vevo_emotion/6c_l14p/all": [head, *_lines(moods)],
    }  # fmt: skip
    for place, text in lines.items():
        path = folder / place / f"{name}.lab"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, ("\n".join(text) + "\n").encode())


def _lines(values: Iterator[str]) -> list[str]:
    return [f"{second} {value}" for second, value in enumerate(values)]


def _write_meta(table: Table, folder: Path) -> None:
    """The list of films, the splits, and the dictionaries of chords."""
    arrays = table.arrays
    (folder / "split" / "v1").mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        ids = arrays["ids"][arrays["split"] == split]
        write_whole(folder / "split" / "v1" / f"{split}.txt", "".join(f"{each}\n" for each in ids).encode())
    names = "".join(f"{each} {name}\n" for each, name in zip(arrays["ids"], arrays["names"], strict=True))
    write_whole(folder / "idlist.txt", names.encode())
    dictionaries = {
        "chord": CHORD_LABELS,
        "chord_root": ("N", *SHARP_NAMES),
        "chord_attr": ("N", *QUALITIES),
    }
    for name, words in dictionaries.items():
        write_whole(folder / f"{name}.json", json.dumps({word: k for k, word in enumerate(words)}).encode())
        write_whole(folder / f"{name}_inv.json", json.dumps(dict(enumerate(words))).encode())
