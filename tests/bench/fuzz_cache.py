"""Damages entries of the cache of analysed films, and their neighbours; reports tracebacks and long waits.

    python tests/bench/fuzz_cache.py [--runs 5000] [--seed 0]

Bytes of the archive and of the record beside it are changed, arrays and facts replaced, files turned into folders and
links into nowhere.  A run is good when the cache gives features that can be composed for, or None and drops the entry;
the film is never blamed, and the next analysis can be put there.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np

from engine.music import UserError
from engine.video import AnalysisOptions, FeatureCache, analyze

FILM = ROOT / "engine" / "media" / "big-buck-bunny-30s.mp4"
LONGEST_S = 2.0
ODD: tuple[Any, ...] = (None, True, -1, 0, 1, 2**40, 10**30, 1e308, "", "x", "1/0", "24/1", [], {}, [1], "\0", "é" * 99)


def with_other_bytes(data: bytes, dice: random.Random) -> bytes:
    broken = bytearray(data)
    kind = dice.randrange(5)
    if kind == 0:
        del broken[dice.randrange(len(broken)) :]
    elif kind == 1:
        for _ in range(2 ** dice.randrange(10)):
            broken[dice.randrange(len(broken))] ^= 1 << dice.randrange(8)
    elif kind == 2:  # the directory of the archive, at its end
        for _ in range(dice.randrange(1, 6)):
            broken[-dice.randrange(1, min(1200, len(broken)))] = dice.randrange(256)
    elif kind == 3:
        low = dice.randrange(len(broken))
        broken[low:low] = broken[low : low + dice.randrange(1, 4000)]
    else:
        return dice.choice((b"", b"\0" * 100, b"PK\x03\x04", b"#!/bin/sh\n", dice.randbytes(5000)))
    return bytes(broken)


def with_other_values(data: bytes, dice: random.Random) -> bytes:
    """A whole archive with other arrays or facts in it."""
    with np.load(io.BytesIO(data)) as archive:
        arrays: dict[str, Any] = {name: archive[name] for name in archive.files}
    name = dice.choice([*arrays, "meta", "meta"])
    if name == "meta":
        meta = json.loads(str(arrays["meta"][()]))
        holder = dice.choice((meta, meta["film"], *meta["cuts"]))
        holder[dice.choice(list(holder))] = dice.choice(ODD)
        arrays["meta"] = np.array(json.dumps(meta))
    else:
        kind = dice.randrange(5)
        if kind == 0:
            arrays[name] = arrays[name][: dice.randrange(len(arrays[name]))]
        elif kind == 1:
            arrays[name] = np.full(arrays[name].shape, dice.choice((np.nan, np.inf, -1.0, 1e30)))
        elif kind == 2:
            arrays[name] = np.array(dice.choice(("x", "1e999", 3)))
        elif kind == 3:
            del arrays[name]
        else:
            arrays[name] = arrays[name][None]
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def with_huge_member(data: bytes, dice: random.Random) -> bytes:
    """An array whose header asks for far more memory than there is."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        name = dice.choice(old.namelist())
        for each in old.namelist():
            content = old.read(each)
            if each == name:
                size = 10 ** dice.randrange(6, 15)
                header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({size},), }}".encode().ljust(118) + b"\n"
                content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
            new.writestr(each, content)
    return file.getvalue()


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=5000)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    dice, counts, slowest, bad = random.Random(given.seed), Counter[str](), 0.0, 0
    with tempfile.TemporaryDirectory() as name:
        cache, options = FeatureCache(Path(name)), AnalysisOptions(reading="quick")
        features = analyze(FILM, options, None, cache)
        key = cache.key(FILM, options)
        entry = next(Path(name).glob("*.npz"))
        data = entry.read_bytes()
        end_s = time.perf_counter() + 20
        while not (beside := [path for path in Path(name).iterdir() if path != entry]) and time.perf_counter() < end_s:
            time.sleep(0.05)  # the record of the whole hash
        record = beside[0] if beside else None
        facts = record.read_bytes() if record is not None else b""
        for number in range(given.runs):
            entry.write_bytes(data)
            if record is not None:
                record.write_bytes(facts)
            if number % 25 == 0:
                entry.unlink()
                dice.choice((entry.mkdir, lambda: os.symlink("nowhere", entry), lambda: os.mkfifo(entry)))()
            elif number % 5 == 0 and record is not None:
                record.write_bytes(with_other_bytes(facts, dice))
            else:
                entry.write_bytes(dice.choice((with_other_bytes, with_other_values, with_huge_member))(data, dice))
            began = time.perf_counter()
            try:
                kept, sentence = cache.get_checked(key, FILM)
                what = "read" if kept is not None else f"dropped{', the film is blamed' if sentence else ''}"
                if kept is not None:
                    kept.to_json()
                cache.put(key, features)
                assert cache.get(key) is not None, "the entry cannot be made again"
            except UserError as error:
                what = f"refused: {error}"[:80]
            except Exception:
                what = "traceback"
                print(f"run {number}\n{traceback.format_exc()[-1500:]}")
            took_s = time.perf_counter() - began
            slowest = max(slowest, took_s)
            counts[what] += 1
            bad += what == "traceback" or "blamed" in what or what.startswith("refused") or took_s > LONGEST_S
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif not entry.is_file() or entry.is_symlink():
                entry.unlink(missing_ok=True)
    print(f"{given.runs} entries: {', '.join(f'{count} {what}' for what, count in counts.most_common())}")
    print(f"slowest {slowest:.2f} s, {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
