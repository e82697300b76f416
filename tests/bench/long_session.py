"""How long the session of a two-hour film is held up by each kind of edit, and how soon its notes are with the player.

    python tests/bench/long_session.py [--seconds 7200]

No networks: chords are made up at once (`sessionlab`), so that only the session's own work is measured, while the
internal transport plays at three quarters of the film and the session is saved by itself.  Per edit: how long the call
took, when the first new notes went to the player, the longest single turn of the session in the second and a half after
it, the most processor time of one turn or of the call, and when the session file on the disk held the edit; all in ms,
beside the length of a beat.  At the end: the same session saved at once, written as .mid, read and opened.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from sessionlab import Stage

from bridge.commands.live import keep_collections_short
from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PortOptions
from bridge.session.edits import chords, marks
from bridge.session.edits.values import set_value
from bridge.session.file.autosave import Autosave
from bridge.session.file.export import Exporter
from bridge.session.session import Session, SessionOptions
from engine.brief import Brief
from engine.document.file import read_session
from engine.music import Chord
from engine.process.messages import ComposeRequest

BPM = 90


def edits(session: Session, seconds: float) -> dict[str, Callable[[], object]]:
    edit = session.edit
    return {
        "activity": lambda: edit(set_value, "/cue/activity", 30.0),
        "transpose": lambda: edit(set_value, "/cue/transpose", 2),
        "level of a part": lambda: edit(set_value, "/cue/part/pad/level", 9.0),
        "part off": lambda: edit(set_value, "/cue/part/bass/on", False),
        "next chord": lambda: edit(chords.pin_next, Chord.parse("E7")),
        "pin far away": lambda: edit(chords.pin, Chord.parse("E7"), seconds * 0.9),
        "undo": session.undo,
        "hit": lambda: edit(marks.add_hit, seconds * 0.76),
        "section": lambda: edit(marks.add_section, seconds * 0.78, "activity=80"),
        "activity, with a hit": lambda: edit(set_value, "/cue/activity", 60.0),
        "tempo": lambda: edit(set_value, "/cue/tempo", 92.0),
        "keep the take": session.keep_take,
        "activity, take kept": lambda: edit(set_value, "/cue/activity", 70.0),
    }


def measure(session: Session, autosave: Autosave, edit: Callable[[], object]) -> tuple[float, ...]:
    """Seconds: the call, until notes went out, the longest turn, the most processor time of one, until the file held
    it."""
    while not autosave.idle:
        time.sleep(0.005)
    revision, begun_s = session.arranging.revision, time.perf_counter()
    written_s, stamp = float("nan"), _stamp(autosave)
    begun_cpu_s = time.thread_time()
    with session.plan.turn():  # as the loop of `live` does
        edit()
    most_cpu_s = time.thread_time() - begun_cpu_s
    call_s, first_s, longest_s = time.perf_counter() - begun_s, float("nan"), 0.0
    while time.perf_counter() < begun_s + call_s + 1.5:
        turn_s, turn_cpu_s = time.perf_counter(), time.thread_time()
        with session.plan.turn():
            autosave.tick(turn_s)
            session.tick()
        now_s = time.perf_counter()
        most_cpu_s = max(most_cpu_s, time.thread_time() - turn_cpu_s)
        if written_s != written_s and _stamp(autosave) != stamp:
            written_s = now_s - begun_s
        longest_s = max(longest_s, now_s - turn_s)
        if first_s != first_s and session.arranging.revision != revision:
            first_s = now_s - begun_s
        time.sleep(0.005)
    return call_s, first_s, longest_s, most_cpu_s, written_s


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
        made = Stage(player, SessionOptions("film.mp4", tempo=Brief(bpm=BPM)), seconds)
        session, made.engine.chunk = made.session, 256
        made.until(lambda: session.document.result.complete and session.plan.complete, 300)
        send = session.send
        session.send = lambda message: None if isinstance(message, ComposeRequest) else send(message)
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
        print(f"{'edit':24}{'call':>10}{'notes out':>12}{'longest turn':>15}{'its CPU':>10}{'on the disk':>14}")
        for name, edit in edits(session, seconds).items():
            if name == "keep the take":  # needs chords of its own, and all the notes
                session.send = send
                session.composing.ask(session.clock.now(), None, "what was asked for")
                made.until(lambda: session.composing.idle, 60)
                begun_s = time.perf_counter()
                made.until(lambda: session.plan.complete, 120)
                print(f"{'(the whole arranged)':24}{(time.perf_counter() - begun_s) * 1e3:10.1f}")
            row = measure(session, autosave, edit)
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
