"""`compose VIDEO`: a film in, a .mid out, and a plain table of what was composed.

Arguments are read before anything heavy is loaded, so that a wrong one is answered at once.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.brief import Brief, compose_options, from_settings
from engine.commands.compose_report import facts_of, progress_bar, tell
from engine.composer import compose_takes
from engine.document import CueState, readings
from engine.document.file.suffix import SUFFIX
from engine.interchange.temp_asked import take_temp
from engine.music import PARTS, Hit, Take, TimeSignature, UserError, controls, shown
from engine.music.arguments import Arg, Value
from engine.music.command import SentenceParser, check_film_exists, check_spares_input, is_given
from engine.music.composition import ENDINGS
from engine.music.controls import BY_ADDRESS, MUSIC_FLAGS, SETTINGS
from engine.music.cue_text import parse_cues
from engine.music.cueplan import CUE_ENDINGS, Theme
from engine.music.extras import need_extra
from engine.music.files import check_output, make_way
from engine.music.flags import (
    add_flags,
    check_cue_flags,
    flag_value,
    flags_of,
    parts_from,
    renamed,
    settings_from,
)
from engine.music.timecode import stated_rate

if TYPE_CHECKING:
    from engine.arrange import Arrangement, ArrangeOptions
    from engine.interchange.temp_track import TempTrack
    from engine.music import Composition

# What the last chord of a cue without a form may be.
_LAST_CHORDS: Final = tuple(word for word in ENDINGS if word not in CUE_ENDINGS)
# Where a form is asked for, its own endings are words of the same flag.
ENDING_FLAG: Final = replace(
    BY_ADDRESS[controls.ENDING],
    arguments=(Arg("ending", "choice", words=(*_LAST_CHORDS, "auto", *CUE_ENDINGS)),),
    doc="The last chord: tonic, open (as composed) or cut. With --form, how cues end; auto: as the mood asks.",
)

# The flags of `compose` alone, and their help.
_ITS_OWN: Final = {
    "printed": "of a session: include the ranges that were printed into the DAW",
    "takes": "write this many takes, numbered from --take",
    "vary": "with --takes: versions that differ in key,tempo,pattern,mode; a file for each part",
    "length": "with --vary: lengths of the versions in seconds, such as 15,30,60",
    "loopable": "with --vary: whole bars, and no note across the seam",
}


def refuse_its_own(arguments: argparse.Namespace, why: str, allowed: frozenset[str] = frozenset()) -> None:
    """Refuses flags that only `compose` has, for the other commands.  why: what such a command does instead.

    Raises UserError.
    """
    without = {"takes": 1, "printed": False, "loopable": False}
    for name in _ITS_OWN:
        if name not in allowed and getattr(arguments, name) != without.get(name):
            raise UserError(f"--{name} is for `cuebridge compose`; {why}.")


def parser(
    prog: str = "cuebridge compose",
    description: str = "Composes music for a film and writes it as MIDI.",
    *,
    helps: Mapping[str, str] | None = None,
) -> argparse.ArgumentParser:
    """The command's arguments; those that `live` has too are made from the controls table.

    helps: the texts of `video` and of the flags of `compose` alone.  Flags without one are hidden, and other commands
    refuse them: `refuse_its_own`.
    """
    main = SentenceParser(prog=prog, description=description, allow_abbrev=False)
    shown = {"video": f"the film, any file with a picture; or a session of `live` ({SUFFIX})", **(helps or {})}
    main.add_argument("video", metavar="VIDEO", help=shown["video"])
    main.add_argument("-o", "--output", metavar="FILE", help="file to write (default: named after the film)")
    main.add_argument("--replace", action="store_true", help="replace existing files, keeping each as FILE.bak")
    main.add_argument("--printed", action="store_true", help=shown.get("printed", argparse.SUPPRESS))
    main.add_argument("--json", action="store_true", help="print a report as JSON")
    timing = main.add_argument_group("film, time and takes")
    add_flags(timing, flags_of("compose"))
    timing.add_argument(
        "--frame-rate",
        metavar="FPS",
        help="frame rate of the DAW project: 23.976 to 60, '29.97 DF'; default: the film's",
    )
    takes = main.add_argument_group("several takes and versions")
    takes.add_argument("--takes", type=int, default=1, metavar="N", help=shown.get("takes", argparse.SUPPRESS))
    takes.add_argument("--vary", metavar="LIST", help=shown.get("vary", argparse.SUPPRESS))
    takes.add_argument("--length", metavar="S,S", help=shown.get("length", argparse.SUPPRESS))
    takes.add_argument("--loopable", action="store_true", help=shown.get("loopable", argparse.SUPPRESS))
    music = main.add_argument_group("music (each is also an OSC address of `live`; see cuebridge osc)")
    add_flags(music, (ENDING_FLAG if row.address == controls.ENDING else row for row in MUSIC_FLAGS))
    return main


def _parser() -> argparse.ArgumentParser:
    """`parser`, and what only `compose` itself does."""
    main = parser(helps=_ITS_OWN)
    main.epilog = "--batch FOLDER|LIST --out FOLDER composes for many films; docs/dataset.md says more."
    main.add_argument(
        "--board", action="store_true",
        help="with --takes: instead of files, a session with these takes, and the page where you compare them; flags "
        "of `cuebridge page` work too",
    )  # fmt: skip
    main.add_argument(
        "--gm", action="store_true", help="add program changes for the General MIDI instruments of the ensemble"
    )
    return main


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; raises UserError for what the person can act on."""
    if is_given("--batch", argv):
        from engine.commands.batch import compose_batch

        return compose_batch(argv, _check)
    arguments = _parser().parse_args(argv)
    if arguments.video.endswith(SUFFIX):
        from engine.commands.compose_session import write_session_music

        return write_session_music(arguments, given_flags(_parser(), argv))
    if arguments.printed:
        raise UserError("--printed goes with a session; a film has no printed ranges.")
    if arguments.board:
        raise UserError("--board goes with a film; `cuebridge page FILM --board` reopens a session's film.")
    brief = plan_from(arguments)
    options = arrange_options(arguments)
    if not 1 <= arguments.takes <= 100:
        raise UserError(f"--takes is 1 to 100, not {arguments.takes}.")
    check_film_exists(arguments.video)
    brief = marked_brief(arguments, brief)
    if arguments.vary is not None:
        if arguments.gm:
            raise UserError("--gm does not go with --vary.")
        return _vary(arguments, brief, options)
    if arguments.length is not None or arguments.loopable:
        raise UserError("--length and --loopable go with --vary.")
    outputs = _outputs(arguments)
    begun = time.perf_counter()
    with progress_bar(sys.stderr, quiet=arguments.json) as report:
        scores = compose_takes(
            arguments.video,
            brief,
            arguments.takes,
            progress=report,
            cache_dir=arguments.cache_dir,
            use_cache=not arguments.no_cache,
        )
    scores = tuple(replace(score, composition=placed(score.composition, arguments)) for score in scores)
    results = []
    for score, output in zip(scores, outputs, strict=True):
        arrangement = _write(score.composition, options, output, replace_old=arguments.replace, gm=arguments.gm)
        results.append(facts_of(score, arrangement, output))
    total_s = time.perf_counter() - begun
    for facts in results:
        facts["seconds"]["whole"] = round(total_s, 3)
    if arguments.json:
        sys.stdout.write(json.dumps(results[0] if len(results) == 1 else results, indent=1) + "\n")
    else:
        tell(results, scores)
    return 0


def _check(argv: list[str]) -> None:
    """Raises UserError where a command line is wrong, as far as can be said without the film."""
    arguments = _parser().parse_args(argv)
    plan_from(arguments)
    arrange_options(arguments)


def given_flags(of: argparse.ArgumentParser, argv: Sequence[str] | None) -> list[str]:
    """The flags that somebody wrote."""
    words = sys.argv[1:] if argv is None else argv
    known = {flag for action in of._actions for flag in action.option_strings}
    return [word.partition("=")[0] for word in words if word.partition("=")[0] in known]


def _vary(arguments: argparse.Namespace, brief: Brief, options: ArrangeOptions) -> int:
    """Writes versions of a cue into a folder, one file per part."""
    from engine.commands.variations import parse_dimensions, vary, write_variation
    from engine.composer import Composer
    from engine.process.analysis import AnalysisTask, analyse_in_child

    dimensions = parse_dimensions(arguments.vary)
    lengths: list[float | None] = [None]
    if arguments.length is not None:
        try:
            lengths = [float(word) for word in arguments.length.replace(",", " ").split()]
        except ValueError:
            raise UserError(f"'{arguments.length}' is not a list of seconds.") from None
    folder = Path(arguments.output or Path(arguments.video).stem + "_versions")
    if not arguments.replace and folder.is_dir() and any(folder.glob("*.mid")):
        raise UserError(f"{shown(folder)} holds MIDI files already: name another folder, or say --replace.")
    task = AnalysisTask(arguments.video, brief.reading, brief.clip_weights, arguments.cache_dir, not arguments.no_cache)
    rows: list[dict[str, Any]] = []
    with progress_bar(sys.stderr, quiet=arguments.json) as report:
        features = analyse_in_child(task, lambda fraction, phase: report(0.5 * fraction, phase))
        composer = Composer(brief.weights)
        for number, length_s in enumerate(lengths):
            report(0.5 + 0.5 * number / len(lengths), "composing versions")
            versions = vary(
                composer,
                features,
                brief,
                options,
                arguments.takes,
                dimensions,
                lambda composition: placed(composition, arguments),
                length_s,
                arguments.loopable,
            )
            suffix = "" if length_s is None else f"_{length_s:g}s"
            for version in versions:
                paths = write_variation(version, folder, "1m1", suffix, replace_old=arguments.replace)
                cue = version.composition.cues[0]
                rows.append(
                    {
                        "name": version.name("1m1") + suffix,
                        "key": version.composition.key.name,
                        "bpm": float(version.composition.tempo_map.tempos[0].bpm),
                        "pattern": version.options.pattern,
                        "take": version.composition.take.number,
                        "seconds": round(cue.out_s or features.film.duration_s, 3),
                        "files": [str(path) for path in paths],
                    }
                )
    if arguments.json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return 0
    for row in rows:
        sys.stdout.write(f"{row['name']:28} {row['key']:10} {row['bpm']:6.1f} bpm  {row['seconds']:6.2f} s  ")
        sys.stdout.write(f"pattern {row['pattern']}\n")
    sys.stdout.write(f"Written  {sum(len(row['files']) for row in rows)} files in {folder}\n")
    return 0


def settings_of(arguments: argparse.Namespace) -> dict[str, Value]:
    """The music that was asked for, by address of the controls table.  Raises UserError."""
    settings = settings_from(arguments, (row for row in MUSIC_FLAGS if row.address != controls.ENDING))
    ending = ending_of(arguments)
    if ending in _LAST_CHORDS:
        settings[controls.ENDING] = ending
    check_cue_flags(settings, arguments.cue)
    if controls.SPEECH in settings:
        settings[controls.SPEECH] = _speech_of(arguments, str(settings[controls.SPEECH]))
    if arguments.parts is not None:
        wanted = parts_from(arguments.parts)
        settings |= {controls.of_part(part, "on"): part in wanted for part in PARTS}
    return settings


def _speech_of(arguments: argparse.Namespace, text: str) -> str:
    """Lines as they were typed, those of subtitles, or (`auto`) those that are heard in the film.  Raises UserError."""
    from engine.interchange.subtitles import speech_setting
    from engine.music.speech import HEARD, parse_speech, speech_text

    if text == HEARD:
        from engine.sound.speech import speech_of

        check_film_exists(arguments.video)
        return speech_text(speech_of(arguments.video))
    lines = speech_setting(text)
    parse_speech(lines)
    return lines


def ending_of(arguments: argparse.Namespace) -> str | None:
    """The ending that was asked for: of the last chord, or of the cue's form.  Raises UserError."""
    return next((str(value) for value in settings_from(arguments, (ENDING_FLAG,)).values()), None)


def plan_from(arguments: argparse.Namespace) -> Brief:
    """What was asked for, checked.  Raises UserError."""
    for sentence in renamed(arguments):
        sys.stderr.write(sentence + "\n")
    energy = take_temp(arguments, _listen, lambda line: sys.stderr.write(line + "\n"))
    settings = settings_of(arguments)
    asked = {row.flag: flag_value(arguments, row.flag) for row in flags_of("compose") if not row.repeated}
    if asked["--reading"] == "full":
        need_extra("clip", "The full reading")
    tempo_map = None
    if asked["--tempo-map"] is not None:
        from engine.midifile import read_tempo_map

        tempo_map = read_tempo_map(str(asked["--tempo-map"]))
    ending = ending_of(arguments)
    meter = None if asked["--meter"] is None else TimeSignature.parse(str(asked["--meter"]))
    theme = None
    if asked["--theme"] is not None:
        meter = meter or TimeSignature()  # a tune has bars: the takes do not choose others
        theme = theme_of(str(asked["--theme"]), meter, arguments.key)
    plan = from_settings(
        settings,
        bpm=asked["--bpm"],
        meter=meter,
        tempo_map=tempo_map,
        grid=asked["--grid"],
        frame_rate=None if arguments.frame_rate in (None, "film") else stated_rate(arguments.frame_rate),
        take=Take(int(asked["--take"] or 1)),
        options=compose_options(
            settings,
            activity=settings.get(controls.ACTIVITY),  # the default, "picture", is not among them
            dynamics=settings.get(controls.DYNAMICS),
            candidates=asked["--candidates"],
            form=asked["--form"],
            ensemble=asked["--ensemble"],
            ending="auto" if ending is None or ending in _LAST_CHORDS else ending,
        ),
        wall_to_wall=bool(asked["--wall-to-wall"]),
        theme=theme,
        reading=asked["--reading"],
        clip_weights=asked["--clip-weights"],
    )
    for reading in readings(CueState(0, settings)):
        sys.stderr.write(reading + "\n")
    cues = parse_cues(arguments.cue)
    return replace(plan, cues=cues or plan.cues, sections=(*plan.sections, *energy))


def _listen(path: Path) -> TempTrack:
    from engine.sound.temp_track import temp_of_sound

    return temp_of_sound(path)


def theme_of(text: str, meter: TimeSignature, key: str | None) -> Theme:
    """A theme as it was typed, or the tune of a MIDI or MusicXML file.  Raises UserError."""
    from engine.document import parse_key
    from engine.interchange.theme_file import SUFFIXES, theme_of_file
    from engine.music.theme_text import parse_theme

    bar_beats = float(meter.bar_beats)
    if not text.lower().endswith(SUFFIXES):
        return parse_theme(text, bar_beats)
    return theme_of_file(Path(text), parse_key(key or "auto"), bar_beats)


def arrange_options(arguments: argparse.Namespace) -> ArrangeOptions:
    """How the parts are to play.  Raises UserError."""
    from engine.arrange.options import from_settings as arrange_from_settings

    return arrange_from_settings(settings_of(arguments))


def hits_of(arguments: argparse.Namespace) -> tuple[Hit, ...]:
    """The hits that were asked for, at the film's own frame rate.  Raises UserError."""
    from engine.music.hit_text import parse_hits
    from engine.video import probe

    film = probe(arguments.video)
    hits = parse_hits(arguments.hits, film)
    for hit in hits:
        if hit.time_s > film.duration_s:
            raise UserError(f"the hit at {hit.time_s:g} s lies after the film, which lasts {film.duration_s:.2f} s.")
    return hits


def marked_brief(arguments: argparse.Namespace, brief: Brief) -> Brief:
    """The brief with the hits and markers that were given; says what each marker becomes.  Raises UserError."""
    from engine.interchange.asked import AskedMarkers, check_markers_flags, with_markers

    if arguments.hits is not None:
        brief = replace(brief, hits=hits_of(arguments))
    if arguments.markers is None:
        check_markers_flags(arguments)
        return brief
    from engine.interchange.rules import table
    from engine.video import probe

    asked = AskedMarkers.read(
        arguments.markers, rate=arguments.markers_rate, start=arguments.markers_start, rules=arguments.markers_rules
    )
    film = probe(arguments.video)
    mapping = asked.mapping(film, brief.picture_starts_at)
    sys.stderr.write("\n".join(table(mapping, film)) + "\n")
    return with_markers(brief, mapping)


def placed(composition: Composition, arguments: argparse.Namespace) -> Composition:
    """The composition with chords on the hits and cuts that they are wanted on."""
    from engine.arrange.changes import ChangeOptions, place_changes

    settings = {**SETTINGS, **settings_from(arguments, MUSIC_FLAGS)}
    where, rhythm = str(settings[controls.CHORDS_ON_CUTS]), str(settings[controls.HARMONIC_RHYTHM])
    if where == "off" or (where == "hits" and not composition.hits):
        return composition
    return place_changes(composition, ChangeOptions(rhythm, where))


def _outputs(arguments: argparse.Namespace) -> list[Path]:
    first = Path(arguments.output) if arguments.output else Path(Path(arguments.video).stem + ".mid")
    check_spares_input(arguments.video, first)
    outputs = [first]
    if arguments.takes != 1:
        take = int(flag_value(arguments, "--take") or 1)
        numbers = range(take, take + arguments.takes)
        outputs = [first.with_name(f"{first.stem}_{Take(number).name}{first.suffix or '.mid'}") for number in numbers]
    for output in outputs:
        check_output(output, replace=arguments.replace)
    return outputs


def _write(
    composition: Composition, options: ArrangeOptions, output: Path, *, replace_old: bool, gm: bool = False
) -> Arrangement:
    from engine.arrange import arrange
    from engine.midifile import write_midi
    from engine.sound.programs import programs_of

    arrangement = arrange(composition, options)
    make_way(output, replace=replace_old)
    write_midi(output, composition, arrangement, programs=programs_of(composition) if gm else ())
    return arrangement
