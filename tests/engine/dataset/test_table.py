"""A set: its bytes, its splits, its files, and that training reads it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.commands.dataset import main
from engine.dataset.duplicates import Recording, groups, near_duplicates
from engine.dataset.errors import DatasetError
from engine.dataset.film import FilmRows, ListenOptions
from engine.dataset.keys import KeyVote
from engine.dataset.layout import write_layout
from engine.dataset.splits import SPLITS, split_groups
from engine.dataset.statistics import in_words, statistics
from engine.dataset.table import Table, build_table, faults, load_table
from models.training.dataset import MuViSync


def film(seed: int, seconds: int = 40, *, semantic: bool = False) -> FilmRows:
    rng = np.random.default_rng(seed)
    chord = np.repeat(rng.integers(1, 157, seconds), rng.integers(1, 5, seconds))[:seconds].astype(np.uint8)
    weights = rng.dirichlet(np.ones(6), seconds)
    return FilmRows(
        name=f"film {seed}.mp4", reading="full" if semantic else "quick", options=ListenOptions(piece_s=30),
        chord=chord, density=rng.integers(0, 20, seconds).astype(np.float32),
        loudness=rng.random(seconds).astype(np.float32), motion=rng.random(seconds).astype(np.float32) * 50,
        emotion=weights.astype(np.float16), scene_offset=(np.arange(seconds) % 7).astype(np.int16),
        semantic=rng.integers(-127, 128, (seconds, 768)).astype(np.int8) if semantic else None,
        scale=np.full(seconds, 0.1, np.float16) if semantic else None,
        keys=tuple(KeyVote("D minor", ("D minor", "D minor", "F major")) for _ in range(0, seconds, 30)),
    )  # fmt: skip


def films(count: int = 12, **how) -> list[tuple[str, FilmRows]]:
    return [(f"id{seed:02d}", film(seed, **how)) for seed in range(count)]


def test_rows_come_back_as_they_were_kept(tmp_path) -> None:
    for rows in (film(1), film(2, semantic=True)):
        path = tmp_path / f"{rows.reading}.npz"
        rows.save(path)
        back = FilmRows.load(path)
        assert back.options == rows.options and back.keys == rows.keys and back.name == rows.name
        for name in ("chord", "density", "loudness", "motion", "emotion", "scene_offset", "semantic", "scale"):
            before, after = getattr(rows, name), getattr(back, name)
            assert (before is None and after is None) or (np.array_equal(before, after) and before.dtype == after.dtype)
    (tmp_path / "bad.npz").write_bytes(b"no")
    with pytest.raises(DatasetError):
        FilmRows.load(tmp_path / "bad.npz")


def test_a_set_is_the_same_bytes_in_any_order(tmp_path) -> None:
    for name, given in (("a", films()), ("b", films()[::-1]), ("c", [*films(), films()[3]])):
        (tmp_path / name).mkdir()
        build_table(given, tmp_path / name)
    one, two, three = ((tmp_path / name / "dataset.npz").read_bytes() for name in "abc")
    assert one == two == three


def test_what_is_built_is_without_fault_and_what_is_broken_is_found(tmp_path) -> None:
    table = build_table(films(), tmp_path)
    assert faults(load_table(tmp_path)) == []
    assert table.videos == 24 and table.arrays["offsets"][-1] == 480  # 40 s are pieces of 30 and 10
    assert "24 pieces" in in_words(statistics(table))
    broken = {
        "loudness": table.arrays["loudness"] * 3,
        "chord": table.arrays["chord"] + np.uint8(150),
        "emotion": table.arrays["emotion"] / 2,
        "motion": np.where(np.arange(480) == 7, np.nan, table.arrays["motion"]).astype(np.float32),
        "ids": np.array(["same"] * 24),
        "split": np.array(["train", "test"] * 12),
        "scene_offset": table.arrays["scene_offset"].astype(np.int64),
        "offsets": table.arrays["offsets"][::-1],
        "chord_vocab": table.arrays["chord_vocab"][::-1],
    }
    for name, array in broken.items():
        assert faults(Table({**table.arrays, name: array}, table.about)), name
    assert faults(Table({k: v for k, v in table.arrays.items() if k != "key"}, table.about)) == ["key missing"]


@pytest.mark.parametrize("command", ["check", "show"])
@pytest.mark.parametrize(
    ("name", "array"),
    [("split", np.array(["train"])), ("films", np.array(["x"] * 3)), ("chord", np.zeros((4, 4), np.uint8)),
     ("offsets", np.array([0, 9, 3])), ("ids", np.array([], str))],
)  # fmt: skip
def test_arrays_that_do_not_fit_get_a_sentence(tmp_path, name, array, command) -> None:
    table = build_table(films(3), tmp_path)
    np.savez(tmp_path / "dataset.npz", about=np.array("{}"), **{**table.arrays, name: array})
    words = [] if command == "check" else ["-o", str(tmp_path / "picture.png")]
    with pytest.raises(DatasetError, match="is not a set"):
        main([command, str(tmp_path), *words])
    assert not (tmp_path / "picture.png").exists()


def test_near_duplicates_are_found_and_never_divided(tmp_path) -> None:
    rng = np.random.default_rng(0)
    given = films(9, seconds=60)
    original = given[4][1]
    copy = replace(
        original, name="copy.mp4", chord=original.chord[7:], density=original.density[7:], motion=original.motion[7:],
        loudness=(original.loudness[7:] * 0.5 + rng.normal(0, 0.01, 53)).clip(0, 1).astype(np.float32),
        emotion=original.emotion[7:], scene_offset=original.scene_offset[7:], keys=original.keys,
    )  # fmt: skip
    recordings = [Recording(each, rows.chord, rows.loudness) for each, rows in (*given, ("zz", copy))]
    (pair,) = near_duplicates(recordings)
    assert (pair.first, pair.second, pair.lag_s, pair.overlap_s) == ("id04", "zz", 7, 53)
    assert near_duplicates(recordings[::-1]) == [pair]
    for seed in range(8):
        (tmp_path / str(seed)).mkdir()
        table = build_table([*given, ("zz", copy)], tmp_path / str(seed), seed)
        where = dict(zip(table.arrays["films"].tolist(), table.arrays["split"].tolist(), strict=True))
        assert where["id04"] == where["zz"]
        assert faults(table) == []


def test_splits_have_their_share_and_every_one_has_something() -> None:
    for count in (3, 4, 10, 200):
        ids = [f"{number:03d}" for number in range(count)]
        found = split_groups(groups(ids, []), dict.fromkeys(ids, 100))
        shares = [sum(where == split for where in found.values()) / count for split in SPLITS]
        assert all(shares) and shares[0] >= shares[1]
        assert count < 100 or shares == pytest.approx([0.8, 0.1, 0.1], abs=0.02)
        assert found == split_groups(groups(ids[::-1], [])[::-1], dict.fromkeys(ids, 100))


def test_files_are_laid_out_as_the_authors_scripts_read_them(tmp_path) -> None:
    table = build_table(films(4, semantic=True), tmp_path)
    root = write_layout(table, tmp_path)
    meta = root / "vevo_meta"
    chords = json.loads((meta / "chord.json").read_text())
    ids = [name for split in SPLITS for name in (meta / f"split/v1/{split}.txt").read_text().split()]
    assert sorted(ids) == sorted(table.arrays["ids"].tolist())
    for index, name in enumerate(table.arrays["ids"].tolist()):
        span = table.rows_of(index)
        first, *rows = (root / f"vevo_chord/lab_v2_norm/all/{name}.lab").read_text().splitlines()
        assert first == "key D minor"
        assert [chords[row.split()[1]] for row in rows] == table.arrays["chord"][span].tolist()
        loud = [float(row.split()[1]) for row in (root / f"vevo_loudness/all/{name}.lab").read_text().splitlines()]
        assert loud == pytest.approx(table.arrays["loudness"][span], abs=1e-4)
        mood = (root / f"vevo_emotion/6c_l14p/all/{name}.lab").read_text().splitlines()
        assert mood[0].startswith("time exciting_prob") and len(mood) == len(rows) + 1
        assert np.load(root / f"vevo_semantic/all/2d/clip_l14p/{name}.npy").shape == (len(rows), 768)


def test_training_reads_it_with_and_without_semantics(tmp_path) -> None:
    mixed = [*films(3), ("zz", film(9, semantic=True))]
    build_table(mixed, tmp_path)
    data = MuViSync(tmp_path)
    assert "own films" in data.about and [song.semantic is not None for song in data.songs] == [False] * 6 + [True] * 2
    last = data.songs[-1]
    assert np.array_equal(last.semantic, mixed[-1][1].semantic[30:]) and last.minor and last.features(smooth=True).any()
    assert Path(tmp_path / "semantic-00000.npz").exists()
    build_table(films(3), tmp_path)
    assert not list(tmp_path.glob("semantic-*")) and MuViSync(tmp_path).songs[0].semantic is None
