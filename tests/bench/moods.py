"""The quick reading's moods against a person's, shot by shot, for the films of tests/media/moods-by-eye.json.

    python tests/bench/moods.py FILM...

A shot counts as met when its strongest mood (mean of its seconds before smoothing) is one of those that were noted.
Beside it: what one mood for all shots would meet at best, and what drawing each shot's mood among the film's readings
at random would meet on average, since several moods may be noted for a shot.
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
    met, best, drawn, count = 0, {name: 0 for name in EMOTIONS}, 0.0, 0
    for word in sys.argv[1:]:
        path = Path(word)
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
            right = name in moods
            met, count = met + right, count + 1
            drawn += sum(other in moods for other in named) / len(named)
            for each in moods:
                best[each] += 1
            sys.stdout.write(
                f"{path.stem[:16]:<16} {start_s:6.2f}–{end_s:6.2f} s  {name:<9} {mood.max():.2f}  "
                f"{'met' if right else 'not'}  noted: {', '.join(moods)}\n"
            )
    most = max(best, key=lambda name: best[name])
    sys.stdout.write(f"met {met} of {count}; '{most}' for all {best[most]}; drawn among the readings {drawn:.1f}\n")


if __name__ == "__main__":
    main()
