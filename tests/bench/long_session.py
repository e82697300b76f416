"""How long the session of a two-hour film is held up by each kind of edit, and how soon its notes are with the player.

    python tests/bench/long_session.py [--seconds 7200]

No networks: chords are made up at once (`sessionlab`), so that only the session's own work is measured, while the
internal transport plays at three quarters of the film and the session is saved by itself.  Each edit comes as people
make it: from the page, by a key, a controller, a file or a DAW, in pieces where it grows with the film.  Per edit: when
it was answered, when the first new notes went to the player, the longest single turn of the session in the second and a
half after it, the most processor time of one turn, and when the session file on the disk held the edit; all in ms,
beside the length of a beat.  At the end: the same session saved at once, written as .mid, read and opened.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from sessionlab import Stage

from bridge.commands.live import keep_collections_short
from bridge.controls.dispatch import PIECE_S, Controls
from bridge.daw.link import DawInfo
from bridge.daw.names import read_name
from bridge.daw.session import DawBridge
from bridge.osc.clients import Target
from bridge.osc.codec import Argument, Message
from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PortOptions, Touch
from bridge.session.edits.values import set_value
from bridge.session.file.autosave import Autosave
from bridge.session.file.export import Exporter
from bridge.session.session import Session, SessionOptions
from engine.brief import Brief
from engine.document.file import read_session
from engine.music import TempoMap
from engine.music.arguments import Raw
from engine.process.messages import ToEngine

BPM = 90
CUT_S = 8.0  # between cuts


class Asking:
    """What a person works, each in the way that it comes: the page, keys, a controller, a DAW, the command line."""

    def __init__(self, made: Stage, folder: Path) -> None:
        self.session, self.engine = session, engine = made.session, made.engine
        self.requests: list[ToEngine] = []
        self._answer, session.send = engine.send, self.requests.append
        self.controls = Controls(session, self._answered, self._refused, folders=[folder])
        self.daw = DawBridge(session, lambda out: None, "a bench")
        self.composes = False  # whether the engine answers
        self.answered_s: float | None = None

    def page(self, address: str, *arguments: Raw) -> None:
        target, asked = ("page 1", 1), Message(address, arguments)  # type: ignore[arg-type]
        self.controls.ask(
            asked,
            target,
            lambda replies, heard_s: self._answered(*((target, *replies[0]) if replies else (target, "", ()))),
            lambda error: self._refused(target, address, "", str(error)),
            budget_s=PIECE_S,
        )

    def fader(self, address: str, value: int) -> None:
        """A controller that has learned the address."""
        player, now_s = self.session.player, time.perf_counter()
        self.controls.midi.learn.set_pickup(False)
        self.controls.midi.learn.learn(address, (), now_s)
        player._touched.extend(Touch(now_s, bytes((0xB0, 20, each))) for each in (value, value))
        self.controls.touched(now_s, PIECE_S)

    def _answered(self, target: Target, address: str, values: Sequence[Argument]) -> None:
        if address and self.answered_s is None:
            self.answered_s = time.perf_counter()

    def _refused(self, target: Target, address: str, code: str, sentence: str) -> None:
        sys.exit(f"{address} is refused: {sentence}")

    def engine_answers(self) -> None:
        """What a process of its own does, so not in a turn of the session."""
        requests, self.requests[:] = list(self.requests), []
        for request in requests if self.composes else ():
            self._answer(request)

    def turn(self, host_s: float, autosave: Autosave) -> None:
        """As the loop of `live` has it."""
        if self.engine.inbox and not self.controls.busy:
            self.session.on_engine(self.engine.inbox.pop(0))
            self.session.hurry(answered=True)
        if self.controls.busy:
            self.controls.go_on(PIECE_S)
        self.session.hurry(answered=False)
        self.daw.tick(host_s)
        autosave.tick(host_s)
        self.session.tick()
        if not self.controls.busy:
            self.controls.touched(host_s, PIECE_S)
        self.controls.push(lambda target, data: None, PIECE_S)


def edits(asking: Asking, seconds: float, folder: Path) -> dict[str, Callable[[], object]]:
    session, page = asking.session, asking.page
    daw = DawInfo("a DAW", "1", "1", 1, ("127.0.0.1", 1), frozenset())
    (folder / "markers.csv").write_text(
        "Name,In\n"
        + "".join(f"hit {n},{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}:00\n" for n in range(9, int(seconds), 15))
    )
    return {
        "activity": lambda: page("/cue/activity", 30.0),
        "transpose": lambda: page("/cue/transpose", 2),
        "level of a part": lambda: page("/cue/part/pad/level", 9.0),
        "part off": lambda: page("/cue/part/bass/on", False),
        "next chord": lambda: page("/cue/chords/next", "E7"),
        "pin far away": lambda: page("/cue/chords/pin", "E7", seconds * 0.9),
        "undo": session.undo,
        "hit": lambda: page("/cue/hits/add", seconds * 0.76),
        "section": lambda: page("/cue/sections/add", seconds * 0.78, "activity=80"),
        "activity, with a hit": lambda: page("/cue/activity", 60.0),
        "tempo": lambda: page("/cue/tempo", 92.0),
        "keep the take": session.keep_take,
        "activity, take kept": lambda: page("/cue/activity", 70.0),
        "part off by a key": lambda: session.edit(set_value, "/cue/part/bass/on", True),
        "tempo by a fader": lambda: asking.fader("/cue/tempo", 40),
        "tempo tried": lambda: page("/cue/try", "/cue/tempo", 97.0),
        "tempo of the cuts": lambda: page("/cue/tempo", "film"),
        "tempo taken back": session.undo,
        "bar 1": lambda: page("/cue/bar_1", 1.3),
        "picture's start": lambda: page("/cue/picture_starts_at", "01:00:00:00"),
        "frame rate": lambda: page("/cue/frame_rate", "25"),
        "section with a tempo": lambda: page("/cue/sections/add", seconds * 0.8, "tempo=120; meter=3/4"),
        "its removal": lambda: page("/cue/sections/remove", seconds * 0.8),
        "another cue": lambda: page("/cue/cues/add", seconds * 0.85),
        "the cue's tempo": lambda: page("/cue/tempo", 80.0),
        "key": lambda: page("/cue/key", "D minor"),
        "progression": lambda: page("/cue/progression", "Dm Bb F C"),
        "speech": lambda: page("/cue/speech", " ".join(f"{n}-{n + 2}" for n in range(5, 900, 7))),
        "its removal from the film": lambda: page("/cue/cues/remove"),
        "markers of a file": lambda: page("/cue/markers/load", str(folder / "markers.csv")),
        "markers taken back": session.undo,
        "all cuts as hits": lambda: page("/cue/hits/accept_cuts", 0.0),
        "new take": session.new_take,
        "the take before": lambda: page("/cue/take/select", 1),
        "rewritten": lambda: page("/cue/chords/rewrite", seconds * 0.8, seconds * 0.9),
        "all locked": lambda: page("/cue/lock", "all"),
        "unlocked": lambda: page("/cue/unlock"),
        "region of a DAW": lambda: asking.daw.names(
            daw, (read_name("section: tempo=100", seconds * 0.5 + session.starts_s),)
        ),
        "tempo of a DAW": lambda: session.use_daw_map(TempoMap.constant(93), "a DAW"),
    }  # fmt: skip


def measure(asking: Asking, autosave: Autosave, edit: Callable[[], object]) -> tuple[float, ...]:
    """Seconds: until it was answered, until notes went out, the longest turn, the most processor time of one, until the
    file held it."""
    session = asking.session
    while not autosave.idle:
        time.sleep(0.005)
    revision, begun_s = session.arranging.revision, time.perf_counter()
    written_s, stamp = float("nan"), _stamp(autosave)
    asking.answered_s = None
    begun_cpu_s = time.thread_time()
    with session.plan.turn():  # as the loop of `live` does
        edit()
    most_cpu_s = time.thread_time() - begun_cpu_s
    longest_s, first_s, end_s = time.perf_counter() - begun_s, float("nan"), time.perf_counter() + 1.5
    if asking.answered_s is None and not asking.controls.busy:
        asking.answered_s = time.perf_counter()
    while time.perf_counter() < end_s or asking.controls.busy or (not session.composing.idle and asking.composes):
        turn_s, turn_cpu_s = time.perf_counter(), time.thread_time()
        with session.plan.turn():
            asking.turn(turn_s, autosave)
        now_s = time.perf_counter()
        most_cpu_s = max(most_cpu_s, time.thread_time() - turn_cpu_s)
        asking.engine_answers()
        if written_s != written_s and _stamp(autosave) != stamp:
            written_s = now_s - begun_s
        longest_s = max(longest_s, now_s - turn_s)
        if first_s != first_s and session.arranging.revision != revision:
            first_s = now_s - begun_s
        if not asking.controls.busy and not asking.engine.inbox:
            time.sleep(0.005)
    answered_s = float("nan") if asking.answered_s is None else asking.answered_s - begun_s  # a fader gets no answer
    return answered_s, first_s, longest_s, most_cpu_s, written_s


def _stamp(autosave: Autosave) -> int:
    return autosave.path.stat().st_mtime_ns if autosave.path is not None and autosave.path.exists() else 0


def at_the_end(made: Stage, autosave: Autosave, folder: Path) -> None:
    """Prints what opening, saving and writing cost; the session stands still."""
    session = made.session
    made.until(lambda: session.plan.complete, 60)
    rows: dict[str, Callable[[], object]] = {
        "save as a version": lambda: autosave.save(folder / "version.cuebridge.json"),
    }
    for name, act in rows.items():
        begun_s = time.perf_counter()
        act()
        print(f"{name:24}{(time.perf_counter() - begun_s) * 1e3:10.1f}", flush=True)
    exporter, begun_s = Exporter(session), time.perf_counter()
    exporter.export(("", 0), folder / "film.mid")
    call_s, longest_s, done = time.perf_counter() - begun_s, 0.0, []
    while not done:
        turn_s = time.perf_counter()
        with session.plan.turn():
            session.tick()
        longest_s = max(longest_s, time.perf_counter() - turn_s)
        done = exporter.finished()
        time.sleep(0.005)
    assert not done[0].fault, done[0].fault
    written_s = time.perf_counter() - begun_s
    print(f"{'write the .mid':24}{call_s * 1e3:10.1f}{'':12}{longest_s * 1e3:15.1f}{written_s * 1e3:14.1f}")
    begun_s = time.perf_counter()
    saved = read_session(folder / "version.cuebridge.json")
    read_s = time.perf_counter() - begun_s
    with PlayerLink(PlayerOptions(ports=PortOptions("none"))) as player:
        again = Session(session.options, player, lambda message: None)
        begun_s = time.perf_counter()
        again.restore(saved)
        restored_s = time.perf_counter() - begun_s
        while not again.plan.planned_to_beats > 0:
            with again.plan.turn():
                again.tick()
            time.sleep(0.005)
        first_s = time.perf_counter() - begun_s
        again.plan.close()
    print(f"{'open it':24}{(read_s + restored_s) * 1e3:10.1f}{(read_s + first_s) * 1e3:12.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=7200.0)
    seconds = parser.parse_args().seconds
    keep_collections_short()  # as `live` does, and the other too
    sys.setswitchinterval(0.001)
    with tempfile.TemporaryDirectory() as folder, PlayerLink(PlayerOptions(ports=PortOptions("none"))) as player:
        cuts = [each * CUT_S + each * 7 % 5 for each in range(1, int(seconds / CUT_S))]
        made = Stage(player, SessionOptions("film.mp4", tempo=Brief(bpm=BPM)), seconds, cuts)
        session, made.engine.chunk = made.session, 256
        made.until(lambda: session.document.result.complete and session.plan.complete, 300)
        asking = Asking(made, Path(folder))
        session.locate(seconds * 0.75)
        made.run(0.3)
        session.play()
        made.until(lambda: session.rolling)
        print(
            f"{len(session.document.result.slots)} slots, {len(session.plan.notes)} notes; "
            f"a beat is {60_000 / BPM:.0f} ms"
        )
        session.film.fingerprint = "0" * 64
        autosave = Autosave(session, Path(folder) / "film.cuebridge.json", print)
        print(f"{'edit':24}{'answered':>10}{'notes out':>12}{'longest turn':>15}{'its CPU':>10}{'on the disk':>14}")

        def until(met: Callable[[], bool]) -> None:
            while not met():
                asking.engine_answers()
                with session.plan.turn():
                    asking.turn(time.perf_counter(), autosave)
                time.sleep(0.005)

        for name, edit in edits(asking, seconds, Path(folder)).items():
            if name == "keep the take":  # needs chords of its own, and all the notes
                session.composing.ask(session.clock.now(), None, "what was asked for")
                asking.composes = True
                until(lambda: session.composing.idle)
                begun_s = time.perf_counter()
                until(lambda: session.plan.complete)
                print(f"{'(the whole arranged)':24}{(time.perf_counter() - begun_s) * 1e3:10.1f}")
            if name == "all locked":
                until(lambda: session.idle)
            row = measure(asking, autosave, edit)
            print(
                f"{name:24}{row[0] * 1e3:10.1f}{row[1] * 1e3:12.1f}{row[2] * 1e3:15.1f}{row[3] * 1e3:10.1f}"
                f"{row[4] * 1e3:14.1f}",
                flush=True,
            )
        session.stop()
        at_the_end(made, autosave, Path(folder))
        autosave.close()
        session.plan.close()


if __name__ == "__main__":
    main()
