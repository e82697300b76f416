"""The networks in numpy against their definitions in torch: every input, every cache state, every regressor."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from models.amt import AffectiveMultimodalTransformer
from models.checkpoint import build, load_default, save
from models.conditioning import CONDITION_WIDTH, SECTION_WIDTH, condition_rows, section_rows
from models.config import KINDS, AmtConfig, RegressorConfig
from models.errors import CheckpointError
from models.files import LARGEST, WEIGHTS, read
from models.film import FilmInputs
from models.regressor import DynamicsRegressor
from models.runtime import ChordNetwork, Regressor, from_torch, load, load_pair
from models.training.composed import film_inputs
from models.training.dataset import MuViSync, Song

SLICE = Path(__file__).parent / "fixtures" / "muvi-sync-slice"
ROOT = Path(__file__).resolve().parents[2]
PASSAGE = 64
EVERYTHING = AmtConfig(
    32, 2, 1, 2, 48, masked=True, scaled=True, run_buckets=8, recall_heads=3, recall_roots=True, echo_heads=4,
    condition_width=12,
)  # fmt: skip
SECTIONS = AmtConfig(32, 2, 1, 2, 48, masked=True, scaled=True, condition_width=12, section_width=10)


def passages() -> list[tuple[FilmInputs, np.ndarray]]:
    """Twelve: four of each song of the slice, its film cut there and its chords (64,)."""
    found = []
    for song in MuViSync(SLICE).split("test"):
        for start in np.linspace(0, song.length - PASSAGE, 4).astype(int):
            found.append((cut(song, int(start)), song.chords[start : start + PASSAGE]))
    assert len(found) == 12
    return found


def cut(song: Song, start: int) -> FilmInputs:
    whole, rows = film_inputs(song, song, smooth=True), slice(start, start + PASSAGE)
    return FilmInputs(
        whole.features[:, rows],
        whole.valid[:, rows],
        whole.semantic_present,
        whole.emotion_present,
        whole.minor,
        ends=start + PASSAGE == song.length,
    )


def conditions_of(seed: int, rows: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mood = None if seed % 4 == 1 else rng.dirichlet(np.ones(6) * 0.4, rows)
    cuts = None if seed % 4 == 2 else (rng.random(rows) < 0.1).astype(float)
    form = np.zeros((rows, SECTION_WIDTH), dtype=np.float32)
    if seed % 3:
        form = section_rows(rows, [(0, 0), (rows // 4, 1), (rows // 2, seed % 2)])
    return np.concatenate([condition_rows(rows, mood, cuts), form], axis=1)


@torch.no_grad()
def in_torch(
    model: AffectiveMultimodalTransformer, film: FilmInputs, chords: np.ndarray, conditions: np.ndarray | None
) -> np.ndarray:
    """(T, 159) logits of the whole sequence at once."""
    given = (film.features, film.minor, film.valid, film.semantic_present, film.emotion_present)
    features, minor, valid, semantic, emotion = (torch.from_numpy(array) for array in given)
    logits = model(
        features,
        torch.from_numpy(chords)[None],
        minor,
        valid=valid,
        semantic_present=semantic,
        emotion_present=emotion,
        ends=film.ends,
        conditions=None if conditions is None else torch.from_numpy(conditions)[None],
    )
    return logits[0].numpy()


def in_numpy(model: ChordNetwork, film: FilmInputs, chords: np.ndarray, conditions: np.ndarray | None) -> np.ndarray:
    """The same, chord by chord."""
    cache = model.new_cache(film, len(chords), None if conditions is None else conditions[None])
    return np.concatenate([model.decode_step(np.array([chord]), cache) for chord in chords])


def assert_equal(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Within 1e-5 of the logits' own range, and the same best chord everywhere."""
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * float(np.abs(theirs).max()))
    assert np.array_equal(ours.argmax(axis=-1), theirs.argmax(axis=-1))


def lively(config: AmtConfig, seed: int = 3) -> AffectiveMultimodalTransformer:
    """Untrained, with every tensor away from its initial zeros and ones, so that an error in any of them shows."""
    torch.manual_seed(seed)
    model = build(config).eval()
    assert isinstance(model, AffectiveMultimodalTransformer)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def test_the_shipped_chord_network_is_the_same_in_numpy() -> None:
    model = load_default("amt")
    network = load_pair()[0]
    for seed, (film, chords) in enumerate(passages()):
        shown = conditions_of(seed, PASSAGE) if model.config.condition_width else None
        assert_equal(in_numpy(network, film, chords, shown), in_torch(model, film, chords, shown))


@pytest.mark.parametrize(
    "config",
    [
        EVERYTHING,
        SECTIONS,
        AmtConfig(32, 2, 2, 2, 48),  # the published kind: nothing masked, padded to 300
        AmtConfig(32, 2, 1, 2, 48, see=False, relative=False),
        AmtConfig(32, 2, 1, 1, 48, masked=True, recall_heads=2),
    ],
    ids=["everything", "sections", "published", "blind", "recall of chords"],
)
def test_every_kind_of_chord_network_is_the_same_in_numpy(config: AmtConfig) -> None:
    model = lively(config)
    network = from_torch(model)
    assert isinstance(network, ChordNetwork)
    for seed, (film, chords) in enumerate(passages()[::3]):
        shown = conditions_of(seed, PASSAGE) if config.condition_width else None
        assert_equal(in_numpy(network, film, chords, shown), in_torch(model, film, chords, shown))


def test_films_with_holes_without_a_picture_and_with_parts_missing() -> None:
    model = lively(EVERYTHING)
    network = from_torch(model)
    assert isinstance(network, ChordNetwork)
    rng = np.random.default_rng(5)
    chords = np.repeat(rng.integers(0, 157, 20), 2)
    for valid in (rng.random(40) < 0.7, np.zeros(40, dtype=bool), np.arange(40) < 31):
        for semantic in (None, rng.standard_normal((40, 768)).astype(np.float32)):
            film = FilmInputs.from_arrays(
                scene_offset=np.arange(40) % 9, motion=rng.random(40) * 60, semantic=semantic, valid=valid, minor=True
            )
            assert_equal(in_numpy(network, film, chords, None), in_torch(model, film, chords, None))


def test_sections_are_read_where_they_are_told_and_by_whom_they_can_be() -> None:
    film, chords = passages()[2]
    shown = conditions_of(2, PASSAGE)
    reading, other = from_torch(lively(SECTIONS)), from_torch(lively(EVERYTHING))
    assert isinstance(reading, ChordNetwork) and isinstance(other, ChordNetwork)
    told = in_numpy(reading, film, chords, shown)
    untold = in_numpy(reading, film, chords, shown[:, :CONDITION_WIDTH])
    assert np.abs(told - untold).max() > 0.05
    absent = shown.copy()
    absent[:, CONDITION_WIDTH:] = 0
    np.testing.assert_array_equal(in_numpy(reading, film, chords, absent), untold)
    np.testing.assert_array_equal(
        in_numpy(other, film, chords, shown), in_numpy(other, film, chords, shown[:, :CONDITION_WIDTH])
    )


def test_songs_side_by_side_are_what_each_is_alone() -> None:
    network = from_torch(lively(EVERYTHING))
    assert isinstance(network, ChordNetwork)
    some = passages()[:8:3]
    chords = np.stack([chords for _, chords in some])
    shown = np.stack([conditions_of(seed, PASSAGE) for seed in range(len(some))])
    cache = network.new_cache(FilmInputs.stacked([film for film, _ in some]), PASSAGE, shown)
    together = np.stack([network.decode_step(chords[:, slot], cache) for slot in range(PASSAGE)], axis=1)
    for row, (film, own) in enumerate(some):
        alone = in_numpy(network, FilmInputs(**{**_fields(film), "ends": some[0][0].ends}), own, shown[row])
        np.testing.assert_allclose(together[row], alone, atol=1e-4)


def _fields(film: FilmInputs) -> dict[str, object]:
    return {name: getattr(film, name) for name in FilmInputs.__slots__}


def test_a_guided_cache_gives_both_rows() -> None:
    network = from_torch(lively(EVERYTHING))
    assert isinstance(network, ChordNetwork)
    film, chords = passages()[4]
    shown = conditions_of(3, PASSAGE)
    cache = network.new_cache(film, PASSAGE, shown[None], guided=True)
    rows = np.stack([network.decode_step(np.array([chord]), cache) for chord in chords], axis=1)  # (2, T, 159)
    np.testing.assert_allclose(rows[0], in_numpy(network, film, chords, shown), atol=1e-4)
    np.testing.assert_allclose(rows[1], in_numpy(network, film, chords, None), atol=1e-4)
    assert np.abs(rows[0] - rows[1]).max() > 0.1


def test_truncating_the_cache_forgets_nothing_before() -> None:
    network = from_torch(lively(EVERYTHING))
    assert isinstance(network, ChordNetwork)
    film, chords = passages()[1]
    cache = network.new_cache(film, PASSAGE)
    for chord in [*chords[:30], 5, 5, 7, 40]:
        network.decode_step(np.array([chord]), cache)
    cache.truncate(30)
    again = np.concatenate([network.decode_step(np.array([chord]), cache) for chord in chords[30:]])
    np.testing.assert_array_equal(again, in_numpy(network, film, chords, None)[30:])
    with pytest.raises(ValueError, match="holds 64 slots"):
        network.decode_step(np.array([1]), cache)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scaled", [False, True])
def test_every_regressor_is_the_same_in_numpy(kind: str, scaled: bool) -> None:
    torch.manual_seed(1)
    config = RegressorConfig(kind, 16, scaled=scaled, levels=scaled, bottleneck=12 if kind == "gru" and scaled else 0)
    model = build(config).eval()
    with torch.no_grad():
        for value in model.state_dict().values():
            value.add_(0.05 * torch.randn_like(value).abs())
    numbers = from_torch(model)
    assert isinstance(numbers, Regressor)
    rng = np.random.default_rng(2)
    for semantic in (None, rng.standard_normal((90, 768)).astype(np.float32)):
        film = FilmInputs.from_arrays(
            scene_offset=np.arange(90) % 11,
            motion=rng.random(90) * 50,
            semantic=semantic,
            emotion=rng.dirichlet(np.ones(6), 90),
            valid=np.arange(90) < 77,
        )
        for ours, theirs in zip(numbers.predict(film), model.predict(film), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["bigru", "gru", "lstm"])
@pytest.mark.parametrize("levels", [False, True])
def test_a_regressor_reads_chords_as_they_become_known_and_never_ahead(kind: str, levels: bool) -> None:
    model, film, chords = _reading(kind, levels)
    whole, alone = model.predict(film, chords), model.predict(film)
    assert np.abs(whole[0] - alone[0]).max() > 1e-2
    other = chords.copy()
    other[30:] = 1
    changed = model.predict(film, other)
    for before, after in zip(whole, changed, strict=True):
        np.testing.assert_allclose(after[:30], before[:30], rtol=1e-5, atol=1e-5)
    assert np.abs(changed[0][30:] - whole[0][30:]).max() > 1e-3
    film.minor[:] = True
    assert np.abs(model.predict(film, chords)[0] - whole[0]).max() > 1e-4


def test_a_regressor_that_reads_chords_is_not_composed_with(tmp_path: Path) -> None:
    save(_reading("bigru", True)[0], tmp_path / "regressor.safetensors")
    with pytest.raises(CheckpointError, match="reads chords"):
        load(tmp_path / "regressor.safetensors")


def _reading(kind: str, levels: bool) -> tuple[DynamicsRegressor, FilmInputs, np.ndarray]:
    torch.manual_seed(1)
    model = build(RegressorConfig(kind, 16, scaled=True, levels=levels, chord_width=8)).eval()
    assert isinstance(model, DynamicsRegressor)
    with torch.no_grad():
        for value in model.state_dict().values():
            value.add_(0.2 * torch.randn_like(value))
        model.target_mean.copy_(torch.tensor([12.0, 0.4]))
        model.target_scale.copy_(torch.tensor([3.0, 0.1]))
        if levels:
            model.level_weight.normal_(std=0.01)
            model.level_bias.copy_(torch.tensor([11.0, 0.5]))
    rng = np.random.default_rng(2)
    film = FilmInputs.from_arrays(
        scene_offset=np.arange(90) % 11,
        motion=rng.random(90) * 50,
        emotion=rng.dirichlet(np.ones(6), 90),
        valid=np.arange(90) < 77,
    )
    return model, film, np.repeat(rng.integers(0, 157, 30), 3)


def test_the_shipped_regressor_is_the_same_in_numpy() -> None:
    model, numbers = load_default("regressor"), load_pair()[1]
    for film, _ in passages():
        for ours, theirs in zip(numbers.predict(film), model.predict(film), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_files_that_do_not_fit_get_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        load(tmp_path / "nothing.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        load(tmp_path / "broken.safetensors")
    save(build(RegressorConfig(width=8)), tmp_path / "amt.safetensors")
    (tmp_path / "regressor.safetensors").write_bytes((WEIGHTS / "regressor.safetensors").read_bytes())
    with pytest.raises(CheckpointError, match="under their names"):
        load_pair(tmp_path)


@pytest.mark.parametrize("name", ["amt", "regressor"])
def test_what_is_loaded_computes_whatever_tensor_is_misshapen(name: str, tmp_path: Path) -> None:
    """Each tensor of the shipped files a column short: refused when it is read, or no reason not to compute."""
    source, path = WEIGHTS / f"{name}.safetensors", tmp_path / f"{name}.safetensors"
    tensors, refused = load_file(source), 0
    with safe_open(source, "numpy") as opened:
        metadata = opened.metadata()
    (film, chords), shown = passages()[0], conditions_of(3, PASSAGE)
    for tensor, value in tensors.items():
        if value.ndim == 0 or value.shape[-1] < 2:
            continue
        save_file({**tensors, tensor: np.ascontiguousarray(value[..., :-1])}, path, metadata=metadata)
        try:
            network = load(path)
        except CheckpointError as error:
            refused += 1
            assert "does not fit its own configuration" in str(error)
        else:
            if isinstance(network, Regressor):
                network.predict(film)
            else:
                in_numpy(network, film, chords[:8], shown)
    assert refused > 0.6 * len(tensors)  # the rest are broadcast, or tables that nothing here reads


def test_using_the_networks_loads_no_torch() -> None:
    code = (
        "import sys; from models.runtime import load_pair; load_pair(); import models.decoding, models.selection\n"
        "print([name for name in ('torch', 'cv2', 'scipy', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("films", "config"), [(1, EVERYTHING), (3, EVERYTHING), (2, SECTIONS)])
def test_other_conditions_are_as_if_they_had_been_there_all_along(films: int, config: AmtConfig) -> None:
    network = from_torch(lively(config))
    assert isinstance(network, ChordNetwork)
    some = passages()[:films]
    film = FilmInputs.stacked([film for film, _ in some])
    chords = np.stack([chords for _, chords in some])
    first = np.stack([conditions_of(3 + k, PASSAGE) for k in range(films)])
    later = first.copy()
    later[:, 12:] = np.stack([conditions_of(7 + k, PASSAGE) for k in range(films)])[:, 12:]
    for fed in (0, 5, 40):
        cache = network.new_cache(film, PASSAGE, first, guided=True)
        for slot in range(fed):
            network.decode_step(chords[:, slot], cache)
        network.recondition(cache, later)
        found = np.stack([network.decode_step(chords[:, slot], cache) for slot in range(fed, PASSAGE)])
        fresh = network.new_cache(film, PASSAGE, later, guided=True)
        wanted = np.stack([network.decode_step(chords[:, slot], fresh) for slot in range(PASSAGE)])[fed:]
        np.testing.assert_allclose(found, wanted, atol=2e-4)
    network.recondition(cache, None)
    plain = network.decode_step(np.zeros(films, dtype=np.int64), network.new_cache(film, PASSAGE))
    cache.truncate(0)
    again = network.decode_step(np.zeros(films, dtype=np.int64), cache)
    np.testing.assert_allclose(again[:films], plain, atol=1e-4)


@pytest.mark.filterwarnings("error")
def test_damaged_weights_are_refused_or_computed_with_but_never_warned_of(tmp_path) -> None:
    """A tensor full of one number: too large to compute with is refused in a sentence, else the logits are numbers."""
    model, path = lively(replace(EVERYTHING, max_slots=PASSAGE)), tmp_path / "amt.safetensors"
    (film, chords), shown, refused = passages()[0], conditions_of(0, PASSAGE), 0
    for number, (name, tensor) in enumerate(model.state_dict().items()):
        before = tensor.clone()
        for value in (9000.0, -9000.0, 1e30, -3e38)[: 2 if number % 8 else 4]:
            tensor.fill_(value)
            save(model, path)
            try:
                network = load(path)
            except CheckpointError as error:
                refused += 1
                assert "is damaged" in str(error) and len(str(error)) < 300
            else:
                assert abs(value) < 1e4, name
                assert isinstance(network, ChordNetwork)
                assert np.isfinite(in_numpy(network, film, chords[:2], shown[:2])).all(), (name, value)
        tensor.copy_(before)
    assert refused >= 2 * (number // 8 + 1) + 4  # and floors that have no exponential


def test_what_is_shipped_is_far_from_what_is_refused() -> None:
    for name in ("amt", "regressor"):
        assert (
            max(np.abs(each).max() for each in read(WEIGHTS / f"{name}.safetensors").tensors.values()) < LARGEST / 100
        )
