"""Computes the fitted constants of engine.video.affect from MuVi-Sync and prints them.

    python -m engine.video.calibration --data muvi-sync.npz

Movement quantiles come from the data's motion and scene_offset columns; class bias and spread are fitted so that over
independent normal colour and movement scores the strongest class is as often each class, and on average as strong, as
in the data's emotion column.  Deterministic.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from engine.music.mood import EMOTIONS
from engine.video import affect


def movement_quantiles(data: dict[str, np.ndarray]) -> np.ndarray:
    """(33,) quantiles of movement over the seconds that have real motion, each video by itself."""
    values = []
    for video in range(len(data["ids"])):
        start = int(data["offsets"][video])
        rows = int(data["lengths"][video][1])
        motion = data["motion"][start : start + rows].astype(np.float64)
        if rows < 10:
            continue
        motion[0] = motion[1]  # the first second has no frame before it and says 0
        values.append(affect.movement(motion, data["scene_offset"][start : start + rows].astype(np.int64)))
    return np.quantile(np.concatenate(values), np.linspace(0.0, 1.0, 33))


def fit_classes(data: dict[str, np.ndarray]) -> tuple[np.ndarray, float, np.ndarray]:
    """Bias (6,), spread, and the class frequencies (6,) they were fitted to."""
    real = np.concatenate(
        [
            np.arange(int(data["offsets"][v + 1]) - int(data["offsets"][v])) < int(data["lengths"][v][2])
            for v in range(len(data["ids"]))
        ]
    )
    emotion = data["emotion"].astype(np.float64)[real]
    wanted = np.bincount(emotion.argmax(axis=1), minlength=6) / len(emotion)
    strength = float(emotion.max(axis=1).mean())
    scores = np.random.default_rng(0).standard_normal((4, 40_000))
    place = affect.place(*scores)
    low, high = 0.1, 1.5
    bias = np.zeros(6)
    for _ in range(30):  # bisect the spread; for each spread bring the class frequencies to the wanted ones
        spread = 0.5 * (low + high)
        for step in range(400):
            weight = affect.classes(*place, bias=bias, spread=spread)
            found = np.bincount(weight.argmax(axis=1), minlength=6) / weight.shape[0]
            bias = bias + 0.5 / (1 + step / 100) * np.log((wanted + 1e-4) / (found + 1e-4)) * 0.5
        bias = bias - bias.mean()
        if float(weight.max(axis=1).mean()) > strength:
            low = spread
        else:
            high = spread
    return bias, spread, wanted


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m engine.video.calibration")
    parser.add_argument("--data", type=Path, required=True, help="muvi-sync.npz")
    arguments = parser.parse_args(argv)
    with np.load(arguments.data) as archive:
        data = {name: archive[name] for name in ("ids", "offsets", "lengths", "motion", "scene_offset", "emotion")}
    quantiles = movement_quantiles(data)
    bias, spread, wanted = fit_classes(data)
    out = sys.stdout
    out.write(f"MOVEMENT_QUANTILES = {np.array2string(quantiles, precision=4, separator=', ', max_line_width=110)}\n")
    out.write(f"CLASS_BIAS = {np.array2string(bias, precision=3, separator=', ')}\nSPREAD = {spread:.3f}\n")
    out.write("class frequencies: " + ", ".join(f"{n} {w:.3f}" for n, w in zip(EMOTIONS, wanted, strict=True)) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
