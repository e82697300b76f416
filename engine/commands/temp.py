"""`temp FILE`: what a temp track asks for, as `--temp` of compose and live takes it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.interchange.temp_analysis import temp_of_midi
from engine.interchange.temp_track import MIDI_ENDINGS
from engine.music.command import SentenceParser, check_film_exists


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; raises UserError for what the person can act on."""
    top = SentenceParser(
        prog="cuebridge temp", description="Says what a temp track asks for: tempo, key, chords a bar, energy.",
        allow_abbrev=False,
    )  # fmt: skip
    top.add_argument("file", metavar="FILE", help="recorded music, a film with music, or a MIDI file")
    top.add_argument("--json", action="store_true", help="print as JSON")
    given = top.parse_args(argv)
    check_film_exists(given.file)
    path = Path(given.file)
    if path.suffix.lower() in MIDI_ENDINGS:
        track = temp_of_midi(path)
    else:
        from engine.sound.temp_track import temp_of_sound

        track = temp_of_sound(path)
    if given.json:
        sys.stdout.write(json.dumps(track.facts()) + "\n")
    else:
        sys.stdout.write("\n".join((*track.lines, *track.notes)) + "\n")
    return 0
