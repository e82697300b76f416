"""`cuebridge calibrate`: how late the DAW records what CueBridge plays, and the "MIDI earlier–later" against it.

Two ways.  With the port `CueBridge Return` the DAW plays its take back while it sends timecode or clock.  With any
other source of the position the take is read from a file: run it once to have the eight notes recorded, export the
recorded clip, then `cuebridge calibrate --take CLIP.mid`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from bridge.calibration import (
    LENGTH_S,
    Offset,
    PositionLog,
    keep,
    measure,
    place_notes,
    remember_take,
    remembered_take,
)
from bridge.commands.extras import need_midi_api, need_source
from bridge.player.errors import PortError
from bridge.player.link import PlayerLink
from bridge.player.messages import APIS, PlayerOptions, PlayerStatus, PortOptions, SyncOptions
from engine.music import Note, TempoMap, UserError
from engine.music.command import SentenceParser
from engine.music.timecode import stated_rate

RETURNING: Final = ("mtc", "clock")  # their delay on the way in is that of the notes that come back
SOURCES: Final = (*RETURNING, "jack", "script", "internal")
SETTLE_S: Final = 1.0
LOOK_S: Final = 0.02
NEVER: Final = 1e9


def main(arguments: Sequence[str]) -> int:
    given = _parser().parse_args(list(arguments))
    offset: Offset | None
    if given.take is not None:
        offset = _from_file(given.take, given.bpm, given.take_starts_at)
    else:
        if not 5 <= given.patience <= 3600:
            raise UserError(f"--patience {given.patience:g} is outside 5 to 3600 seconds.")
        need_source(given.sync)
        need_midi_api(given.midi_api)
        offset = _Run(given.sync, given.port, given.midi_api, given.frame_rate, given.patience).measure()
        if offset is None:
            return 0
    _tell(offset)
    if given.keep:
        if not offset.steady:
            raise UserError("the notes stray too far from each other for a constant shift; nothing was kept.")
        path = keep(given.port, given.sync, offset.nudge_ms)
        sys.stdout.write(f"kept in {path}: `live --sync {given.sync}` uses it unless --nudge says otherwise.\n")
    return 0


def _parser() -> SentenceParser:
    parser = SentenceParser(
        prog="cuebridge calibrate",
        description="Plays eight notes for the DAW to record, hears its take, and says how late that is.",
    )
    parser.add_argument("--sync", choices=SOURCES, default="mtc", help="where the position comes from (mtc)")
    parser.add_argument(
        "--frame-rate", metavar="FPS", help="frame rate of the timecode, if the DAW's label is ambiguous"
    )
    parser.add_argument("--midi-api", choices=("auto", *APIS[:-1]), default="auto", help="MIDI system (auto)")
    parser.add_argument("--port", default="CueBridge", metavar="NAME", help="name of our MIDI port (CueBridge)")
    parser.add_argument("--keep", action="store_true", help="keep the result for `live` with this port and --sync")
    parser.add_argument(
        "--patience", type=float, default=120.0, metavar="S", help="how long to wait for the DAW, in seconds (120)"
    )
    parser.add_argument("--take", metavar="CLIP.mid", help="read the recorded take from this file instead")
    parser.add_argument("--bpm", type=float, metavar="BPM", help="tempo of that file, if it states none")
    parser.add_argument(
        "--take-starts-at", type=float, default=0.0, metavar="S", help="timeline second at which that file begins (0)"
    )
    return parser


class _Run:
    """One take: play, have it recorded, hear it back."""

    def __init__(self, sync: str, port: str, api: str, frame_rate: str | None, patience_s: float) -> None:
        self._sync, self._patience_s = sync, patience_s
        rate = None if frame_rate is None else str(stated_rate(frame_rate))
        ports = PortOptions(api, port, control_name="Return")
        self._options = PlayerOptions(ports=ports, sync=SyncOptions(sync, "auto", rate))
        self._log = PositionLog()
        self._revision = 0

    def measure(self) -> Offset | None:
        """None where the take has to be read from a file.  Raises UserError."""
        try:
            with PlayerLink(self._options) as link:
                return self._measure(link)
        except PortError as error:
            raise UserError(f"the ports cannot be opened: {error}") from None

    def _measure(self, link: PlayerLink) -> Offset | None:
        status = link.poll()
        assert status is not None
        if status.port_api == "none":
            raise UserError(
                "there is nothing to calibrate without a MIDI port; `cuebridge ports` says why there is none."
            )
        returns = self._sync in RETURNING
        self._tell_routes(status, returns)
        if self._sync == "internal":
            link.play()
        self._until(link, lambda now: now.rolling, "the DAW does not play")
        steady = self._until(link, _settled(SETTLE_S), "the DAW's position does not settle")
        if steady.tempo_source not in ("none", "map") and steady.tempo_bpm > 0:
            link.set_tempo_map(TempoMap.constant(steady.tempo_bpm), 1)  # a clock counts beats: its own are meant
            steady = self._until(link, _settled(SETTLE_S), "the DAW's position does not settle")
        notes = place_notes(steady.position_at(time.perf_counter()))
        placed = {note.pitch: note.start_beats for note in notes}
        self._plan(link, notes)
        end_s = notes[-1].start_beats + LENGTH_S + 0.5
        self._until(link, lambda now: now.position_s > end_s, "the DAW stopped before all eight notes were played")
        link.drain_touches()  # what was heard up to now came through a track that monitors its input
        self._plan(link, ())
        remember_take(placed)  # the take may be read from a file also where it does not come back
        now = link.poll()
        if returns and now is not None and plays_ahead(now.peers):
            sys.stdout.write(
                "Ardour plays its tracks ahead of its timecode: what comes back says nothing of the take.\n"
            )
            returns = False
        if not returns:
            sys.stdout.write(
                "Recorded.  Export the recorded clip as a MIDI file, then: cuebridge calibrate --take CLIP.mid "
                f"--sync {self._sync} [--take-starts-at SECOND]\n"
            )
            return None
        sys.stdout.write("Recorded.  Now stop the DAW, go back, and play what it recorded (no recording).\n")
        sys.stdout.flush()
        self._until(link, lambda now: not now.rolling, "the DAW goes on playing")
        link.drain_touches()
        found: list[tuple[int, float]] = []
        begun_s = notes[0].start_beats
        self._until(link, lambda now: now.rolling and now.position_s < begun_s, "the take is not played from before it")
        touches = []

        def passed(now: PlayerStatus) -> bool:
            touches.extend(link.drain_touches())
            return now.position_s > end_s + 0.5 or not now.rolling

        self._until(link, passed, "the DAW does not play on")
        for touch in touches:
            status_byte, pitch, velocity = touch.data
            position_s = self._log.position_at(touch.host_s)
            if status_byte & 0xF0 == 0x90 and velocity and position_s is not None:
                found.append((pitch, position_s))
        return measure(placed, found)

    def _plan(self, link: PlayerLink, notes: Sequence[Note]) -> None:
        self._revision += 1
        link.load_plan(self._revision, "seconds", notes, (), -NEVER)

    def _until(self, link: PlayerLink, met: Callable[[PlayerStatus], bool], failing: str) -> PlayerStatus:
        end = time.perf_counter() + self._patience_s
        while time.perf_counter() < end:
            status = link.poll()
            if status is not None:
                self._log.add(status)
                for note in status.notes:
                    sys.stdout.write(f"{note}\n")
                if met(status):
                    return status
            time.sleep(LOOK_S)
        raise UserError(f"{failing} (waited {self._patience_s:g} s).")

    def _tell_routes(self, status: PlayerStatus, returns: bool) -> None:
        source = {"mtc": "timecode", "clock": "MIDI clock"}.get(self._sync)
        lines = [f"1. In the DAW: a MIDI track that records from '{status.port}', input monitoring off."]
        if source is not None:
            lines.append(f"2. The DAW's {source} goes to '{status.sync_port}'.")
        if returns:
            lines.append(f"3. The track's output goes to '{status.control_port}'.")
        lines.append("Then record from the beginning: eight notes come, half a second apart.")
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()


def plays_ahead(peers: Sequence[tuple[str, str]]) -> bool:
    """Whether the DAW that records us, by its ports, is one whose notes come back before its timecode is there.

    peers: (our port, theirs).  Ardour 7.3 plays a track two JACK periods ahead (43.0 ms at 21.3 ms periods, measured).
    """
    return any(theirs.startswith("ardour:") for _, theirs in peers)


def _settled(seconds: float) -> Callable[[PlayerStatus], bool]:
    since: list[float] = []

    def met(status: PlayerStatus) -> bool:
        if not (status.rolling and status.state == "locked"):
            since.clear()
        elif not since:
            since.append(status.host_s)
        return bool(since) and status.host_s - since[0] >= seconds

    return met


def _from_file(path: str, bpm: float | None, starts_at_s: float) -> Offset:
    from engine.midifile import read_midi

    score = read_midi(path)
    if bpm is not None and not 10 <= bpm <= 500:
        raise UserError(f"--bpm {bpm:g} is outside 10 to 500.")
    tempo_map = score.tempo_map if bpm is None else TempoMap.constant(bpm)
    found = [(note.pitch, starts_at_s + tempo_map.seconds_at(note.start_beats)) for note in score.notes]
    return measure(remembered_take(), found)


def _tell(offset: Offset) -> None:
    side = "late" if offset.ms >= 0 else "early"
    sys.stdout.write(
        f"The take is {abs(offset.ms):.1f} ms {side} ({offset.notes} of 8 notes, {offset.spread_ms:.1f} ms between "
        f"them): --nudge {offset.nudge_ms:g}\n"
    )
    if not offset.steady:
        sys.stdout.write("The notes stray: other programs load this machine, or the MIDI path is uneven; try again.\n")
