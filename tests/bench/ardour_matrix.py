"""Bars and notes against a real Ardour's: a session whose film has another tempo follows it by timecode with clock, by
clock alone, by our script and by the JACK transport, from bar 1 and from elsewhere, in 4/4, 7/8 and 6/8, with and
without a tempo change.

    python tests/bench/ardour_matrix.py [--only mtc,clock,script,jack] [--cases 3] [--period 1024]

A real headless Ardour, a real player on JACK, a real session and arranger; the composing engine is that of the
session's tests, which answers at once.  The truth is Ardour's own: its timecode, captured to the frame by an
independent JACK client (under the JACK transport its frames), and the tempo map that its session was made with.

For each start: the tempo adopted and after how long; from then on the farthest that the session's bar|beat lay from
Ardour's, in beats; and every note struck against where it was composed in Ardour's bars: median, and the farthest from
it.  What is struck within 0.1 s of a start is left out: the first notes come up to a period late, and held ones that
began before are taken up there (docs/sync.md).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from bridge.daw.session import DawBridge
from bridge.osc import codec
from bridge.osc.server import Datagram
from bridge.player.errors import PortError
from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PortOptions, SyncOptions
from bridge.session.session import SessionOptions
from engine.brief import Brief
from engine.music.meter import TempoMap, TimeSignature
from engine.music.note import Note
from tests.ardourlab import CONFIG, RATE, Ardour, ArdourError, lua_of, running, why_not
from tests.bench.ardour_sync import Stretch, stretches_of_jack, stretches_of_timecode
from tests.daw_scripts.test_ardour import start_ardour
from tests.jacklab import Capture, JackServer, Looper, open_client
from tests.livelab import free_port
from tests.sessionlab import Stage

FILM_S = 240.0
TRIES = 2  # a crowded machine does not always let Ardour or the player come up in time
NEAR_BEATS = 0.45  # a note that was struck belongs to the nearest that was composed within this
START_S = 0.1 + 2.5 / 30  # timecode tells the beginning within that
PATIENCE_S = 25.0  # for a tempo to be adopted


@dataclass(frozen=True)
class Case:
    """Ardour's tempo, meter and tempo change (beat, bpm), beside the film's own tempo; starts: bars where play begins,
    one after the other.  mapped: the session knows the map (--tempo-map), as it has to where a clock cannot say it."""

    source: str
    bpm: float
    film_bpm: float
    meter: str = "4/4"
    change: tuple[float, float] | None = None
    starts: tuple[int, ...] = (1, 9)
    mapped: bool = False

    @property
    def map(self) -> TempoMap:
        tempos = [(0.0, self.bpm), *([self.change] if self.change else [])]
        return TempoMap.of(tempos, [(0, TimeSignature.parse(self.meter))])  # type: ignore[arg-type]

    def __str__(self) -> str:
        change = f", {self.change[1]:g} from beat {self.change[0]:g}" if self.change else ""
        mapped = ", --tempo-map" if self.mapped else ""
        return f"{self.source}, {self.bpm:g} bpm{change}, {self.meter}; the film's {self.film_bpm:g}{mapped}"


CASES = (
    Case("mtc", 120.0, 121.0),
    Case("mtc", 97.0, 127.0, "7/8", starts=(9, 1, 17)),
    Case("mtc", 88.27, 81.0, "6/8"),
    Case("mtc", 132.5, 120.0, "4/4", starts=(33, 1)),
    Case("mtc", 97.5, 110.0, "7/8", (28.0, 132.25), starts=(1, 5, 11), mapped=True),
    Case("clock", 120.0, 113.0, starts=(1, 1)),
    Case("clock", 97.3, 120.0, "7/8", starts=(1, 1)),
    Case("clock", 88.27, 89.27, "6/8", starts=(1, 1)),
    Case("script", 120.0, 121.0),
    Case("script", 97.3, 127.0, "7/8", starts=(9, 1, 17)),
    Case("script", 97.5, 110.0, "6/8", (15.0, 132.25), starts=(1, 3, 9)),
    Case("jack", 120.0, 123.5),
    Case("jack", 97.3, 120.0, "7/8", starts=(9, 1, 17)),
    Case("jack", 88.27, 81.0, "6/8"),
    Case("jack", 97.5, 110.0, "4/4", (16.0, 132.25), starts=(1, 3, 9)),
)


class RecordingPlayer(PlayerLink):
    """Keeps what was composed as it was handed to the player: (host second, unit, from, notes, the map's)."""

    def __init__(self, options: PlayerOptions) -> None:
        super().__init__(options)
        self.plans: list[tuple[float, str, float, tuple[Note, ...]]] = []

    def load_plan(
        self, revision: int, unit: str, notes: Any, controllers: Any, from_position: float, tempo_map: Any = None
    ) -> None:
        at = (lambda beats: beats) if tempo_map is None else tempo_map.seconds_at
        kept = [
            replace(note, start_beats=at(note.start_beats), length_beats=at(note.end_beats) - at(note.start_beats))
            for note in notes
        ]
        self.plans.append((time.perf_counter(), unit, from_position, tuple(kept)))
        super().load_plan(revision, unit, notes, controllers, from_position, tempo_map)

    def plan_at(self, host_s: float) -> tuple[str, list[Note]]:
        """All notes in force at a moment, and their unit."""
        found: list[Note] = []
        unit = "beats"
        for at_s, its_unit, from_position, notes in self.plans:
            if at_s > host_s:
                break
            if its_unit != unit:
                found = []
            unit = its_unit
            found = [note for note in found if note.start_beats < from_position] + list(notes)
        return unit, found


class ScriptedStage(Stage):
    """A stage that hears a DAW's script on a UDP port as the program does: each datagram dated when it comes."""

    def __init__(self, player: PlayerLink, options: SessionOptions, seconds: float) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._came: queue.SimpleQueue[Datagram] = queue.SimpleQueue()
        super().__init__(player, options, seconds)
        self.daw = DawBridge(self.session, self._send, "bench")
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, sender = self._socket.recvfrom(65536)
                self._came.put(Datagram(tuple(codec.decode(data)), sender, time.perf_counter()))

    def _send(self, out: Any) -> None:
        for one in out:
            self._socket.sendto(one.datagram, (one.host, one.port))

    def step(self) -> None:
        while not self._came.empty():
            self.daw.datagram(self._came.get())
        self.daw.tick(time.perf_counter())
        super().step()

    def close(self) -> None:
        self._socket.close()


class ScriptArdour:
    """ardour7-lua with our script in it, moved as the headless one is."""

    def __init__(self, folder: Path, port: int, tempo_map: TempoMap) -> None:
        settings = folder / "config" / "ardour7"
        settings.mkdir(parents=True)
        (settings / "config").write_text(CONFIG.format(port=free_port()))
        environment = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")}
        script = ROOT / "daw_scripts/ardour/scripts/cuebridge.lua"
        self._made = start_ardour(ROOT, folder, port, environment, script)
        self._made.do(
            "local tm = Temporal.TempoMap.fetch_writable ()\n" + lua_of(tempo_map)
            + "\nTemporal.TempoMap.update (tm); tm = nil; collectgarbage ()"
        )  # fmt: skip

    def locate(self, position_s: float) -> None:
        self._made.locate(round(position_s * RATE))
        time.sleep(0.7)

    def play(self) -> None:
        self._made.do("Session:request_roll (ARDOUR.TransportRequestSource.TRS_UI)")

    def stop(self) -> None:
        self._made.stop()

    def close(self) -> None:
        self._made.quit()


@dataclass
class Row:
    """Of one start.  beats_off: the farthest bar|beat from Ardour's; errors_s: of notes."""

    bar: int
    learned_s: float | None = None
    adopted_bpm: float = 0.0
    bars_off: int = 0
    beats_off: float = 0.0
    errors_s: list[float] = field(default_factory=list)
    lost: int = 0

    @property
    def median_s(self) -> float:
        ordered = sorted(self.errors_s)
        return ordered[len(ordered) // 2] if ordered else 0.0

    @property
    def spread_s(self) -> float:
        return max((abs(error - self.median_s) for error in self.errors_s), default=0.0)

    def __str__(self) -> str:
        learned = "never" if self.learned_s is None else f"{self.learned_s:.1f} s"
        return (
            f"bar {self.bar}: {self.adopted_bpm:g} after {learned}; bar|beat off by {self.bars_off} bars, "
            f"{self.beats_off:.3f} beats; {len(self.errors_s)} notes, median {self.median_s * 1000:+.2f} ms, farthest "
            f"from it {self.spread_s * 1000:.2f}; lost periods {self.lost}"
        )


class Matrix:
    """A session that follows an Ardour, and what is seen of both."""

    def __init__(self, case: Case, folder: Path, period: int = 1024, play_s: float = 7.0) -> None:
        self.case, self.folder, self.period, self.play_s = case, folder, period, play_s

    @contextmanager
    def up(self) -> Iterator[None]:
        with self._up_with_script() if self.case.source == "script" else self._up():
            yield

    @contextmanager
    def _up_with_script(self) -> Iterator[None]:
        case = self.case
        self.looper = None
        with (
            JackServer(period=self.period) as self.server,
            RecordingPlayer(
                PlayerOptions(ports=PortOptions(api="jack-client"), sync=SyncOptions("script"))
            ) as self.player,
            Capture() as self.capture,
            Capture("timecode") as self.timecode,
        ):
            self.stage = stage = ScriptedStage(self.player, self._options(), FILM_S)
            self.session = stage.session
            self.daw = daw = ScriptArdour(self.folder, stage.port, case.map)
            try:
                self.capture.connect("CueBridge:CueBridge")
                wires: Any = open_client("wires")
                out = next(port.name for port in wires.get_ports("MTC out"))
                wires.close()
                self.timecode.connect(out)
                stage.until(lambda: self.session.idle and self.session.tempo_map.bpm_at(0) == case.bpm, 60.0)
                yield
            finally:
                daw.close()
                stage.close()

    def _options(self) -> SessionOptions:
        case = self.case
        brief = Brief(bpm=case.film_bpm, meter=TimeSignature.parse(case.meter))
        if case.mapped:
            brief = replace(brief, bpm=None, meter=None, tempo_map=case.map)
        return SessionOptions("film.mp4", tempo=brief, follows=True)

    @contextmanager
    def _up(self) -> Iterator[None]:
        case, jack = self.case, self.case.source == "jack"
        with (
            running(self.folder, lambda place: Ardour(place, case.bpm, jack, tempo_map=case.map), self.period) as (
                self.daw,
                self.server,
            ),
            RecordingPlayer(
                PlayerOptions(ports=PortOptions(api="jack-client"), sync=SyncOptions(case.source, self._tempo))
            ) as self.player,
            Capture() as self.capture,
            Capture("timecode") as self.timecode,
            ExitStack() as stack,
        ):
            self.looper = stack.enter_context(Looper()) if jack else None
            self.stage = Stage(self.player, self._options(), FILM_S)
            self.session = self.stage.session
            wires: Any = open_client("wires")
            try:
                into = next(port.name for port in wires.get_ports("CueBridge.*Sync") if port.is_input)
                outs = {"mtc": ("MTC out", "MMC out", "MIDI Clock out"), "clock": ("MIDI Clock out",)}
                for name in outs.get(case.source, ()):
                    wires.connect(f"ardour:{name}", into)
                self.capture.connect("CueBridge:CueBridge")
                self.timecode.connect("ardour:MTC out")
                self.stage.until(lambda: self.session.idle, 60.0)
                yield
            finally:
                wires.close()

    @property
    def _tempo(self) -> str:
        return "map" if self.case.mapped else "auto"

    def start(self, bar: int) -> Row:
        """Play from a bar until the tempo is Ardour's, and `play_s` on."""
        row, truth_map = Row(bar), self.case.map
        at_s = truth_map.seconds_at(float(truth_map.bar_start(bar)))
        self.capture.events.clear()
        self.timecode.events.clear()
        lost = self.capture.lost_cycles
        if self.looper is not None:
            self.looper.stop()
            self.looper.locate(at_s)
            self.looper.rolled.clear()
            self.stage.run(0.3)
            self.looper.play()
        else:
            self.daw.locate(at_s)
            self.stage.run(0.5)
            self.daw.play()
        self.stage.until(lambda: self.session.rolling, 15.0)
        began, seen = time.perf_counter(), []
        ends = began + PATIENCE_S
        while time.perf_counter() < ends:
            self.stage.run(0.05)
            now = time.perf_counter()
            position_s = self.session.position_s() + self.session.starts_s
            now_map = self.session.tempo_map
            right = now_map.bpm_at(now_map.beats_at(position_s)) == truth_map.bpm_at(truth_map.beats_at(position_s))
            if right and row.learned_s is None:
                row.learned_s, ends = now - began, now + self.play_s
            if row.learned_s is not None:
                seen.append((now, position_s, now_map))
        row.adopted_bpm = self.session.tempo_map.bpm_at(self.session.tempo_map.beats_at(position_s))
        learned_host = began + (row.learned_s or 0.0)
        (self.looper or self.daw).stop()
        self.stage.until(lambda: not self.session.rolling, 15.0)
        self.stage.run(0.5)
        row.lost = self.capture.lost_cycles - lost
        for stretch in self._truth():
            self._judge_bars(row, stretch, [one for one in seen if one[0] > learned_host + 0.2])
            self._judge_notes(row, stretch, learned_host + 0.5 if (row.learned_s or 0.0) > 0.2 else began - 1.0)
        return row

    def _truth(self) -> list[Stretch]:
        if self.looper is not None:
            period_s = self.period / self.server.rate
            return stretches_of_jack(self.looper.stretches(self.capture.offset_s()), period_s)
        return stretches_of_timecode(self.timecode.heard())

    @staticmethod
    def _within(stretch: Stretch, host_s: float) -> bool:
        return stretch.begins_s <= host_s <= stretch.points[-1][0] + 0.02

    def _judge_bars(self, row: Row, stretch: Stretch, seen: list[tuple[float, float, TempoMap]]) -> None:
        truth = self.case.map
        for host_s, position_s, its_map in seen:
            if self._within(stretch, host_s):
                theirs = truth.beats_at(stretch.position_at(host_s))
                ours = its_map.beats_at(position_s)
                row.beats_off = max(row.beats_off, abs(ours - theirs))
                middle = round(theirs * 2) / 2 + 0.25  # no bar line is near: jitter changes no bar
                row.bars_off = max(row.bars_off, abs(its_map.bar_at(ours - theirs + middle) - truth.bar_at(middle)))

    def _judge_notes(self, row: Row, stretch: Stretch, from_host_s: float) -> None:
        truth = self.case.map
        for event in self.capture.heard():
            if event.data[0] & 0xF0 != 0x90 or not event.data[2] or event.host_s < from_host_s:
                continue
            if not self._within(stretch, event.host_s) or event.host_s < stretch.begins_s + START_S:
                continue
            at_s = stretch.position_at(event.host_s)
            unit, notes = self.player.plan_at(event.host_s - 0.01)
            key = ((event.data[0] & 15) + 1, event.data[1])
            starts = [note.start_beats for note in notes if (note.channel, note.pitch) == key]
            planned = [truth.seconds_at(one) if unit == "beats" else one for one in starts]
            nearest = min(planned, key=lambda one: abs(one - at_s), default=None)
            if nearest is not None and abs(nearest - at_s) < NEAR_BEATS * 60 / self.case.bpm:
                row.errors_s.append(at_s - nearest)


def run(case: Case, folder: Path, period: int, say: Callable[[str], None]) -> list[Row]:
    matrix, rows = Matrix(case, folder, period), []
    with matrix.up():
        say(f"{case} ({matrix.server.about})")
        for bar in case.starts:
            rows.append(matrix.start(bar))
            say(f"  {rows[-1]}")
        said = [one for one in matrix.stage.said if "counted from" in one]
        if said:
            say(f"  said: {said}")
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="mtc,clock,script,jack", help="sources")
    parser.add_argument("--cases", help="numbers of cases, from 1")
    parser.add_argument("--period", type=int, default=1024)
    given = parser.parse_args()
    if (reason := why_not()) is not None:
        sys.stderr.write(f"cannot measure: {reason}\n")
        return 2
    numbers = set(map(int, given.cases.split(","))) if given.cases else set(range(1, len(CASES) + 1))

    def say(sentence: str) -> None:
        sys.stdout.write(sentence + "\n")
        sys.stdout.flush()

    for number, case in enumerate(CASES, 1):
        if number not in numbers or case.source not in given.only.split(","):
            continue
        for attempt in range(TRIES):
            with tempfile.TemporaryDirectory() as folder:
                try:
                    run(case, Path(folder), given.period, say)
                    break
                except (ArdourError, PortError, AssertionError) as error:
                    say(f"  try {attempt + 1}: {type(error).__name__}: {error}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
