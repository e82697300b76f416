"""The builds for Windows (under Wine) and for Linux on ARM (under QEMU), each in the test host of its kind: they play
and save what the one for this machine does.

Zig's C compiler builds them (the extra `prebuilt`); the first time takes minutes, later ones seconds.
"""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pluginlab
import pytest
from linklab import played, running, tune
from pluginlab import PLUGIN, RATE, Host, Transport, state_of

from bridge.player import messages as m
from bridge.player.memory import PlayerMemory
from bridge.player.tempo import TempoLine
from bridge.plugin.plan import ALL_PARTS, PluginPlan
from engine.music import TempoMap
from engine.music.note import Controller, Note
from plugin import release

pytestmark = [pytest.mark.prebuilt, pytest.mark.timeout(1500)]
FORMATS, BPM = ("CLAP", "VST3"), 97.0


@dataclass(frozen=True)
class Machine:
    """How programs of another kind are run here.  build: its folder in a release; target: Zig's name of it."""

    build: str
    target: str
    libraries: tuple[str, ...]
    launch: tuple[str, ...]
    package: str  # of Debian

    def path(self, path: Path) -> str:
        return windows_path(path) if self.launch == ("wine",) else str(path)


ARM_LIBRARIES = Path("/usr/aarch64-linux-gnu")
MACHINES = (
    Machine("windows-x64", "x86_64-windows-gnu", ("-luser32",), ("wine",), "wine64"),
    Machine(
        "linux-arm64", "aarch64-linux-gnu.2.17", ("-ldl",), ("qemu-aarch64", "-L", str(ARM_LIBRARIES)), "qemu-user"
    ),
)


def why_not(machine: Machine) -> str | None:
    if importlib.util.find_spec("ziglang") is None or importlib.util.find_spec("lief") is None:
        return "the extra `prebuilt` is not installed"
    if shutil.which(machine.launch[0]) is None:
        return f"{machine.package} is not installed"
    if machine.package == "qemu-user" and not ARM_LIBRARIES.is_dir():
        return "libc6-arm64-cross is not installed"
    return None


def windows_path(path: Path) -> str:
    return "Z:" + str(path).replace("/", "\\")


@dataclass(frozen=True)
class Other:
    """A folder with the plugin and hosts for another machine, and what it takes to run them."""

    machine: Machine
    folder: Path
    environment: dict[str, str]

    def host(self, format_: str, **environment: str) -> Host:
        (build,) = [each for each in release.BUILDS if each.name == self.machine.build]
        library = self.machine.path(self.folder / build.name / build.library(format_.lower()))
        given = {**self.environment, **environment}
        return Host(
            Path(library), self.folder / f"{format_.lower()}-host.exe", environment=given, launch=self.machine.launch
        )


@pytest.fixture(scope="module", params=MACHINES, ids=lambda machine: machine.build)
def other(tmp_path_factory, request) -> Iterator[Other]:
    machine: Machine = request.param
    if (why := why_not(machine)) is not None:
        pytest.skip(why)
    folder = tmp_path_factory.mktemp(machine.build)
    (build,) = [each for each in release.BUILDS if each.name == machine.build]
    release.make(build, folder / build.name)
    for name in FORMATS:
        sources = [str(PLUGIN / "tests" / each) for each in ("host.c", f"host_{name.lower()}.c")]
        to = folder / f"{name.lower()}-host.exe"
        command = [
            sys.executable,
            "-m",
            "ziglang",
            "cc",
            "-target",
            machine.target,
            "-std=c11",
            "-O2",
            "-s",
            "-o",
            str(to),
        ]
        subprocess.run([*command, *sources, *machine.libraries], check=True, cwd=folder)
    environment = {}
    if machine.launch == ("wine",):
        environment = {"WINEPREFIX": str(folder / "wine"), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml="}
        subprocess.run(["wine", "wineboot", "-i"], env={**os.environ, **environment}, check=False, capture_output=True)
    yield Other(machine, folder, environment)
    if environment:
        subprocess.run(["wineserver", "-k"], env={**os.environ, **environment}, check=False)


def song() -> bytes:
    """A project's state with a hundred notes and a pedal, by beats."""
    memory, plan = PlayerMemory(m.PlayerOptions()), PluginPlan()
    notes = [Note(48 + 2 * (i % 3), 70, i * 4.0, 4.0, 1, "pad") for i in range(10)]
    notes += [Note(40 + i % 40, 60 + i % 67, i * 0.37, 0.2, 2, "arp") for i in range(90)]
    pedal = [Controller(64, 127 * (i % 2), i * 2.0, 1, "pad") for i in range(20)]
    said = [*memory.tempo(1, TempoLine.of(TempoMap.constant(BPM)))]
    said += memory.plan(1, "beats", sorted(notes, key=lambda note: note.start_beats), pedal, -1e9)
    for message in said:
        plan.take(message)
    return state_of(plan.body("A film", True).granted(ALL_PARTS))


def blocks() -> list[tuple[int, Transport]]:
    """Random sizes, locates, stops and a loop."""
    draw, frame, made, beat_s = random.Random(4), 0, [], 60 / BPM
    for number in range(600):
        loop = (16.0, 20.0) if 300 < number < 400 else None
        if loop is not None and frame / RATE >= loop[1] * beat_s:
            frame = round(loop[0] * beat_s * RATE)
        elif number % 97 == 0:
            frame = draw.randrange(0, 20 * int(RATE))
        frames = draw.choice([1, 64, 1024, draw.randrange(1, 8193), 8192])
        seconds, rolling = frame / RATE, number % 50 != 49
        loop_s = None if loop is None else (loop[0] * beat_s, loop[1] * beat_s)
        at = Transport(seconds, seconds / beat_s, BPM, rolling=rolling, loop_s=loop_s, loop_beats=loop or (0.0, 0.0))
        made.append((frames, at))
        frame += frames if rolling else 0
    return made


def play(host: Host) -> Host:
    with host:
        host.load(song())
        for frames, transport in blocks():
            host.block(frames, transport)
        host.block(64, Transport(0.0, rolling=False))
        host.save()
        host.finish()
    return host


def test_it_plays_and_saves_what_the_one_for_this_machine_does(other, either) -> None:
    there, here = play(other.host(either.format)), play(Host(either.plugin, either.host))
    assert there.loaded == [True] and there.saved == here.saved
    assert there.heard == here.heard
    assert sum(message.is_on for message in there.heard) > 100
    assert not pluginlab.sounding_after(there.heard)


@pytest.mark.parametrize("format_", FORMATS)
def test_it_gets_the_plan_from_a_cuebridge_that_runs(other, tmp_path, format_) -> None:
    """Over loopback, from Python here; the project is marked in the host's main thread."""
    path, notes = tmp_path / "plugin-link", tune()
    link = other.machine.path(path)
    with running(path, notes) as bridge, other.host(format_, CUEBRIDGE_PLUGIN_LINK=link) as host:
        host.answered()
        bridge.until(bridge.has_it(), host)
        bridge.until(lambda: host.dirty > 0, host)
        assert played(host) == [note.pitch for note in notes]
        host.wait(0.2)
        host.block(480, Transport(0.0, rolling=False))  # what rushed past before left no room for reports
        bridge.until(lambda: bridge.player.observed and bridge.player.observed[-1].rolling is False, host)
        (summary,) = bridge.link.summaries
        assert (summary.face, summary.host) == (format_, f"{format_.lower()}-host")
