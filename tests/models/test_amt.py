"""The AMT computes what the authors' network computes, and its cache computes what the full pass computes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from authors import generate_like_authors

from models.amt import AffectiveMultimodalTransformer
from models.checkpoint import import_authors
from models.config import AmtConfig
from models.echo import DECAYS, Echo
from models.film import FilmInputs
from models.recall import run_lengths
from models.training.losses import chord_loss
from models.vocabulary import ATTRIBUTE_OF, ROOT_OF, transpose_ids

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def item() -> dict[str, np.ndarray]:
    with np.load(FIXTURES / "input_001.npz") as table:
        return {name: table[name] for name in table.files}


@pytest.fixture(scope="module")
def features(item: dict[str, np.ndarray]) -> torch.Tensor:
    columns = [item["semantic"], item["scene_offset"][..., None], item["motion"][..., None], item["emotion"]]
    return torch.from_numpy(np.concatenate(columns, axis=-1))


@pytest.fixture(scope="module")
def reference() -> AffectiveMultimodalTransformer:
    model = import_authors(FIXTURES / "amt_small.pt")
    assert isinstance(model, AffectiveMultimodalTransformer)
    return model


def shipped_kind(seed: int = 0, **changes: object) -> AffectiveMultimodalTransformer:
    """A small network with everything the shipped one adds, kernels randomised so that each part matters."""
    torch.manual_seed(seed)
    options = {
        "width": 32,
        "heads": 2,
        "encoder_layers": 1,
        "decoder_layers": 2,
        "feedforward": 64,
        "masked": True,
        "scaled": True,
        "run_buckets": 8,
        "recall_heads": 3,
        "echo_heads": 3,
        **changes,
    }
    model = AffectiveMultimodalTransformer(AmtConfig(**options)).eval()  # type: ignore[arg-type]
    for parameter in model.parameters():
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter, std=0.3)
    for name, parameter in model.named_parameters():
        if name.startswith("recall.") and "table" in name:
            torch.nn.init.normal_(parameter)
        if name.startswith("echo.") and parameter.dim() == 2:
            torch.nn.init.normal_(parameter, std=0.3)
    return model


def test_tokens_split_into_roots_and_qualities_as_the_authors_do(item: dict[str, np.ndarray]) -> None:
    assert (ROOT_OF[item["x"]] == item["x_root"]).all()
    assert (ATTRIBUTE_OF[item["x"]] == item["x_attr"]).all()
    assert (ROOT_OF[item["tgt"]] == item["tgt_root"]).all()
    assert (ATTRIBUTE_OF[item["tgt"]] == item["tgt_attr"]).all()


@torch.no_grad()
def test_logits_equal_the_reference(reference, features, item) -> None:
    tokens, minor = torch.from_numpy(item["x"]), torch.from_numpy(item["key"][:, 0] > 0)
    with np.load(FIXTURES / "amt_small_out.npz") as expected:
        memory = reference.encode(features)
        assert memory is not None
        np.testing.assert_allclose(memory[0].numpy(), expected["memory"][:, 0], atol=1e-4)
        logits = reference(features, tokens, minor)
        np.testing.assert_allclose(logits.numpy(), expected["logits"], atol=1e-4)
        open_logits = reference(features, tokens, minor, causal=False)
        np.testing.assert_allclose(open_logits.numpy(), expected["logits_nomask"], atol=1e-4)


@torch.no_grad()
def test_losses_equal_the_reference(reference, features, item) -> None:
    expected = json.loads((FIXTURES / "metrics_001.json").read_text())["small"]
    targets = torch.from_numpy(item["tgt"])
    logits = reference(features, torch.from_numpy(item["x"]), torch.from_numpy(item["key"][:, 0] > 0))
    assert chord_loss(logits, targets).item() == pytest.approx(expected["loss_chord"], abs=1e-4)
    bce = torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(item["tgt_emotion"]))
    assert bce.item() == pytest.approx(expected["loss_emotion"], abs=1e-4)


@torch.no_grad()
def test_cached_steps_equal_the_reference_logits(reference, features, item) -> None:
    tokens, minor = torch.from_numpy(item["x"]), torch.from_numpy(item["key"][:, 0] > 0)
    cache = reference.new_cache(reference.encode(features), minor)
    rows = [reference.decode_step(tokens[:, t], cache) for t in range(tokens.shape[1])]
    with np.load(FIXTURES / "amt_small_out.npz") as expected:
        np.testing.assert_allclose(torch.stack(rows, 1).numpy(), expected["logits"], atol=1e-4)


def test_the_seeded_sequence_of_the_reference_token_for_token(reference, item) -> None:
    film = FilmInputs.from_arrays(
        scene_offset=item["scene_offset"][0] - 1,
        motion=item["motion"][0],
        emotion=item["emotion"][0],
        semantic=item["semantic"][0],
    )
    with np.load(FIXTURES / "amt_small_generate.npz") as expected:
        torch.manual_seed(int(expected["seed"]))
        chords = list(generate_like_authors(reference, film, primer=expected["primer"].tolist()))
        assert chords == expected["seq"][0].tolist()


@torch.no_grad()
def test_padding_is_added_where_the_authors_add_it(reference, features, item) -> None:
    """An imported net pads a shorter film with zeros to 300 rows: their result depends on it."""
    short = features[:, :282]
    assert (features[:, 282:] == 0).all()
    torch.testing.assert_close(reference.encode(short), reference.encode(features))


@pytest.mark.parametrize(
    "changes",
    [{}, {"recall_roots": True}, {"see": False}, {"relative": False}, {"recall_heads": 0}, {"echo_heads": 0}],
)
@torch.no_grad()
def test_cached_equals_uncached(features, item, changes) -> None:
    model = shipped_kind(**changes)
    tokens, minor = torch.from_numpy(item["x"][:, :220]), torch.tensor([True])
    valid = torch.ones(1, 300, dtype=torch.bool)
    valid[:, 200:] = False
    full = model(features, tokens, minor, valid=valid)
    cache = model.new_cache(model.encode(features, valid), minor, valid)
    rows = torch.stack([model.decode_step(tokens[:, t], cache) for t in range(220)], 1)
    torch.testing.assert_close(rows, full, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_truncated_cache_goes_on_as_if_nothing_had_been(features, item) -> None:
    model = shipped_kind(recall_roots=True)
    tokens, minor = torch.from_numpy(item["x"][:, :120]), torch.tensor([False])
    cache = model.new_cache(model.encode(features), minor)
    for t in range(120):
        model.decode_step(torch.randint(0, 157, (1,), generator=torch.Generator().manual_seed(t)), cache)
    cache.truncate(0)
    rows = [model.decode_step(tokens[:, t], cache) for t in range(60)]
    for _ in range(60):
        model.decode_step(torch.tensor([7]), cache)
    cache.truncate(60)
    rows += [model.decode_step(tokens[:, t], cache) for t in range(60, 120)]
    torch.testing.assert_close(torch.stack(rows, 1), model(features, tokens, minor), atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_songs_of_a_batch_do_not_touch_each_other(features, item) -> None:
    model = shipped_kind()
    tokens = torch.from_numpy(np.stack([item["x"][0, :80], (item["x"][0, 80:160] + 13) % 157]))
    minor = torch.tensor([False, True])
    both = model(features.expand(2, -1, -1), tokens, minor)
    for row in range(2):
        alone = model(features, tokens[row : row + 1], minor[row : row + 1])
        torch.testing.assert_close(both[row : row + 1], alone, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_the_future_is_not_seen(features, item) -> None:
    model = shipped_kind()
    tokens = torch.from_numpy(item["x"][:, :100])
    changed = tokens.clone()
    changed[:, 60:] = (changed[:, 60:] + 5) % 157
    minor = torch.tensor([False])
    before, after = model(features, tokens, minor), model(features, changed, minor)
    torch.testing.assert_close(before[:, :60], after[:, :60], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(before[:, 60:], after[:, 60:], atol=1e-2)


@torch.no_grad()
def test_masked_rows_and_absent_columns_do_not_matter(features, item) -> None:
    model = shipped_kind()
    tokens, minor = torch.from_numpy(item["x"][:, :50]), torch.tensor([False])
    valid = torch.ones(1, 300, dtype=torch.bool)
    valid[:, 100:] = False
    absent = torch.tensor([False])
    noisy = features.clone()
    noisy[:, 100:] = 50.0
    noisy[..., :768] += 3.0
    hidden = {"valid": valid, "semantic_present": absent}
    torch.testing.assert_close(
        model(features, tokens, minor, **hidden), model(noisy, tokens, minor, **hidden), atol=1e-4, rtol=1e-4
    )
    seen = model(noisy, tokens, minor, valid=valid, semantic_present=~absent)
    assert not torch.allclose(seen, model(features, tokens, minor, **hidden), atol=1e-3)


def test_run_lengths_count_from_one() -> None:
    tokens = torch.tensor([[5, 5, 5, 2, 2, 5, 0, 0]])
    assert run_lengths(tokens).tolist() == [[1, 2, 3, 1, 2, 1, 1, 2]]


@torch.no_grad()
def test_recall_votes_for_what_followed(item) -> None:
    """In a loop of four chords the heads' votes must go to the next chord of the loop."""
    torch.manual_seed(0)
    model = AffectiveMultimodalTransformer(AmtConfig(32, 2, 1, 1, 32, recall_heads=3)).eval()
    assert model.recall is not None
    loop = [1, 92, 70, 105]
    votes, _ = model.recall(torch.tensor([loop * 6]))
    assert votes[0, 0].abs().sum() == 0  # nothing has been heard before the first chord
    for step in range(12, 23):
        assert (votes[0, step].argmax(-1) == loop[(step + 1) % 4]).all()
        torch.testing.assert_close(votes[0, step].sum(-1), torch.ones(3))


@torch.no_grad()
def test_recall_is_the_same_in_every_key() -> None:
    model = shipped_kind(recall_roots=True)
    assert model.recall is not None
    ids = np.random.default_rng(0).integers(0, 157, 8)[np.random.default_rng(1).integers(0, 8, (1, 90))]
    votes, mass = model.recall(torch.from_numpy(ids))
    moved, moved_mass = model.recall(torch.from_numpy(transpose_ids(ids, 5)))
    where = torch.from_numpy(transpose_ids(np.arange(159), 5))
    torch.testing.assert_close(votes, moved[..., where])
    torch.testing.assert_close(mass, moved_mass)


@torch.no_grad()
def test_echo_agrees_as_defined(item) -> None:
    """Agreement by its definition, slot by slot, against what the weights are made of."""
    model = shipped_kind()
    assert model.echo is not None
    tokens = torch.from_numpy(item["x"][:, :40])
    seen: list[torch.Tensor] = []
    score = model.echo._score
    model.echo._score = lambda agree: (seen.append(agree), score(agree))[1]  # type: ignore[method-assign]
    model.echo(tokens)
    chords = tokens[0].numpy()
    roots = ROOT_OF[chords]
    changes = [np.append(1, x[1:] != x[:-1]) for x in (chords, roots)]
    for row, observed in enumerate((chords, roots, *changes)):
        for column, decay in enumerate(DECAYS):
            for i, j in ((39, 20), (25, 24), (10, 0)):
                expected = sum(decay**k * (observed[i - k] == observed[j - k]) for k in range(j + 1))
                found = seen[0][0, i, row * len(DECAYS) + column, j].item()
                assert found == pytest.approx(expected, abs=1e-4), (row, decay, i, j)


@torch.no_grad()
def test_echo_hears_a_loop_through_wrong_labels() -> None:
    """Every ninth chord of a loop is misread, so no passage longer than eight slots agrees: the votes go on with the
    loop all the same, but where they repeat a misreading (one in nine at worst, and once more after it)."""
    echo = Echo(2, 32, 300)  # kernels as they start: chords, two decays
    loop = np.tile(np.repeat([1, 92, 66, 105], 4), 8)
    loop[8::9] = 40
    votes = echo(torch.from_numpy(loop)[None]).votes[0, :, 0]
    right = [votes[t].argmax().item() == loop[t + 1] for t in range(48, 127) if loop[t + 1] != 40]
    assert np.mean(right) > 0.8


@torch.no_grad()
def test_echo_carries_rhythm_from_chord_to_chord() -> None:
    """Chords that never come back, three slots each: no vote can be right, but when the chord changes is known."""
    chords = torch.from_numpy(np.repeat(np.arange(1, 150, 4), 3))[None]
    echo = Echo(6, 32, 300)  # head 5 listens to changes of chord
    heads = echo.heads
    odds = echo(chords).facts[0, :, heads : 2 * heads][:, 5]
    stays = torch.tensor([t % 3 != 2 for t in range(chords.shape[1])])
    assert (odds[40:][stays[40:]] > 0).all() and (odds[40:][~stays[40:]] < 0).all()


@torch.no_grad()
def test_echo_is_the_same_in_every_key() -> None:
    model = shipped_kind()
    assert model.echo is not None
    ids = np.random.default_rng(0).integers(1, 157, 8)[np.random.default_rng(1).integers(0, 8, (1, 90))]
    here, there = model.echo(torch.from_numpy(ids)), model.echo(torch.from_numpy(transpose_ids(ids, 5)))
    where = torch.from_numpy(transpose_ids(np.arange(159), 5))
    torch.testing.assert_close(here.votes, there.votes[..., where])
    torch.testing.assert_close(here.facts, there.facts)


@torch.no_grad()
def test_layout_for_decoding_changes_no_figure(features, item) -> None:
    tokens, minor = torch.from_numpy(item["x"][:, :50]), torch.tensor([False])
    model = shipped_kind()
    before = model(features, tokens, minor)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    model.lay_out_for_decoding()
    assert model.out.weight.stride() == (1, 159)
    torch.testing.assert_close(model(features, tokens, minor), before, atol=1e-5, rtol=1e-5)
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
