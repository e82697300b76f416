"""Feature files and the cache: round trips, damage, two writers, bounds, keys."""

from __future__ import annotations

import json
import os
import random
import shutil
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engine.music import Cut, Film, FrameRate, Timecode
from engine.video import AnalysisOptions, FeatureCache, VideoError, VideoFeatures, analyze
from engine.video.cache import content_key

CLIP = Path(__file__).parents[3] / "engine" / "media" / "big-buck-bunny-30s.mp4"
SHORT = AnalysisOptions(reading="quick", max_s=3)


def made_up(rows: int = 12, semantic: bool = True, seed: int = 0) -> VideoFeatures:
    dice = np.random.default_rng(seed)
    rate = FrameRate(Fraction(30000, 1001), drop=True)
    weights = dice.random((rows, 6)).astype(np.float32)
    return VideoFeatures(
        film=Film("a/b ö.mov", 11.5, rate, 1920, 1080, "abc", Timecode.parse("01:00:00;02", rate)),
        seconds=rows,
        semantic=dice.standard_normal((rows, 768)).astype(np.float32) if semantic else None,
        emotion_raw=weights,
        emotion=weights[::-1].copy(),
        motion=dice.random(rows).astype(np.float32),
        scene_offset=np.arange(rows, dtype=np.int32),
        valid=dice.random(rows) > 0.5,
        cuts=(Cut(1.5, 0.25, "cut"), Cut(7.125, 1.0, "dissolve")),
        reading="full" if semantic else "quick",
        reason="why not",
        notes=("one", "two – drei"),
    )


def equal(a: VideoFeatures, b: VideoFeatures) -> bool:
    plain = ("film", "seconds", "cuts", "reading", "reason", "notes")
    arrays = ("emotion_raw", "emotion", "motion", "scene_offset", "valid")
    return (
        all(getattr(a, name) == getattr(b, name) for name in plain)
        and all(np.array_equal(getattr(a, name), getattr(b, name)) for name in arrays)
        and (a.semantic is None) == (b.semantic is None)
        and (a.semantic is None or np.array_equal(a.semantic, b.semantic))
    )


@pytest.mark.parametrize("semantic", [True, False])
def test_a_feature_file_gives_back_what_was_saved(semantic: bool, tmp_path: Path) -> None:
    features = made_up(semantic=semantic)
    features.save(tmp_path / "f.npz")
    assert equal(VideoFeatures.load(tmp_path / "f.npz"), features)
    assert [file.name for file in tmp_path.iterdir()] == ["f.npz"]


def test_a_damaged_or_foreign_feature_file_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "f.npz"
    with pytest.raises(VideoError, match="There is no file"):
        VideoFeatures.load(file)
    made_up().save(file)
    whole = file.read_bytes()
    for damaged in (b"", b"junk", whole[: len(whole) // 2], whole[:-10]):
        file.write_bytes(damaged)
        with pytest.raises(VideoError, match="not a feature file"):
            VideoFeatures.load(file)
    np.savez(file, other=np.zeros(3))
    with pytest.raises(VideoError, match="not a feature file"):
        VideoFeatures.load(file)


def test_an_entry_with_any_flipped_bit_is_made_again_and_never_blamed_on_the_film(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "cache")
    features = made_up()
    key = "0" * 16 + "-" + "0" * 16
    cache.directory.mkdir()
    file = cache.directory / f"{key}.npz"
    features.save(file)
    whole = file.read_bytes()
    rng = random.Random(3)
    places = [*range(60), *range(len(whole) - 300, len(whole)), *rng.choices(range(len(whole)), k=300)]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.randrange(8)
        file.write_bytes(damaged)
        found = cache.get(key)
        assert found is not None or not file.exists()
        if found is not None:  # the bit stood where nothing is read (a date)
            assert found.seconds == features.seconds


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("kind", ["folder", "pipe", "link into nowhere"])
def test_an_entry_that_is_no_file_is_dropped_and_holds_nothing_up(tmp_path: Path, kind: str) -> None:
    cache = FeatureCache(tmp_path / "cache")
    cache.directory.mkdir()
    file = cache.directory / "0-0.npz"
    {"folder": file.mkdir, "pipe": lambda: os.mkfifo(file), "link into nowhere": lambda: file.symlink_to("no")}[kind]()
    assert cache.get("0-0") is None and not os.path.lexists(file)
    cache.put("0-0", made_up())
    assert cache.get("0-0") is not None


@pytest.mark.parametrize("change", [{"seconds": 4000}, {"reading": "x"}, {"cuts": (Cut(1e9),)}])
def test_facts_that_no_film_has_are_refused(tmp_path: Path, change: dict) -> None:
    if "seconds" in change:  # with arrays as long
        features = replace(made_up(4000), film=replace(made_up().film, duration_s=5.0))
    else:
        features = replace(made_up(), **change)
    features.save(tmp_path / "f.npz")
    with pytest.raises(VideoError, match="not a feature file"):
        VideoFeatures.load(tmp_path / "f.npz")


def test_features_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(VideoError, match="not numbers"):
        replace(made_up(), motion=np.full_like(made_up().motion, np.nan))


def test_arrays_of_another_length_are_refused() -> None:
    with pytest.raises(VideoError, match="motion"):
        replace(made_up(), motion=np.zeros(3, np.float32))


def test_the_second_look_comes_from_the_cache(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "cache")
    first = analyze(CLIP, SHORT, cache=cache)
    said: list[str] = []
    second = analyze(CLIP, SHORT, lambda _f, text: said.append(text), cache)
    assert equal(first, second)
    assert said[-1] == "taken from the cache"
    moved = tmp_path / "other name.mp4"
    shutil.copy(CLIP, moved)
    third = analyze(moved, SHORT, lambda _f, text: said.append(text), cache)
    assert said[-1] == "taken from the cache" and third.film.path == str(moved)
    other = analyze(CLIP, replace(SHORT, max_s=2), lambda _f, text: said.append(text), cache)
    assert other.seconds == 2 and said[-1] != "taken from the cache"
    assert {entry.seconds for entry in cache.list()} == {2, 3}
    assert cache.clear() > 0
    assert cache.list() == []


def test_a_key_changes_with_any_byte_that_is_sampled_and_with_the_size(tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    data = bytearray(np.random.default_rng(1).bytes(6_000_000))
    large.write_bytes(data)
    key = content_key(large)
    assert key == content_key(large)
    for position in (0, 1_000_000, len(data) - 1):
        changed = bytearray(data)
        changed[position] ^= 1
        large.write_bytes(changed)
        assert content_key(large) != key
    large.write_bytes(data + b"x")
    assert content_key(large) != key


def test_a_half_written_entry_is_dropped_and_made_anew(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    cache.put("k", made_up())
    file = tmp_path / "k.npz"
    file.write_bytes(file.read_bytes()[:100])
    assert cache.get("k") is None
    assert not file.exists()
    cache.put("k", made_up())
    assert cache.get("k") is not None


def test_writers_at_the_same_time_leave_one_whole_entry(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    wrong: list[object] = []

    def write(seed: int) -> None:
        for _ in range(10):
            cache.put("k", made_up(seed=seed))
            found = cache.get("k")
            if found is None or not any(np.array_equal(found.motion, made_up(seed=s).motion) for s in range(4)):
                wrong.append(found)

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert [file.name for file in tmp_path.iterdir()] == ["k.npz"]


def test_the_least_recently_used_goes_when_it_is_full(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    for number in range(4):
        cache.put(f"k{number}", made_up(seed=number))
        os.utime(tmp_path / f"k{number}.npz", (1000 + number, 1000 + number))
    assert cache.get("k0") is not None  # used again: now the newest
    cache.max_bytes = 13 * (tmp_path / "k0.npz").stat().st_size // 4
    cache.put("k4", made_up(seed=4))
    assert sorted(entry.key for entry in cache.list()) == ["k0", "k3", "k4"]


def test_a_cache_that_cannot_be_written_is_told_and_the_film_is_still_seen(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    features = analyze(CLIP, SHORT, cache=FeatureCache(blocked / "cache"))
    assert features.seconds == 3
    assert any("cache" in note for note in features.notes)


def large(path: Path, changed_at: int | None = None) -> Path:
    """The bundled clip with 20 MB of padding behind it, one byte of which may be another: between two samples."""
    padding = bytearray(20_000_000)
    if changed_at is not None:
        padding[changed_at] ^= 1
    size = len(padding) + 8
    path.write_bytes(CLIP.read_bytes() + size.to_bytes(4, "big") + b"free" + padding)
    return path


def test_a_film_that_differs_between_the_samples_is_told_apart_by_its_whole_hash(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "cache")
    first, second = large(tmp_path / "a.mp4"), large(tmp_path / "b.mp4", changed_at=10_000_123)
    assert cache.key(first, SHORT) == cache.key(second, SHORT)  # the samples do not see it
    analyze(first, SHORT, cache=cache)
    key = cache.key(first, SHORT)
    kept, sentence = cache.get_checked(key, first)
    assert kept is not None and sentence == ""
    said: list[str] = []
    other = analyze(second, SHORT, lambda _f, text: said.append(text), cache)
    assert said[-1] != "taken from the cache"
    assert any("it was analysed again" in note for note in other.notes)
    said.clear()
    again = analyze(second, SHORT, lambda _f, text: said.append(text), cache)  # now the entry is this one's
    assert said[-1] == "taken from the cache" and equal(replace(again, notes=()), replace(other, notes=()))


def test_a_copy_is_hashed_once_and_a_changed_file_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.video import cache as module

    read: list[str] = []
    real = module.BackgroundHash

    def counted(path: Path, gently: bool = True) -> object:
        read.append(Path(path).name)
        return real(path, gently)

    cache = FeatureCache(tmp_path / "cache")
    film, copy = large(tmp_path / "a.mp4"), tmp_path / "copy.mp4"
    analyze(film, SHORT, cache=cache)
    shutil.copy(film, copy)
    monkeypatch.setattr(module, "BackgroundHash", counted)
    key = cache.key(film, SHORT)
    for path in (film, copy, copy, film):
        assert cache.get_checked(key, path)[0] is not None
    assert read == ["copy.mp4"]
    large(copy, changed_at=10_000_123)
    assert cache.get_checked(key, copy)[0] is None and read == ["copy.mp4", "copy.mp4"]
    assert cache.get(key) is None  # gone, for both: nothing says any more whose it was


@pytest.mark.parametrize("between_the_samples", [False, True])
def test_a_film_that_changes_while_it_is_looked_at_is_not_kept(tmp_path: Path, between_the_samples: bool) -> None:
    film = large(tmp_path / "film.mp4")
    cache = FeatureCache(tmp_path / "cache")
    changed = False

    def change(_fraction: float, _text: str) -> None:
        nonlocal changed
        if not changed and _fraction > 0:
            changed = True
            with film.open("r+b") as handle:
                handle.seek(10_000_123, os.SEEK_SET if between_the_samples else os.SEEK_END)
                handle.write(b"more")

    features = analyze(film, SHORT, change, cache)
    assert any("changed while it was being analysed" in note for note in features.notes)
    assert cache.list() == []


def test_the_analysis_child_says_that_a_film_was_looked_at_anew(tmp_path: Path) -> None:
    from engine.process.analysis import AnalysisTask, analyse_in_child

    first, second = large(tmp_path / "a.mp4"), large(tmp_path / "b.mp4", changed_at=10_000_123)
    for film in (first, second):
        features = analyse_in_child(AnalysisTask(str(film), "quick", cache_dir=str(tmp_path / "cache")))
    assert any("it was analysed again" in note for note in features.notes)
    again = analyse_in_child(AnalysisTask(str(second), "quick", cache_dir=str(tmp_path / "cache")))
    assert not any("anew" in note for note in again.notes)  # the sentence is of that day


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from engine.video import AnalysisOptions, FeatureCache, analyze
for _ in range(int(sys.argv[4])):
    features = analyze(sys.argv[1], AnalysisOptions(reading="quick", max_s=2), None, FeatureCache(Path(sys.argv[2])))
    assert features.seconds == 2 and features.notes == (), features.notes
    FeatureCache(Path(sys.argv[2])).clear()
"""


def test_processes_that_write_clear_and_die_together_leave_nothing_broken(tmp_path: Path) -> None:
    import subprocess
    import sys

    cache = tmp_path / "cache"
    root = str(Path(__file__).parents[3])

    def start(times: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", WRITER, str(CLIP), str(cache), root, str(times)]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    steady, killed = [start(4), start(4)], start(1000)
    for writer in steady:
        assert writer.communicate(timeout=120)[1] == ""
    killed.kill()
    killed.wait(10)
    assert killed.stderr is not None and killed.stderr.read() == ""
    killed.stderr.close()
    again = analyze(CLIP, AnalysisOptions(reading="quick", max_s=2), cache=FeatureCache(cache))
    assert again.seconds == 2 and len(FeatureCache(cache).list()) == 1
    FeatureCache(cache).clear()
    assert all(file.suffix == ".part" for file in cache.iterdir())  # the killed one's, at most
    for file in [*cache.iterdir(), cache / ".k.npz.1-2.part"]:
        file.touch()
        os.utime(file, (1000, 1000))
    FeatureCache(cache).clear()
    assert list(cache.iterdir()) == []


def test_a_record_beside_an_entry_that_was_damaged_is_not_believed(tmp_path: Path) -> None:
    """A wrong digit in it would make the film another one, and the film would be blamed."""
    cache = FeatureCache(tmp_path / "cache")
    film = large(tmp_path / "a.mp4")
    features = analyze(film, SHORT, cache=cache)
    key = cache.key(film, SHORT)
    beside = cache._beside(key)
    record = beside.read_bytes()
    facts = json.loads(record)
    places = [record.index(facts["blake2b"].encode()), record.index(b'"files"') + 2, record.index(b'"seal"') + 1]
    damaged = [bytes((*record[:at], record[at] ^ bit, *record[at + 1 :])) for at in places for bit in (1, 2, 16)]
    unsealed = {name: facts[name] for name in ("blake2b", "files")}
    damaged += [json.dumps({**facts, "blake2b": "0" * 64}).encode(), b"[" * 100_000, record[:-9], b'{"seal": 1}']
    for data in damaged:
        beside.write_bytes(data)
        kept, sentence = cache.get_checked(key, film)
        assert kept is not None and not sentence, data[:80]
        cache.put(key, features)
    beside.write_bytes(json.dumps(unsealed).encode())  # as earlier versions wrote it
    assert cache._knows(key, film)
