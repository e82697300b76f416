"""The VST3 face where it differs from CLAP: velocities as fractions, loops in quarter notes; and Ardour scans it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from pluginlab import NO_COMPILER, RATE, Host, Transport, compiler, make, state_of

from bridge.player import messages as m
from bridge.player.memory import PlayerMemory
from bridge.player.tempo import TempoLine
from bridge.plugin.plan import ALL_PARTS, PluginPlan
from engine.music import TempoMap
from engine.music.note import Controller, Note


@pytest.fixture(scope="module")
def vst3(built):
    return replace(built, format="VST3")


def state(notes: list[Note], controls: list[Controller] = (), unit: str = "seconds") -> bytes:
    """A project's state with a plan on seconds, or on beats of 60 a minute."""
    memory, plan = PlayerMemory(m.PlayerOptions()), PluginPlan()
    said = memory.tempo(1, TempoLine.of(TempoMap.constant(60)))
    for message in [*said, *memory.plan(1, unit, notes, controls, -1e9)]:
        plan.take(message)
    return state_of(plan.body("A film", True).granted(ALL_PARTS))


def test_every_velocity_and_value_arrives_in_hosts_that_round_and_that_cut_off(vst3) -> None:
    """Velocities are fractions of 1 in VST3; the test host computes both and refuses what differs."""
    notes = [Note(60, 1 + i, i * 0.1, 0.05, 2, "arp") for i in range(127)]
    controls = [Controller(11, i, i * 0.05, 1, "pad") for i in range(128)]
    with Host(vst3.plugin, vst3.host) as host:
        host.load(state(notes, controls))
        for number in range(1300):
            host.block(480, Transport(number / 100))
        heard = host.finish()
    assert [each.data2 for each in heard if each.is_on] == list(range(1, 128))
    assert [each.data2 for each in heard if each.status == 0xB0 and each.data1 == 11] == list(range(128))


def test_a_loop_over_a_change_of_tempo_turns_at_the_right_second(vst3) -> None:
    """VST3 states loops in quarter notes only: where its start is in seconds is learned when it is passed."""
    turn_s, change, loop = 4.0, 8.0, (4.0, 12.0)  # 120 bpm up to beat 8, then 60; the loop is 2 s to 8 s
    beats_at = lambda s: 2 * s if s < turn_s else change + (s - turn_s)  # noqa: E731
    notes = [Note(40 + i, 80, i * 0.125 + 0.003 * (i % 2), 0.05, 2, "arp") for i in range(80)]
    wanted, starts, position = [], [], round(1.0 * RATE)  # wanted: of each frame, where the playhead is
    end, length = round(8.0 * RATE), round(6.0 * RATE)
    with Host(vst3.plugin, vst3.host) as host:
        host.load(state(notes))
        while len(wanted) < 20 * RATE:  # no block begins where the loop turns
            seconds = position / RATE
            bpm = 120.0 if seconds < turn_s else 60.0
            host.block(1024, Transport(seconds, beats_at(seconds), bpm, loop_s=(2.0, 8.0), loop_beats=loop))
            starts.append(len(wanted))
            frames = [at if at < end else at - length for at in range(position, position + 1024)]
            wanted += frames
            position = frames[-1] + 1
        host.block(64, Transport(0.0, rolling=False))
        heard = host.finish()
    by_frame = {round(note.start_beats * RATE): note.pitch for note in notes}
    should = [(number, by_frame[at]) for number, at in enumerate(wanted) if at in by_frame]
    did = [(starts[each.block] + each.frame, each.data1) for each in heard if each.is_on]
    assert did == should and len(did) > 100


@pytest.mark.parametrize("frames", [64, 1000, 4096])
def test_a_ramp_is_followed_from_block_to_block(vst3, frames) -> None:
    """VST3 states one tempo a block: a note is off by what the tempo changes within it at most, and none is lost."""
    notes = [Note(40 + i, 80, i * 0.25, 0.1, 2, "arp") for i in range(30)]
    step = 60.0 / (6 * RATE)  # bpm a frame: 60 to 120 in six seconds
    beats_at = lambda frame: (60.0 * frame + 0.5 * step * frame * frame) / 60 / RATE  # noqa: E731
    with Host(vst3.plugin, vst3.host) as host:
        host.load(state(notes, unit="beats"))
        for first in range(0, round(6.5 * RATE), frames):
            host.block(frames, Transport(first / RATE, beats_at(first), 60.0 + step * first))
        host.block(64, Transport(0.0, rolling=False))
        heard = [each for each in host.finish() if each.is_on]
    assert [each.data1 for each in heard] == [40 + i for i in range(30)]
    for note, each in zip(notes, heard, strict=True):
        frame = each.block * frames + each.frame
        exact = (-60.0 + (3600.0 + 2 * step * note.start_beats * 60 * RATE) ** 0.5) / step
        assert abs(frame - exact) <= 1 + step * frames / 60.0 * frames


def ticks(beats: float) -> float:
    """As a host says it that counts 1920 ticks a beat."""
    return round(beats * 1920) / 1920


@pytest.mark.parametrize("unit", ["seconds", "beats"])
@pytest.mark.parametrize("bpm", [120.0, 97.0, 61.37])
def test_a_loop_of_a_host_that_rounds_to_ticks(vst3, bpm, unit) -> None:
    """Ardour 7.3 says its place in ticks, whole blocks across the turn, and the place behind it with the next block."""
    beats_at = lambda frame: frame * bpm / 60 / RATE  # noqa: E731
    frame_at = lambda beats: beats * 60 / bpm * RATE  # noqa: E731
    edges = round(frame_at(8)), round(frame_at(12))
    grid = [8 + i / 4 for i in range(17)]  # the first on the start of the loop, the last on its end
    starts = [beat if unit == "beats" else beat * 60 / bpm for beat in grid]
    notes = [Note(40 + i, 80, start, 0.04, 2, "arp") for i, start in enumerate(starts)]
    notes += [Note(36, 70, start, starts[8] - starts[0], 1, "pad") for start in (starts[0], starts[8])]
    length, first, begins = edges[1] - edges[0], edges[0] - 3000, range(0, round(2.6 * (edges[1] - edges[0])), 1024)
    with Host(vst3.plugin, vst3.host) as host:
        host.load(state(notes, unit=unit))
        for begin in begins:
            at = first + begin if first + begin < edges[1] else edges[0] + (first + begin - edges[0]) % length
            host.block(1024, Transport(at / RATE, ticks(beats_at(at)), bpm, loop_s=(0, 1), loop_beats=(8.0, 12.0)))
        host.block(64, Transport(0.0, rolling=False))
        heard = host.finish()
    turns = [edges[0] - first + turn * length for turn in range(3)]
    should = [(frame_at(beat) - edges[0] + turn, 40 + i) for turn in turns for i, beat in enumerate(grid[:-1])]
    should = [each for each in should if each[0] < begins.stop]
    ons = [(begins[each.block] + each.frame, each.data1) for each in heard if each.is_on]
    did = [each for each in ons if each[1] != 36]
    assert [pitch for _, pitch in did] == [pitch for _, pitch in should] and len(did) > 40
    # Where the loop's edges lie between frames, what follows a turn in its period may be one frame off.
    within = 0.5 if bpm == 120.0 else 1.5
    assert all(abs(a - b) <= within + 1e-3 for (a, _), (b, _) in zip(did, should, strict=True))
    pads = [at for at, pitch in ons if pitch == 36]  # struck where it begins, and nowhere else
    assert pads == [at for at, pitch in did if pitch in (40, 48)]


def test_ticks_are_made_finer_where_the_tempo_changed_before(vst3) -> None:
    """No line through bar 1 there: each block narrows down where the beats are; off by half a tick at first."""
    turn, first, then = 7.3137, 100.0, 131.7  # seconds in which it changes; bpm
    beats_at = lambda s: s * first / 60 if s < turn else turn * first / 60 + (s - turn) * then / 60  # noqa: E731
    beats = [15 + i / 3 for i in range(60)]
    with Host(vst3.plugin, vst3.host) as host:
        host.load(state([Note(30 + i, 80, beat, 0.1, 2, "arp") for i, beat in enumerate(beats)], unit="beats"))
        for block in range(round(18 * RATE / 256)):
            at = block * 256 / RATE
            host.block(256, Transport(at, ticks(beats_at(at)), first if at < turn else then))
        heard = [each for each in host.finish() if each.is_on]
    assert [each.data1 for each in heard] == [30 + i for i in range(len(heard))] and len(heard) > 50
    half_tick = 60 / then * RATE / 1920 / 2
    for number, (each, beat) in enumerate(zip(heard, beats, strict=False)):
        exact = (turn + (beat - turn * first / 60) * 60 / then) * RATE
        assert abs(each.block * 256 + each.frame - exact) <= (half_tick + 0.5 if number < 4 else 1.0)


def test_ardour_scans_it(tmp_path) -> None:
    """A host that was built with Steinberg's own declarations reads its classes and buses."""
    if compiler() is None:
        pytest.skip(NO_COMPILER)
    found = next(iter(Path("/usr/lib").glob("ardour*/ardour-vst3-scanner")), None)
    if found is None:
        pytest.skip("Ardour is not installed")
    make(tmp_path, "vst3")
    environment = {**os.environ, "HOME": str(tmp_path), "LD_LIBRARY_PATH": str(found.parent)}
    environment.update(CUEBRIDGE_PLUGIN_LINK="/nowhere")
    command = [str(found), "-f", "-v", str(tmp_path / "cuebridge.vst3")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    said = done.stdout + done.stderr
    assert "Found Plugin: CueBridge" in said, said
    for each in ('category="Instrument"', 'n_outputs="2"', 'n_midi_outputs="1"', 'vendor="CueBridge"', 'n_inputs="0"'):
        assert each in said, said
