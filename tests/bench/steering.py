"""From a datagram to the first captured note of a chord that only the new plan has.

    python tests/bench/steering.py [--changes 200] [--load] [--transport internal|ardour]

`live` runs on a private JACK server, with the internal transport in a loop or following the timecode of a headless
Ardour that rolls; changes of the progression come at random moments, each asked to be heard at the next chord,
alternating between two sets of chords without a common tone.  Per change it measures

* heard_ms: datagram sent -> first captured note-on of a tone that only the new chords have;
* wait_ms: datagram sent -> the chord boundary that the answer promised;
* late_ms: that note against the promised boundary;
* missed: the first chord boundary of the music in force that was at least 150 ms away was not taken.

A key left sounding or struck twice is a fault, unless JACK lost the period with its note-off in it (how many it lost is
printed too); the player sends those again for 0.3 s, which is too late for a key that is struck again before.

--load: meanwhile another film is analysed over and over by `cuebridge analyze --no-cache`.  Figures are percentiles.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from livelab import CLIP, COMMAND, Live, environment, port_name

from tests import ardourlab
from tests.jacklab import Capture, JackServer, open_client, still_sounding, why_not

SETS = (("C:1/2 G:1/2", {0, 4, 7, 2, 11}), ("F#:1/2 C#:1/2", {6, 10, 1, 8, 5}))
LOOP_S = (0.0, 28.0)
BPM = 120
CHORD_S = 1.0  # half a bar of 4/4 at 120
REACH_S = 0.15
STARTS = 8


def percentiles(values: list[float]) -> str:
    if not values:
        return "none"
    ordered = sorted(values)
    pick = lambda share: ordered[min(int(share * len(ordered)), len(ordered) - 1)]  # noqa: E731
    return f"p50 {pick(0.5):8.1f}   p99 {pick(0.99):8.1f}   max {ordered[-1]:8.1f}"


def position(live: Live) -> tuple[float, float]:
    """Picture second and the host time in the middle of asking for it."""
    before = time.perf_counter()
    answer = live.send("/cue/playhead")
    after = time.perf_counter()
    if answer is None or answer.address != "/cue/playhead":
        raise RuntimeError("no answer from live")
    return float(next(iter(answer.params))), (before + after) / 2


class ThrownOutError(Exception):
    """The JACK server has thrown Ardour out while it came up, as it does now and then."""


class Internal:
    """The internal transport, in a loop."""

    arguments = ()
    period = 256

    def __init__(self, folder: Path) -> None:
        """Nothing to prepare."""

    def __enter__(self) -> Internal:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to undo."""

    def roll(self, live: Live) -> None:
        live.send("/cue/loop", True, *LOOP_S)
        live.send("/cue/play")

    def turn(self, live: Live) -> None:
        """Waits until there is film enough for a change."""
        while not 1.0 < position(live)[0] < LOOP_S[1] - 4.0:
            time.sleep(0.1)

    def stop(self, live: Live) -> None:
        live.send("/cue/stop")


class Ardour(Internal):
    """A headless Ardour rolls and sends timecode; it is sent back to the beginning before the film ends."""

    arguments = ("--sync", "mtc")
    period = 1024

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._daw = ardourlab.Ardour(folder, BPM)

    def __enter__(self) -> Ardour:
        self._daw.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._daw.__exit__()

    def roll(self, live: Live) -> None:
        wires = open_client("wires")
        for name in ("MTC out", "MMC out"):
            for attempt in range(20):  # a busy server refuses now and then
                try:
                    wires.connect(f"ardour:{name}", "CueBridge:CueBridge Sync")
                    break
                except Exception:
                    if not wires.get_ports(f"ardour:{name}"):
                        raise ThrownOutError from None
                    if attempt == 19:
                        raise
                    time.sleep(0.25)
        wires.close()
        self._again(live)

    def _again(self, live: Live) -> None:
        self._daw.stop()
        self._daw.locate(0.0)
        self._daw.play()
        end = time.monotonic() + 20
        while not (1.0 < position(live)[0] < 8.0):
            if time.monotonic() > end:
                raise RuntimeError("Ardour does not roll, or its timecode does not arrive")
            time.sleep(0.1)

    def turn(self, live: Live) -> None:
        if position(live)[0] > LOOP_S[1] - 4.0:
            self._again(live)

    def stop(self, live: Live) -> None:
        self._daw.stop()


def run(changes: int, load: bool, seed: int, transport: type[Internal]) -> dict[str, object]:
    rng = random.Random(seed)
    heard_ms, wait_ms, late_ms = [], [], []
    missed = lost = reachable = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        JackServer(period=transport.period) as server,
        transport(Path(folder) / "daw") as roller,
    ):
        home = Path(folder)
        arguments = ["--midi-api", "jack-client", "--bpm", str(BPM), "--key", "C", "--no-session", "--mode", "loop",
                     "--form", "none", "--progression", SETS[0][0], "--parts", "pad,arp",
                     *transport.arguments]  # fmt: skip
        with Live(CLIP, home, *arguments) as live, Capture() as capture:
            ready = live.ready()
            capture.connect(port_name(ready))
            roller.roll(live)
            time.sleep(3.0)
            burner = analysis(home) if load else None
            try:
                for number in range(1, changes + 1):
                    roller.turn(live)
                    time.sleep(rng.uniform(0.0, CHORD_S))
                    picture_s, asked_s = position(live)
                    runs = live.send("/cue/chords")
                    starts = [float(value) for value in list(runs.params)[::2]] if runs is not None else []
                    chords, tones = SETS[number % 2]
                    sent_s = time.perf_counter()
                    answer = live.send("/cue/progression", chords, "chord")
                    if answer is None or answer.address != "/cue/progression":
                        lost += 1
                        continue
                    promised_s = float(list(answer.params)[-1])
                    at_s = picture_s + sent_s - asked_s
                    time.sleep(max(promised_s - at_s, 0) + 0.4)
                    news = (event for event in reversed(capture.heard()[-400:]) if event.host_s >= sent_s)
                    first = min((event.host_s for event in news if is_on(event.data, tones)), default=None)
                    if first is None:
                        lost += 1
                        continue
                    heard_ms.append((first - sent_s) * 1000)
                    wait_ms.append((promised_s - at_s) * 1000)
                    late_ms.append((first - sent_s) * 1000 - wait_ms[-1])
                    boundary_s = next((start_s for start_s in starts if start_s - at_s >= REACH_S), None)
                    if boundary_s is None:
                        continue
                    reachable += 1
                    missed += first - sent_s > boundary_s - at_s + 0.05
            finally:
                if burner is not None:
                    os.killpg(burner.pid, 15)
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        burner.wait(10)
            roller.stop(live)
            time.sleep(0.3)
            status = live.last("status") or {}
            messages = [event.data for event in capture.heard()]
            hanging = still_sounding(messages, doubled_too=False)
            doubled = sorted(set(still_sounding(messages)) - set(hanging))
            lost_cycles = capture.lost_cycles
        about = f"{server.about}; player priority {status.get('priority')}; {lost_cycles} JACK cycles lost"
    return {"heard": heard_ms, "wait": wait_ms, "late": late_ms, "reachable": reachable, "missed": missed, "lost": lost,
            "about": about, "hanging": hanging, "doubled": doubled}  # fmt: skip


def is_on(data: bytes, tones: set[int]) -> bool:
    return data[0] & 0xF0 == 0x90 and data[2] > 0 and data[1] % 12 in tones


def analysis(home: Path) -> subprocess.Popen[bytes]:
    """Looks at a film again and again, without the cache."""
    loop = f"while true; do {' '.join(COMMAND)} analyze {CLIP} --no-cache > /dev/null 2>&1; done"
    return subprocess.Popen(["sh", "-c", loop], env=environment(home), start_new_session=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--load", action="store_true")
    parser.add_argument("--transport", choices=("internal", "ardour"), default="internal")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    reason = ardourlab.why_not() if options.transport == "ardour" else why_not()
    if reason is not None:
        print(reason)
        return 0
    transport = Ardour if options.transport == "ardour" else Internal
    for attempt in range(STARTS):
        try:
            found = run(options.changes, options.load, options.seed, transport)
            break
        except ThrownOutError:
            print("JACK threw Ardour out while it came up; once more", flush=True)
            if attempt + 1 == STARTS:
                return 1
    if options.json:
        print(json.dumps(found))
        return 0
    what = f"{options.transport} transport; {'analysing meanwhile' if options.load else 'idle'}"
    print(f"{found['about']}; {what}; {options.changes} changes")
    for name in ("heard", "wait", "late"):
        print(f"{name + '_ms':10}{percentiles(found[name])}")  # type: ignore[arg-type]
    print(f"boundaries at least {REACH_S * 1000:.0f} ms away: {found['reachable']}, missed {found['missed']}")
    hanging, doubled = len(found["hanging"]), len(found["doubled"])  # type: ignore[arg-type]
    print(f"changes without an answer or a note: {found['lost']}")
    print(f"keys left sounding: {hanging}, struck twice: {doubled}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
