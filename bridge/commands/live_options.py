"""The command line of `live`.  Flags for controls come from the controls table, with its ranges and words."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from bridge.commands.extras import need_midi_api, need_source
from bridge.page.protocol import DEFAULT_PORT as PAGE_PORT
from bridge.page.protocol import UPLOAD_BYTES
from bridge.player.messages import APIS, PlayerOptions, PortOptions, SyncOptions
from bridge.session.aside import MOST
from bridge.session.file.find import find_film
from bridge.session.options import arrange_options
from bridge.session.session import SessionOptions
from engine.arrange.score import check_playable
from engine.brief import Brief
from engine.document import CueState, Document, SavedSession, parse_chords, parse_key, readings
from engine.document.file import SUFFIX, read_session
from engine.document.file.film_file import same_content
from engine.interchange.asked import AskedMarkers, check_markers_flags
from engine.interchange.subtitles import speech_setting
from engine.interchange.temp_asked import listen_beside, take_temp
from engine.interchange.temp_track import TempTrack
from engine.music import PARTS, FrameRate, TempoMap, TimeSignature, UserError, controls, shown
from engine.music.arguments import ControlError, Value
from engine.music.command import SentenceParser, check_film_exists, check_spares_input, port_or_any
from engine.music.controls import BY_ADDRESS, DEFAULT_PORT, MUSIC_FLAGS, OUTPUT_FLAGS, RATES, SETTINGS
from engine.music.cue_text import WrittenCue, parse_cues
from engine.music.extras import need_extra
from engine.music.files import check_writes_a_file, file_mark
from engine.music.flags import add_flags, check_cue_flags, flag_value, flags_of, parts_from, renamed, settings_from
from engine.music.speech import HEARD
from engine.music.timecode import stated_rate

SYNCS = ("internal", "auto", "plugin", "script", "mtc", "clock", "jack", "link")
TEMPOS = ("map", "auto", "clock", "jack", "link", "script", "plugin")
BEAT_SOURCES = {"clock": "auto", "link": "link"}  # positions in beats: who says the tempo unless it is stated
PLAIN_OUTPUT = (controls.HOLD_ON_SYNC_LOSS, controls.PORTS_LAYOUT)  # whose flags take what their settings hold


@dataclass(frozen=True, slots=True)
class LivePlan:
    """Everything `live` was asked for."""

    session: SessionOptions
    player: PlayerOptions
    calibrated_ms: float | None  # "MIDI earlier–later" as it was kept by `calibrate`, where that is in use
    osc_host: str
    osc_port: int | None
    out: Path | None
    record: Path | None
    replace: bool
    json: bool
    plain: bool
    keys: bool
    folders: tuple[Path, ...]
    session_file: Path | None
    keeps_session: bool
    saved: SavedSession | None
    osc_cors: str | None = None  # origin of web pages that may read OSCQuery
    osc_announce: bool = False
    read_as: tuple[str, ...] = ()  # sentences: old flags that were used, and how key and chords were read
    page: PagePlan | None = None
    takes: int = 1  # so many are composed, beside the first
    plugin: bool = True  # instances of the plugin may speak with it


@dataclass(frozen=True, slots=True)
class PagePlan:
    """What was asked for of the page.  port: 0 is any; any_port: another where it is taken.

    sounds: the machine's own audio device plays.  hidden: the server is there for that alone.  board: the address that
    is said is the board's.
    """

    port: int = PAGE_PORT
    any_port: bool = True
    opens: bool = False
    upload_bytes: int = UPLOAD_BYTES
    soundfont: str | None = None
    sounds: bool = False
    hidden: bool = False
    board: bool = False

    def address(self, plain: str) -> str:
        """The one that is said and opened."""
        return f"{plain}&view=board" if self.board else plain


# A session that begins plans its cues, as `compose` does.  The control itself stays at none where nobody said anything,
# so that a session from before there were plans is what it was.
_BEGINS_WITH: Final = {controls.FORM: "auto"}
_PLAN_FLAGS: Final = {controls.FORM: "--form", controls.ENSEMBLE: "--ensemble"}


# size: a line or two for each flag, in the order of --help.
def parser(
    program: str = "cuebridge live", description: str = "Plays a film's music live and follows what you play and set."
) -> argparse.ArgumentParser:
    """For parsing and for the documents."""
    top = SentenceParser(prog=program, description=description)
    top.add_argument("film", metavar="FILM", help="the film, any file with a picture; or a session file")
    top.add_argument("--film", dest="moved_film", metavar="FILE", help="where the session's film is now")
    top.add_argument(
        "--session",
        metavar="FILE",
        help="session file, resumed if it exists; default: beside the film, from the first edit on",
    )
    top.add_argument("--no-session", action="store_true", help="do not keep a session file")
    add_flags(top.add_argument_group("film, time and takes"), flags_of("live"))
    time = top.add_argument_group("sync")
    time.add_argument("--send", choices=("mtc", "clock", "both"), help="send MTC or MIDI clock, on port 'NAME Clock'")
    time.add_argument("--sync", choices=SYNCS, default="internal", help="where the position comes from (internal)")
    time.add_argument("--tempo", dest="tempo_source", choices=TEMPOS,
                      help="where the tempo comes from (map; with --sync clock or link, there too)")  # fmt: skip
    play = top.add_argument_group("playing")
    play.add_argument("--play", action="store_true", help="start as soon as there is music")
    play.add_argument("--once", action="store_true", help="quit at the end of the film (with --play)")
    play.add_argument("--from", dest="from_s", type=float, default=0.0, metavar="SECONDS", help="where to begin")
    play.add_argument("--loop", nargs=2, type=float, metavar=("FROM", "TO"), help="loop this range, in seconds")
    music = top.add_argument_group("music (each is also an OSC address; see cuebridge osc)")
    add_flags(music, MUSIC_FLAGS)
    for address, flag in _PLAN_FLAGS.items():
        row = BY_ADDRESS[address]
        words = "{" + ",".join(row.arguments[0].words) + "}"
        music.add_argument(flag, metavar=words, help=f"{row.doc} ({_BEGINS_WITH.get(address, row.default)})")
    out = top.add_argument_group("output")
    out.add_argument("--midi-api", choices=("auto", *APIS), default="auto", help="MIDI system (auto)")
    out.add_argument("--port", default="CueBridge", metavar="NAME", help="name of our MIDI port (CueBridge)")
    nudge = "milliseconds, MIDI earlier (-) or later (+), -250 to 250; of parts: 'pad=-10,drums=5'; default: what "
    nudge += "`cuebridge calibrate --keep` kept for this port and --sync, else 0"
    add_flags(out, (replace(row, doc=nudge) if row.address == controls.NUDGE else row for row in OUTPUT_FLAGS))
    out.add_argument(
        "--control-from",
        default="",
        metavar="NAME",
        help="MIDI input of your faders or pedal; part of its name will do",
    )
    out.add_argument("--no-plugin", action="store_true", help="do not connect to the plugin in the DAW")
    out.add_argument("--out", metavar="FILE.mid", help="where the music is written if there is no MIDI system, "
                     "else the composition, at the end")  # fmt: skip
    out.add_argument("--record", metavar="FILE.mid", help="also write the MIDI that was actually sent")
    out.add_argument(
        "--replace", action="store_true",
        help="replace existing files at --out and --record, keeping each as FILE.bak; else FILE-2 is written",
    )  # fmt: skip
    steer = top.add_argument_group("steering")
    steer.add_argument("--osc-port", default=str(DEFAULT_PORT), metavar="PORT",
                       help=f"UDP port for OSC ({DEFAULT_PORT}; 0: any, off: none)")  # fmt: skip
    steer.add_argument(
        "--osc-host", default="127.0.0.1", metavar="HOST", help="address to listen on, for other machines to reach it"
    )
    steer.add_argument("--osc-cors", metavar="ORIGIN", help="let web pages of this origin read OSCQuery; * for all")
    steer.add_argument(
        "--osc-announce", action="store_true", help="announce OSC and OSCQuery by mDNS (needs the announce extra)"
    )
    steer.add_argument("--osc-folder", action="append", default=[], metavar="FOLDER",
                       help="folder where OSC may read and write files; repeatable")  # fmt: skip
    page = top.add_argument_group("page")
    page.add_argument("--page-port", default=str(PAGE_PORT), metavar="PORT",
                      help=f"TCP port of the page, on this machine only ({PAGE_PORT}, or a free one)")  # fmt: skip
    page.add_argument("--no-page", action="store_true", help="do not serve the page")
    page.add_argument("--sound", action="store_true",
                      help="play sound on this machine, without a browser (needs the audio extra)")  # fmt: skip
    page.add_argument("--open", action="store_true", help="open the page in the browser")
    page.add_argument("--board", action="store_true", help="go to the board, the page where takes are compared")
    page.add_argument("--takes", default="1", metavar="N", help="how many takes to compose, the first included (1)")
    page.add_argument("--upload-limit", default="8", metavar="GB", help="largest film that the page accepts (8)")
    page.add_argument("--soundfont", metavar="FILE.sf2", help="what the page sounds with; default: FluidR3 of the "
                      "system, else a small one")  # fmt: skip
    steer.add_argument("--json", action="store_true", help="print status as lines of JSON")
    steer.add_argument("--plain", action="store_true", help="print plain lines instead of the view")
    steer.add_argument("--no-keys", action="store_true", help="do not read keys")
    return top


def _choice(flag: str, address: str, text: str) -> str:
    try:
        return str(BY_ADDRESS[address].arguments[0].parse(text))
    except ControlError as error:
        raise UserError(f"{flag}: {error}") from None


def parse(arguments: Sequence[str]) -> LivePlan:
    """Raises UserError for anything that cannot be."""
    return plan_of(parser().parse_args(list(arguments)))


def plan_of(given: argparse.Namespace) -> LivePlan:
    """What was parsed, with its film.  Raises UserError."""
    film = Path(given.film)
    check_film_exists(film)
    if not film.is_file():
        raise UserError(f"{given.film} is {'a folder' if film.is_dir() else 'a pipe or a device'}, not a film.")
    check_spares_input(film, given.out, given.record, *(() if film.name.endswith(SUFFIX) else (given.session,)))
    session_file = _writable(given.session)
    saved: SavedSession | None = None
    if film.name.endswith(SUFFIX):
        session_file = session_file or film.absolute()
        saved = check_playable(read_session(film))
        if session_file.exists() and read_session(session_file).fingerprint != saved.fingerprint:
            raise UserError(f"{session_file.name} is the session of another film than {film.name}; give another name.")
        film = _film_of(saved, film, given.moved_film)
    elif session_file is not None and session_file.exists():
        saved = _session_of(film, session_file)
    return _plan(given, film, session_file, saved)


def page_of(given: argparse.Namespace) -> PagePlan | None:
    """The page of a run whose film is not known yet; the rest is checked.  Raises UserError."""
    given = argparse.Namespace(**vars(given))  # a temp track fills in flags, for each film anew
    return _plan(given, Path(), _writable(given.session), None).page


@lru_cache(maxsize=1)
def _listened(path: Path, mark: tuple[int, ...] | None) -> TempTrack:
    """mark: of the file as it is.  `page` plans before there is a film and again for each: all are one listening."""
    return listen_beside(path)


def _plan(given: argparse.Namespace, film: Path, session_file: Path | None, saved: SavedSession | None) -> LivePlan:
    _refuse_contradictions(given, saved)
    output = {**SETTINGS, **settings_from(given, (BY_ADDRESS[each] for each in PLAIN_OUTPUT))}
    nudges, calibrated = _nudges(given)
    said: list[str] = []
    energy = take_temp(given, lambda path: _listened(path, file_mark(path)), said.append)
    document = _with_output(_document(given), given, output, nudges)
    document = replace(document, sections=(*document.sections, *energy))
    session = _session_options(given, film, document)
    return LivePlan(
        session=session,
        # from what its port has already, a JACK period ahead
        player=replace(_player_options(given, output, nudges), commit_s=session.commit_s - 0.04),
        calibrated_ms=calibrated,
        osc_host=given.osc_host,
        osc_port=_port(given.osc_port),
        out=_writable(given.out),
        record=_writable(given.record),
        replace=given.replace,
        json=given.json,
        plain=given.plain,
        keys=not given.no_keys,
        folders=tuple(_folder(text) for text in given.osc_folder),
        session_file=session_file,
        keeps_session=not given.no_session,
        saved=saved,
        osc_cors=given.osc_cors,
        osc_announce=_announce(given.osc_announce),
        read_as=(*renamed(given), *said, *_readings(document)),
        page=_page(given),
        takes=int(given.takes),
        plugin=not given.no_plugin,
    )


def _refuse_contradictions(given: argparse.Namespace, saved: SavedSession | None) -> None:
    """Raises UserError for what cannot be, or does not go together."""
    if given.once and given.sync != "internal":
        raise UserError("--once ends after one pass of the internal transport; it does not go with --sync.")
    if not 0 <= given.from_s <= 360_000:
        raise UserError(f"--from {given.from_s:g} is outside 0 to 360000 seconds.")
    if given.frame_rate is not None:
        # Said now; the player only reads it once timecode comes.
        stated_rate(given.frame_rate)
    need_source(given.sync, given.tempo_source)
    if given.no_plugin and "plugin" in (given.sync, given.tempo_source):
        raise UserError("--no-plugin leaves out the plugin, whose time is asked for: leave out one of them.")
    need_midi_api(given.midi_api)
    if flag_value(given, "--reading") == "full":
        need_extra("clip", "The full reading")
    if given.once and not given.play:
        raise UserError("--once ends after one pass, which --play begins: use both.")
    if saved is not None and given.temp is not None:
        raise UserError("--temp is for a new session; this one has its tempo and key.")


def _session_options(given: argparse.Namespace, film: Path, document: Document) -> SessionOptions:
    click_channel = int(flag_value(given, "--click-channel") or 0)
    return SessionOptions(
        film=str(film),
        reading=str(flag_value(given, "--reading")),
        clip_weights=given.clip_weights,
        use_cache=not given.no_cache,
        tempo=_brief(given, document),
        document=document,
        play=given.play,
        once=given.once,
        from_s=given.from_s,
        loop=_loop(given.loop),
        follows=given.sync != "internal",
        click=click_channel if given.click_on_cuts else 0,
        markers=_markers(given),
        takes_speech=given.speech == HEARD,
    )


def _player_options(given: argparse.Namespace, output: Mapping[str, Value], nudges: dict[str, float]) -> PlayerOptions:
    return PlayerOptions(
        ports=PortOptions(
            given.midi_api,
            given.port,
            str(output[controls.PORTS_LAYOUT]),
            nudges,
            sync_in=True,
            control_from=given.control_from,
            sync_out=given.send is not None,
        ),
        sync=SyncOptions(
            given.sync,
            given.tempo_source or BEAT_SOURCES.get(given.sync, "map"),
            given.frame_rate,
            freewheel_s=float(output[controls.HOLD_ON_SYNC_LOSS] or 0.0),
            send_mtc=given.send in ("mtc", "both"),
            send_clock=given.send in ("clock", "both"),
        ),
    )


def _page(given: argparse.Namespace) -> PagePlan | None:
    """Raises UserError."""
    if given.no_page:
        if given.open:
            raise UserError("--open opens the page, which --no-page leaves out.")
        if given.board or given.takes != "1":
            raise UserError("--board and --takes are for the page, which --no-page leaves out.")
        if not given.sound:
            return None
    if not given.takes.isdecimal() or not 1 <= int(given.takes) <= MOST:
        raise UserError(f"--takes {given.takes} is not a number of takes; write 1 to {MOST}.")
    if given.sound:
        need_extra("audio", "--sound")
    try:
        gigabytes = float(given.upload_limit)
    except ValueError:
        gigabytes = 0.0
    if not 0 < gigabytes <= 10_000:
        raise UserError(f"--upload-limit {given.upload_limit} is no size; write gigabytes, such as 8.")
    if given.soundfont is not None and not os.path.isfile(given.soundfont):
        raise UserError(f"there is no SoundFont {given.soundfont}.")
    try:
        port, any_port = port_or_any(given.page_port), given.page_port == str(PAGE_PORT)
    except argparse.ArgumentTypeError as error:
        raise UserError(f"--page-port {error}") from None
    if given.no_page:
        port, any_port = 0, True
    return PagePlan(
        port, any_port, given.open, int(gigabytes * 2**30), given.soundfont, given.sound, hidden=given.no_page,
        board=given.board,
    )  # fmt: skip


def _session_of(film: Path, session: Path) -> SavedSession:
    """A session that is there already goes on; nothing is begun over it.  Raises UserError for another film's."""
    saved = check_playable(read_session(session))
    if not same_content(film, saved.fingerprint):
        raise UserError(f"{session.name} is the session of another film than {film.name}; give another name.")
    return saved


def _film_of(saved: SavedSession, session: Path, moved: str | None) -> Path:
    """Where the film of a session is now.  Raises UserError where nobody knows."""
    if moved is not None:
        if not os.path.isfile(moved):
            raise UserError(f"there is no file {moved}.")
        return Path(moved)
    film = find_film(saved, session.absolute())
    if film is None:
        raise UserError(
            f"where is {shown(saved.reading.film.path)}, the film of {session.name}? Say it with --film FILE."
        )
    return film


def _document(given: argparse.Namespace) -> Document:
    document = Document(take=int(flag_value(given, "--take") or 1))
    settings = settings_from(given, MUSIC_FLAGS)
    for address, flag in _PLAN_FLAGS.items():
        text = getattr(given, flag.removeprefix("--")) or _BEGINS_WITH.get(address)
        if text is not None:
            settings[address] = _choice(flag, address, text)
    check_cue_flags(settings, given.cue)
    if settings.get(controls.SPEECH) == HEARD:
        need_extra("dialogue", "Listening for speech")
        del settings[controls.SPEECH]  # taken once the film was listened to
    elif controls.SPEECH in settings:
        settings[controls.SPEECH] = speech_setting(str(settings[controls.SPEECH]))
    if given.parts is not None:
        wanted = parts_from(given.parts)
        settings |= {controls.of_part(part, "on"): part in wanted for part in PARTS}
    for address, value in settings.items():
        document = document.with_value(address, value)
    document = _with_cues(document, parse_cues(given.cue))
    # Read now, so that a misspelt chord is said before anything is started.
    parse_key(document.text(controls.KEY))
    parse_chords(document)
    arrange_options(document, None)
    _ = document.cues
    return document


def _readings(document: Document) -> tuple[str, ...]:
    """How keys and progressions were read, each sentence once."""
    return tuple(dict.fromkeys(sentence for state in document.cue_states for sentence in readings(state)))


def _nudges(given: argparse.Namespace) -> tuple[dict[str, float], float | None]:
    """Shift in ms by part ("" for all), and the value that `calibrate` kept where that is in use.  Raises UserError."""
    if given.nudge is None:
        from bridge.calibration import kept

        ms = kept(given.port, given.sync)
        return ({"": ms} if ms else {}), ms
    found: dict[str, float] = {}
    for word in given.nudge.split(","):
        part, _, text = word.rpartition("=")
        part = part.strip()
        if part and part not in PARTS:
            raise UserError(f"--nudge {word}: '{part}' is not a part; parts are {', '.join(PARTS)}.")
        try:
            ms = float(text)
        except ValueError:
            raise UserError(f"--nudge {word}: write milliseconds, or part=milliseconds.") from None
        if not -250 <= ms <= 250:
            raise UserError(f"--nudge {text.strip()} is outside -250 to 250 ms.")
        found[part] = ms
    return {part: ms for part, ms in found.items() if ms}, None


def _with_cues(document: Document, written: Sequence[WrittenCue]) -> Document:
    """The cues as written; one without a key or progression of its own has that of --key or --progression."""
    if not written:
        return document
    states = []
    for number, cue in enumerate(written):
        values: dict[str, Value] = {
            controls.NAME: cue.name, controls.IN: cue.in_s, controls.OUT: "end" if cue.out_s is None else cue.out_s,
            controls.BAR_1: "in" if cue.bar_1_s == cue.in_s else cue.bar_1_s, controls.TEMPO: cue.bpm or 0.0,
            controls.KEY: document.text(controls.KEY) if cue.key == SETTINGS[controls.KEY] else cue.key,
            controls.PROGRESSION: cue.progression or document.text(controls.PROGRESSION),
            controls.PROGRESSION_MODE: cue.mode if cue.progression else document.text(controls.PROGRESSION_MODE),
            controls.ENDING: cue.ending, controls.TAIL: cue.tail_s,
        }  # fmt: skip
        settings = {address: value for address, value in values.items() if value != SETTINGS[address]}
        states.append(CueState(number, settings, document.take))
    return document.with_cues(states, 0)


def _with_output(
    document: Document, given: argparse.Namespace, output: Mapping[str, Value], nudges: dict[str, float]
) -> Document:
    """What the flags say of ports, sync and shift, as settings: they can be changed by OSC and are kept."""
    values: dict[str, Value] = {address: output[address] for address in PLAIN_OUTPUT}
    for part, ms in nudges.items():
        values[controls.of_part(part, "nudge") if part else controls.NUDGE] = ms
    if given.frame_rate is not None:
        asked = FrameRate.parse(given.frame_rate)
        values[controls.FRAME_RATE] = next(word for word in RATES if word != "film" and FrameRate.parse(word) == asked)
    for address, value in values.items():
        document = document.with_value(address, value)
    return document


def _brief(given: argparse.Namespace, document: Document) -> Brief:
    """What is asked of time; the picture's start is read now, before any port is opened.  Raises UserError."""
    tempo_map: TempoMap | None = None
    if given.tempo_map is not None:
        from engine.midifile import read_tempo_map

        tempo_map = read_tempo_map(given.tempo_map)
    rate = document.text(controls.FRAME_RATE)
    return Brief(
        bpm=flag_value(given, "--bpm"),  # type: ignore[arg-type]
        meter=None if given.meter is None else TimeSignature.parse(given.meter),
        tempo_map=tempo_map,
        grid=str(flag_value(given, "--grid")),
        picture_starts_at=document.text(controls.PICTURE_STARTS_AT),
        frame_rate=None if rate == "film" else FrameRate.parse(rate),
        wall_to_wall=bool(flag_value(given, "--wall-to-wall")),
    )


def _markers(given: argparse.Namespace) -> AskedMarkers | None:
    """Read now, so that a refused line is said before anything is started.  Raises UserError."""
    if given.markers is None:
        check_markers_flags(given)
        return None
    return AskedMarkers.read(
        given.markers, rate=given.markers_rate, start=given.markers_start, rules=given.markers_rules
    )


def _loop(edges: list[float] | None) -> tuple[float, float] | None:
    if edges is None:
        return None
    if not 0 <= edges[0] < edges[1] - 0.1:
        raise UserError(f"a loop from {edges[0]:g} to {edges[1]:g} s is no range.")
    return edges[0], edges[1]


def _announce(wanted: bool) -> bool:
    if wanted:
        need_extra("announce", "Announcing OSC by mDNS")
    return wanted


def _port(text: str) -> int | None:
    if text == "off":
        return None
    try:
        return port_or_any(text)
    except argparse.ArgumentTypeError as error:
        raise UserError(f"--osc-port {str(error).rstrip('.')}, or 'off'.") from None


def _writable(text: str | None) -> Path | None:
    if text is None:
        return None
    path = Path(text)
    if path.is_dir():
        raise UserError(f"{text} is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise UserError(f"there is no folder {path.parent} to write {path.name} into.")
    check_writes_a_file(path)
    return path.absolute()


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise UserError(f"--osc-folder {text}: there is no such folder.")
    return Path(text)
