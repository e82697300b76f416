"""The quick reading's moods against a person's, shot by shot, for the films of tests/media/moods-by-eye.json.

    python tests/bench/moods.py FILM...

A shot counts as met when its strongest mood (mean of its seconds before smoothing) is one of those that were noted.
Beside it: what one mood for all shots would meet at best, and what chance would: the readings of all shots shuffled
among them, 10,000 times, the mean and the middle 95 %.  Shuffled within each film, too, which knows the film.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np

from engine.video import EMOTIONS, AnalysisOptions, analyze

NOTED = ROOT / "tests" / "media" / "moods-by-eye.json"


def main() -> None:
    noted = json.loads(NOTED.read_text(encoding="utf-8"))["films"]
    best = {name: 0 for name in EMOTIONS}
    noted_all: list[list[str]] = []
    named_all: list[str] = []
    within = 0.0
    films = [Path(word) for word in sys.argv[1:]]
    unknown = [path.name for path in films if path.name not in noted]
    if unknown:
        raise SystemExit(f"no moods are noted for {', '.join(unknown)}; they are for {', '.join(noted)}")
    for path in films:
        seen = analyze(path, AnalysisOptions(reading="quick"))
        second = np.arange(seen.seconds)
        rows = []
        for start_s, end_s, moods in noted[path.name]:
            inside = (second >= start_s - 0.02) & (second < end_s)
            if not inside.any():
                inside = second == min(int(start_s), seen.seconds - 1)
            rows.append((start_s, end_s, moods, seen.emotion_raw[inside].mean(axis=0)))
        named = [EMOTIONS[int(mood.argmax())] for *_, mood in rows]
        for (start_s, end_s, moods, mood), name in zip(rows, named, strict=True):
            noted_all.append(moods)
            named_all.append(name)
            for each in moods:
                best[each] += 1
            sys.stdout.write(
                f"{path.stem[:16]:<16} {start_s:6.2f}–{end_s:6.2f} s  {name:<9} {mood.max():.2f}  "
                f"{'met' if name in moods else 'not'}  noted: {', '.join(moods)}\n"
            )
        within += sum(other in moods for *_, moods, _ in rows for other in named) / len(named)
        met = sum(name in moods for name, (*_, moods, _) in zip(named, rows, strict=True))
        sys.stdout.write(f"{path.name}: met {met} of {len(rows)}\n")
    most = max(best, key=lambda name: best[name])
    met = sum(name in moods for name, moods in zip(named_all, noted_all, strict=True))
    low, high = np.percentile(shuffled := draws(named_all, noted_all), [2.5, 97.5])
    sys.stdout.write(
        f"met {met} of {len(named_all)}; '{most}' for all {best[most]}; shuffled {shuffled.mean():.1f} "
        f"({low:.0f} … {high:.0f}), as many or more in {float((shuffled >= met).mean()):.1%}; "
        f"within films {within:.1f}\n"
    )


def draws(named: list[str], noted: list[list[str]]) -> np.ndarray:
    """(10000,) shots met when the readings are shuffled among the shots."""
    right = np.array([[name in moods for name in named] for moods in noted])
    dice = np.random.default_rng(0)
    shots = np.arange(len(named))
    return np.array([right[shots, dice.permutation(len(named))].sum() for _ in range(10_000)])


if __name__ == "__main__":
    main()
