"""The plugin in C: damaged inputs in number, and what a block costs the host's audio thread.

python tests/bench/plugin.py fuzz [COUNT]   1,000,000 damaged inputs under the sanitizers
python tests/bench/plugin.py blocks         processor time of a block with 20,000 notes, beside an idle plugin
python tests/bench/plugin.py ardour [vst3]  in a headless Ardour: printed, looped, located, reopened, exported; else LV2
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

import pluginlab
from pluginlab import RATE, Host, Transport, state_of

from bridge.player import messages as m
from bridge.player.memory import PlayerMemory
from bridge.player.tempo import TempoLine
from bridge.plugin.plan import ALL_PARTS, PluginPlan
from engine.music import TempoMap
from engine.music.note import Note

FLAGS = "-g -fsanitize=address,undefined -fno-sanitize-recover=all"
NOTES = 20_000
FRAMES = 128


def fuzz(folder: Path, count: int) -> None:
    pluginlab.make(folder, "fuzz", flags=FLAGS)
    began = time.perf_counter()
    environment = {**os.environ, "CUEBRIDGE_PLUGIN_LINK": "/nowhere"}
    subprocess.run([str(folder / "fuzz"), str(count), str(random.randrange(1 << 30))], env=environment, check=True)
    print(f"0 findings in {count:,} inputs, {time.perf_counter() - began:.0f} s")


def plan_of(notes: list[Note]) -> bytes:
    memory, plan = PlayerMemory(m.PlayerOptions()), PluginPlan()
    said = [*memory.tempo(1, TempoLine.of(TempoMap.constant(120)))]
    said += memory.plan(1, "seconds", notes, [], -1e9)
    for message in said:
        plan.take(message)
    return state_of(plan.body("A film", True).granted(ALL_PARTS))


def blocks(folder: Path) -> None:
    pluginlab.make(folder, "clap", "host")
    draw = random.Random(1)
    held, very_many = (
        [Note(draw.randrange(128), 80, i / count, 3600.0, i % 16 + 1, "pad") for i in range(count)]
        for count in (NOTES, 10 * NOTES)
    )
    spread = [Note(draw.randrange(30, 100), 80, i / 40, 0.3, i % 16 + 1, "arp") for i in range(NOTES)]
    cases = {
        "idle (no plan)": None,
        "20,000 notes in 500 s": plan_of(spread),
        "20,000 notes, all of them long": plan_of(held),
        "200,000 notes, all of them long": plan_of(very_many),
    }
    print(f"{'':48}{'mean us':>9}{'p50':>9}{'p99':>9}{'worst':>9}")
    for name, state in cases.items():
        for locates in (False, True):
            if state is None and locates:
                continue
            with Host(folder / "cuebridge.clap", folder / "clap-host") as host:
                if state is not None:
                    host.load(state)
                for number in range(20_000):
                    at = number * FRAMES / RATE
                    host.block(FRAMES, Transport(at + 5.0 * (number % 100 // 50) if locates else at))
                host.finish()
            title = name + (", a locate every 50" if locates else "")
            times = sorted(host.times_us)
            p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
            print(f"{title:48}{sum(times) / len(times):9.2f}{p50:9.2f}{p99:9.2f}{times[-1]:9.1f}")


def ardour(folder: Path, vst3: bool) -> None:
    """Frames at 48 kHz between what came and what was composed, or what Ardour itself plays of its take."""
    from tests import pluginardour
    from tests.pluginardour import OFF_GRID, ON_GRID

    if (reason := pluginardour.why_not()) is not None:
        raise SystemExit(f"cannot measure: {reason}")
    life = pluginardour.measure(folder, pluginardour.Vst3Ardour if vst3 else pluginardour.PluginArdour)
    planned = {(note.channel, note.pitch): note.start_beats * RATE for note in pluginardour.score()}

    def row(title: str, errors: list[float], of: int) -> None:
        print(f"{title:66}{len(errors):>5} of {of:<5}{min(errors):9.2f} … {max(errors):.2f}")

    for channel, grid in ((ON_GRID, "on"), (OFF_GRID, "off")):
        taken = [note for note in life.take if note.channel == channel - 1]
        errors = [note.start_s * RATE - planned[channel, note.pitch] for note in taken]
        row(
            f"recorded on another track, notes {grid} Ardour's ticks", errors, sum(key[0] == channel for key in planned)
        )
    for title, stage in (("loop", life.loop), ("locate while rolling", life.locate)):
        mine, ardours = stage.on_grid()
        near = [
            min((ours.frame - each.frame for ours in mine if ours.pitch == each.pitch), key=abs)
            for each in ardours
            if any(ours.pitch == each.pitch for ours in mine)
        ]
        row(f"{title}: beside Ardour's own playing of the take", near, len(ardours))
    first = life.reopened.ardour[0]
    zero = first.frame - planned[first.channel, first.pitch]
    errors = [each.frame - zero - planned[each.channel, each.pitch] for each in life.reopened.plugin]
    row("reopened without CueBridge", errors, len(planned))
    wanted = sorted(pluginardour.expected(pluginardour.score()))
    found = pluginardour.impulses(life.exported)
    errors = [impulse.frame - frame for impulse, frame in zip(found, wanted, strict=False)]
    row("exported without CueBridge: impulses of an instrument", errors, len(wanted))
    print(f"{len(life.exported) / RATE:.1f} s exported in {life.export_s:.1f} s, Ardour's start included")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        if sys.argv[1:2] == ["blocks"]:
            blocks(Path(place))
        elif sys.argv[1:2] == ["ardour"]:
            ardour(Path(place), sys.argv[2:] == ["vst3"])
        else:
            fuzz(Path(place), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
