"""Are a take's chords the same on other machines?  Takes composed with OpenBLAS's kernels for three kinds of processor.

    python tests/bench/machines.py [--takes 200] [--slots 40]

Floating-point kernels differ in the sixth digit, so "the same on every machine" cannot be promised: printed is how many
of the takes are the same throughout, and how many of the chords, against the kernels of this processor.  What a session
has composed is stored in it and binds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("", "Haswell", "Sandybridge", "Nehalem")
TAKES = """
import json, sys
import numpy as np
from models.conditioning import film_rows
from models.decoding import ChordStream, DecodingOptions
from models.film import FilmInputs
from models.runtime import load_pair, single_threaded
single_threaded()
takes, slots = int(sys.argv[1]), int(sys.argv[2])
rng = np.random.default_rng(0)
mood = np.repeat(rng.dirichlet(np.full(6, 0.4), slots // 8 + 1), 8, axis=0)[:slots]
film = FilmInputs.from_arrays(scene_offset=np.arange(slots) % 7, motion=rng.random(slots) * 40, emotion=mood)
network, rows = load_pair()[0], film_rows(mood)
options = [DecodingOptions(seed=take, guidance=0.0) for take in range(takes)]
print(json.dumps([list(ChordStream(network, film, option, conditions=rows)) for option in options]))
"""


def takes_on(kind: str, takes: int, slots: int) -> list[list[int]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    if kind:
        environment["OPENBLAS_CORETYPE"] = kind
    words = [sys.executable, "-c", TAKES, str(takes), str(slots)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    found: list[list[int]] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--takes", type=int, default=200)
    parser.add_argument("--slots", type=int, default=40)
    arguments = parser.parse_args()
    own = takes_on("", arguments.takes, arguments.slots)
    for kind in KINDS[1:]:
        other = takes_on(kind, arguments.takes, arguments.slots)
        whole = sum(a == b for a, b in zip(own, other, strict=True))
        pairs = [(x, y) for a, b in zip(own, other, strict=True) for x, y in zip(a, b, strict=True)]
        equal = sum(x == y for x, y in pairs)
        sys.stdout.write(f"{kind}: {whole} of {len(own)} takes the same, {100 * equal / len(pairs):.2f} % of chords\n")


if __name__ == "__main__":
    main()
