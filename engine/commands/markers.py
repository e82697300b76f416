"""`markers FILE`: what the markers of a picture's editor would become; takes nothing, writes nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.interchange.asked import AskedMarkers
from engine.interchange.reading import FORMATS
from engine.interchange.rules import Mapping, default_rules_text, table
from engine.music import Film, UserError
from engine.music.command import SentenceParser, check_film_exists
from engine.music.timecode import FRAME_RATES, TimecodeClock, stated_rate


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; raises UserError for what the person can act on."""
    top = SentenceParser(
        prog="cuebridge markers", description=f"Shows what the markers of a file become: {FORMATS}.", allow_abbrev=False
    )
    top.add_argument("file", nargs="?", metavar="FILE", help="file of markers")
    top.add_argument("--film", metavar="FILM", help="the film that they belong to, for its rate, start and length")
    top.add_argument(
        "--rate",
        "--markers-rate",
        metavar="FPS",
        help="frame rate of the list, if neither it nor the film says",
    )
    top.add_argument(
        "--start", "--markers-start", metavar="HH:MM:SS:FF", help="timecode of the film's first frame in the list"
    )
    top.add_argument(
        "--rules",
        "--markers-rules",
        metavar="FILE.toml",
        help="rules for what marker names become, instead of the built-in ones",
    )
    top.add_argument("--show-rules", action="store_true", help="print the built-in rules, as a file to edit")
    top.add_argument("--json", action="store_true", help="print as JSON")
    given = top.parse_args(argv)
    if given.show_rules:
        sys.stdout.write(default_rules_text())
        return 0
    if given.file is None:
        raise UserError("name a file with markers; cuebridge markers --help says more.")
    asked = AskedMarkers.read(given.file, rate=given.rate, start=given.start, rules=given.rules)
    film = _film(given.film, given.rate, asked)
    mapping = asked.mapping(film)
    if given.json:
        sys.stdout.write(json.dumps(_facts(mapping, film), indent=1) + "\n")
    else:
        sys.stdout.write("\n".join(table(mapping, film)) + "\n")
    return 0


def _film(path: str | None, rate: str | None, asked: AskedMarkers) -> Film:
    """The film, or one without end that begins where the list does, if the list or the person says at which rate."""
    if path is not None:
        from engine.video import probe

        check_film_exists(path)
        return probe(path)
    known = stated_rate(rate) if rate is not None else asked.file.rate
    if known is None and asked.file.counts_frames:
        raise UserError(
            f"{Path(asked.file.source).name} does not say its frame rate: name the film with --film, or say it with "
            "--rate."
        )
    known = known or FRAME_RATES["25"]
    start = TimecodeClock(known).parse(asked.start) if asked.start else None
    return Film("", 24 * 3600.0, known, start_timecode=start)


def _facts(mapping: Mapping, film: Film) -> dict[str, Any]:
    return {
        "file": mapping.source,
        "reading": mapping.reading,
        "notes": list(mapping.notes),
        "markers": [
            {
                "number": number,
                "line": row.marker.line,
                "picture_s": row.start_s,
                "timecode": str(film.timecode_at(row.start_s + 1e-6)) if row.marker.inside else None,
                "out_s": row.out_s,
                "kind": row.kind,
                "weight": row.weight or None,
                "name": row.name,
                "changes": dict(row.changes),
                "comment": row.marker.comment,
                "why": row.why or None,
            }
            for number, row in enumerate(mapping.rows, start=1)
        ],
    }
