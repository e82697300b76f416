"""Kills each process of a performance again and again with SIGKILL, an independent JACK client listening.

    python tests/bench/kills.py [--times 20] [--film FILM] [--victims engine analysis player bridge save]

Prints for each victim: how often it was killed, notes left sounding when all was over (must be 0), notes struck twice
without a release, and for the engine the composed notes that were missed although the plan lasted.  `save` kills the
bridge while a control is moved without pause and the session saves itself: how many session files could not be read
afterwards, and the age of the newest move that was lost.  Needs jackd and JACK-Client.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

import psutil
from jacklab import Capture, JackServer, still_sounding, why_not
from livelab import CLIP, Live, composed_notes, match, port_name, struck

from engine.document.file import SessionError, read_session

API = ("--midi-api", "jack-client")


def pid_of(live: Live, victim: str, not_this: int | None = None, timeout_s: float = 30.0) -> int:
    """The process now in that role (another than `not_this`)."""
    line = live.wait(
        lambda line: line.get("type") == "status" and (line["pids"].get(victim) or not_this) not in (None, 0, not_this),
        f"a {victim} process",
        timeout_s,
    )
    return int(line["pids"][victim])


def analysis_pid(live: Live, timeout_s: float = 60.0) -> int:
    """The child that the engine started to look at the film."""
    engine = psutil.Process(pid_of(live, "engine"))
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        for child in engine.children():
            with contextlib.suppress(psutil.Error):
                if "spawn_main" in " ".join(child.cmdline()):
                    return child.pid
        time.sleep(0.005)
    raise RuntimeError("the engine started no analysis")


def kill_during_play(film: Path, home: Path, victim: str, times: int) -> dict[str, object]:
    """Engine or player: one performance in a loop, killed `times` times."""
    with Live(film, home, *API, "--osc-folder", str(home)) as live:
        ready = live.ready()
        with Capture(autoconnect=port_name(ready)) as capture:
            time.sleep(0.3)
            live.send("/cue/export", str(home / "composed.mid"))
            live.send("/cue/loop", True, 2.0, 10.0)
            live.send("/cue/locate", 2.0)
            live.send("/cue/play")
            time.sleep(1.0)
            pid = None
            for _ in range(times):
                pid = pid_of(live, victim, pid)
                os.kill(pid, signal.SIGKILL)
                # A player that dies more than five times in ten seconds is given up, and the person told so.
                time.sleep(2.5 if victim == "player" else 1.1)
            pid_of(live, victim, pid)
            time.sleep(max(1.5, 9.0 - 1.1 * times))  # at least one whole pass of the loop
            live.send("/cue/stop")
            time.sleep(0.6)
            heard = capture.heard()
            messages = [event.data for event in heard]
            sounding, doubled = still_sounding(messages, doubled_too=False), still_sounding(messages)
            cycles = capture.lost_cycles
            code = live.quit()
    result: dict[str, object] = {
        "killed": times, "left sounding": len(sounding), "struck twice": len(set(doubled) - set(sounding)),
        "notes heard": len(struck(heard)), "exit": code, "JACK cycles lost": cycles,
    }  # fmt: skip
    if victim == "engine":
        inside = [note for note in composed_notes(home / "composed.mid") if 2.0 <= note[0] < 9.99 and note[3] != 1]
        turns = int((struck(heard)[-1].host_s - struck(heard)[0].host_s) // 8.0)
        unrolled = [(time_s - 2.0 + turn * 8.0, *rest) for turn in range(turns) for time_s, *rest in inside]
        found = match([note for note in struck(heard) if note.channel != 1], unrolled)
        result |= {"composed notes in the loop passes": len(unrolled), "missed": len(found.missing)}
    return result


def _alive(pid: int, timeout_s: float = 5.0) -> bool:
    """Whether a process is still there (and not only unburied) after a while."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        end = time.monotonic() + timeout_s
        while process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > end:
                return True
            time.sleep(0.05)
    return False


def kill_the_bridge(film: Path, home: Path, times: int) -> dict[str, object]:
    sounding, heard_notes, lingering = 0, 0, 0
    for _ in range(times):
        with Live(film, home, *API) as live:
            ready = live.ready()
            children = list(ready["pids"].values())
            with Capture(autoconnect=port_name(ready)) as capture:
                time.sleep(0.2)
                live.send("/cue/play")
                live.wait(lambda line: line.get("picture_s", 0) >= 0.7, "playing")
                live.process.kill()
                time.sleep(1.5)
                heard = capture.heard()
                sounding += len(still_sounding([event.data for event in heard]))
                heard_notes += len(struck(heard))
            lingering += sum(_alive(pid) for pid in children if pid)
    return {"killed": times, "left sounding": sounding, "notes heard": heard_notes, "children left": lingering}


def kill_the_analysis(film: Path, home: Path, times: int) -> dict[str, object]:
    """The first analysis of a film that is not in the cache is killed; it is restarted and the film plays."""
    sounding, heard_notes, told, killed = 0, 0, 0, 0
    for index in range(times):
        fresh = home / f"fresh-{index}"
        fresh.mkdir()
        with Live(film, fresh, *API, "--play") as live:
            os.kill(analysis_pid(live), signal.SIGKILL)
            killed += 1
            ready = live.ready()
            told += any("analysis" in line.lower() or "again" in line.lower() for line in live.errors)
            with Capture(autoconnect=port_name(ready)) as capture:
                time.sleep(1.5)
                live.send("/cue/stop")
                time.sleep(0.4)
                heard = capture.heard()
                sounding += len(still_sounding([event.data for event in heard]))
                heard_notes += len(struck(heard))
            live.quit()
    return {"killed": killed, "left sounding": sounding, "notes heard": heard_notes, "person was told": told}


def kill_while_saving(film: Path, home: Path, times: int, rng: random.Random) -> dict[str, object]:
    """Each life takes up the session file that the one before left."""
    session = home / "saved.cuebridge.json"
    unreadable, lost_s, moves = 0, [], 0
    for number in range(times):
        source = session if session.exists() else film
        with Live(source, home, "--midi-api", "none", "--session", str(session)) as live:
            live.ready()
            acknowledged: list[tuple[float, float]] = []
            end = time.monotonic() + rng.uniform(0.6, 2.0)
            while time.monotonic() < end:
                value = 50.0 + 25.0 * ((number * 997 + len(acknowledged)) % 1000) / 1000
                answer = live.send("/cue/swing", value)
                if answer is not None and answer.address == "/cue/swing":
                    acknowledged.append((time.monotonic(), next(iter(answer.params))))
            live.process.kill()
            killed = time.monotonic()
            live.process.wait(10)
        moves += len(acknowledged)
        try:
            saved = read_session(session)
        except SessionError as error:
            unreadable += 1
            print(f"kill {number + 1}: {error}")
            continue
        kept = saved.steps[saved.index].document.number_of("/cue/swing")
        lost = [at for at, value in acknowledged if abs(value - kept) < 1e-4]
        # The first acknowledged move after the one that is in the file is the oldest that was lost.
        after = [at for at, _ in acknowledged if not lost or at > lost[-1]]
        lost_s.append(killed - after[0] if after else 0.0)
    return {
        "killed": times, "moves": moves, "unreadable": unreadable,
        "oldest lost move, s": f"p50 {sorted(lost_s)[len(lost_s) // 2]:.2f} max {max(lost_s):.2f}",
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--film", type=Path, default=CLIP)
    parser.add_argument("--victims", nargs="+", default=["engine", "analysis", "player", "bridge", "save"])
    options = parser.parse_args()
    if (reason := why_not()) is not None:
        print(f"not measured: {reason}")
        return 0
    with tempfile.TemporaryDirectory() as folder, JackServer(period=1024) as server:
        home = Path(folder)
        print(server.about)
        for victim in options.victims:
            if victim == "save":
                result = kill_while_saving(options.film, home, options.times, random.Random(3))
            elif victim == "bridge":
                result = kill_the_bridge(options.film, home, options.times)
            elif victim == "analysis":
                result = kill_the_analysis(options.film, home, options.times)
            else:
                result = kill_during_play(options.film, home, victim, options.times)
            print(f"{victim:<9}", ", ".join(f"{name} {value}" for name, value in result.items()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
