"""docs/palettes.md: what each palette may sound like, from engine/harmony/data/palettes.toml.

python .ci/palettes.py    writes the page anew; a test says whether it is as the data has it
"""

from __future__ import annotations

import argparse
import tomllib
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "engine" / "harmony" / "data" / "palettes.toml"
PAGE = ROOT / "docs" / "palettes.md"
HEAD = """<!-- Made by `python .ci/palettes.py` from engine/harmony/data/palettes.toml; do not edit by hand. -->
# Palettes

Each mood has two to four palettes; a take draws one for each section, and `compose`, the page and `cuebridge why`
name it: `R1 (pastoral)`. A section has four cells of its palette, which film and take draw, those with chords further
from the key where it is intense. A cell is stated, stated again with another end, then another follows; a
close ends a theme or a cue. Numerals count from the major scale of the tonic in every mode, so bIII, bVI and bVII
always carry their flat; capitals are major, small letters minor; after a slash stands the degree in the bass. A full
stop joins two chords in one step, `q` stands for chords of fourths.

"""


def page() -> str:
    """The whole page."""
    palettes = tomllib.loads(DATA.read_text(encoding="utf-8"))
    parts = [HEAD]
    for mood, group in groupby(palettes.items(), key=lambda item: item[1]["mood"]):
        parts.append(f"## {mood.capitalize()}\n\n")
        parts.append(
            "| palette | mode | bpm | bars a chord | cells | once a cue | closes |\n|---|---|---|---|---|---|---|\n"
        )
        for variant, row in group:
            low, high = row["bpm"]
            cells = [
                f"**{variant}** {row['name']}",
                row["mode"],
                f"{low:g}–{high:g}",
                " or ".join(f"{unit:g}" for unit in row["units"]),
                "<br>".join([*row["cells"], *row.get("more_cells6", row["more_cells"])]),
                *("<br>".join(row.get(name, [])) for name in ("lift", "closes")),
            ]
            parts.append("".join(f"| {cell} " if cell else "| " for cell in cells) + "|\n")
        parts.append("\n")
    return "".join(parts).rstrip() + "\n"


def main() -> None:
    """Writes the page; a test says whether it is as the data has it."""
    argparse.ArgumentParser(description=main.__doc__).parse_args()
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
