"""Chance that repeats: the same key gives the same number, in any process and on any machine."""

from __future__ import annotations

from hashlib import blake2b


def noise(*key: object) -> float:
    """0 <= number < 1 for a key of words and numbers."""
    digest = blake2b(":".join(map(str, key)).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 0x100000000
