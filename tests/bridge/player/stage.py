"""A stage for the player without its process: a port that remembers and can be pulled out, and an independent
model of what ought to sound, against which everything the port was sent is checked.

The model shares no code with the scheduler: it keeps plans as regions ("from here on this load is in force"),
the playhead as segments, and asks of every message whether it was allowed and of every note whether it came.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bridge.player.errors import PortError
from bridge.player.messages import CONTROL, NOTE, PlayerOptions, PortOptions
from bridge.player.performer import LAST_MOMENT_S, STALL_S, Performer
from bridge.player.port_types import PortLostError
from bridge.player.scheduler import RESEEK_BEATS, Due
from bridge.player.tempo import TempoLine
from bridge.transport.state import Loop

PARTS = ("pad", "arp", "bass", "melody", "drums")
EPS = 1e-6


class Port:
    """Takes messages like a real port; `pull` makes it fail, after `reach` more messages have got through."""

    api, reason = "test", "a test's port"
    xruns = 0
    sync_port = control_port = fault = ""

    def __init__(self, lookahead_s: float = 0.0) -> None:
        self.names = ("CueBridge",)
        self.lookahead_s = lookahead_s
        self.alive = True
        self.reach: int | None = None
        self.got: list[Due] = []
        self.synced: list[tuple[float, bytes]] = []

    def send(self, batch: Sequence[Due]) -> None:
        if not self.alive:
            raise PortLostError("went away")
        for due in batch:
            if self.reach is not None:
                if self.reach <= 0:
                    raise PortLostError("pulled out")
                self.reach -= 1
            self.got.append(due)

    def pull(self, reach: int) -> None:
        self.reach = reach

    def send_sync(self, batch: Sequence[tuple[float, bytes]]) -> None:
        self.synced += batch

    def drain(self, timeout_s: float) -> None:
        pass

    def peers(self) -> tuple[tuple[str, str], ...]:
        return ()

    def connect(self, peers: Sequence[tuple[str, str]]) -> None:
        pass

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class PlanNote:
    part: int
    channel: int
    pitch: int
    velocity: int
    start: float
    end: float


@dataclass
class Model:
    """What ought to be.  Positions in seconds, plans in the unit `unit`."""

    unit: str = "beats"
    tempo: TempoLine = field(default_factory=lambda: TempoLine.constant(120))
    loads: list[list[PlanNote]] = field(default_factory=lambda: [[]])
    force: list[tuple[float, int]] = field(default_factory=lambda: [(-1e15, 0)])  # (from, load): in this pass
    wanted: list[tuple[float, int]] = field(default_factory=lambda: [(-1e15, 0)])  # from the next jump on
    anchor: tuple[float, float] = (0.0, 0.0)  # host, position
    rolling: bool = False
    loop: Loop | None = None
    shifted: float = 0.0  # how far tempo changes moved the music in this pass (native units)

    def native(self, position_s: float) -> float:
        return position_s if self.unit == "seconds" else self.tempo.beats_at(position_s)

    def seconds(self, native: float) -> float:
        return native if self.unit == "seconds" else self.tempo.seconds_at(native)

    def position(self, host_s: float) -> float:
        return self.anchor[1] + (host_s - self.anchor[0] if self.rolling else 0.0)

    def jump(self) -> None:
        self.force = list(self.wanted)
        self.shifted = 0.0

    def load_at(self, native: float) -> int:
        return self.force[bisect_right(self.force, (native, 1 << 60)) - 1][1]

    @staticmethod
    def put(regions: list[tuple[float, int]], start: float, load: int) -> list[tuple[float, int]]:
        return [region for region in regions if region[0] < start - EPS] + [(start, load)]

    def near_boundary(self, native: float, slack: float) -> bool:
        return any(abs(start - native) <= slack for start, _ in self.force)

    def segments(self, host_s: float) -> Iterator[tuple[float, float, float, bool]]:
        """(from host, its position, to host, the last one) since the anchor, which moves to `host_s`.  A wrap
        is a jump: it happens when the next segment is asked for."""
        while self.rolling and self.loop is not None and self.anchor[1] < self.loop.end_s:
            start, position = self.anchor
            wrap = start + self.loop.end_s - position
            if wrap > host_s:
                break
            yield start, position, wrap, False
            length = self.loop.end_s - self.loop.start_s
            if host_s - wrap > STALL_S:
                self.anchor = (host_s, self.loop.start_s + (host_s - wrap) % length)
            else:
                self.anchor = (wrap, self.loop.start_s)
            self.jump()
        start, position = self.anchor
        self.anchor = (host_s, self.position(host_s))
        yield start, position, host_s, True


class Stage:
    """Drives a performer with random events and checks every message."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 10.0
        self.lookahead_s = self.random.choice((0.0, 0.0093, 0.0254))  # rtmidi, JACK periods of 256 and 1024
        self.commit_s = self.random.choice((0.25, 0.02))  # the default, and what a live session asks for
        self.port = Port(self.lookahead_s)
        self.port_up = True
        self.performer = Performer(
            PlayerOptions(ports=PortOptions(), commit_s=self.commit_s), self._open, self.now, None
        )
        self.model = Model(anchor=(self.now, 0.0))
        self.sounding: dict[tuple[int, int], tuple[int, float]] = {}  # what the receiver hears
        self.struck: dict[tuple[int, int, int], int] = {}  # note -> times struck in this pass
        self.codes: dict[tuple[int, int, int], PlanNote] = {}
        self.revision = 0
        self.events = 0
        self.muted: set[int] = set()
        self.allow_off = False  # the port came back: offs are sent for what may or may not sound
        self.excused = False  # chased again on purpose (unmute, port back, panic)
        self.played = self.dropped = 0

    def _open(self) -> Port:
        if not self.port_up:
            raise PortError("still pulled out")
        self.port = Port(self.lookahead_s)
        return self.port

    # making music -----------------------------------------------------------------------------------------------
    def new_notes(self, start: float, length: float) -> list[PlanNote]:
        """Pads in blocks of four, short notes of the others, few pitches, so that keys meet each other."""
        notes: list[PlanNote] = []
        pick = self.random
        time = start - 1.0
        while time < start + length:
            span = pick.choice((1.0, 2.0, 4.0))
            for pitch in pick.sample((48, 50, 52, 53, 55), 3):
                self._add(notes, 0, pitch, time, time + span * pick.choice((1.0, 1.0, 0.9)))
            time += span
        for part in (1, 2, 3, 4):
            time = start
            while time < start + length:
                step = pick.choice((0.125, 0.25, 0.5, 1.0, 1 / 3))
                if pick.random() < 0.7:
                    gate = pick.choice((0.5, 0.9, 1.0, 1.1))
                    self._add(notes, part, pick.choice((60, 62, 64, 65)), time, time + step * gate)
                time += step
        return sorted(notes, key=lambda note: note.start)

    def _add(self, notes: list[PlanNote], part: int, pitch: int, start: float, end: float) -> None:
        for velocity in range(1, 128):
            if (part, pitch, velocity) not in self.codes:
                note = PlanNote(part, part, pitch, velocity, start, end)
                self.codes[part, pitch, velocity] = note
                notes.append(note)
                return

    # events -----------------------------------------------------------------------------------------------------
    def run(self, events: int) -> None:
        weighted = (
            [self.wait] * 30
            + [self.play] * 9
            + [self.stop] * 3
            + [self.locate] * 4
            + [self.loop] * 4
            + [self.replan] * 5
            + [self.retempo] * 3
            + [self.pull] * 2
            + [self.mute] * 2
            + [self.stall, self.panic, self.change_unit]
        )
        while self.events < events:
            if not self._room():
                return
            event = self.random.choice(weighted)
            if not self.port_up and self.random.random() < 0.3:
                event = self.pull
            event()
            self.events += 1
            self.check_state()
        self.finish()

    def _room(self) -> bool:
        """Whether every note of another plan could still be told apart by its velocity."""
        return len(self.codes) < 1500

    def _at(self) -> float:
        return self.now + self.lookahead_s

    def wait(self) -> None:
        """Small steps, as the loop of the process makes them."""
        for _ in range(self.random.randint(1, 60)):
            self._step(self.random.choice((0.001, 0.005, 0.013, 0.03)), exact=True)

    def stall(self) -> None:
        self._step(self.random.choice((0.1, 0.4, 2.5)), exact=False)

    def play(self) -> None:
        at = self._catch_up()
        if not self.model.rolling:
            self.model.rolling = True
            self.model.jump()
            self._new_pass()
        self.model.anchor = (at, self.model.anchor[1])
        self.performer.play(self.now)
        self.collect(at)

    def stop(self) -> None:
        at = self._catch_up()
        if self.model.rolling:
            self.model.rolling = False
            self.model.jump()
            self._new_pass()
        self.performer.stop(self.now)
        self.collect(at)

    def locate(self) -> None:
        at = self._catch_up()
        around = self.model.seconds(max(self.model.wanted[-1][0], -1e3)) % 100
        position = self.random.choice((0.0, 2.0, around, around + 1.3, around - 0.4, self.random.uniform(-1, 20)))
        self.model.anchor = (at, position)
        self.model.jump()
        self._new_pass()
        self.performer.locate(position, self.now)
        self.collect(at)

    def loop(self) -> None:
        at = self._catch_up()
        loop = None
        if self.random.random() < 0.7:
            start = self.random.choice((0.0, 1.0, self.model.anchor[1], self.random.uniform(0, 20)))
            loop = Loop(start, start + self.random.choice((0.01, 0.3, 1.0, 2.0)))
        self.model.loop = loop if loop is not None and loop.valid else None
        self.performer.set_loop(loop, self.now)
        self.collect(at)

    def replan(self) -> None:
        at = self._catch_up()
        model = self.model
        here = model.native(model.position(at))
        wanted = here + self.random.choice((-5.0, -0.2, 0.0, 0.1, 0.5, 2.0, 8.0))
        notes = self.new_notes(wanted, self.random.choice((2.0, 8.0, 16.0)))
        self.revision += 1
        self.performer.begin_plan(self.revision, model.unit, wanted)
        for note in notes:
            self.performer.plan_event(
                NOTE, note.part, note.channel, note.pitch, note.velocity, note.start, note.end - note.start
            )
        for index in range(8):
            time = wanted + index * 0.5
            self.performer.plan_event(CONTROL, 0, 0, 1, self.random.randint(0, 127), time, 0.0)
        self.performer.plan_event(CONTROL, 0, 0, 7, 100, wanted, 0.0)  # must never be sent
        loaded: list[float] = []
        real = self.performer.scheduler.score.load

        def load(revision: int, lanes: object, want: float, effective: float) -> None:
            loaded.append(effective)
            real(revision, lanes, want, effective)  # type: ignore[arg-type]

        self.performer.scheduler.score.load = load  # type: ignore[method-assign]
        self.performer.commit_plan(self.revision, self.now)
        del self.performer.scheduler.score.load
        effective = loaded[0]
        # A plan takes over where it was asked to, or just behind what is committed, never later.
        assert effective >= wanted - EPS
        if model.rolling:
            committed = model.native(model.position(at) + self.commit_s)
            assert effective >= committed - EPS, "what is committed was replaced"
            assert effective <= max(wanted, committed) + 0.6, "the plan was taken over too late"
        else:
            assert effective == wanted
        model.loads.append(notes)
        model.force = model.put(model.force, effective, len(model.loads) - 1)
        model.wanted = model.put(model.wanted, wanted, len(model.loads) - 1)
        self.collect(at)

    def retempo(self) -> None:
        at = self._catch_up()
        model = self.model
        position = model.position(at)
        if self.random.random() < 0.5:
            # The way a DAW changes its tempo from the playhead on: the beat here stays.
            bpm = self.random.choice((60, 97, 120, 133))
            beat = model.tempo.beats_at(position)
            tempo = TempoLine([(beat, position, 60 / bpm)])
        else:
            tempo = TempoLine.constant(self.random.choice((60, 97, 120, 133)), self.random.choice((0.0, 0.5)))
        moved = abs(tempo.beats_at(position) - model.tempo.beats_at(position))
        model.tempo = tempo
        self.revision += 1
        self.performer.set_tempo(self.revision, tempo, self.now)
        if model.rolling and model.unit == "beats":
            if moved > RESEEK_BEATS:
                model.jump()
                self._new_pass()
            else:
                model.shifted += moved
        self.collect(at)

    def pull(self) -> None:
        """The port goes away in the middle of what comes next, or is plugged in again."""
        at = self._catch_up()
        if self.port_up:
            self.port_up = False
            if self.random.random() < 0.5:
                self.port.alive = False
            else:
                self.port.pull(self.random.randint(0, 3))
            self.collect(at)
            return
        self.port_up = True
        if self.performer.port_up:  # nothing was sent meanwhile: the loss was never noticed
            self.port.alive, self.port.reach = True, None
        self.allow_off = self.excused = True
        self._step(1.1, exact=False)
        self.allow_off = False
        assert self.performer.port_up

    def mute(self) -> None:
        at = self._catch_up()
        part = self.random.randrange(5)
        muted = part not in self.muted
        (self.muted.add if muted else self.muted.discard)(part)
        self.excused = True
        self.performer.mute(part, muted, self.now)
        self.collect(at)
        if muted and self.port_ok:
            assert not any(channel == part for channel, _ in self.sounding), "a muted part sounds"

    def panic(self) -> None:
        at = self._catch_up()
        self.performer.panic(self.now)
        heard = self.collect(at, panic=True)
        if self.port_ok:
            assert not self.sounding
            assert sum(due.status & 0xF0 == 0xB0 and due.data1 in (120, 121, 123) for due in heard) == 48

    def change_unit(self) -> None:
        """The next plan is in the other unit; what was planned keeps its seconds."""
        at = self._catch_up()
        model = self.model
        unit = "seconds" if model.unit == "beats" else "beats"
        change = model.tempo.seconds_at if unit == "seconds" else model.tempo.beats_at
        for regions in (model.force, model.wanted):
            regions[:] = [(-1e15 if start < -1e14 else change(start), load) for start, load in regions]
        for index, notes in enumerate(model.loads):
            model.loads[index] = [
                PlanNote(note.part, note.channel, note.pitch, note.velocity, change(note.start), change(note.end))
                for note in notes
            ]
        self.codes = {(note.channel, note.pitch, note.velocity): note for notes in model.loads for note in notes}
        model.unit = unit
        if model.rolling:
            model.jump()
            self._new_pass()
        else:
            model.jump()
        # An empty load far ahead carries the unit and changes nothing else.
        self.revision += 1
        far = 1e6
        model.loads.append([])
        model.force = model.put(model.force, far, len(model.loads) - 1)
        model.wanted = model.put(model.wanted, far, len(model.loads) - 1)
        self.performer.begin_plan(self.revision, unit, far)
        self.performer.commit_plan(self.revision, self.now)
        self.collect(at)

    # checking ---------------------------------------------------------------------------------------------------
    @property
    def port_ok(self) -> bool:
        return self.port_up and self.performer.port_up

    def _new_pass(self) -> None:
        self.struck.clear()

    def _catch_up(self) -> float:
        """The performer up to now; the host time from which the next command holds."""
        self._step(0.0, exact=True)
        return self._at()

    def _step(self, seconds: float, exact: bool) -> None:
        self.now += seconds
        at = self._at()
        up = self.port_ok
        self.performer.step(self.now)
        # Messages of a step belong to segments: split them there, so that each is judged by its own pass.
        rest = list(self.port.got)
        self.port.got.clear()
        first = True
        for start, position, end, last in self.model.segments(at):
            mine = [due for due in rest if last or due.host_s < end - LAST_MOMENT_S / 2]
            rest = rest[len(mine) :]
            # Each stretch is judged with the plans that were in force in it.
            self.judge(mine, start, position, end, exact and up and self.port_ok and not self.excused, not first)
            first = False
        self.excused = False

    def collect(self, at: float, panic: bool = False) -> list[Due]:
        got = list(self.port.got)
        self.port.got.clear()
        self.judge(got, at, self.model.position(at), at, False, False, panic)
        return got

    def judge(
        self,
        got: list[Due],
        start: float,
        position: float,
        end: float,
        exact: bool,
        wrapped: bool,
        panic: bool = False,
    ) -> None:
        model = self.model
        if wrapped:
            self._new_pass()
        rate = 1.0 if model.rolling else 0.0
        slack = EPS * 30 + model.shifted
        for due in got:
            here = position + (due.host_s - start) * rate
            kind, channel = due.status & 0xF0, due.status & 0x0F
            key = (channel, due.data1)
            if kind == 0x80:
                assert key in self.sounding or self.allow_off or self.excused, f"{key} released while silent"
                self.sounding.pop(key, None)
            elif kind == 0xB0:
                assert due.data1 not in (0, 7, 10, 32), "a controller that is never sent"
                assert panic or due.data1 not in (120, 121, 123), "only panic sends these"
            else:
                assert kind == 0x90
                assert due.data2 > 0
                assert key not in self.sounding, f"{key} struck while it sounds"
                assert model.rolling, "a note while the playhead stands"
                assert channel not in self.muted, "a note of a muted part"
                self.judge_strike(key, due, here, slack)
                self.sounding[key] = (due.data2, here)
                self.played += 1
        if exact and model.rolling:
            self.judge_complete(got, start, position, end, slack)

    def judge_strike(self, key: tuple[int, int], due: Due, here: float, slack: float) -> None:
        model = self.model
        note = self.codes[key[0], key[1], due.data2]
        native = model.native(here)
        early = note.start - native
        assert early <= slack, f"{note} struck {early:g} before its time"
        code = (key[0], key[1], due.data2)
        times = self.struck[code] = self.struck.get(code, 0) + 1
        assert times == 1 or self.excused, f"{note} struck {times} times in one pass"
        in_force = note in model.loads[model.load_at(note.start)]
        # A pad that the plan in force holds here may be taken up in its middle, also by the note it continued.
        taken_up = note.part == 0 and any(
            other.pitch == note.pitch and other.part == 0 and other.start <= native + 1e-4 < other.end + 2e-4
            for region in self._regions_near(native, 1e-4)
            for other in model.loads[region]
        )
        boundary = model.near_boundary(note.start, slack + 1e-4)
        assert in_force or taken_up or boundary, f"{note} is not in force at {native:g}"
        assert taken_up or note.end > native - slack, f"{note} struck after its end"

    def judge_complete(self, got: list[Due], start: float, position: float, end: float, slack: float) -> None:
        """Every note that began in this stretch was struck, on its own time."""
        model = self.model
        if model.shifted:
            return
        low = model.native(position + EPS)
        high = model.native(position + (end - start) - 2 * LAST_MOMENT_S)
        struck = {(due.status & 0x0F, due.data1, due.data2): due.host_s for due in got if due.status & 0xF0 == 0x90}
        for region, load in model.force:
            for note in model.loads[load]:
                if not low < note.start < high or model.load_at(note.start) != load:
                    continue
                if note.part in self.muted or model.near_boundary(note.start, 1e-4):
                    continue
                code = (note.channel, note.pitch, note.velocity)
                assert code in struck, f"{note} was left out at {low:g}..{high:g} (region from {region:g})"
                ought = start + model.seconds(note.start) - position
                assert abs(struck[code] - ought) < EPS, f"{note} struck {struck[code] - ought:g} s off its time"

    def check_state(self) -> None:
        """What sounds may sound: stopped means silence, and every sounding key is in the plan in force
        here."""
        model = self.model
        if not self.port_ok:
            return
        ledger = {(channel, pitch) for _, channel, pitch in self.performer.scheduler.ledger.sounding}
        assert ledger == set(self.sounding), f"the ledger {ledger} is not what the receiver hears {set(self.sounding)}"
        if not model.rolling:
            assert not self.sounding, f"{self.sounding} left sounding while stopped"
            return
        here = model.native(model.position(self._at()))
        slack = 1e-4 + model.shifted
        for channel, pitch in self.sounding:
            assert any(
                note.start <= here + slack and note.end >= here - slack
                for region in self._regions_near(here, slack)
                for note in model.loads[region]
                if note.channel == channel and note.pitch == pitch
            ), f"{channel, pitch} sounds at {here:g} although no note is there"

    def _regions_near(self, native: float, slack: float) -> list[int]:
        """Loads in force somewhere within `slack`: several where plans came close upon one another."""
        between = [load for start, load in self.model.force if native - slack < start < native + slack]
        return [self.model.load_at(native - slack), *between]

    def finish(self) -> None:
        """The end, from whatever state: silence."""
        if not self.port_ok:
            self.pull()
        at = self._catch_up()
        self.performer.finish(self.now)
        self.model.rolling = False
        self.collect(at)
        assert not self.sounding, f"{self.sounding} left sounding at the end"
