"""What a set is like: the paper's Figures 4 and 5 as numbers, splits, and the spread of every curve."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import numpy as np

from engine.dataset.splits import SPLITS
from engine.dataset.table import Table
from engine.music.chord import CHORD_LABELS

TOP: Final = 30
_CURVES: Final = ("note_density", "loudness", "motion", "scene_offset")


def statistics(table: Table) -> dict[str, Any]:
    """top_chords and top_keys: the 30 that hold most seconds and films (Figures 4 and 5); the rest by name."""
    arrays = table.arrays
    seconds = np.diff(arrays["offsets"])
    counts = Counter(arrays["chord"].tolist())
    sounding = {CHORD_LABELS[chord]: count for chord, count in counts.items() if chord}
    votes = arrays.get("key_votes")
    return {
        "films": len(set(arrays["films"].tolist())),
        "pieces": table.videos,
        "seconds": int(seconds.sum()),
        "splits": {
            split: {
                "pieces": int((arrays["split"] == split).sum()),
                "seconds": int(seconds[arrays["split"] == split].sum()),
            }
            for split in SPLITS
        },
        "top_chords": sorted(sounding.items(), key=lambda each: (-each[1], each[0]))[:TOP],
        "top_keys": sorted(Counter(arrays["key"].tolist()).items(), key=lambda each: (-each[1], each[0]))[:TOP],
        "no_chord_share": round(counts.get(0, 0) / max(1, int(seconds.sum())), 4),
        "key_finders_agree": None
        if votes is None
        else round(float(np.mean([len(set(each)) == 1 for each in votes.tolist()])), 4),
        "full_readings": int(arrays["has_semantic"].sum()),
        "density": table.about.get("density", "notes"),
        "duplicates": table.about.get("duplicates", []),
        "curves": {
            name: dict(
                zip(
                    ("p5", "median", "p95", "max"),
                    (round(float(v), 4) for v in np.quantile(arrays[name].astype(float), (0.05, 0.5, 0.95, 1.0))),
                    strict=True,
                )
            )
            for name in _CURVES
        },
    }


def in_words(found: dict[str, Any]) -> str:
    """The statistics for people."""
    lines = [
        f"{found['films']} films, {found['pieces']} pieces, {found['seconds']:,} s; density counts {found['density']}"
    ]
    lines += [
        f"  {name:<6}{part['pieces']:>6} pieces {part['seconds']:>9,} s" for name, part in found["splits"].items()
    ]
    lines.append(
        f"full readings: {found['full_readings']} pieces; seconds without a chord: {found['no_chord_share']:.1%}"
    )
    if found["key_finders_agree"] is not None:
        lines.append(f"the three key finders agree on {found['key_finders_agree']:.0%} of the pieces")
    lines.append("chords  " + "  ".join(f"{name} {count}" for name, count in found["top_chords"]))
    lines.append("keys    " + "  ".join(f"{name} {count}" for name, count in found["top_keys"]))
    for name, spread in found["curves"].items():
        lines.append(f"{name:<14}" + "  ".join(f"{word} {value:g}" for word, value in spread.items()))
    for first, second, lag, overlap, loud, chords in found["duplicates"]:
        lines.append(
            f"nearly alike: {first} and {second} ({overlap} s, lag {lag} s; loudness {loud:.2f}, chords {chords:.0%})"
        )
    return "\n".join(lines)
