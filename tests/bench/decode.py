"""Decode speed: cached decoding against full passes and against the bare weight products, ratios within one run.

    python tests/bench/decode.py [--threads 1] [--tokens 300] [--every 10] [--json]

Times are CPU time of the process (all threads), so a busy machine disturbs the ratios little; wall time is beside them.
The full passes (encoder and decoder over the growing prefix for every token, as the published code does) are measured
at every `--every`-th token and summed up by that factor.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from models.amt import AffectiveMultimodalTransformer, AmtConfig
from models.checkpoint import load_default
from models.decoding import DecodingOptions, generate, new_cache
from models.film import FilmInputs


def measure(work: Callable[[], object], repeat: int = 1) -> tuple[float, float]:
    """(CPU seconds, wall seconds) of the fastest of `repeat` runs, by CPU time."""
    runs = []
    for _ in range(repeat):
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        runs.append((time.process_time() - cpu, time.perf_counter() - wall))
    return min(runs)


def film(rows: int) -> FilmInputs:
    rng = np.random.default_rng(0)
    return FilmInputs.from_arrays(
        scene_offset=np.arange(rows) % 7,
        motion=rng.random(rows) * 40,
        emotion=rng.dirichlet(np.ones(6), rows),
        semantic=rng.standard_normal((rows, 768)).astype(np.float32) * 0.7,
    )


def decoder_weights(model: AffectiveMultimodalTransformer) -> list[torch.Tensor]:
    """Matrices of one decoding step; of cross-attention only queries and output (the film is cached)."""
    found = [model.chord_in.weight, model.out.weight]
    for layer in model.decoder:
        found += [layer.attention.in_proj_weight, layer.attention.out_proj.weight]
        if layer.cross is not None:
            width = layer.cross.out_proj.in_features
            found += [layer.cross.in_proj_weight[:width], layer.cross.out_proj.weight]
        found += [layer.linear1.weight, layer.linear2.weight]
    return [weight.detach() for weight in found]


@torch.inference_mode()
def bench(model: AffectiveMultimodalTransformer, tokens: int, every: int) -> dict[str, float]:
    seen = film(tokens)
    chords = torch.randint(1, 157, (1, tokens), generator=torch.Generator().manual_seed(0))

    def cached() -> None:
        cache = new_cache(model, seen, tokens)
        for position in range(tokens):
            model.decode_step(chords[:, position], cache)

    def encoder() -> None:
        model.encode(seen.features, seen.valid, seen.semantic_present, seen.emotion_present)

    def full(length: int) -> None:
        model(
            seen.features,
            chords[:, :length],
            seen.minor,
            valid=seen.valid,
            semantic_present=seen.semantic_present,
            emotion_present=seen.emotion_present,
        )

    weights = decoder_weights(model)
    inputs = [torch.randn(1, weight.shape[1]) for weight in weights]

    def products() -> None:
        for weight, x in zip(weights, inputs, strict=True):
            functional.linear(x, weight)

    cached()
    products()
    cached_cpu, cached_wall = measure(cached, 3)
    lengths = range(every, tokens + 1, every)
    full_parts = [measure(lambda n=length: full(n)) for length in lengths]  # type: ignore[misc]
    full_cpu = sum(cpu for cpu, _ in full_parts) * every
    full_wall = sum(wall for _, wall in full_parts) * every
    products_cpu, _ = measure(
        lambda: [products() for _ in range(tokens)], 3
    )  # as long as the decoding is, on a machine as busy
    encoder_cpu, _ = measure(encoder, 3)
    per_token = (cached_cpu - encoder_cpu) / tokens
    return {
        "parameters": float(sum(p.numel() for p in model.parameters())),
        "tokens": float(tokens),
        "cached_s": cached_cpu,
        "cached_wall_s": cached_wall,
        "full_s": full_cpu,
        "full_wall_s": full_wall,
        "full_over_cached": full_cpu / cached_cpu,
        "encoder_ms": encoder_cpu * 1e3,
        "token_ms": per_token * 1e3,
        "weight_products_ms": products_cpu / tokens * 1e3,
        "token_over_weight_products": per_token / (products_cpu / tokens),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=300)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    began = time.perf_counter()
    shipped = load_default("amt")
    load_s = time.perf_counter() - began
    torch.manual_seed(0)
    published = AffectiveMultimodalTransformer(AmtConfig()).eval()
    published.lay_out_for_decoding()  # as every network that is loaded from a file
    found: dict[str, dict[str, float]] = {
        "published size": bench(published, options.tokens, options.every),
        "shipped": bench(shipped, options.tokens, options.every),
    }
    seen = film(options.tokens)
    one = measure(lambda: list(generate(shipped, seen, DecodingOptions())), 2)[0]
    found["shipped"] |= {
        "load_s": load_s,
        "composed_ms_per_slot": one / options.tokens * 1e3,
    }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if options.json:
        result = {"threads": options.threads, "torch": torch.__version__, "peak_rss_mb": peak, **found}
        sys.stdout.write(json.dumps(result) + "\n")
        return 0
    sys.stdout.write(f"torch {torch.__version__}, {options.threads} thread(s), CPU time; peak memory {peak:.0f} MB\n")
    for name, row in found.items():
        sys.stdout.write(f"{name}:\n")
        for key, value in row.items():
            sys.stdout.write(f"  {key:<28}{value:,.3f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
