"""`export FILM|SESSION --format …`: the music for DAWs, picture editors, orchestrators and societies.

A film is composed for as `compose` does, whose parser reads the options; a session is written as `live` left it.  All
files are checked before any is written.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from engine.commands import compose
from engine.commands.compose_report import progress_bar
from engine.document.file.suffix import SUFFIX
from engine.interchange.piece import DEFAULT_PATTERN, MARK_KINDS, Piece, check_pattern, stem
from engine.interchange.sheets_out import USES, Rights
from engine.music import UserError, shown
from engine.music.command import check_film_exists, check_spares_input
from engine.music.extras import need_extra
from engine.music.files import check_output, make_way, new_folder, write_whole

# Format -> ending of its file, after the pattern.
FORMATS: Final = {
    "dawproject": ".dawproject",
    "musicxml": ".musicxml",
    "midi": ".mid",
    "png": " lead sheet.png",
    "svg": " lead sheet.svg",
    "pdf": " lead sheet.pdf",
    "edl": " markers.edl",
    "csv": " markers.csv",
    "otio": " markers.otio",
    "markers-midi": " markers.mid",
    "click": " click.mid",
    "click-wav": " click.wav",
    "guide": " guide.mid",
    "spotting": " spotting.csv",
    "cuesheet": " cue sheet.csv",
    "stems": " mix.wav",
}
EXTRAS: Final = {
    "musicxml": ("score", "MusicXML"), "otio": ("otio", "Writing OTIO"), "png": ("plot", "A drawn lead sheet"),
    "svg": ("plot", "A drawn lead sheet"), "pdf": ("plot", "A drawn lead sheet"),
}  # fmt: skip
EDITORS_KINDS: Final = ("cues", "sections", "hits")
_OF_SESSIONS: Final = (
    "video", "output", "json", "replace", "format", "file_names", "version", "only", "marker_kinds", "count_in",
    "production", "writers", "publishers", "society", "use", "soundfont",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Wanted:
    formats: tuple[str, ...]
    folder: Path
    pattern: str
    kinds: tuple[str, ...] | None
    count_in: int
    rights: Rights
    soundfont: str | None


def parser() -> argparse.ArgumentParser:
    """The arguments of `compose`, and those of what is written."""
    main = compose.parser("cuebridge export", "Writes a film's music, or a session's, for other programs and people.")
    out = main.add_argument_group("what is written")
    out.add_argument("--format", required=True, metavar="LIST", help=f"formats to write, of {', '.join(FORMATS)}")
    out.add_argument(
        "--file-names", default=DEFAULT_PATTERN, metavar="NAME",
        help=f"file names, from {{cue}} {{version}} {{name}} {{start}} {{take}} {{key}} {{bpm}} ('{DEFAULT_PATTERN}')",
    )  # fmt: skip
    out.add_argument("--version", type=int, default=1, metavar="N", help="version number for file names (1)")
    out.add_argument("--only", metavar="CUE", help="one cue instead of the whole film")
    out.add_argument(
        "--marker-kinds", metavar="LIST",
        help=f"markers to write, of {', '.join(MARK_KINDS)}; "
        f"default: {', '.join(EDITORS_KINDS)} for editors, all for DAWs",
    )  # fmt: skip
    out.add_argument("--count-in", type=int, default=1, metavar="BARS", help="bars of click before the music (1)")
    out.add_argument("--soundfont", metavar="FILE.sf2", help="SoundFont for the stems")
    rights = main.add_argument_group("cue sheet")
    rights.add_argument("--production", default="", metavar="TEXT", help="title (default: the film's file name)")
    rights.add_argument("--writers", default="", metavar="TEXT", help="composers, with their shares if you like")
    rights.add_argument("--publishers", default="", metavar="TEXT", help="publishers")
    rights.add_argument("--society", default="", metavar="TEXT", help="performing rights society: GEMA, PRS, BMI …")
    rights.add_argument("--use", choices=USES, default="BI", help="use of every cue, as societies code it (BI)")
    return main


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; raises UserError for what the person can act on."""
    given = parser().parse_args(argv)
    written, piece = export(given)
    if given.json:
        sys.stdout.write(json.dumps({"files": [str(path) for path in written], "notes": len(piece.notes)}, indent=1))
        sys.stdout.write("\n")
        return 0
    for path in written:
        sys.stdout.write(f"Written  {shown(path)}\n")
    return 0


def export(given: argparse.Namespace) -> tuple[list[Path], Piece]:
    """Writes what the arguments ask for; returns the files, and the music in them.  Raises UserError."""
    wanted = _wanted(given)
    check_film_exists(given.video)
    piece = _of_session(given) if given.video.endswith(SUFFIX) else _of_film(given)
    if given.only is not None:
        piece = piece.of_cue(given.only)
    paths = {each: wanted.folder / f"{_name(each, piece, wanted)}{FORMATS[each]}" for each in wanted.formats}
    check_spares_input(given.video, *paths.values())
    with new_folder(wanted.folder):
        for path in paths.values():  # before any is written
            check_output(path, replace=given.replace)
        written: list[Path] = []
        for each, path in paths.items():
            make_way(path, replace=given.replace)
            written += _write(each, path, piece, wanted, replace_old=given.replace)
    return written, piece


def _name(kind: str, piece: Piece, wanted: _Wanted) -> str:
    """The name of a file: sound says where its own first sample lies."""
    start_s = None
    if kind == "stems":
        start_s = 0.0
    elif kind == "click-wav":
        from engine.interchange.click import click_start_s

        start_s = click_start_s(piece, wanted.count_in)
    return stem(piece, wanted.pattern, start_s)


def _wanted(given: argparse.Namespace) -> _Wanted:
    """What was asked for, checked before anything is composed.  Raises UserError."""
    formats = tuple(dict.fromkeys(given.format.replace(",", " ").split()))
    for each in formats:
        if each not in FORMATS:
            raise UserError(f"'{each[:40]}' is not a format; formats are {', '.join(FORMATS)}.")
        if each in EXTRAS:
            need_extra(*EXTRAS[each])
    if not formats:
        raise UserError(f"--format: name some of {', '.join(FORMATS)}.")
    if not 1 <= given.version <= 9999:
        raise UserError(f"--version is 1 to 9999, not {given.version}.")
    if not 0 <= given.count_in <= 8:
        raise UserError(f"--count-in is 0 to 8 bars, not {given.count_in}.")
    kinds = None
    if given.marker_kinds is not None:
        kinds = tuple(dict.fromkeys(given.marker_kinds.replace(",", " ").split()))
        for each in kinds:
            if each not in MARK_KINDS:
                raise UserError(f"'{each[:40]}' is not a kind of marker; kinds are {', '.join(MARK_KINDS)}.")
    folder = Path(given.output) if given.output else Path()
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{shown(folder)} is a file; -o names the folder to write into.")
    if not folder.absolute().parent.is_dir():
        raise UserError(f"There is no folder {shown(folder.parent)} to make {shown(folder.name)} in.")
    rights = Rights(given.production, given.writers, given.publishers, given.society, given.use)
    return _Wanted(formats, folder, check_pattern(given.file_names), kinds, given.count_in, rights, given.soundfont)


def _of_session(given: argparse.Namespace) -> Piece:
    from engine.arrange.score import check_playable, session_arrangement
    from engine.document.file import read_session

    defaults = parser().parse_args([given.video, "--format", "midi"])
    for name, value in vars(given).items():
        if name not in _OF_SESSIONS and value != getattr(defaults, name, None):
            raise UserError(f"--{name.replace('_', '-')} composes, and a session is composed; change it in `live`.")
    saved = check_playable(read_session(Path(given.video)))
    composition, arrangement = session_arrangement(saved, printed=True)
    return Piece(composition, arrangement, given.version)


def _of_film(given: argparse.Namespace) -> Piece:
    from engine.arrange import arrange

    compose.refuse_its_own(given, "`export` writes one take, --take says which")
    brief = compose.plan_from(given)
    options = compose.arrange_options(given)
    brief = compose.marked_brief(given, brief)
    with progress_bar(sys.stderr, quiet=given.json) as report:
        (score,) = compose.compose_takes(
            given.video, brief, 1, progress=report, cache_dir=given.cache_dir, use_cache=not given.no_cache
        )
    composition = compose.placed(score.composition, given)
    return Piece(composition, arrange(composition, options), given.version)


def _write(kind: str, path: Path, piece: Piece, wanted: _Wanted, *, replace_old: bool) -> list[Path]:
    """Writes one format; returns its files.  Raises UserError."""
    if kind == "stems":
        return _stems(path, piece, wanted, replace_old=replace_old)
    data = _bytes(kind, path, piece, wanted)
    if data is not None:
        try:
            write_whole(path, data)
        except OSError as error:
            raise UserError(f"{shown(path)} cannot be written: {error.strerror or error}.") from error
    return [path]


def _bytes(kind: str, path: Path, piece: Piece, wanted: _Wanted) -> bytes | None:
    """The content of a file; None where its writer has written it."""
    from engine.interchange import click, markers_out, sheets_out
    from engine.midifile import Marker, write_music

    editors, daws = wanted.kinds or EDITORS_KINDS, wanted.kinds or MARK_KINDS
    if kind == "dawproject":
        from engine.interchange.dawproject import dawproject

        return dawproject(piece, kinds=daws, folder=path.parent, sound=film_sound(piece.composition.film.path))
    if kind == "musicxml":
        from engine.interchange.musicxml import musicxml

        return musicxml(piece)
    makers: dict[str, Callable[[], bytes]] = {
        "edl": lambda: markers_out.edl(piece, editors),
        "csv": lambda: markers_out.table(piece, editors),
        "otio": lambda: markers_out.otio(piece, editors),
        "click-wav": lambda: click.click_sound(piece, wanted.count_in),
        "spotting": lambda: sheets_out.spotting_sheet(piece),
        "cuesheet": lambda: sheets_out.cue_sheet(piece, wanted.rights),
    }
    if kind in makers:
        return makers[kind]()
    if kind in ("png", "svg", "pdf"):
        from engine.leadsheet import draw

        draw(piece.composition, path)
        return None
    tempo_map, key = piece.tempo_map, piece.composition.key
    if kind == "markers-midi":
        markers_out.write_midi_markers(path, piece, daws)
        return None
    if kind == "midi":
        beats = piece.composition.beats_at_picture
        markers = [
            Marker(beats(mark.start_s), markers_out.mark_name(mark, with_length=False)) for mark in piece.marks(daws)
        ]
        write_music(path, piece.notes, piece.controllers, tempo_map, markers=markers, key=key, title=path.stem)
        return None
    notes = click.click_notes(piece, wanted.count_in) if kind == "click" else click.guide_notes(piece)
    write_music(path, notes, (), tempo_map, key=key, title=path.stem)
    return None


def film_sound(path: str) -> Any:
    """Channels and sample rate of a film's own sound, none where it has none or is not there."""
    from engine.interchange.dawproject import FilmSound

    with contextlib.suppress(Exception):  # the project is whole without it
        import av

        with av.open(path) as container:
            if container.streams.audio:
                stream = container.streams.audio[0]
                return FilmSound(stream.codec_context.channels, stream.codec_context.sample_rate)
    return FilmSound()


def _stems(path: Path, piece: Piece, wanted: _Wanted, *, replace_old: bool) -> list[Path]:
    """A .wav for each part beside the mix, all as long as the film."""
    from engine.sound.events import composition_events
    from engine.sound.fonts import find_soundfont
    from engine.sound.render import RenderOptions, check_output, render

    film = piece.composition.film.path
    check_film_exists(film)
    name = path.name.removesuffix(FORMATS["stems"])
    options = RenderOptions(
        path, find_soundfont(wanted.soundfont), film_sound="drop", stems=path.with_name(f"{name} stems"),
        stems_begin=f"{name} ", replace=replace_old,
    )  # fmt: skip
    check_output(film, options)
    arrangement = replace(piece.arrangement, notes=piece.notes, controllers=piece.controllers)
    with progress_bar(sys.stderr, quiet=True) as report:
        rendered = render(film, composition_events(piece.composition, arrangement), options, report)
    return [rendered.output, *rendered.stems]
