"""Damages weights files and reads them: reports tracebacks, long sentences, long waits and memory asked for.

    python tests/bench/fuzz_checkpoints.py [--runs 1000] [--seed 0]

Small networks of our own format (chords and regressor), with bytes changed, with another configuration (absurd sizes
among them), with tensors missing, misshapen or made of what is no number; and pickles in the place of the authors'.  A
run is good when the file is read or refused in one short sentence, within its time and memory; what is read has to
compute.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import torch
from safetensors.torch import load_file, save_file

from models import checkpoint, runtime
from models.config import AmtConfig, RegressorConfig
from models.errors import CheckpointError

LONGEST_SENTENCE = 300
LONGEST_S = 2.0
MEMORY_BYTES = 6 << 30
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1, 3, 2**31, 2**63, 10**30, 1e308, -0.5, "x", "", [], {}, [8], float("nan"), float("inf"), 10**9,
)  # fmt: skip


def small_networks(folder: Path) -> list[Path]:
    torch.manual_seed(1)
    shapes = (
        AmtConfig(width=32, heads=2, encoder_layers=1, decoder_layers=1, feedforward=64, masked=True, scaled=True,
                  run_buckets=8, recall_heads=2, echo_heads=2, condition_width=8, max_slots=64),
        RegressorConfig(width=16, scaled=True, bottleneck=8, levels=True),
        RegressorConfig(kind="lstm", width=8),
    )  # fmt: skip
    paths = [folder / f"{number}.safetensors" for number in range(len(shapes))]
    for path, shape in zip(paths, shapes, strict=True):
        checkpoint.save(checkpoint.build(shape), path)
    return paths


def with_other_bytes(data: bytes, dice: random.Random) -> bytes:
    broken = bytearray(data)
    head = 8 + struct.unpack("<Q", data[:8])[0]
    kind = dice.randrange(6)
    if kind == 0:
        del broken[dice.randrange(len(broken)) :]
    elif kind == 1:
        for _ in range(2 ** dice.randrange(8)):
            broken[dice.randrange(len(broken))] ^= 1 << dice.randrange(8)
    elif kind == 2:  # in the header, where names, shapes and offsets are
        for _ in range(dice.randrange(1, 4)):
            broken[8 + dice.randrange(head - 8)] = dice.choice(b'0123456789,:[]{}"F16 ')
    elif kind == 3:
        broken[:8] = struct.pack("<Q", dice.choice((0, 1, 7, 2**20, 2**40, 2**63, head - 9, head + 1)))
    elif kind == 4:
        low = head + dice.randrange(max(len(broken) - head - 4, 1))
        broken[low : low + 4] = struct.pack("<f", dice.choice((float("nan"), float("inf"), 3e38, -3e38)))
    else:
        return dice.choice((b"", b"\0" * 9, b"PK\x03\x04", b"\x80\x02}q\x00.", dice.randbytes(3000)))
    return bytes(broken)


def with_other_contents(path: Path, dice: random.Random) -> dict[str, Any]:
    """Tensors, and metadata of another network."""
    tensors = load_file(path)
    metadata = json.loads(path.read_bytes()[8 : 8 + struct.unpack("<Q", path.read_bytes()[:8])[0]])["__metadata__"]
    kind, name = dice.randrange(6), dice.choice(list(tensors))
    if kind <= 1:
        config = json.loads(metadata["config"])
        config[dice.choice([*config, "extra"])] = dice.choice(ODD)
        metadata["config"] = json.dumps(config)
    elif kind == 2:
        del tensors[name]
    elif kind == 3:
        tensors[name] = dice.choice((tensors[name].flatten(), tensors[name][None], torch.zeros(0), torch.zeros(1)))
    elif kind == 4:
        tensors[name] = torch.full_like(tensors[name], dice.choice((float("nan"), float("inf"), 1e30)))
    else:
        metadata[dice.choice(list(metadata))] = dice.choice(("", "{}", "[]", "amt", "regressor", "x", "null", "1"))
    return {"tensors": tensors, "metadata": metadata}


def read(path: Path, authors: bool) -> str:
    """By the runtime in numpy and by torch, or as an import of the authors' files; what came of it."""
    said = []
    for reader in (checkpoint.import_authors,) if authors else (runtime.load, checkpoint.load):
        try:
            reader(path)
        except CheckpointError as error:
            said.append(str(error))
    return max(said, key=len, default="")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=1000)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    dice, counts, longest, slowest, bad = random.Random(given.seed), Counter[str](), 0, 0.0, 0
    with tempfile.TemporaryDirectory() as name:
        networks = small_networks(Path(name))
        for network in networks:  # and what is imported at the first time is there
            assert not read(network, False) and read(network, True)
        for number in range(given.runs):
            source, path = dice.choice(networks), Path(name) / "broken.safetensors"
            if number % 3 == 2:
                pickled: dict[str, Any] = {"a": torch.zeros(2), "Linear_vis.weight": torch.zeros(8, 3)}
                pickled["transformer.decoder.layers.0.self_attn.Er"] = torch.zeros(dice.choice(((4, 2), (0, 0), (4,))))
                torch.save(dice.choice((pickled, [1], {"bigru.x": torch.zeros(1)}, {"a": 1})), path)
                if dice.random() < 0.6:
                    data = bytearray(path.read_bytes())
                    for _ in range(dice.randrange(1, 60)):
                        data[dice.randrange(len(data))] = dice.randrange(256)
                    path.write_bytes(data)
            elif number % 3:
                save_file(**with_other_contents(source, dice), filename=path)
            else:
                path.write_bytes(with_other_bytes(source.read_bytes(), dice))
            began = time.perf_counter()
            try:
                text = read(path, number % 3 == 2)
                what = "refused" if text else "read"
            except Exception:
                text = ""
                what = "traceback"
                print(f"run {number}\n{traceback.format_exc()[-1200:]}")
            took_s = time.perf_counter() - began
            counts[what] += 1
            slowest, longest = max(slowest, took_s), max(longest, len(text))
            if what == "traceback" or took_s > LONGEST_S or "\n" in text or len(text) > LONGEST_SENTENCE:
                bad += 1
                print(f"run {number}: {what} in {took_s:.2f} s: {text[:400]!r}")
    print(f"{given.runs} files: {', '.join(f'{count} {what}' for what, count in counts.most_common())}")
    print(f"longest sentence {longest} characters, slowest {slowest:.2f} s, {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
