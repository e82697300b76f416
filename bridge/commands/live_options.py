"""The command line of `live`.  Flags for controls come from the controls table, with its ranges and words."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.commands.extras import need_extras
from bridge.player.messages import APIS, PlayerOptions, PortOptions, SyncOptions
from bridge.session.file.film_file import same_content
from bridge.session.file.find import find_film
from bridge.session.options import arrange_options
from bridge.session.session import SessionOptions
from bridge.session.tempo import GRIDS, TempoWish
from engine.arrange.score import check_playable
from engine.document import CueState, Document, SavedSession, parse_chords, parse_key
from engine.document.file import SUFFIX, read_session
from engine.music import PARTS, FrameRate, MusicError, TempoMap, TimeSignature, UserError, controls, shown
from engine.music.arguments import ControlError, Value
from engine.music.command import SentenceParser, check_film_exists, check_spares_input
from engine.music.controls import BY_ADDRESS, CLICK_CHANNEL, DEFAULT_PORT, MUSIC_FLAGS, RATES, SETTINGS, Control
from engine.music.cue_text import WrittenCue, parse_cues
from engine.music.timecode import stated_rate

SYNCS = ("internal", "auto", "script", "mtc", "clock", "jack", "link")
TEMPOS = ("map", "auto", "clock", "jack", "link", "script")
BEAT_SOURCES = {"clock": "auto", "link": "link"}  # positions in beats: who says the tempo unless it is stated
READINGS = ("auto", "full", "quick")


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
    json: bool
    plain: bool
    keys: bool
    folders: tuple[Path, ...]
    session_file: Path | None
    keeps_session: bool
    saved: SavedSession | None


def parser() -> argparse.ArgumentParser:
    """For parsing and for the documents."""
    top = SentenceParser(prog="cuebridge live", description="Plays a film's music live and follows your hands.")
    top.add_argument("film", metavar="FILM", help="the film, any file that holds pictures; or a session file")
    top.add_argument("--film", dest="moved_film", metavar="FILE", help="the session's film, where it is now")
    top.add_argument(
        "--session", metavar="FILE", help="session file (from the first edit on, beside the film); goes on if there"
    )
    top.add_argument("--no-session", action="store_true", help="keep no session file")
    time = top.add_argument_group("time")
    time.add_argument("--bpm", type=float, metavar="BPM", help="quarter notes a minute; default: what suits the cuts")
    time.add_argument("--meter", default="4/4", metavar="N/D", help="time signature (4/4)")
    time.add_argument("--grid", choices=GRIDS, default="auto", help="chords on beats, or on seconds as in the paper")
    time.add_argument("--tempo-map", metavar="FILE.mid", help="tempo and meter changes from a MIDI file")
    time.add_argument("--send", choices=("mtc", "clock", "both"), help="be the clock for others, on port 'NAME Clock'")
    time.add_argument("--sync", choices=SYNCS, default="internal", help="who says where the playhead is (internal)")
    time.add_argument("--tempo", dest="tempo_source", choices=TEMPOS,
                      help="who says the tempo (map; with --sync clock or link: that)")  # fmt: skip
    time.add_argument("--frame-rate", metavar="FPS", help="of the timecode, where the DAW's label is ambiguous")
    time.add_argument(
        "--freewheel", type=float, default=0.5, metavar="SECONDS", help="go on this long without sync (0.5)"
    )
    play = top.add_argument_group("playing")
    play.add_argument("--play", action="store_true", help="start as soon as there is music")
    play.add_argument("--once", action="store_true", help="end after the film's end (with --play)")
    play.add_argument("--from", dest="from_s", type=float, default=0.0, metavar="SECONDS", help="where to begin")
    play.add_argument("--loop", nargs=2, type=float, metavar=("FROM", "TO"), help="loop this range, in seconds")
    play.add_argument("--take", type=int, default=1, metavar="N", help="the same number gives the same music")
    play.add_argument("--parts", metavar="LIST", help=f"of {','.join(PARTS)} (default: all)")
    music = top.add_argument_group("music (each is also an OSC address; see cuebridge osc)")
    for control in MUSIC_FLAGS:
        argument = control.arguments[0]
        metavar = argument.name.upper().replace(" ", "-") if argument.kind != "choice" else None
        music.add_argument(
            str(control.flag),
            dest=control.address,
            choices=argument.words if argument.kind == "choice" else None,
            metavar=metavar,
            help=control.doc.replace("%", "%%").replace("`", "'"),
        )
    play.add_argument("--knock", action="store_true", help="a woodblock on every cut, to prove sync by eye and ear")
    play.add_argument(
        "--knock-channel",
        type=int,
        default=CLICK_CHANNEL,
        metavar="CHANNEL",
        help=f"its MIDI channel ({CLICK_CHANNEL})",
    )
    out = top.add_argument_group("output")
    out.add_argument("--midi-api", choices=("auto", *APIS), default="auto", help="MIDI system (auto)")
    out.add_argument("--port", default="CueBridge", metavar="NAME", help="name of our MIDI port (CueBridge)")
    out.add_argument("--ports", choices=("one", "per-part"), default="one", help="one port, or one for each part")
    out.add_argument(
        "--nudge",
        metavar="MS",
        help="MIDI earlier (-) or later (+), -250 to 250; of parts: 'pad=-10,drums=5'; "
        "default: what `cuebridge calibrate --keep` kept for this port and --sync, else 0",
    )
    out.add_argument(
        "--control-from", default="", metavar="NAME", help="MIDI input with your faders or pedal; a part of its name"
    )
    out.add_argument("--out", metavar="FILE.mid", help="where the music is written when there is no MIDI system, "
                     "else the composition at the end")  # fmt: skip
    out.add_argument("--record", metavar="FILE.mid", help="also write what was really sent")
    cue_help = "a cue with its own bar 1: '1m1 10 42.5 key=Am bpm=96 progression=Am F'; several are told one by one"
    music.add_argument("--cue", action="append", default=[], metavar="CUE", help=cue_help)
    look = top.add_argument_group("looking at the film")
    look.add_argument("--reading", choices=READINGS, default="auto", help="full needs CLIP weights, quick nothing")
    look.add_argument("--clip-weights", metavar="FILE", help="CLIP weights for the full reading")
    look.add_argument("--no-cache", action="store_true", help="look anew and keep nothing")
    steer = top.add_argument_group("steering")
    steer.add_argument("--osc-port", default=str(DEFAULT_PORT), metavar="PORT",
                       help=f"UDP port for OSC ({DEFAULT_PORT}; 0: any, off: none)")  # fmt: skip
    steer.add_argument(
        "--osc-host", default="127.0.0.1", metavar="HOST", help="listen elsewhere than on this machine only"
    )
    steer.add_argument("--osc-folder", action="append", default=[], metavar="FOLDER", help="OSC may write files here")
    steer.add_argument("--json", action="store_true", help="status as JSON lines")
    steer.add_argument("--plain", action="store_true", help="plain lines instead of the view")
    steer.add_argument("--no-keys", action="store_true", help="do not read keys")
    return top


def parse(arguments: Sequence[str]) -> LivePlan:
    """Raises UserError for anything that cannot be."""
    given = parser().parse_args(list(arguments))
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
    if given.once and given.sync != "internal":
        raise UserError("--once ends after one pass of the internal transport; it does not go with --sync.")
    if not 0 <= given.from_s <= 360_000:
        raise UserError(f"--from {given.from_s:g} is outside 0 to 360000 seconds.")
    if not 0 <= given.freewheel <= 5:
        raise UserError(f"--freewheel {given.freewheel:g} is outside 0 to 5 seconds.")
    if given.frame_rate is not None:
        # Said now; the player only reads it once timecode comes.
        stated_rate(given.frame_rate)
    need_extras(given.sync, given.tempo_source)
    if not 1 <= given.knock_channel <= 16:
        raise UserError(f"--knock-channel {given.knock_channel} is not a MIDI channel; channels are 1 to 16.")
    if given.once and not given.play:
        raise UserError("--once ends after one pass, which --play begins: use both.")
    nudges, calibrated = _nudges(given)
    document = _with_output(_document(given), given, nudges)
    follows = given.sync != "internal"
    session = SessionOptions(
        film=str(film),
        reading=given.reading,
        clip_weights=given.clip_weights,
        use_cache=not given.no_cache,
        tempo=_tempo(given),
        document=document,
        play=given.play,
        once=given.once,
        from_s=given.from_s,
        loop=_loop(given.loop),
        follows=follows,
        knock=given.knock_channel if given.knock else 0,
    )
    player = PlayerOptions(
        ports=PortOptions(
            given.midi_api,
            given.port,
            given.ports == "per-part",
            nudges,
            sync_in=True,
            hands_from=given.control_from,
            sync_out=given.send is not None,
        ),
        sync=SyncOptions(
            given.sync,
            given.tempo_source or BEAT_SOURCES.get(given.sync, "map"),
            given.frame_rate,
            freewheel_s=given.freewheel,
            send_mtc=given.send in ("mtc", "both"),
            send_clock=given.send in ("clock", "both"),
        ),
        commit_s=session.commit_s - 0.04,  # from what its port has already, a JACK period ahead
    )
    return LivePlan(
        session=session,
        player=player,
        calibrated_ms=calibrated,
        osc_host=given.osc_host,
        osc_port=_port(given.osc_port),
        out=_writable(given.out),
        record=_writable(given.record),
        json=given.json,
        plain=given.plain,
        keys=not given.no_keys,
        folders=tuple(_folder(text) for text in given.osc_folder),
        session_file=session_file,
        keeps_session=not given.no_session,
        saved=saved,
    )


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
    document = Document(take=given.take)
    if not 1 <= given.take <= 999_999:
        raise UserError(f"--take {given.take} is outside 1 to 999999.")
    for control in MUSIC_FLAGS:
        text = getattr(given, control.address)
        if text is not None:
            try:
                document = document.with_value(
                    control.address, control.arguments[0].check(_number_or_text(text, control))
                )
            except ControlError as error:
                raise UserError(f"{control.flag}: {error}") from None
    if given.parts is not None:
        wanted = [part.strip() for part in given.parts.split(",")]
        for part in wanted:
            if part not in PARTS:
                raise UserError(f"'{part}' is not a part; parts are {', '.join(PARTS)}.")
        for part in PARTS:
            document = document.with_value(controls.of_part(part, "on"), part in wanted)
    document = _with_cues(document, parse_cues(given.cue))
    # Read now, so that a misspelt chord is said before anything is started.
    parse_key(document.text(controls.KEY))
    parse_chords(document)
    arrange_options(document, None)
    _ = document.cues
    return document


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
    if not written:
        return document
    states = []
    for number, cue in enumerate(written):
        values: dict[str, Value] = {
            controls.NAME: cue.name, controls.IN: cue.in_s, controls.OUT: "end" if cue.out_s is None else cue.out_s,
            controls.BAR_1: "in" if cue.bar_1_s == cue.in_s else cue.bar_1_s, controls.TEMPO: cue.bpm or 0.0,
            controls.KEY: cue.key, controls.PROGRESSION: cue.progression, controls.PROGRESSION_MODE: cue.mode,
            controls.ENDING: cue.ending, controls.TAIL: cue.tail_s,
        }  # fmt: skip
        settings = {address: value for address, value in values.items() if value != SETTINGS[address]}
        states.append(CueState(number, settings, document.take))
    return document.with_cues(states, 0)


def _with_output(document: Document, given: argparse.Namespace, nudges: dict[str, float]) -> Document:
    """What the flags say of ports, sync and shift, as settings: they can be changed by OSC and are kept."""
    values: dict[str, Value] = {controls.HOLD_ON_SYNC_LOSS: given.freewheel, controls.PORTS_LAYOUT: given.ports}
    for part, ms in nudges.items():
        values[controls.of_part(part, "nudge") if part else controls.NUDGE] = ms
    if given.frame_rate is not None:
        asked = FrameRate.parse(given.frame_rate)
        values[controls.FRAME_RATE] = next(word for word in RATES if word != "film" and FrameRate.parse(word) == asked)
    for address, value in values.items():
        document = document.with_value(address, value)
    return document


def _number_or_text(text: str, control: Control) -> str | float:
    if control.arguments[0].kind in ("text", "choice") or text in control.arguments[0].words:
        return text
    try:
        return float(text)
    except ValueError:
        raise ControlError("bad_type", f"{control.arguments[0].name} is {control.arguments[0].expected}, "
                           f"not '{text}'.") from None  # fmt: skip


def _tempo(given: argparse.Namespace) -> TempoWish:
    meter = TimeSignature.parse(given.meter)
    tempo = BY_ADDRESS[controls.TEMPO].arguments[0]  # the range that OSC and compose have
    if given.bpm is not None and not tempo.low <= given.bpm <= tempo.high:
        raise UserError(f"--bpm is {tempo.low:g} to {tempo.high:g}, not {given.bpm:g}.")
    tempo_map: TempoMap | None = None
    if given.tempo_map is not None:
        from engine.midifile import read_tempo_map

        tempo_map = read_tempo_map(given.tempo_map)
    grid = "beats" if given.grid == "auto" and given.bpm is not None else given.grid
    wish = TempoWish(given.bpm, meter, tempo_map, grid)
    if grid == "seconds" and (given.bpm is not None or tempo_map is not None):
        raise MusicError("the seconds grid has no tempo: leave --bpm and --tempo-map away, or use --grid beats.")
    return wish


def _loop(edges: list[float] | None) -> tuple[float, float] | None:
    if edges is None:
        return None
    if not 0 <= edges[0] < edges[1] - 0.1:
        raise UserError(f"a loop from {edges[0]:g} to {edges[1]:g} s is no range.")
    return edges[0], edges[1]


def _port(text: str) -> int | None:
    if text == "off":
        return None
    if not text.isdigit() or int(text) > 65535:
        raise UserError(f"--osc-port {text} is not a port; ports are 0 to 65535, or 'off'.")
    return int(text)


def _writable(text: str | None) -> Path | None:
    if text is None:
        return None
    path = Path(text)
    if path.is_dir():
        raise UserError(f"{text} is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise UserError(f"there is no folder {path.parent} to write {path.name} into.")
    return path.absolute()


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise UserError(f"--osc-folder {text}: there is no such folder.")
    return Path(text)
