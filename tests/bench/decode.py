"""Decode speed: numpy against torch's cached step, full passes and the bare weight products, in one run.

    python tests/bench/decode.py [--tokens 300] [--every 10] [--data DATA] [--json]

Times are CPU time of the process with one thread, so a busy machine disturbs the ratios little.  The full passes
(encoder and decoder over the growing prefix for every token, as the published code does) are measured at every
`--every`-th token
and summed up by that factor.  The weight products are numpy's, matrix by matrix, one row each.  With --data the
whole test split is decoded by both: largest difference of logits and share of equal best chords.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch

from models.amt import AffectiveMultimodalTransformer
from models.checkpoint import load_default
from models.conditioning import film_rows
from models.config import AmtConfig
from models.film import EMOTION_COLUMNS, FilmInputs
from models.runtime import ChordNetwork, from_torch, single_threaded


def measure(work: Callable[[], object], repeat: int = 1) -> float:
    """CPU seconds of the fastest of `repeat` runs."""
    runs = []
    for _ in range(repeat):
        begun = time.process_time()
        work()
        runs.append(time.process_time() - begun)
    return min(runs)


def made_up_film(rows: int) -> FilmInputs:
    rng = np.random.default_rng(0)
    return FilmInputs.from_arrays(
        scene_offset=np.arange(rows) % 7,
        motion=rng.random(rows) * 40,
        emotion=rng.dirichlet(np.ones(6), rows),
        semantic=rng.standard_normal((rows, 768)).astype(np.float32) * 0.7,
    )


def tensors(film: FilmInputs) -> list[torch.Tensor]:
    given = (film.features, film.minor, film.valid, film.semantic_present, film.emotion_present)
    return [torch.from_numpy(array) for array in given]


def decoder_weights(model: AffectiveMultimodalTransformer) -> list[np.ndarray]:
    """Matrices of one decoding step, (in, out); of cross-attention only queries and output (the film is cached)."""
    found = [model.chord_in.weight, model.out.weight]
    for layer in model.decoder:
        found += [layer.attention.in_proj_weight, layer.attention.out_proj.weight]
        if layer.cross is not None:
            width = layer.cross.out_proj.in_features
            found += [layer.cross.in_proj_weight[:width], layer.cross.out_proj.weight]
        found += [layer.linear1.weight, layer.linear2.weight]
    return [np.ascontiguousarray(weight.detach().numpy().T) for weight in found]


@torch.inference_mode()
def bench(model: AffectiveMultimodalTransformer, tokens: int, every: int) -> dict[str, float]:
    film = made_up_film(tokens)
    features, minor, valid, semantic, emotion = tensors(film)
    network = from_torch(model)
    assert isinstance(network, ChordNetwork)
    chords = torch.randint(1, 157, (1, tokens), generator=torch.Generator().manual_seed(0))
    ids = chords.numpy()

    def in_numpy() -> None:
        cache = network.new_cache(film, tokens)
        for position in range(tokens):
            network.decode_step(ids[:, position], cache)

    def in_torch() -> None:
        memory = model.encode(features, valid, semantic, emotion)
        cache = model.new_cache(memory, minor, valid, max_slots=tokens)
        for position in range(tokens):
            model.decode_step(chords[:, position], cache)

    def full(length: int) -> None:
        shown: dict[str, Any] = {"valid": valid, "semantic_present": semantic, "emotion_present": emotion}
        model(features, chords[:, :length], minor, **shown)

    weights = decoder_weights(model)
    inputs = [np.ones(weight.shape[0], dtype=np.float32) for weight in weights]

    def products() -> None:
        for _ in range(tokens):
            for weight, x in zip(weights, inputs, strict=True):
                x @ weight

    in_numpy()
    cached, step = measure(in_numpy, 3), measure(in_torch, 2)
    full_s = sum(measure(lambda n=length: full(n)) for length in range(every, tokens + 1, every)) * every  # type: ignore[misc]
    bare, encoder = measure(products, 3), measure(lambda: network.encode(film), 3)
    found = {
        "parameters": float(sum(p.numel() for p in model.parameters())),
        "numpy_ms_per_token": (cached - encoder) / tokens * 1e3,
        "encoder_ms": encoder * 1e3,
        "full_passes_over_numpy": full_s / cached,
        "torch_step_over_numpy": step / cached,
        "numpy_over_weight_products": (cached - encoder) / bare,
    }
    if network.config.condition_width:
        rows = film_rows(film.features[0, :, EMOTION_COLUMNS])[None]

        def guided() -> None:
            cache = network.new_cache(film, tokens, rows, guided=True)
            for position in range(tokens):
                network.decode_step(ids[:, position], cache)

        cache = network.new_cache(film, tokens, rows, guided=True)
        for position in range(tokens - 1):
            network.decode_step(ids[:, position], cache)
        other = rows[:, ::-1].copy()
        found["guided_over_plain"] = measure(guided, 2) / cached
        found["other_conditions_ms"] = measure(lambda: network.recondition(cache, other)) * 1e3
    return found


@torch.inference_mode()
def whole_split(model: AffectiveMultimodalTransformer, data: Path) -> dict[str, float]:
    """Numpy, chord by chord, against torch's whole pass, on every song of the test split."""
    from models.training.composed import film_inputs
    from models.training.dataset import MuViSync, chord_steps

    network = from_torch(model)
    assert isinstance(network, ChordNetwork)
    worst, equal, steps, reach = 0.0, 0, 0, 0.0
    for song in MuViSync(data).split("test"):
        film = film_inputs(song, song, smooth=True)
        inputs, _ = chord_steps(song.chords)
        features, minor, valid, semantic, emotion = tensors(film)
        rows = film_rows(song.emotion_smooth) if network.config.condition_width else None
        shown = None if rows is None else torch.from_numpy(rows)[None]
        theirs = model(
            features, torch.from_numpy(inputs)[None], minor, valid=valid, semantic_present=semantic,
            emotion_present=emotion, conditions=shown,
        )[0].numpy()  # fmt: skip
        cache = network.new_cache(film, len(inputs), None if rows is None else rows[None])
        ours = np.concatenate([network.decode_step(inputs[t : t + 1], cache) for t in range(len(inputs))])
        worst, reach = max(worst, float(np.abs(ours - theirs).max())), max(reach, float(np.abs(theirs).max()))
        equal, steps = equal + int((ours.argmax(1) == theirs.argmax(1)).sum()), steps + len(inputs)
    return {"steps": steps, "largest_difference": worst, "largest_logit": reach, "same_best_chord": equal / steps}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=300)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--data", type=Path, help="MuVi-Sync: also compare on the whole test split")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    single_threaded()
    torch.set_num_threads(1)
    shipped = load_default("amt")
    torch.manual_seed(0)
    published = AffectiveMultimodalTransformer(AmtConfig()).eval()
    published.lay_out_for_decoding()  # as every network that is loaded from a file
    found: dict[str, dict[str, float]] = {
        "published size": bench(published, options.tokens, options.every),
        "shipped": bench(shipped, options.tokens, options.every),
    }
    if options.data is not None:
        found["test split"] = whole_split(shipped, options.data)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if options.json:
        sys.stdout.write(json.dumps({"torch": torch.__version__, "peak_rss_mb": peak, **found}) + "\n")
        return 0
    sys.stdout.write(f"numpy {np.__version__}, torch {torch.__version__}, one thread, CPU time\n")
    for title, row in found.items():
        sys.stdout.write(f"{title}:\n")
        for key, value in row.items():
            sys.stdout.write(f"  {key:<28}{value:,.6g}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
