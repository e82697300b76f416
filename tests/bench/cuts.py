"""Precision and recall of the cuts that are found against cuts annotated by eye.

    python tests/bench/cuts.py FILM [--truth tests/media/cuts-by-eye.json] [--name ENTRY]

A found cut is right when it lies within half a frame of an annotated one.  ENTRY: name of the
annotation, default the file's.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def noted_cuts(parser: argparse.ArgumentParser, truth: Path, name: str) -> dict[str, Any]:
    """What was annotated under that name; without it the program ends with the names that there are."""
    noted = json.loads(truth.read_text(encoding="utf-8"))
    if name not in noted:
        parser.error(f"no cuts are noted for '{name}'; --name takes one of {'; '.join(sorted(noted.keys() - {'how'}))}")
    return noted[name]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film", type=Path)
    parser.add_argument("--truth", type=Path, default=ROOT / "tests/media/cuts-by-eye.json")
    parser.add_argument("--name")
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from engine.video import AnalysisOptions, analyze

    entry = noted_cuts(parser, arguments.truth, arguments.name or arguments.film.name)
    rate = float(entry["rate"])
    truth = {int(frame) for frame in entry["cuts"]}
    print("threshold  found  right  precision  recall")
    for threshold in (2.0, 3.0, 5.0, 8.0):
        options = AnalysisOptions(reading="quick", adaptive_threshold=threshold)
        found = {round(cut.time_s * rate) for cut in analyze(arguments.film, options).cuts}
        right = len(found & truth)
        precision, recall = right / max(1, len(found)), right / len(truth)
        print(f"{threshold:9.1f}  {len(found):5d}  {right:5d}  {precision:9.3f}  {recall:6.3f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
