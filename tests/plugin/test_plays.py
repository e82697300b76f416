"""The plugin in a CLAP host of our own, against the notes of a composed cue: none missing, none extra, half a sample.

What should sound is computed here from the notes and from where the playhead was; nothing of it comes from the plugin.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from livelab import CLIP
from offlinelab import OfflineStage, offline_time
from pluginlab import RATE, Heard, Host, Transport, sounding_after, state_of
from sessionlab import Engine

from bridge.player import messages as m
from bridge.player.memory import PlayerMemory
from bridge.player.tempo import TempoLine
from bridge.plugin.plan import ALL_PARTS, PluginPlan
from bridge.session.session import SessionOptions
from engine.brief import Brief
from engine.music import TempoMap, TimeSignature
from engine.music.note import Controller, Note

SECONDS = 24.0
SHORTEST_S = 0.1


@dataclass(frozen=True)
class Composed:
    """A cue as its port would play it.  notes: start, end, channel, pitch, velocity, whether sustained, by timeline
    second; sent: note-ons that the port got, (second, channel, pitch, velocity)."""

    plan: PluginPlan
    line: TempoLine
    notes: list[tuple[float, float, int, int, int, bool]]
    sent: list[tuple[float, int, int, int]]

    def state(self, parts: int = ALL_PARTS, part: int = 0) -> bytes:
        return state_of(self.plan.body("A film", True).granted(parts), part)


def composed(brief: Brief) -> Composed:
    with offline_time() as clock:
        stage = OfflineStage(clock, Engine(SECONDS), SessionOptions(str(CLIP), tempo=brief))
        told: list[bytes] = []
        stage.player.listeners.append(told.append)
        try:
            ons = [e for e in stage.played(SECONDS) if e.status & 0xF0 == 0x90]
            sent = [(e.position_s, e.status & 15, e.data1, e.data2) for e in ons]
        finally:
            stage.close()
    plan = PluginPlan()
    for message in told:
        plan.take(message)
    line = plan._line
    at = line.seconds_at if plan._score.unit == "beats" else float
    notes = [
        (at(note.start), at(note.end), note.channel, note.pitch, note.velocity, lane.sustained)
        for lane in plan._score.lanes
        for note in lane.notes
    ]
    return Composed(plan, line, sorted(notes), sent)


@pytest.fixture(scope="module", params=["4/4", "7/8", "seconds"])
def cue(request) -> Composed:
    briefs = {
        "4/4": Brief(bpm=97),
        "7/8": Brief(bpm=132.5, meter=TimeSignature(7, 8)),
        "seconds": Brief(grid="seconds"),
    }
    made = composed(briefs[request.param])
    assert len(made.notes) > 100
    return made


@dataclass
class Stretch:
    """Frames of the host's output in which the playhead runs on from a timeline second."""

    first: int
    seconds: float
    frames: int = 0


def expected(cue: Composed, stretches: list[Stretch]) -> list[tuple[float, float, int, int, int]]:
    """(frame of the on, frame of the off, channel, pitch, velocity), as floats."""
    found = []
    for stretch in stretches:
        half = 0.5 / RATE
        begin, end = stretch.seconds, stretch.seconds + stretch.frames / RATE
        frame = lambda at, s=stretch: s.first + (at - s.seconds) * RATE  # noqa: E731
        ons: list[tuple[float, float, int, int, int]] = []
        held = [n for n in cue.notes if n[0] < begin - half and n[1] - begin > SHORTEST_S and n[5]]
        ons += [(float(stretch.first), frame(n[1]), *n[2:5]) for n in held]
        ons += [(frame(n[0]), frame(n[1]), *n[2:5]) for n in cue.notes if begin - half <= n[0] < end - half]
        by_key: dict[tuple[int, int], list[tuple[float, float, int, int, int]]] = {}
        for on in ons:
            by_key.setdefault(on[2:4], []).append(on)
        last = float(stretch.first + stretch.frames)
        for notes in by_key.values():
            notes.sort()
            for this, following in pairwise([*notes, (last, last, 0, 0, 0)]):
                found.append((this[0], min(this[1], following[0], last), *this[2:]))
    return sorted(found)


def paired(heard: list[Heard], starts: list[int]) -> list[tuple[int, int, int, int, int]]:
    """Notes as they were heard, by frames from the beginning.  starts: the first frame of each block."""
    sounding: dict[tuple[int, int], tuple[int, int]] = {}
    notes = []
    for message in heard:
        at = starts[message.block] + message.frame
        key = (message.status & 15, message.data1)
        if message.is_on:
            sounding[key] = (at, message.data2)
        elif message.is_off:
            began, velocity = sounding.pop(key)
            notes.append((began, at, *key, velocity))
    assert not sounding
    return sorted(notes)


def assert_same(wanted: list[tuple[float, float, int, int, int]], heard: list[tuple[int, int, int, int, int]]) -> None:
    by_key = lambda note: (note[2:], note[0])  # noqa: E731
    wanted, heard = sorted(wanted, key=by_key), sorted(heard, key=by_key)
    assert [note[2:] for note in wanted] == [note[2:] for note in heard]  # missing 0, extra 0
    for should, did in zip(wanted, heard, strict=True):
        assert abs(should[0] - did[0]) <= 0.5 + 1e-3, (should, did)
        assert abs(should[1] - did[1]) <= 0.5 + 1e-3, (should, did)


class Playhead:
    """Blocks of a host that rolls, locates, loops and stops; keeps the stretches that come of it.

    whole_frames: it stands on a frame of the timeline, as every VST3 host says it does.
    """

    def __init__(self, host: Host, cue: Composed, by_beats: bool = False, whole_frames: bool = False) -> None:
        self.host, self.cue, self.by_beats, self.whole_frames = host, cue, by_beats, whole_frames
        self.frame = 0
        self.starts: list[int] = []
        self.stretches: list[Stretch] = []
        self.position_s = 0.0
        self.loop_s: tuple[float, float] | None = None
        self.rolling = False

    def locate(self, seconds: float) -> None:
        self.position_s = round(seconds * RATE) / RATE if self.whole_frames else seconds
        self.rolling = False  # the next block begins a stretch

    def block(self, frames: int, rolling: bool = True) -> None:
        transport = self.transport(rolling)
        self.host.block(frames, transport)
        self.starts.append(self.frame)
        if rolling:
            self._roll(frames)
        self.rolling = rolling
        self.frame += frames

    def transport(self, rolling: bool) -> Transport:
        line, at = self.cue.line, self.position_s
        beats = line.beats_at(at)
        loop_beats = (0.0, 0.0) if self.loop_s is None else tuple(map(line.beats_at, self.loop_s))
        return Transport(
            at,
            beats if self.by_beats else None,
            line.bpm_at(beats),
            rolling=rolling,
            loop_s=self.loop_s,
            loop_beats=loop_beats,
        )

    def _roll(self, frames: int) -> None:
        done = 0
        while done < frames:
            if not self.rolling:
                self.stretches.append(Stretch(self.frame + done, self.position_s))
                self.rolling = True
            left = frames - done
            turn = None
            if self.loop_s is not None and self.position_s < self.loop_s[1]:
                turn = round((self.loop_s[1] - self.position_s) * RATE)
            take = left if turn is None or turn >= left else turn
            self.stretches[-1].frames += take
            self.position_s += take / RATE
            done += take
            if turn is not None and take == turn:
                self.position_s = self.loop_s[0] + (self.position_s - self.loop_s[1])
                self.rolling = False


@pytest.mark.parametrize("by_beats", [False, True], ids=["by seconds", "by beats"])
def test_random_blocks_and_events(either, cue, by_beats) -> None:
    draw = random.Random(7)
    can_loop = by_beats or either.format != "VST3"  # where loops are stated in quarter notes only
    with Host(either.plugin, either.host) as host:
        host.load(cue.state())
        at = Playhead(host, cue, by_beats, whole_frames=either.format == "VST3")
        blocks = 3400 if by_beats else 1700
        for number in range(blocks):
            chance = draw.random()
            if number and chance < 0.02:  # a locate while it rolls, far enough to be none by rounding
                at.locate(_elsewhere(draw, at.position_s))
            elif chance < 0.04:
                for _ in range(draw.randrange(1, 4)):
                    at.block(draw.randrange(1, 2000), rolling=False)
                if draw.random() < 0.5:
                    at.locate(draw.uniform(-1.0, SECONDS))
            elif chance < 0.05 and can_loop:
                start_s = round(draw.uniform(0, SECONDS - 3) * RATE) / RATE
                at.loop_s = (start_s, start_s + round(draw.uniform(0.3, 3.0) * RATE) / RATE)
                at.locate(_elsewhere(draw, at.position_s, at.loop_s))
            elif chance < 0.06:
                at.loop_s = None
            if at.position_s > SECONDS + 1:
                at.locate(0.0)
            at.block(_frames(draw))
        at.block(64, rolling=False)
        heard = host.finish()
    assert host.loaded == [True]
    assert_same(expected(cue, at.stretches), paired(heard, at.starts))
    assert sum(message.is_on for message in heard) > 1000


def _frames(draw: random.Random) -> int:
    return draw.choice(
        [1, draw.randrange(1, 64), 128, 256, draw.randrange(1, 1024), 1024, draw.randrange(1, 8193), 8192]
    )


def _elsewhere(draw: random.Random, position_s: float, below: tuple[float, float] | None = None) -> float:
    while True:
        wanted = draw.uniform(-1.0, SECONDS) if below is None else draw.uniform(0.0, below[1] - 0.05)
        if abs(wanted - position_s) > 1.0:
            return wanted
        if below is not None and below[1] - 0.05 < position_s + 1.0:
            return below[0] if abs(below[0] - position_s) > 1.0 else position_s + 60.0


def test_the_same_notes_as_the_port(either, cue) -> None:
    with Host(either.plugin, either.host) as host:
        host.load(cue.state())
        at = Playhead(host, cue)
        while at.position_s < SECONDS + 6:
            at.block(1024)
        at.block(1024, rolling=False)
        heard = host.finish()
    mine = sorted((h.status & 15, h.data1, h.data2, (at.starts[h.block] + h.frame) / RATE) for h in heard if h.is_on)
    ports = sorted((channel, pitch, velocity, second) for second, channel, pitch, velocity in cue.sent)
    assert [note[:3] for note in mine] == [note[:3] for note in ports]
    for ours, theirs in zip(mine, ports, strict=True):
        assert ours[3] == pytest.approx(theirs[3], abs=0.51 / RATE)


# One thing at a time --------------------------------------------------------------------------------------------------


def plan_of(
    notes: list[Note], controllers: list[Controller] = (), unit: str = "seconds", bpm: float = 120.0, **muted: bool
) -> PluginPlan:
    memory, plan = PlayerMemory(m.PlayerOptions()), PluginPlan()
    said = [*memory.tempo(1, TempoLine.of(TempoMap.constant(bpm))), *memory.plan(1, unit, notes, controllers, -1e9)]
    for part, value in muted.items():
        said += memory.mute(part, value)
    for message in said:
        plan.take(message)
    return plan


def state_for(plan: PluginPlan, parts: int = ALL_PARTS, part: int = 0, bypass: bool = False) -> bytes:
    return state_of(plan.body("A film", True).granted(parts), part, bypass)


def arp(start: float, length: float = 0.05, pitch: int = 60) -> Note:
    return Note(pitch, 90, start, length, 2, "arp")


def pad(start: float, length: float, pitch: int = 48) -> Note:
    return Note(pitch, 70, start, length, 1, "pad")


def rolled(built, state: bytes, transports: list[tuple[int, Transport]]) -> list[tuple[int, int, int, int]]:
    """(frame from the beginning, status, data1, data2)."""
    with Host(built.plugin, built.host) as host:
        host.load(state)
        starts, frame = [], 0
        for frames, transport in transports:
            host.block(frames, transport)
            starts.append(frame)
            frame += frames
        heard = host.finish()
        assert host.loaded == [True]
    return [(starts[h.block] + h.frame, *h[2:]) for h in heard]


def steady(seconds: float, blocks: int, frames: int = 480, **more: object) -> Iterator[tuple[int, Transport]]:
    for number in range(blocks):
        yield frames, Transport(seconds + number * frames / RATE, **more)


STOP = (480, Transport(0.0, rolling=False))


def test_a_start_in_held_notes_sounds_the_pad_and_not_the_rest(either) -> None:
    plan = plan_of([pad(0, 4), arp(0.5, 3), Note(36, 80, 0.5, 3, 10, "drums")])
    heard = rolled(either, state_for(plan), [*steady(1.0, 2), STOP])
    assert heard == [(0, 0x90, 48, 70), (960, 0x80, 48, 64)]


@pytest.mark.parametrize("long_ones", [0.0, 0.02, 0.5, 1.0])
def test_a_start_among_thousands_of_notes_finds_those_that_are_held(built, long_ones) -> None:
    """As looking at every note does: of each key the one that began last of those that go on."""
    draw = random.Random(11)
    length = lambda: draw.uniform(50, 200) if draw.random() < long_ones else draw.uniform(0.05, 0.3)  # noqa: E731
    notes = [
        Note(draw.randrange(20, 60), 1 + i % 127, i * 0.01, length(), draw.choice([1, 1, 1, 3]), "pad")
        for i in range(9000)
    ]
    notes = [replace(note, part="arp", channel=2) if i % 5 == 0 else note for i, note in enumerate(notes)]
    for second in (0.005, 30.0, 55.555, 89.0, 200.0):
        held = {
            (note.channel - 1, note.pitch): note.velocity
            for note in notes
            if note.part == "pad" and note.start_beats < second and note.start_beats + note.length_beats > second + 0.1
        }
        heard = rolled(built, state_for(plan_of(notes)), [(64, Transport(second)), STOP])
        struck = {(each[1] & 15, each[2]): each[3] for each in heard if each[1] & 0xF0 == 0x90 and each[0] == 0}
        assert {key: value for key, value in struck.items() if key[0] != 1} == held
        assert held or not long_ones or not 1 < second < 90


def test_controllers_are_stated_where_play_begins_and_pedals_rise_where_it_ends(either) -> None:
    controls = [
        Controller(11, 40, 0.0, 1, "pad"),
        Controller(64, 127, 0.0, 1, "pad"),
        Controller(11, 41, 1.005, 1, "pad"),
    ]
    controls += [Controller(7, 99, 0.0, 1, "pad")]  # the mixer's, never sent
    heard = rolled(either, state_for(plan_of([pad(0, 4)], controls)), [*steady(1.0, 2), STOP])
    assert [each for each in heard if each[1] == 0xB0] == [
        (0, 0xB0, 11, 40), (0, 0xB0, 64, 127), (240, 0xB0, 11, 41), (960, 0xB0, 64, 0),
    ]  # fmt: skip


def test_a_tempo_that_the_host_doubles_halves_the_beats(either) -> None:
    plan = plan_of([arp(float(beat), 0.1, 60 + beat) for beat in range(4)], unit="beats")
    blocks = [(480, Transport(0.0, beats=i * 0.04, bpm=240.0)) for i in range(100)]
    heard = rolled(either, state_for(plan), [*blocks, STOP])
    assert [each[0] for each in heard if each[1] == 0x91] == [0, 12000, 24000, 36000]


def test_a_tempo_ramp_inside_blocks(built) -> None:
    plan = plan_of([arp(beat / 4, 0.1, 40 + beat) for beat in range(24)], unit="beats")
    bpm, step, beats, frame, blocks = 60.0, 60.0 / (4 * RATE), 0.0, 0, []
    at = lambda f: (60.0 * f + 0.5 * step * f * f) / 60 / RATE  # noqa: E731
    draw = random.Random(3)
    while beats < 6:
        frames = draw.randrange(1, 4000)
        blocks.append((frames, Transport(frame / RATE, beats=beats, bpm=bpm, bpm_step=step)))
        frame += frames
        beats, bpm = at(frame), 60.0 + step * frame
    heard = [each[0] for each in rolled(built, state_for(plan), [*blocks, STOP]) if each[1] == 0x91]
    assert len(heard) == 24
    for number, frame in enumerate(heard):
        low, high = at(frame - 0.51), at(frame + 0.51)
        assert low <= number / 4 <= high


def test_a_tempo_event_inside_a_block(built) -> None:
    plan = plan_of([arp(beat / 4, 0.1, 40 + beat) for beat in range(8)], unit="beats")
    with Host(built.plugin, built.host) as host:
        host.load(state_for(plan))
        host.transport_event(6000, Transport(0.125, beats=0.25, bpm=240.0))
        host.block(8000, Transport(0.0, beats=0.0, bpm=120.0))
        heard = host.finish()
    assert [each.frame for each in heard if each.is_on] == [0, 6000]
    plan = plan_of([arp(0.3, 0.1)], unit="beats")
    with Host(built.plugin, built.host) as host:
        host.load(state_for(plan))
        host.transport_event(6000, Transport(0.125, beats=0.25, bpm=240.0))
        host.block(8000, Transport(0.0, beats=0.0, bpm=120.0))
        heard = host.finish()
    assert [each.frame for each in heard if each.is_on] == [6600]  # 0.05 beats at 240


@pytest.mark.parametrize("speed", [0.5, 0.8, 1.5, 2.0])
def test_varispeed_that_the_host_does_not_state(either, speed) -> None:
    plan = plan_of([arp(i / 8, 0.01, 40 + i) for i in range(40)])
    # blocks of 500: VST3 hosts state whole frames of the timeline, and these begin on them
    blocks = [(500, Transport(i * 500 * speed / RATE)) for i in range(round(4.9 * RATE / speed / 500))]
    heard = [each for each in rolled(either, state_for(plan), [*blocks, STOP]) if each[1] == 0x91]
    assert [each[2] for each in heard] == [40 + i for i in range(40)]  # none missing, none twice
    for number, each in enumerate(heard):
        exact = number / 8 * RATE / speed
        assert abs(each[0] - exact) <= (0.51 if exact > 4 * 500 else 500)  # from the third block on it is known


def test_a_locate_that_is_stated_twice_doubles_nothing(either) -> None:
    """Ardour 7 states a place a little behind the wanted one first, then the wanted one."""
    plan = plan_of([arp(5 + i / 100, 0.2, 40 + i) for i in range(20)])
    blocks = [(1024, Transport(1.0)), (1024, Transport(242064 / RATE))]
    blocks += [(1024, Transport((240000 + 1024 * i) / RATE)) for i in range(12)]
    struck = [each[2] for each in rolled(either, state_for(plan), [*blocks, STOP]) if each[1] == 0x91]
    assert sorted(struck) == [40 + i for i in range(20)]


def test_a_host_that_stands_still_while_it_rolls_repeats_nothing(either) -> None:
    plan = plan_of([arp(1.0, 0.5)])
    blocks = [(480, Transport(1.0))] * 20 + [(480, Transport(1.0 + i / 100)) for i in range(1, 10)]
    assert [each[1] for each in rolled(either, state_for(plan), [*blocks, STOP])] == [0x91, 0x81]


def test_bypass_ends_what_sounds_and_its_end_brings_the_pad_back(either) -> None:
    plan = plan_of([pad(0, 9), arp(0.5, 5)])
    with Host(either.plugin, either.host) as host:
        host.load(state_for(plan))
        for number in range(100):
            if number in (60, 80):
                host.set(1, number == 60)
            host.block(480, Transport(number / 100))
        heard = host.finish()
    assert sorted((h.block, h.status, h.data1) for h in heard) == [
        (0, 0x90, 48), (50, 0x91, 60), (60, 0x80, 48), (60, 0x81, 60), (80, 0x90, 48),
    ]  # fmt: skip


def test_one_instance_a_part_and_muted_parts(either) -> None:
    notes = [pad(0.1, 1), arp(0.1, 1), Note(36, 80, 0.1, 1, 3, "bass")]
    on = lambda heard: {each[1] & 15 for each in heard if each[1] & 0xF0 == 0x90}  # noqa: E731
    blocks = [*steady(0.0, 30), STOP]
    assert on(rolled(either, state_for(plan_of(notes)), blocks)) == {0, 1, 2}
    assert on(rolled(either, state_for(plan_of(notes), part=2), blocks)) == {1}  # by the parameter
    assert on(rolled(either, state_for(plan_of(notes), parts=0b101), blocks)) == {0, 2}  # as CueBridge granted
    assert on(rolled(either, state_for(plan_of(notes), parts=0b101, part=2), blocks)) == set()
    assert on(rolled(either, state_for(plan_of(notes, pad=True)), blocks)) == {1, 2}


def test_another_plan_lets_common_notes_go_on_and_ends_the_others(either) -> None:
    before = plan_of([pad(0, 4, 48), pad(0, 4, 52), arp(0.9, 3, 60), arp(0.9, 3, 62)])
    after = plan_of([pad(0, 2, 48), pad(0, 4, 55), arp(0.9, 3, 60), arp(0.5, 3, 64), arp(1.5, 0.1, 65)])
    with Host(either.plugin, either.host) as host:
        host.load(state_for(before))
        for number in range(250):
            if number == 100:
                host.load(state_for(after))
            host.block(480, Transport(number / 100))
        heard = host.finish()
    by_block = [(h.block, h.status, h.data1) for h in heard if h.block >= 100]
    assert sorted(by_block[:3]) == [(100, 0x80, 52), (100, 0x81, 62), (100, 0x90, 55)]
    assert by_block[3:] == [(150, 0x91, 65), (160, 0x81, 65), (200, 0x80, 48)]


def test_a_full_output_loses_no_note_off(either) -> None:
    plan = plan_of([arp(i / 50, 0.015, 40 + i % 40) for i in range(200)])
    draw = random.Random(5)
    with Host(either.plugin, either.host) as host:
        host.load(state_for(plan))
        for number in range(500):
            host.block(480, Transport(number / 100), room=draw.randrange(0, 3))
        for _ in range(50):
            host.block(480, Transport(0.0, rolling=False), room=1)
        heard = host.finish()
    assert not sounding_after(heard)
    assert sum(h.is_on for h in heard) > 50


# What the project keeps -----------------------------------------------------------------------------------------------


def test_a_saved_project_plays_the_same_and_is_small(either, cue) -> None:
    with Host(either.plugin, either.host) as host:
        host.load(cue.state())
        host.save()
        host.answered()
        state = host.saved[0]
    runs = []
    for given in (cue.state(), state):
        with Host(either.plugin, either.host) as host:
            host.load(given)
            at = Playhead(host, cue)
            while at.position_s < SECONDS + 1:
                at.block(777)
            at.block(64, rolling=False)
            runs.append(paired(host.finish(), at.starts))
    assert [note[2:] for note in runs[0]] == [note[2:] for note in runs[1]]
    assert all(abs(a[0] - b[0]) <= 1 and abs(a[1] - b[1]) <= 1 for a, b in zip(*runs, strict=True))
    assert len(state) < 0.35 * len(cue.state())


def test_twenty_thousand_notes_take_less_than_100_kb(built) -> None:
    draw = random.Random(1)
    grid = [
        Note(
            draw.randrange(40, 90),
            draw.randrange(40, 110),
            i / 16 + draw.gauss(0, 0.004),
            draw.choice([0.2, 0.24, 0.5]),
            2,
            "arp",
        )
        for i in range(20_000)
    ]  # played by a person: no start on the grid
    with Host(built.plugin, built.host) as host:
        host.load(state_for(plan_of(grid, unit="beats")))
        host.save()
        host.answered()
    assert len(host.saved[0]) <= 100_000


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "other"])
def test_a_damaged_state_is_refused_and_what_plays_goes_on(either, cue, damage) -> None:
    with Host(either.plugin, either.host) as host:
        host.load(cue.state())
        host.save()
        host.answered()
        state = bytearray(host.saved[0])
        if damage == "cut":
            del state[-20:]
        elif damage == "bit":
            state[len(state) // 2] ^= 4
        else:
            state = bytearray() if damage == "empty" else bytearray(struct.pack("<4sI", b"CBPI", 2) + bytes(20))
        host.load(bytes(state))
        host.save()
        host.answered()
        assert host.loaded == [True, False]
        assert host.saved[1] == host.saved[0]
