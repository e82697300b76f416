"""Checks the full reading's head against MuVi-Sync: its mood column must be softmax(W f / |f|) of its CLIP embeddings.

    python tests/bench/affect_head.py FOLDER        (with muvi-sync.npz and semantic-0.npz, -1, -2)

W (768 x 6) is found by ridge regression of centred log-probabilities on the normalised embeddings of every other
video, and tried on the rest.  engine.video.semantics computes the same form, W being the logit scale times the six
text embeddings.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

RIDGE = 1e-4


def main() -> int:
    folder = Path(sys.argv[1])
    with np.load(folder / "muvi-sync.npz") as archive:
        offsets, lengths = archive["offsets"], archive["lengths"]
        emotion = archive["emotion"].astype(np.float32)
    embedding = np.zeros((len(emotion), 768), np.float32)
    for shard in sorted(folder.glob("semantic-*.npz")):
        with np.load(shard) as archive:
            start = int(archive["start"])
            values = archive["semantic"].astype(np.float32) * archive["scale"].astype(np.float32)[:, None]
            embedding[start : start + len(values)] = values
    video = np.repeat(np.arange(len(lengths)), np.diff(offsets))
    second = np.arange(len(video)) - offsets[video]
    real = (second < lengths[video, 2]) & (second < lengths[video, 3]) & (emotion.min(axis=1) > 0)
    unit = embedding[real] / np.linalg.norm(embedding[real], axis=1, keepdims=True)
    wanted = emotion[real]
    logit = np.log(wanted)
    logit -= logit.mean(axis=1, keepdims=True)
    train = video[real] % 2 == 0
    x, y = unit[train].astype(np.float64), logit[train].astype(np.float64)
    weights = np.linalg.solve(x.T @ x + RIDGE * np.eye(768), x.T @ y)  # (768, 6)
    found = unit[~train] @ weights
    found = np.exp(found - found.max(axis=1, keepdims=True))
    found /= found.sum(axis=1, keepdims=True)
    error = np.abs(found - wanted[~train])
    same = float((found.argmax(axis=1) == wanted[~train].argmax(axis=1)).mean())
    print(
        f"{int((~train).sum())} seconds not used for W: strongest class equal in {same:.4f}, "
        f"mean difference {error.mean():.5f}, 99 % below {np.quantile(error, 0.99):.5f}"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
