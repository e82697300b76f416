"""How long the session of a two-hour film is held up by each kind of edit, and how soon its notes are with the player.

    python tests/bench/long_session.py [--seconds 7200]

No networks: chords are made up at once (`sessionlab`), so that only the session's own work is measured, while the
internal transport plays at three quarters of the film.  Per edit: how long the call took, when the first new notes went
to the player, and the longest single turn of the session in the second and a half after it; all in ms, beside the
length of a beat.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from sessionlab import Stage

from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PortOptions
from bridge.session import Session, SessionOptions
from bridge.session_tempo import TempoWish
from engine.messages import ComposeRequest
from engine.music import Chord

BPM = 90


def edits(session: Session, seconds: float) -> dict[str, Callable[[], object]]:
    edits = session.edits
    return {
        "activity": lambda: edits.set_value("/cue/activity", 30.0),
        "transpose": lambda: edits.set_value("/cue/transpose", 2),
        "level of a part": lambda: edits.set_value("/cue/part/pad/level", 9.0),
        "part off": lambda: edits.set_value("/cue/part/bass/on", False),
        "next chord": lambda: edits.pin_next(Chord.parse("E7")),
        "pin far away": lambda: edits.pin(Chord.parse("E7"), seconds * 0.9),
        "undo": edits.undo,
        "hit": lambda: edits.add_hit(seconds * 0.76),
        "section": lambda: edits.add_section(seconds * 0.78, "activity=80"),
        "activity, with a hit": lambda: edits.set_value("/cue/activity", 60.0),
        "tempo": lambda: edits.set_value("/cue/tempo", 92.0),
    }


def measure(session: Session, edit: Callable[[], object]) -> tuple[float, float, float]:
    """Seconds: the call, until notes went out, the longest turn."""
    revision, begun_s = session.playing._plan_revision, time.perf_counter()
    with session.plan.turn():  # as the loop of `live` does
        edit()
    call_s, first_s, longest_s = time.perf_counter() - begun_s, float("nan"), 0.0
    while time.perf_counter() < begun_s + call_s + 1.5:
        turn_s = time.perf_counter()
        with session.plan.turn():
            session.tick()
        now_s = time.perf_counter()
        longest_s = max(longest_s, now_s - turn_s)
        if first_s != first_s and session.playing._plan_revision != revision:
            first_s = now_s - begun_s
        time.sleep(0.005)
    return call_s, first_s, longest_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=7200.0)
    seconds = parser.parse_args().seconds
    gc.set_threshold(100_000, 50, 1000)  # as `live` has it, and the other too
    sys.setswitchinterval(0.001)
    with PlayerLink(PlayerOptions(ports=PortOptions("none"))) as player:
        made = Stage(player, SessionOptions("film.mp4", tempo=TempoWish(bpm=BPM)), seconds)
        session, made.engine.chunk = made.session, 256
        made.until(lambda: session.draft.result.complete and session.plan.complete, 300)
        send = session.send
        session.send = lambda message: None if isinstance(message, ComposeRequest) else send(message)
        session.transport.locate(seconds * 0.75)
        made.run(0.3)
        session.transport.play()
        made.until(lambda: session.rolling)
        print(
            f"{len(session.draft.result.slots)} slots, {len(session.plan.notes)} notes; a beat is {60_000 / BPM:.0f} ms"
        )
        print(f"{'edit':24}{'call':>10}{'notes out':>12}{'longest turn':>15}")
        for name, edit in edits(session, seconds).items():
            call_s, first_s, longest_s = measure(session, edit)
            print(f"{name:24}{call_s * 1e3:10.1f}{first_s * 1e3:12.1f}{longest_s * 1e3:15.1f}", flush=True)
        session.plan.close()


if __name__ == "__main__":
    main()
