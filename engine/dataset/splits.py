"""Which films train, validate and test: near duplicates and the pieces of one film together, by a seed alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

SPLITS: Final = ("train", "val", "test")
SHARES: Final = (0.8, 0.1, 0.1)


def split_groups(groups: Sequence[Sequence[str]], sizes: Mapping[str, int], seed: int = 0) -> dict[str, str]:
    """id -> split.  sizes: rows of each id.

    Groups are taken in an order drawn from their ids; each goes where most rows are missing of that split's share, so
    three groups are enough for all three.  The order of groups and ids in the arguments changes nothing.
    """
    total = sum(sizes.values())
    wanted = [share * total for share in SHARES]
    have = [0.0] * len(SPLITS)
    count = [0] * len(SPLITS)
    out = {}
    for group in sorted(groups, key=lambda each: _draw(min(each), seed)):
        # An empty split comes first once there is training data, else the one that is furthest behind its share.
        place = max(
            range(len(SPLITS)),
            key=lambda k: (k > 0 and count[k] == 0 and count[0] > 0, (wanted[k] - have[k]) / wanted[k]),
        )
        for each in group:
            out[each] = SPLITS[place]
            have[place] += sizes[each]
        count[place] += 1
    return out


def _draw(name: str, seed: int) -> str:
    return hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).hexdigest()
