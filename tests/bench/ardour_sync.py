"""Onsets against a real Ardour: followed by its timecode, its clock and the JACK transport, through play, stop, locate
standing and rolling, and a loop; at 97 and 120 bpm (by the clock alone from the beginning only, see below).

Ardour refuses to loop while the JACK transport is its master (docs/sync.md); the loop by JACK transport is made as
other programs make it, by locates of the transport, with Ardour following; once with its range unknown to us and once
known.

    python tests/bench/ardour_sync.py [mtc clock jack] [--bpm 97,120] [--seconds 10] [--period 1024] [--api jack-client]

Two measures.  **take**: Ardour records the player into an armed track and its own .mid is read back; onset in the take
minus composed time (the way through JACK into the take, one period, is in it).  **acts**: an independent JACK capture
of our notes against an independent capture of Ardour's timecode (both exact to the frame), or against the JACK
transport's own frames; onset minus composed time, absolute, every note from the first after each act on.  Missing: a
note composed for a stretch that Ardour played which was not heard.  Twice: struck again in the same stretch.  Left
sounding: struck and not released at the end.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PortOptions, SyncOptions
from engine.music.meter import TempoMap
from engine.music.note import Note
from tests.ardourlab import Ardour, why_not
from tests.jacklab import Capture, Captured, JackServer, Looper, Rolled, open_client, still_sounding

FPS = 30.0  # of the lab's Ardour session
EDGE_S = 0.06  # a note so near to where a stretch begins or ends is not missed
LOOP_S = (4.0, 6.0)


def notes(seconds: float, bpm: float) -> list[Note]:
    count = int(seconds * bpm / 60 * 4)
    return [Note(36 + k % 60, 1 + k % 127, k * 0.25, 0.2, 1, "arp") for k in range(count)]


def summary(errors_s: list[float]) -> str:
    """Absolute onset errors, and their distance from the median (a constant is taken away by `calibrate`)."""
    if not errors_s:
        return "no notes"
    values = sorted(error * 1000 for error in errors_s)
    middle = values[len(values) // 2]
    pick = lambda row, part: row[min(len(row) - 1, int(part * len(row)))]  # noqa: E731
    size, away = sorted(map(abs, values)), sorted(abs(value - middle) for value in values)
    return (
        f"error p50 {pick(size, 0.5):.2f} p99 {pick(size, 0.99):.2f} max {size[-1]:.2f} ms; median {middle:+.2f}, "
        f"from it p99 {pick(away, 0.99):.2f}"
    )


def places(missing_s: list[float]) -> str:
    return f" (composed at {', '.join(f'{at:.3f}' for at in missing_s[:4])} s)" if missing_s else ""


@dataclass
class Stretch:
    """A stretch that the DAW played without a jump: points (host_s, position_s).  lead_s: rolled so long before the
    first of them; tail_s: and so long after the last; edge_s: a note so near to its ends is not missed.  exact: every
    period of it is known."""

    points: list[tuple[float, float]] = field(default_factory=list)
    lead_s: float = 2.5 / FPS
    tail_s: float = 0.25
    edge_s: float = EDGE_S
    exact: bool = False

    @property
    def begins_s(self) -> float:
        return self.points[0][0] - self.lead_s

    def position_at(self, host_s: float) -> float:
        host, position = min(self.points, key=lambda point: abs(point[0] - host_s))
        return position + host_s - host


def stretches_of_timecode(heard: list[Captured]) -> list[Stretch]:
    """Read by hand, without our own reader: eight pieces in order are a time, that of the first of them."""
    found: list[Stretch] = []
    group: list[tuple[float, int]] = []
    for event in heard:
        if event.data[0] != 0xF1:
            group.clear()
            continue
        piece, nibble = event.data[1] >> 4, event.data[1] & 15
        if piece != len(group):
            group.clear()
            if piece:
                continue
        group.append((event.host_s, nibble))
        if len(group) == 8:
            n = [value for _, value in group]
            frames, seconds, minutes = n[0] + 16 * n[1], n[2] + 16 * n[3], n[4] + 16 * n[5]
            hours = n[6] + 16 * (n[7] & 1)
            position = hours * 3600 + minutes * 60 + seconds + frames / FPS
            host = group[0][0]
            group.clear()
            last = found[-1].points[-1] if found else None
            if last is None or abs(position - last[1] - (host - last[0])) > 0.02:
                found.append(Stretch())
            found[-1].points.append((host, position))
    # One time that was put together from pieces of two, over a lost period, is no stretch.
    return [stretch for stretch in found if len(stretch.points) >= 3]


def stretches_of_jack(rolled: list[list[Rolled]], period_s: float) -> list[Stretch]:
    """Exact, from the first period to the last."""
    return [Stretch([(now.host_s, now.position_s) for now in one], 0.001, period_s, 0.001, True) for one in rolled]


@dataclass
class Verdict:
    """Errors in seconds, all and without the first note of each stretch (which tells what a start costs), and
    notes: composed but not heard (their seconds), heard where none belongs, struck again in the same stretch, struck
    from `beyond_s` on."""

    errors_s: list[float] = field(default_factory=list)
    later_s: list[float] = field(default_factory=list)
    missing: list[float] = field(default_factory=list)
    misplaced: int = 0
    twice: int = 0
    beyond: int = 0


def compare(
    stretches: list[Stretch],
    heard: list[Captured],
    planned: dict[tuple[int, int], float],
    beyond_s: float = float("inf"),
) -> Verdict:
    """What was composed from `beyond_s` on is not missed (the end of a loop)."""
    verdict = Verdict()
    for index, stretch in enumerate(stretches):
        following = stretches[index + 1].begins_s if index + 1 < len(stretches) else float("inf")
        ends = min(following, stretch.points[-1][0] + stretch.tail_s)
        struck: set[tuple[int, int]] = set()
        for event in heard:
            key = (event.data[1], event.data[2])
            if stretch.begins_s <= event.host_s < ends and key in planned:
                error = stretch.position_at(event.host_s) - planned[key]
                if abs(error) < 0.5:
                    verdict.errors_s.append(error)
                    verdict.later_s += [error] if struck else []
                    verdict.twice += key in struck
                    verdict.beyond += planned[key] >= beyond_s
                    struck.add(key)
                elif index and abs(stretches[index - 1].position_at(event.host_s) - planned[key]) < 0.5:
                    continue  # the place before the jump, for as long as the jump was not heard of
                else:
                    verdict.misplaced += 1
        first = stretch.points[0][1] + (-stretch.edge_s if stretch.exact else stretch.edge_s)
        last = min(stretch.points[-1][1] + (stretch.tail_s if stretch.exact else 0.0), stretch.position_at(ends))
        last = min(last - stretch.edge_s, beyond_s)
        verdict.missing += [at for key, at in planned.items() if first <= at < last and key not in struck]
    return verdict


class Scene:
    """Ardour, the player, and wires between them."""

    def __init__(self, source: str, bpm: float, given: argparse.Namespace, folder: Path) -> None:
        self.source, self.bpm, self.given, self.folder = source, bpm, given, folder
        self.music = notes(60, bpm)
        self.planned = {(n.pitch, n.velocity): n.start_beats * 60 / bpm for n in self.music}
        self.looper: Looper | None = None  # moves the JACK transport outright, where Ardour follows that as we do
        self.lost = 0

    @contextmanager
    def up(self) -> Iterator[None]:
        options = PlayerOptions(ports=PortOptions(api=self.given.api), sync=SyncOptions(self.source, "auto"))
        jack = self.source == "jack"
        with (
            JackServer(period=self.given.period) as self.server,
            Ardour(self.folder, self.bpm, external_sync=jack) as self.daw,
            PlayerLink(options) as self.link,
            Capture() as self.capture,
            Capture("timecode") as self.timecode,
            ExitStack() as stack,
        ):
            self.looper = stack.enter_context(Looper()) if jack else None
            self.link.set_tempo_map(TempoMap.constant(self.bpm), 1)
            self.link.load_plan(1, "beats", self.music, [], 0.0)
            self.wires: Any = open_client("wires")
            try:
                ours = "CueBridge:CueBridge"
                into = next(port.name for port in self.wires.get_ports("CueBridge.*Sync") if port.is_input)
                named = {"mtc": ("MTC out", "MMC out"), "clock": ("MIDI Clock out",)}.get(self.source, ())
                for name in named + (("MIDI Clock out",) if self.source == "mtc" else ()):
                    self.wires.connect(f"ardour:{name}", into)
                self.wires.connect(ours, "ardour:gen/midi_in 1")
                self.capture.connect(ours)
                self.timecode.connect("ardour:MTC out")
                yield
            finally:
                self.wires.close()

    def until(self, met: Callable[[Any], bool], what: str, timeout_s: float = 20.0) -> None:
        if self.link.wait_for(met, timeout_s) is None:
            raise RuntimeError(f"{what}: not seen; last {self.link.poll()}")

    def take(self) -> str:
        seconds = self.given.seconds
        self.daw.locate(0.0)
        self.daw.record()
        self.daw.play()
        self.until(lambda now: now.position_s > seconds, "the take", seconds + 20)
        self.daw.stop()
        self.until(lambda now: not now.rolling, "the stop")
        found = {(note.pitch, note.velocity): note.start_s for note in self.daw.recorded()}
        errors = [at - self.planned[key] for key, at in found.items()]
        lost = [at for key, at in sorted(self.planned.items(), key=lambda item: item[1])
                if at < seconds - 0.3 and key not in found]  # fmt: skip
        return f"take: {len(found)} notes, missing {len(lost)}{places(lost)}; {summary(errors)}"

    def acts(self) -> str:
        """Play, stop, locate standing, play, locate rolling, stop, loop; then the ear's verdict."""
        daw = self.daw
        move = self.looper or daw
        if self.looper is not None:
            self.looper.stop()  # Ardour rolls from its start on
        self._forget()
        move.locate(0.0)
        move.play()
        self.until(lambda now: now.rolling and now.position_s > 4.0, "play")
        move.stop()
        self.until(lambda now: not now.rolling, "stop")
        if self.source == "clock":
            self._again_from_the_start(move)
        else:
            move.locate(10.0)
            move.play()
            self.until(lambda now: now.rolling and now.position_s > 13.0, "play from 10 s")
            move.locate(20.0, True)
            self.until(lambda now: now.rolling and now.position_s > 23.0, "the locate while rolling")
            move.stop()
            self.until(lambda now: not now.rolling, "stop")
        if self.source == "mtc":
            daw.loop(*LOOP_S)
            self.until(lambda now: now.rolling and LOOP_S[0] + 1 < now.position_s < LOOP_S[1], "the loop")
            time.sleep(2.5 * (LOOP_S[1] - LOOP_S[0]))
            daw.stop()
            self.until(lambda now: not now.rolling, "stop")
        return f"acts: {self._verdict()}"

    def loops(self, known: bool) -> str:
        """The JACK transport looped three times and a half, Ardour following; the range known to us or not."""
        assert self.looper is not None
        looper, length_s = self.looper, LOOP_S[1] - LOOP_S[0]
        self._forget()
        self.link.loop(known, *LOOP_S)
        looper.locate(LOOP_S[0])
        looper.loop = LOOP_S
        looper.play()
        time.sleep(3.5 * length_s)
        position = self.daw.position_s()
        looper.loop = None
        looper.stop()
        self.until(lambda now: not now.rolling, "stop")
        self.link.loop(False, *LOOP_S)
        inside = position is not None and LOOP_S[0] <= position < LOOP_S[1] + 0.2
        said = f"Ardour inside it too ({position:.1f} s)" if inside else f"Ardour is elsewhere: {position}"
        return f"loop, range {'known' if known else 'unknown'}, {said}: {self._verdict(LOOP_S[1])}"

    def _forget(self) -> None:
        self.capture.events.clear()
        self.timecode.events.clear()
        if self.looper is not None:
            self.looper.rolled.clear()
        self.lost = self.capture.lost_cycles

    def _verdict(self, loop_ends_s: float = float("inf")) -> str:
        time.sleep(0.4)
        heard = [event for event in self.capture.heard() if event.data[0] & 0xF0 == 0x90 and event.data[2]]
        left = still_sounding([event.data for event in self.capture.events], doubled_too=False)
        if self.looper is not None:
            period_s = self.given.period / self.server.rate
            truth = stretches_of_jack(self.looper.stretches(self.capture.offset_s()), period_s)
        else:
            truth = stretches_of_timecode(self.timecode.heard())
        found = compare(truth, heard, self.planned, loop_ends_s)
        behind = "" if loop_ends_s == float("inf") else f"behind the loop's end {found.beyond}, "
        return (
            f"{len(found.errors_s)} notes in {len(truth)} stretches, "
            f"missing {len(found.missing)}{places(found.missing)}, misplaced {found.misplaced}, twice {found.twice}, "
            f"{behind}left sounding {len(left)}, lost periods {self.capture.lost_cycles - self.lost}; "
            f"{summary(found.errors_s)}; without the first of each stretch: {summary(found.later_s)}"
        )

    def _again_from_the_start(self, move: Any) -> None:
        """Ardour 7.3 states song positions six times too far (in clocks instead of sixteenths): 4 s at 97 bpm is
        `F2 28 01`, beat 42.  Nobody can follow that, so by its clock alone only play from the beginning is measured."""
        move.locate(0.0)
        move.play()
        self.until(lambda now: now.rolling and 3.0 < now.position_s < 8.0, "play again")
        move.stop()
        self.until(lambda now: not now.rolling, "stop")


def run(source: str, bpm: float, given: argparse.Namespace, folder: Path) -> list[str]:
    scene = Scene(source, bpm, given, folder)
    with scene.up():
        status = scene.link.poll()
        assert status is not None
        head = f"{source} at {bpm:g} bpm, {given.api}, {scene.server.about}, {status.priority}"
        rows = [head]
        if source != "jack":  # Ardour slaved to the JACK transport does not record at its own word
            rows.append("  " + scene.take())
        rows.append("  " + scene.acts())
        if source == "jack":
            rows += ["  " + scene.loops(known) for known in (False, True)]
        return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", default=["mtc", "clock", "jack"])
    parser.add_argument("--bpm", default="97,120")
    parser.add_argument("--seconds", type=float, default=10, help="of the take")
    parser.add_argument("--period", type=int, default=1024)
    parser.add_argument("--api", default="jack-client", choices=["jack-client", "jack"])
    parser.add_argument("--tries", type=int, default=2, help="jackd and Ardour sometimes do not come up together")
    given = parser.parse_args()
    if (reason := why_not()) is not None:
        sys.stderr.write(f"cannot measure: {reason}\n")
        return 2
    for source in given.sources:
        for bpm in map(float, given.bpm.split(",")):
            for attempt in range(given.tries):
                with tempfile.TemporaryDirectory() as folder:
                    try:
                        sys.stdout.write("\n".join(run(source, bpm, given, Path(folder))) + "\n")
                        break
                    except Exception as error:
                        sys.stdout.write(f"{source} at {bpm:g}, try {attempt + 1}: {type(error).__name__}: {error}\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
