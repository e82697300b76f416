"""Training: data, losses, resume after a kill, determinism; the command line with its refusals."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.checkpoint import load
from models.conditioning import CONDITION_WIDTH
from models.config import AmtConfig, RegressorConfig
from models.decoding import ChordStream, DecodingOptions
from models.errors import ModelError
from models.files import WEIGHTS, read_card
from models.film import FilmInputs
from models.regressor import DynamicsRegressor
from models.runtime import ChordNetwork, from_torch
from models.training.cli import main
from models.training.composed import compose_all, film_inputs
from models.training.dataset import Labelling, MuViSync, chord_steps, make_batch
from models.training.evaluate import ORACLE_WINDOW, dynamics_baselines, with_own_mean
from models.training.labels import MoodLabels
from models.training.losses import chord_loss, correlation_loss, emotion_loss, masked_mse, quality_loss
from models.training.systems import SYSTEMS, System, find, reduced
from models.training.train import (
    TrainOptions,
    build,
    calibrate,
    fit_levels,
    fit_targets,
    learning_rate,
    run_network,
    song_order,
    start_from,
    train,
)
from models.training.variation import LabelVariation, Variation
from models.vocabulary import transpose_ids

FIXTURES = Path(__file__).parent.parent / "fixtures"
SLICE = FIXTURES / "muvi-sync-slice"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The slice with one song in each split, cut to 60 rows: real data, small enough to train on in a test."""
    folder = tmp_path_factory.mktemp("data")
    with np.load(SLICE / "muvi-sync.npz") as table:
        whole = {name: table[name] for name in table.files}
    with np.load(SLICE / "semantic-0.npz") as table:
        semantic = {name: table[name] for name in table.files}
    keep = np.concatenate([np.arange(start, start + 60) for start in whole["offsets"][:-1]])
    rows = ("chord", "note_density", "loudness", "motion", "emotion", "scene_offset")
    cut = {**whole, **{name: whole[name][keep] for name in rows}}
    cut["split"] = np.array(["train", "val", "test"])
    cut["offsets"] = np.array([0, 60, 120, 180], dtype=np.int32)
    np.savez(folder / "muvi-sync.npz", **cut)
    np.savez(folder / "semantic-0.npz", semantic=semantic["semantic"][keep], scale=semantic["scale"][keep], start=0)
    return folder


TINY = replace(
    find("amt"),
    network=AmtConfig(
        32, 2, 1, 1, 32, masked=True, scaled=True, run_buckets=4, recall_heads=2, recall_roots=True, echo_heads=2
    ),
    recipe=replace(find("amt").recipe, batch=1, warmup=1),
)
TINY_DYNAMICS = replace(
    find("regressor"),
    network=RegressorConfig(width=8, layers=1, scaled=True, bottleneck=8, levels=True),
    recipe=replace(find("regressor").recipe, batch=1, warmup=1),
)


TINY_CHORDS = replace(
    find("regressor-chords"),
    network=RegressorConfig(width=8, layers=1, scaled=True, levels=True, chord_width=8),
    recipe=replace(find("regressor-chords").recipe, batch=1, warmup=1),
)


@pytest.mark.parametrize("system", [TINY, TINY_DYNAMICS, TINY_CHORDS], ids=lambda system: system.name)
def test_a_resumed_run_ends_where_an_uninterrupted_one_does(system: System, data: Path, tmp_path: Path) -> None:
    songs = MuViSync(data)
    whole, record = train(system, songs, TrainOptions(tmp_path / "whole", seed=3, report=2, steps=4))
    train(system, songs, TrainOptions(tmp_path / "parts", seed=3, report=2, steps=4, until=2))
    parts, _ = train(system, songs, TrainOptions(tmp_path / "parts", seed=3, report=2, steps=4))
    assert record["steps"] == 4
    for name, value in whole.state_dict().items():
        assert torch.equal(value, parts.state_dict()[name]), name
    log = (tmp_path / "parts" / "log.csv").read_text().splitlines()
    assert log[0].startswith("step,seconds") and len(log) == 3
    assert (tmp_path / "whole" / "curves.png").stat().st_size > 1000


def test_a_killed_run_ends_where_an_uninterrupted_one_does(data: Path, tmp_path: Path) -> None:
    """SIGKILL after the first report, mid-step: the same command goes on and writes the same weights."""
    words = ["train", "gru", "--data", str(data), "--steps", "12", "--report", "4"]
    command = [sys.executable, "-m", "models.training.cli", *words, "--run", str(tmp_path / "killed")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr is not None
    said = process.stderr.readline()
    process.kill()
    process.wait()
    process.stderr.close()
    assert said.startswith("step 4 ")
    kept = torch.load(tmp_path / "killed" / "state.pt", weights_only=True)["step"]
    assert 4 <= kept < 12
    assert main([*words, "--run", str(tmp_path / "killed")]) == 0
    assert main([*words, "--run", str(tmp_path / "whole")]) == 0
    killed, whole = (load(tmp_path / name / "best.safetensors").state_dict() for name in ("killed", "whole"))
    assert all(torch.equal(value, killed[name]) for name, value in whole.items())
    logs = [(tmp_path / name / "log.csv").read_text() for name in ("killed", "whole")]
    rows = [list(csv.DictReader(log.splitlines())) for log in logs]
    assert [row["val_loss"] for row in rows[0]] == [row["val_loss"] for row in rows[1]]


def test_a_run_folder_of_another_seed_is_refused(data: Path, tmp_path: Path) -> None:
    songs = MuViSync(data)
    train(TINY, songs, TrainOptions(tmp_path, seed=3, report=1, steps=1))
    with pytest.raises(ModelError, match="another system, seed, length or data"):
        train(TINY, songs, TrainOptions(tmp_path, seed=4, report=1, steps=1))


def test_training_learns(data: Path, tmp_path: Path) -> None:
    """Forty steps on one song without variation bring its loss down by a third."""
    still = replace(TINY, recipe=replace(TINY.recipe, variation=Variation(), learning_rate=3e-3))
    rows: list[dict[str, float]] = []
    train(still, MuViSync(data), TrainOptions(tmp_path, report=20, steps=40), rows.append)
    assert rows[1]["train_loss"] < 0.67 * rows[0]["train_loss"]


def test_the_emotion_matching_loss_moves_probability_into_the_film_s_affect_set(data: Path, tmp_path: Path) -> None:
    """Thirty steps with it and without: more of the probability lies on chords of Table 1's set for the film."""
    still = replace(TINY, recipe=replace(TINY.recipe, variation=Variation(), learning_rate=3e-3))
    songs, missed = MuViSync(data), []
    for weight in (0.0, 1.0):
        options = TrainOptions(tmp_path / str(weight), report=30, steps=30, quality_weight=weight)
        model, record = train(still, songs, options)
        assert record["recipe"]["quality_weight"] == weight  # type: ignore[index]
        batch = make_batch(songs.split("val"))
        with torch.no_grad():
            logits = run_network(model, batch)
        real = batch.targets != 158
        missed.append(quality_loss(logits[real], batch.emotion_next[real]).item())
    assert missed[1] < 0.9 * missed[0]
    for name, weight in (("amt", -1.0), ("regressor", 0.5)):
        with pytest.raises(ModelError, match="emotion matching loss"):
            train(find(name), songs, TrainOptions(tmp_path / "refused", steps=1, quality_weight=weight))


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_every_system_can_take_a_step(name: str, data: Path, tmp_path: Path) -> None:
    system = reduced(find(name), 8) if find(name).predicts == "chords" else find(name)
    system = replace(system, recipe=replace(system.recipe, batch=1))
    model, record = train(system, MuViSync(data), TrainOptions(tmp_path, report=1, steps=1))
    assert record["system"] == name and np.isfinite(record["best_val_loss"])
    assert not model.training


@torch.no_grad()
def test_sections_start_from_what_ships_and_change_nothing_of_it() -> None:
    """Before the first step a network that reads sections says, told any, what the shipped one says without."""
    models = [build(find(name).network).eval() for name in ("amt", "amt-sections")]
    for model in models:
        start_from(model, WEIGHTS / "amt.safetensors")
    songs = MuViSync(SLICE).split("test")[:1]
    variation = LabelVariation(drop_all=0.0, drop_mood=0.0, drop_boundaries=0.0, drop_sections=0.0)
    labelling = Labelling(MoodLabels([(song.chords, song.minor) for song in songs]), variation)
    batch = make_batch(songs, labelling=labelling, rng=np.random.default_rng(1))
    assert batch.conditions[..., CONDITION_WIDTH:].any()
    plain, reading = (run_network(model, batch) for model in models)
    assert torch.equal(plain, reading)


def test_sections_are_read_behind_the_other_conditions() -> None:
    with pytest.raises(ValueError, match="section_width needs condition_width"):
        AmtConfig(section_width=8)


def test_a_passage_is_as_long_as_is_asked(data: Path, tmp_path: Path) -> None:
    _, record = train(TINY, MuViSync(data), TrainOptions(tmp_path / "short", steps=1, excerpt=20))
    assert record["recipe"]["excerpt"] == 20  # type: ignore[index]
    with pytest.raises(ModelError, match="An excerpt has"):
        train(TINY, MuViSync(data), TrainOptions(tmp_path / "none", steps=1, excerpt=-1))


def test_published_systems_have_the_published_size() -> None:
    network = find("amt-paper").network
    assert isinstance(network, AmtConfig)
    unused = 81_408 + 1_024 + 7_695 + 8_208  # tensors of the authors' checkpoint that compute nothing
    with torch.device("meta"):
        assert sum(p.numel() for p in build(network).parameters()) == 32_517_310 - unused


def test_targets_follow_the_protocol(data: Path) -> None:
    x, y = chord_steps(np.arange(5))
    assert x.tolist() == [0, 1, 2, 3, 4] and y.tolist() == [1, 2, 3, 4, 157]
    x, y = chord_steps(np.arange(300) % 157)
    assert len(x) == len(y) == 299 and 157 not in y
    with np.load(FIXTURES / "input_001.npz") as item:
        x, y = chord_steps(item["x"][0, :282])
        assert y.tolist() == item["tgt"][0, :282].tolist()


def test_batch_is_padded_and_masked() -> None:
    songs = MuViSync(SLICE).split("test")
    batch = make_batch(songs)
    for k, song in enumerate(songs):
        assert batch.valid[k].sum() == song.length
        assert (batch.features[k, song.length :] == 0).all()
        x, y = chord_steps(song.chords)
        assert batch.inputs[k, : len(x)].tolist() == x.tolist()
        assert (batch.targets[k, len(y) :] == 158).all()
    hidden = make_batch(songs, without=frozenset({"semantic", "emotion"}))
    assert not hidden.semantic_present.any() and not hidden.emotion_present.any()
    assert (hidden.features[..., :768] == 0).all() and (hidden.features[..., 770:] == 0).all()


def test_variation_transposes_whole_songs() -> None:
    songs = MuViSync(SLICE).split("test")
    batch = make_batch(songs, variation=Variation(transpose=1.0), rng=np.random.default_rng(0))
    for k, song in enumerate(songs):
        x, _ = chord_steps(song.chords)
        moved = batch.inputs[k, : len(x)].numpy()
        assert any(np.array_equal(moved, transpose_ids(x, shift)) for shift in range(1, 12))


def test_losses_by_hand() -> None:
    logits = torch.zeros(1, 2, 159)
    assert chord_loss(logits, torch.tensor([[3, 158]])).item() == pytest.approx(np.log(159), abs=1e-5)
    assert emotion_loss(logits[0], torch.tensor([0, 5])).item() == pytest.approx(np.log(2), abs=1e-5)
    # 36 of 159 equally likely chords belong to "exciting"
    assert quality_loss(logits[0], torch.tensor([0, 5])).item() == pytest.approx(np.log(159 / 36), abs=1e-5)
    shifted = logits[0] + 4
    assert quality_loss(shifted, torch.tensor([0, 5])).item() == pytest.approx(np.log(159 / 36), abs=1e-4)
    assert emotion_loss(shifted, torch.tensor([0, 5])).item() != pytest.approx(np.log(2), abs=0.1)
    truth = torch.tensor([[[1.0, 0.0], [3.0, 1.0], [9.0, 9.0]]])
    valid = torch.tensor([[True, True, False]])
    assert masked_mse(torch.zeros_like(truth), truth, valid).item() == pytest.approx((1 + 0 + 9 + 1) / 4)
    assert correlation_loss(2 * truth + 1, truth, valid).item() == pytest.approx(0, abs=1e-3)


def test_schedule_and_order() -> None:
    recipe = find("amt").recipe
    assert learning_rate(recipe, 0, 1000) == pytest.approx(recipe.learning_rate / recipe.warmup)
    assert learning_rate(recipe, recipe.warmup, 1000) == pytest.approx(recipe.learning_rate)
    assert learning_rate(recipe, 1000, 1000) == pytest.approx(0)
    epoch = np.concatenate([song_order(20, 4, 0, step) for step in range(5)])
    assert sorted(epoch) == list(range(20))
    assert song_order(20, 4, 0, 7).tolist() == song_order(20, 4, 0, 7).tolist()


def test_composing_many_films_at_once_equals_one_by_one() -> None:
    torch.manual_seed(0)
    network = from_torch(build(TINY.network))
    assert isinstance(network, ChordNetwork)
    songs = MuViSync(SLICE).split("test")
    films = [
        replace_length(film_inputs(song, song, smooth=True), rows)
        for song, rows in zip(songs, (40, 60, 25), strict=True)
    ]
    options = [DecodingOptions(seed=seed, guidance=0.5) for seed in range(len(films))]
    together = compose_all(network, films, options)
    assert together == [list(ChordStream(network, film, option)) for film, option in zip(films, options, strict=True)]


def replace_length(film: FilmInputs, rows: int) -> FilmInputs:
    """The first rows of a film."""
    return replace(film, features=film.features[:, :rows], valid=film.valid[:, :rows])


def test_levels_are_ridge_regression_and_gains_least_squares() -> None:
    """Against closed forms on the slice's three songs; what is missing has no weight."""
    songs = MuViSync(SLICE).split("test")
    torch.manual_seed(0)
    model = build(RegressorConfig(width=8, layers=1, scaled=True, levels=True))
    assert isinstance(model, DynamicsRegressor)
    fit_targets(model, songs)
    fit_levels(model, songs, smooth=True)
    assert (model.level_weight[1, :768] == 0).all() and (model.level_weight[2, 770:] == 0).all()
    assert (model.level_weight[0] != 0).any(1).sum() > 700
    batch = make_batch(songs)
    level = model.level(batch.features, batch.valid).detach()
    truth = torch.tensor([[song.density.mean(), song.loudness.mean()] for song in songs])
    # so strong a ridge for three songs stays near their mean, and leans towards each
    assert ((level - truth.mean(0)).abs() < (truth - truth.mean(0)).abs() + 1e-6).all()
    assert ((level - truth.mean(0)) * (truth - truth.mean(0)) > 0).all()
    calibrate(model, songs, songs, smooth=True)
    again = model.shape_gain.clone()

    def error(gain: float) -> float:
        """Square error of density around its mean, with the fitted gain times this."""
        model.shape_gain.copy_(again * gain)
        found = [run_network(model, make_batch([song]))[0, :, 0].detach() for song in songs]
        pairs = zip(found, (torch.tensor(song.density) for song in songs), strict=True)
        return sum(float((((p - p.mean()) - (t - t.mean())) ** 2).sum()) for p, t in pairs)

    assert error(1.0) < min(error(0.9), error(1.1))
    predicted = torch.cat([run_network(model, make_batch([s]))[0].detach() for s in songs])
    assert model.quantiles_predicted[0, 0] <= predicted[:, 0].median() <= model.quantiles_predicted[-1, 0]


def test_oracles_are_what_they_say() -> None:
    songs = MuViSync(SLICE).split("test")
    rows = dynamics_baselines(songs, songs)
    window = rows[f"oracle: own means over {ORACLE_WINDOW} s"][0]
    half = ORACLE_WINDOW // 2
    assert window[100, 0] == pytest.approx(songs[0].density[100 - half : 101 + half].mean(), abs=1e-4)
    assert window.shape == (songs[0].length, 2)
    moved = with_own_mean(np.zeros((songs[0].length, 2)) + np.arange(songs[0].length)[:, None], songs[0])
    assert moved[:, 1].mean() == pytest.approx(songs[0].loudness.mean(), abs=1e-5)
    assert np.allclose(np.diff(moved[:, 0]), 1)


# --- the command line -----------------------------------------------------------------------------------------------


def test_info_lists_what_ships_and_what_can_be_trained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["shipped"]) >= {"amt", "regressor"} and all(card["whole"] for card in found["shipped"].values())
    names = {"transformer", "music-transformer", "amt-no-emotion-loss", "amt-paper", "amt"}
    assert names | {"fc", "lstm", "bilstm", "gru", "bigru", "regressor"} <= set(found["systems"])
    assert main(["info"]) == 0
    assert "as its card says" in capsys.readouterr().out


def test_train_evaluate_and_import(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "fc.safetensors"
    words = ["train", "fc", "--data", str(data), "--run", str(tmp_path / "run"), "--steps", "2", "--report", "1"]
    assert main([*words, "--out", str(out), "--json"]) == 0
    trained = json.loads(capsys.readouterr().out)
    assert Path(trained["weights"]) == out and read_card(out)["system"] == "fc"
    assert str(tmp_path) not in out.with_suffix(".json").read_text()
    report = tmp_path / "report"
    words = ["evaluate", f"fc={out}", "--only", "--data", str(data), "--split", "test", "--out", str(report)]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["dynamics"]["fc"]["density_rmse"]["videos"] == 1
    assert "published BiGRU" in (report / "evaluation.md").read_text()
    imported = tmp_path / "amt.safetensors"
    assert main(["import", str(FIXTURES / "amt_small.pt"), str(imported), "--json"]) == 0
    assert load(imported).config.width == 64
    assert main(["info", str(imported)]) == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["train", "amt", "--data", "nowhere"], "No training data"),
        (["train", "conductor", "--data", str(SLICE)], "No system is called 'conductor'"),
        (["evaluate", "--data", "nowhere"], "No training data"),
        (["evaluate", "x", "--data", str(SLICE)], "is not NAME=FILE"),
        (["info", "nothing.safetensors"], "does not exist"),
        (["import", str(SLICE / "muvi-sync.npz"), "out"], "can be read safely"),
        (["import", str(FIXTURES / "amt_small.pt"), "out", "--kind", "flute"], "none of"),
        (["import", str(FIXTURES / "amt_small.pt"), "out.json"], "the model card's name"),
        (["import", str(FIXTURES / "amt_small.pt"), "."], "is a folder"),
        (["import", str(FIXTURES / "amt_small.pt"), "file/out"], "cannot be made"),
        (["import", "own.pt", "own.pt"], "would be overwritten"),
        (["evaluate", "--data", str(SLICE), "--free-unguided", "x"], "none of amt, regressor"),
        (["evaluate", "--data", str(SLICE), "--threads", "0"], "no whole number from 1"),
        (["evaluate", "--data", str(SLICE), "--slice", "nowhere"], "No training data"),
        (["evaluate", "--data", str(SLICE), "--out", "file"], "cannot be made"),
        (["evaluate", "--data", str(SLICE), "--split", "val"], "too little to evaluate"),
        *(
            (["train", "amt-paper", "--data", str(SLICE), *words], says)
            for words, says in (
                (["--steps", "-3"], "no whole number from 0"),
                (["--until", "-1"], "no whole number from 0"),
                (["--report", "0"], "no whole number from 1"),
                (["--warmup", "-1"], "no whole number from 0"),
                (["--seed", "-1"], "no whole number from 0"),
                (["--seed", str(2**70)], "no whole number from 0"),
                (["--threads", "100000"], "no whole number from 1"),
                (["--reduced", "0"], "no whole number from 1"),
                (["--reduced", "1000"], "cannot be reduced"),
                (["--learning-rate", "nan"], "no number above 0"),
                (["--learning-rate", "-1"], "no number above 0"),
                (["--learning-rate", "inf"], "no number above 0"),
                (["--quality-weight", "nan"], "number from 0 up"),
                (["--run", "file"], "cannot be made"),
                (["--out", "file/x"], "cannot be made"),
                (["--out", "."], "is a folder"),
                (["--out", "x.json"], "the model card's name"),
            )
        ),
    ],
)
def test_refusals_are_one_sentence_and_exit_2(
    words: list[str], says: str, data: Path, capsys: pytest.CaptureFixture[str], monkeypatch, tmp_path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "own.pt").write_bytes((FIXTURES / "amt_small.pt").read_bytes())
    words = [str(data) if word == str(SLICE) and words[0] == "train" else word for word in words]
    assert main(words) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1 and says in error[0] and error[0].startswith("cuebridge: ")


def _other(**changed: object) -> Callable[[dict[str, Any]], None]:
    """Replaces arrays of a data file: by a value, by a function of what was there, or None to leave them out."""

    def change(arrays: dict[str, Any]) -> None:
        for name, new in changed.items():
            arrays[name] = new(arrays[name]) if callable(new) else new
            if new is None:
                del arrays[name]

    return change


def _half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _flipped(content: bytes) -> bytes:
    found = np.frombuffer(content, np.uint8).copy()
    found[300 : len(found) - 2000 : 997] ^= 255
    return found.tobytes()


def _empty(content: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("file", ["muvi-sync.npz", "semantic-0.npz"])
@pytest.mark.parametrize("damage", [_half, _flipped, _empty])
def test_damaged_data_files_get_a_sentence(file: str, damage, data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "data")
    (tmp_path / "data" / file).write_bytes(damage((data / file).read_bytes()))
    with pytest.raises(ModelError, match="Cannot read training data"):
        MuViSync(tmp_path / "data")


@pytest.mark.parametrize(
    ("file", "change", "says"),
    [
        ("muvi-sync.npz", _other(emotion=None), "has no emotion"),
        ("muvi-sync.npz", _other(emotion=lambda v: v[:, :4]), "emotion is float16"),
        ("muvi-sync.npz", _other(emotion=lambda v: v * np.nan), "emotion holds values that are not numbers"),
        ("muvi-sync.npz", _other(loudness=lambda v: v * np.nan), "loudness holds values"),
        ("muvi-sync.npz", _other(motion=lambda v: v[:-1]), "motion is float32"),
        ("muvi-sync.npz", _other(chord=lambda v: v[:100]), "note_density is float32"),
        ("muvi-sync.npz", _other(chord=lambda v: v.astype(str)), "chord is <U3"),
        ("muvi-sync.npz", _other(chord=lambda v: v + 157), "chords that there are not"),
        ("muvi-sync.npz", _other(chord=lambda v: v.astype(int) - 157), "chords that there are not"),
        ("muvi-sync.npz", _other(minor=np.array([None] * 3)), "Cannot read"),
        ("muvi-sync.npz", _other(split=np.array([1, 2, 3])), "split is int64"),
        ("muvi-sync.npz", _other(offsets=np.array([0, 60])), "offsets is int64"),
        ("muvi-sync.npz", _other(offsets=np.array([0, 60, 30, 180])), "where each piece begins"),
        ("muvi-sync.npz", _other(offsets=np.array([0, 60, 60, 180])), "where each piece begins"),
        ("muvi-sync.npz", _other(offsets=np.array([0, 60, 120, 900])), "where each piece begins"),
        ("muvi-sync.npz", _other(has_semantic=np.ones(2, bool)), "has_semantic"),
        ("semantic-0.npz", _other(scale=None), "does not fit the table"),
        ("semantic-0.npz", _other(start=-20), "does not fit the table"),
        ("semantic-0.npz", _other(start=500), "does not fit the table"),
        ("semantic-0.npz", _other(semantic=lambda v: v[:, :5]), "does not fit the table"),
        ("semantic-0.npz", _other(semantic=lambda v: v[:9], scale=lambda v: v[:9]), "semantics for 9 of 180 rows"),
        ("semantic-0.npz", _other(scale=lambda v: v * np.nan), "semantics that are not numbers"),
    ],
)
def test_data_that_does_not_fit_gets_a_sentence(file: str, change, says: str, data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "data")
    with np.load(data / file) as table:
        arrays: dict[str, Any] = {name: table[name] for name in table.files}
    change(arrays)
    np.savez(tmp_path / "data" / file, **arrays)
    with pytest.raises(ModelError, match=says) as caught:
        MuViSync(tmp_path / "data")
    assert "\n" not in str(caught.value)


def test_a_run_whose_state_is_damaged_or_of_other_data_is_refused(data: Path, tmp_path: Path) -> None:
    options, songs = TrainOptions(tmp_path / "run", steps=2, report=1), MuViSync(data)
    train(find("fc"), songs, options)
    path = tmp_path / "run" / "state.pt"
    whole = path.read_bytes()
    state = torch.load(path, weights_only=True)
    for damaged in (b"", whole[: len(whole) // 2], {"a": 1}, [1], {**state, "model": {}}, {**state, "step": "x"}):
        if isinstance(damaged, bytes):
            path.write_bytes(damaged)
        else:
            torch.save(damaged, path)
        with pytest.raises(ModelError, match=r"holds a damaged state\.pt"):
            train(find("fc"), songs, options)
    path.write_bytes(whole)
    train(find("fc"), songs, options)
    songs.songs = (replace(songs.songs[0], motion=songs.songs[0].motion + 1), *songs.songs[1:])
    with pytest.raises(ModelError, match="or data"):
        train(find("fc"), songs, options)


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_what_was_there(data: Path, tmp_path: Path) -> None:
    options = TrainOptions(tmp_path / "run", steps=9, report=1, until=2, warmup=0, learning_rate=1e-3)
    train(find("fc"), MuViSync(data), options)
    before = (tmp_path / "run" / "state.pt").read_bytes()
    wild = TrainOptions(tmp_path / "wild", steps=9, report=4, warmup=0, learning_rate=1e30)
    with pytest.raises(ModelError, match=r"The loss of step \d+ is no number"):
        train(find("fc"), MuViSync(data), wild)
    assert not (tmp_path / "wild" / "state.pt").exists()
    songs = MuViSync(data)
    songs.songs = tuple(replace(song, density=song.density * np.float32(1e30)) for song in songs.songs)
    with pytest.raises(ModelError, match="no number"):
        train(find("fc"), songs, replace(options, folder=tmp_path / "loud"))
    assert (tmp_path / "run" / "state.pt").read_bytes() == before


FULL = """
import resource, signal, sys
from models.training.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size")
@pytest.mark.parametrize("what", ["train", "import"])
def test_a_full_disk_is_a_sentence_and_leaves_nothing_half_written(what: str, data: Path, tmp_path: Path) -> None:
    words = {
        "train": ["train", "fc", "--data", str(data), "--run", "run", "--steps", "1", "--report", "1"],
        "import": ["import", str(FIXTURES / "amt_small.pt"), "run/out.safetensors"],
    }[what]
    command = [sys.executable, "-c", FULL, *words]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=120)
    assert done.returncode == 2, done.stderr
    assert "cannot be written" in done.stderr and len(done.stderr.splitlines()) == 1
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize("card", ["", "{", "[]", '"x"', '{"recipe": null}', '{"evaluation": 5}', "\x00\xff"])
def test_a_card_that_is_none_gets_a_sentence(card: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(card, encoding="latin-1")
    with pytest.raises(ModelError, match=r"x\.json is damaged"):
        read_card(tmp_path / "x.safetensors")


def test_what_is_written_as_json_is_json(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A figure that is none is null, which every reader knows; NaN is no JSON."""

    def strict(text: str) -> Any:
        return json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))

    words = ["train", "fc", "--data", str(data), "--run", str(tmp_path / "run"), "--steps", "1", "--report", "1"]
    assert main([*words, "--json"]) == 0
    printed = capsys.readouterr()
    assert strict(printed.err)["val_hits1"] is None and strict(printed.out)["system"] == "fc"
    weights = tmp_path / "run" / "best.safetensors"
    words = ["evaluate", f"fc={weights}", "--only", "--data", str(data), "--out", str(tmp_path / "out"), "--card"]
    assert main([*words, "--json"]) == 0
    assert strict(capsys.readouterr().out)["dynamics"]["training mean"]["density_pearson"]["mean"] is None
    assert main(["info", "--json"]) == 0
    strict(capsys.readouterr().out)
    for path in (tmp_path / "out" / "evaluation.json", weights.with_suffix(".json"), *WEIGHTS.glob("*.json")):
        strict(path.read_text(encoding="utf-8"))
