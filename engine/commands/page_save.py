"""`python -m engine.commands.page_save FORMAT SESSION OUT OPTIONS`: what "Save to…" of the page makes of a session.

OPTIONS is JSON: film_sound ("keep", "duck", "drop"), loudness (LUFS), soundfont; for what `cuebridge export` writes its
options by their names (file_names, version, only, marker_kinds, count_in, production, writers …).  Writes a JSON object
a line: how far it is, at last the file, or the sentence why there is none.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.music import PARTS, UserError

if TYPE_CHECKING:
    from engine.arrange import Arrangement
    from engine.document import SavedSession
    from engine.music import Composition

# As `cuebridge export` writes them.
EXPORTED: Final = (
    "dawproject", "musicxml", "pdf", "svg", "edl", "csv", "otio", "markers-midi", "click", "click-wav", "guide",
    "spotting", "cuesheet",
)  # fmt: skip
FORMATS: Final = ("mp4", "wav", "flac", "stems", "mid", "parts", "leadsheet", *EXPORTED)
_SOUND: Final = ("mp4", "wav", "flac", "stems")
_NICENESS: Final = 10
Report = Callable[[float, str], None]


def save(kind: str, session: Path, out: Path, options: dict[str, Any], report: Report) -> Path:
    """Writes it; returns the file, whose ending fits the format.  Raises UserError."""
    from engine.arrange.score import check_playable, session_arrangement
    from engine.document.file import read_session

    if kind not in FORMATS:
        raise UserError(f"'{kind}' is not a format; formats are {', '.join(FORMATS)}.")
    report(0.0, "collecting the notes")
    if kind in EXPORTED:
        return _exported(kind, session, out.parent, options)
    saved = check_playable(read_session(session))
    composition, arrangement = session_arrangement(saved, printed=True)
    if kind in _SOUND:
        return _sound(kind, saved, (composition, arrangement), out, options, report)
    if kind == "mid":
        return _midi(composition, arrangement, out.with_suffix(".mid"))
    if kind == "parts":
        return _parts(composition, arrangement, out.with_suffix(".zip"))
    return _lead_sheet(composition, out)


def _exported(kind: str, session: Path, folder: Path, options: dict[str, Any]) -> Path:
    """One of the files of `cuebridge export`."""
    from engine.commands.export import export, parser

    words = [str(session), "--format", kind, "--output", str(folder), "--replace"]
    for name, value in options.items():
        if name not in ("soundfont", "film_sound", "loudness"):
            words.append(f"--{name.replace('_', '-')}={value}")
    (path,), _ = export(parser().parse_args(words))
    return path


def _sound(
    kind: str, saved: SavedSession, music: tuple[Composition, Arrangement], out: Path, options: dict[str, Any],
    report: Report,
) -> Path:  # fmt: skip
    from engine.sound.events import composition_events
    from engine.sound.fonts import find_soundfont
    from engine.sound.render import DEFAULT_LUFS, RenderOptions, check_output, render

    film = saved.reading.film.path
    output = out.with_suffix(".wav" if kind == "stems" else f".{kind}")
    wanted = RenderOptions(
        output=output,
        soundfont=find_soundfont(options.get("soundfont")),
        loudness_lufs=float(options.get("loudness", DEFAULT_LUFS)),
        film_sound=str(options.get("film_sound", "keep")),
        stems=out.parent / "stems" if kind == "stems" else None,
        reencode=kind == "mp4" and _needs_encoding(film),
        replace=True,
    )
    check_output(film, wanted)
    rendered = render(film, composition_events(*music), wanted, report)
    if kind != "stems":
        return rendered.output
    packed = out.with_suffix(".zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for path in (*rendered.stems, rendered.output):
            archive.write(path, path.name)
    return packed


def _needs_encoding(film: str) -> bool:
    """Whether the picture cannot be copied into an .mp4 that browsers play."""
    from engine.sound.errors import SoundError
    from engine.sound.mux import check_picture

    try:
        check_picture(film)
    except SoundError:
        return True
    return False


def _midi(composition: Composition, arrangement: Arrangement, out: Path) -> Path:
    from engine.midifile import write_midi

    write_midi(out, composition, arrangement)
    return out


def _parts(composition: Composition, arrangement: Arrangement, out: Path) -> Path:
    """One .mid a part."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in PARTS:
            notes = tuple(note for note in arrangement.notes if note.part == part)
            if not notes:
                continue
            curves = tuple(each for each in arrangement.controllers if each.part == part)
            path = out.with_name(f"{out.stem} - {part}.mid")
            _midi(composition, replace(arrangement, notes=notes, controllers=curves), path)
            archive.write(path, path.name)
            path.unlink()
    return out


def _lead_sheet(composition: Composition, out: Path) -> Path:
    """As text; where it can be drawn, as a picture too."""
    from engine.leadsheet import draw, text
    from engine.music.extras import has_extra

    written = out.with_suffix(".txt")
    written.write_text(text(composition), encoding="utf-8")
    if not has_extra("plot"):
        return written
    drawn, packed = out.with_suffix(".png"), out.with_suffix(".zip")
    draw(composition, drawn)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for path in (written, drawn):
            archive.write(path, path.name)
    return packed


def main(argv: Sequence[str]) -> int:
    from engine.process.priorities import lower

    lower(_NICENESS)
    last: tuple[int, str] = (-1, "")

    def tell(value: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(value) + "\n")
        sys.stdout.flush()

    def report(fraction: float, words: str) -> None:
        nonlocal last
        if (now := (int(fraction * 100), words)) != last:
            last = now
            tell({"fraction": round(fraction, 3), "words": words})

    try:
        tell({"file": str(save(argv[0], Path(argv[1]), Path(argv[2]), json.loads(argv[3]), report))})
    except UserError as error:
        tell({"fault": str(error)})
        return 2
    except OSError as error:
        tell({"fault": f"It could not be written: {error.strerror or error}."})
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
