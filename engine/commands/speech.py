"""`speech FILM|SUBTITLES`: where people speak, as `--speech` and `/cue/speech` take it, and what else is heard."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from engine.interchange.subtitles import ENDINGS, load_subtitles
from engine.music import UserError
from engine.music.command import SentenceParser, check_film_exists
from engine.music.speech import speech_text


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; raises UserError for what the person can act on."""
    top = SentenceParser(
        prog="cuebridge speech",
        description="Says where people speak in a film, by its sound or its subtitles.",
        allow_abbrev=False,
    )
    top.add_argument("file", metavar="FILM", help=f"a film to listen to, or subtitles ({', '.join(ENDINGS)})")
    top.add_argument("--json", action="store_true", help="print start and end of each line as JSON")
    top.add_argument("--all", action="store_true", help="also say where the film itself has music, and how loud it is")
    given = top.parse_args(argv)
    check_film_exists(given.file)
    if given.all:
        return _all(given.file, as_json=given.json)
    if given.file.lower().endswith(ENDINGS):
        lines = load_subtitles(given.file)
    else:
        from engine.sound.speech import speech_of

        lines = speech_of(given.file)
    if given.json:
        sys.stdout.write(json.dumps([[round(start, 3), round(end, 3)] for start, end in lines]) + "\n")
    else:
        sys.stdout.write(speech_text(lines) + "\n")
        spoken = sum(end - start for start, end in lines)
        sys.stderr.write(f"{len(lines)} lines, {spoken:.1f} s of speech.\n")
    return 0


def _all(path: str, *, as_json: bool) -> int:
    if path.lower().endswith(ENDINGS):
        raise UserError("--all listens to a film; subtitles have no sound.")
    from engine.sound.listening import listen

    heard = listen(path)
    if as_json:
        sys.stdout.write(json.dumps(heard.as_json()) + "\n")
        return 0
    loud = sorted(heard.loudness)
    level = f"{loud[len(loud) // 10]:.0f} to {loud[-1]:.0f} dB a second" if loud else "no sound"
    spoken = (
        "not listened for: pip install 'cuebridge[dialogue]'" if heard.speech is None else speech_text(heard.speech)
    )
    sys.stdout.write(f"speech   {spoken or 'none'}\nmusic    {speech_text(heard.music) or 'none'}\nloudness {level}\n")
    return 0
