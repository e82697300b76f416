"""A DAW that does anything at any time, seen through any source, and the player that follows it.

The simulated DAW has a true playhead; what it sends goes through jitter, bunching and loss.  The receiver's
ear is strict: a key struck while it sounds, an off for a silent key, a note far from its place while all is
steady, or sound after silence was due, is a fault.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from bridge.player.messages import NOTE, PlayerOptions, SyncOptions
from bridge.player.performer import Performer
from bridge.player.tempo import TempoLine
from bridge.transport.state import Loop, TransportObservation
from engine.music.timecode import FRAME_RATES, Timecode
from tests.bridge.player.stage import Port
from tests.bridge.transport import streams

SOURCES = ("mtc", "clock", "script", "jack", "link")
LOOPS = ((4.0, 8.0), (0.0, 2.0), (6.0, 6.6))  # seconds
STEADY_S = 1.2  # after a disturbance: locked again by then
WINDOW_S = 0.13  # a note's distance from its place while steady
FREEWHEEL_S = 0.3
TICK_S = 0.005


class Chaos:
    """`run(events)`; counts what it saw."""

    def __init__(self, seed: int, source: str = "") -> None:
        self.random = pick = random.Random(seed)
        self.source = source or pick.choice(SOURCES)
        self.rate_name = pick.choice(("24", "25", "29.97 DF", "30", "23.976"))
        self.rate = FRAME_RATES[self.rate_name]
        self.now = 100.0
        self.position, self.rolling, self.cut_off = 0.0, False, False
        self.loop: tuple[float, float] | None = None
        self.told_loop = False  # by the person (/cue/loop): JACK has no word for a loop
        self.stands_until = 0.0  # the JACK transport between two passes
        self.silent_from = 1e9  # and nothing may begin from here until then
        self.sent_to = 0.0  # how far (position) the stream of pieces or clocks has been sent
        self.piece = 0
        self.disturbed = self.now  # last time anything but plain rolling happened
        self.stopped_since = self.now
        self.tempo = TempoLine.constant(120)
        self.port_up = True
        self.lookahead_s = pick.choice((0.0, 0.009))
        self.jitter_s = pick.choice((0.0, 0.003, 0.012))
        self.port = Port(self.lookahead_s)
        self.options = PlayerOptions(sync=SyncOptions(self.source, "auto", self.rate_name, FREEWHEEL_S))
        self.player = Performer(self.options, self._open, self.now)
        self.arrival = self.now
        self.line: list[tuple[float, object]] = []  # under way: (arrival, message or observation)
        self.notes: dict[tuple[int, int], list[tuple[float, float]]] = {}
        self.sounding: set[tuple[int, int]] = set()
        self.revision = self.events = self.played = self.steady_notes = 0
        self.forgiving = self.lost_count = False
        self.plan(0.0)

    def _open(self) -> Port:
        from bridge.player.errors import PortError

        if not self.port_up:
            raise PortError("pulled out")
        self.port = Port(self.lookahead_s)
        return self.port

    # the DAW ----------------------------------------------------------------------------------------------------
    def run(self, events: int) -> None:
        acts = (
            [self.roll] * 24
            + [self.start] * 8
            + [self.stop] * 4
            + [self.locate] * 4
            + [self.replan] * 4
            + [self.loss] * 2
            + [self.set_loop] * 2
            + [self.retempo, self.pull, self.panic, self.rubbish, self.die]
        )
        while self.events < events:
            act = self.random.choice(acts)
            if not self.port_up and self.random.random() < 0.3:
                act = self.pull
            self.act(act)
        self.finish()

    def act(self, act: Callable[[], None]) -> None:
        """One event, and what must hold after it."""
        try:
            act()
            self.check()
        except AssertionError as error:
            raise AssertionError(f"{self.source}, event {self.events}, {act.__name__}: {error}") from error
        self.events += 1

    def say(self, thing: object) -> None:
        if not self.cut_off:
            # Late by chance, but never before what was sent earlier: a cable keeps its order.
            self.arrival = max(self.arrival, self.now + self.random.uniform(0, self.jitter_s))
            self.line.append((self.arrival, thing))

    def roll(self) -> None:
        self.wait(self.random.choice((0.05, 0.2, 0.6, 1.5)))

    def start(self) -> None:
        if self.rolling:
            return
        self.rolling, self.stands_until = True, 0.0
        self.disturb()
        if self.source == "clock":
            sixteenth = int(self.tempo.beats_at(self.position) * 4 + 0.999)
            self.say(streams_spp(sixteenth))
            self.position = self.tempo.seconds_at(sixteenth / 4)
            self.say(b"\xfb")
            self.lost_count = self.cut_off
        self.sent_to = self.position
        self.piece = 0
        self.wait(0.1)

    def stop(self) -> None:
        if not self.rolling:
            return
        self.rolling = False
        self.stopped_since = self.now
        self.disturb()
        self.state()
        self.wait(0.2)

    def locate(self) -> None:
        self.position = self.random.choice((0.0, 1.0, 4.0, 10.0, self.random.uniform(0, 30)))
        self.disturb()
        was, self.rolling = self.rolling, False
        self.state()
        if was:
            self.start()
        self.wait(0.1)

    def state(self) -> None:
        """What a source says at a stop or a locate at standstill."""
        if self.source == "mtc":
            self.say(streams.full_frame(Timecode.from_seconds(self.position, self.rate), self.rate_name))
        elif self.source == "clock":
            self.say(b"\xfc")
            self.say(streams_spp(max(0, int(self.tempo.beats_at(self.position) * 4))))
        else:
            self.say(self.observation(False))

    def observation(self, rolling: bool) -> TransportObservation:
        """Of a source that says where it is outright; only the script knows the loop, only Link counts beats."""
        rate = 1.0 if rolling else 0.0
        if self.source == "link":
            beats = self.tempo.beats_at(self.position)
            bpm = self.tempo.bpm_at(beats)
            return TransportObservation("link", self.now, position_beats=beats, rolling=rolling, bpm=bpm)
        loop = self.loop if self.source == "script" else None
        return TransportObservation(self.source, self.now, self.position, rolling=rolling, rate=rate, loop=loop)

    def set_loop(self) -> None:
        """The DAW loops a range, or no longer does."""
        self.disturb()
        self.loop = None if self.loop is not None else self.random.choice(LOOPS)
        if self.source == "script":
            self.say(self.observation(self.rolling))
        elif self.source == "jack":
            self.told_loop = self.loop is not None and self.random.random() < 0.7
            self.tell_loop()
        self.wait(0.1)

    def tell_loop(self) -> None:
        self.player.set_loop(Loop(*self.loop) if self.told_loop and self.loop is not None else None, self.now)
        self.collect()

    def wrap(self, start_s: float) -> None:
        """As Ardour does it: the clock stops, is placed and goes on; timecode states a full frame.  The JACK transport
        stands until its slowest client is ready."""
        foreseen = self.told_loop and not self.cut_off and self.now - self.disturbed > STEADY_S
        self.disturb()
        self.position = start_s
        if self.source == "mtc":
            self.say(streams.full_frame(Timecode.from_seconds(self.position, self.rate), self.rate_name))
        elif self.source == "clock":
            sixteenth = int(self.tempo.beats_at(start_s) * 4 + 0.999)
            self.say(b"\xfc")
            self.say(streams_spp(sixteenth))
            self.position = self.tempo.seconds_at(sixteenth / 4)
            self.say(b"\xfb")
            self.lost_count = self.cut_off
        elif self.source == "jack" and (gap_s := self.random.choice((0.0, 0.02, 0.065, 0.3))):
            self.stands_until = self.now + gap_s
            self.silent_from = self.now + TICK_S if foreseen else 1e9
            self.say(self.observation(False))
        self.sent_to, self.piece = self.position, 0

    def die(self) -> None:
        """The player is killed; its successor pays what it left sounding and is told everything, as the link does."""
        self.disturb()
        if not (self.port_up and self.player.port_up):
            return
        owed = [(0, channel, pitch) for channel, pitch in sorted(self.sounding)]
        self.player = Performer(self.options, self._open, self.now)
        self.player.set_tempo(self.revision, self.tempo, self.now)
        self.player.settle_debts(owed, [], self.now)
        self.lost_count = self.source == "clock"  # until the next start
        self.plan(self.tempo.beats_at(0.0))
        if self.told_loop:
            self.tell_loop()
        self.wait(0.05)

    def loss(self) -> None:
        """The source falls silent, or is back."""
        self.cut_off = not self.cut_off
        self.lost_count = self.source == "clock"
        self.disturb()
        self.stopped_since = self.now
        self.wait(self.random.choice((0.05, 0.3, 1.5)))

    def rubbish(self) -> None:
        self.disturb()
        # No byte of it may be a message that a DAW could have meant.
        harmless = bytes(byte for byte in range(256) if byte not in range(0xF1, 0xF4) and byte not in range(0xF8, 0xFD))
        self.player.hear(self.now, bytes(self.random.choices(harmless, k=20)), self.now)
        self.player.hear(self.now, b"\xf7", self.now)
        self.collect()

    def replan(self) -> None:
        self.plan(self.tempo.beats_at(self.position) + self.random.choice((-4.0, 0.0, 0.6, 2.0)))

    def retempo(self) -> None:
        """The DAW's tempo changes and the bridge sends the map, the beat of the playhead unmoved."""
        self.disturb()
        beat = self.tempo.beats_at(self.position)
        self.tempo = TempoLine([(beat, self.position, 60 / self.random.choice((80, 97, 120, 150)))])
        self.revision += 1
        self.player.set_tempo(self.revision, self.tempo, self.now)
        self.collect()

    def pull(self) -> None:
        self.disturb()
        if self.port_up:
            self.port_up = False
            self.port.pull(self.random.randint(0, 2))
            self.wait(0.1)
            return
        self.port_up = True
        if self.player.port_up:
            self.port.reach = None
        self.forgiving = True
        self.wait(1.1)
        self.forgiving = False

    def panic(self) -> None:
        self.disturb()
        self.player.panic(self.now)
        self.collect()

    def disturb(self) -> None:
        self.disturbed, self.silent_from = self.now, 1e9

    def plan(self, start: float) -> None:
        """Bass and pad in beats; a pitch keeps its places known."""
        self.disturb()
        self.revision += 1
        self.player.begin_plan(self.revision, "beats", start)
        beat = float(int(start)) - 4
        while beat < start + 40:
            for part, pitch, length in ((0, 48, 3.9), (0, 55, 4.0), (2, 36, 0.5), (2, 36 + int(beat) % 5, 1.0)):
                self.player.plan_event(NOTE, part, part, pitch, 90, beat, length)
                self.notes.setdefault((part, pitch), []).append((beat, beat + length))
            beat += 4 if beat % 4 == 0 else 1
        self.player.commit_plan(self.revision, self.now)
        self.collect()

    # time -------------------------------------------------------------------------------------------------------
    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += TICK_S
            if self.rolling and self.now >= self.stands_until:
                self.position += TICK_S
                if self.loop is not None and self.loop[1] <= self.position < self.loop[1] + 2 * TICK_S:
                    self.wrap(self.loop[0])
                self.send()
            due = sorted((item for item in self.line if item[0] <= self.now), key=lambda item: item[0])
            self.line = [item for item in self.line if item[0] > self.now]
            for host_s, thing in due:
                if isinstance(thing, bytes):
                    self.player.hear(host_s, thing, self.now)
                else:
                    assert isinstance(thing, TransportObservation)
                    self.player.observe(thing, self.now)
            self.player.step(self.now)
            self.collect()

    def send(self) -> None:
        """What the rolling DAW sends in this tick."""
        if self.source == "mtc":
            quarter = 1 / (4 * float(self.rate.fps))
            while self.sent_to <= self.position:
                frame = round(self.sent_to / quarter) // 4
                if self.piece == 0:
                    self.group = streams.pieces(Timecode(frame, self.rate), self.rate_name)
                self.say(self.group[self.piece])
                self.piece = (self.piece + 1) % 8
                self.sent_to += quarter
        elif self.source == "clock":
            while self.sent_to <= self.position:
                self.say(b"\xf8")
                self.sent_to = self.tempo.seconds_at(self.tempo.beats_at(self.sent_to) + 1 / 24)
        elif self.position - self.sent_to >= (0.02 if self.source == "jack" else 0.1):
            self.sent_to = self.position
            self.say(self.observation(True))

    # the ear ----------------------------------------------------------------------------------------------------
    def collect(self) -> None:
        for due in self.port.got:
            kind, key = due.status & 0xF0, (due.status & 0x0F, due.data1)
            if kind == 0x80:
                assert key in self.sounding or self.forgiving, f"{key} released while silent"
                self.sounding.discard(key)
            elif kind == 0x90:
                assert key not in self.sounding, f"{key} struck while it sounds"
                stands = self.silent_from <= due.host_s < self.stands_until
                assert not stands, f"{key} struck between two passes of a loop"
                self.sounding.add(key)
                self.played += 1
                self.place(key, due.host_s)
        self.port.got.clear()

    def place(self, key: tuple[int, int], host_s: float) -> None:
        """While all is steady a note is where it was planned, within the window."""
        steady = self.rolling and not self.cut_off and self.now - self.disturbed > STEADY_S
        # A pad may begin in its middle, where a new plan takes over; a clock that was cut off has lost its count.
        if not steady or not self.port_up or key[0] == 0 or self.lost_count:
            return
        true = self.position + host_s - self.now
        if self.source == "script" and self.loop is not None and self.position < self.loop[1] <= true + TICK_S:
            true -= self.loop[1] - self.loop[0]  # a wrap that is foreseen, handed over ahead of its time
        off = min(abs(self.tempo.seconds_at(start) - true) for start, _ in self.notes.get(key, [(1e9, 0)]))
        self.steady_notes += 1
        assert off < WINDOW_S, f"{key} struck {off:.3f} s from its place"

    def check(self) -> None:
        if not (self.port_up and self.player.port_up):
            return
        ledger = {(channel, pitch) for _, channel, pitch in self.player.scheduler.ledger.sounding}
        assert ledger == self.sounding, "the ledger is not what the receiver hears"
        silent_since = self.now - max(self.stopped_since, self.disturbed)
        if (not self.rolling or self.cut_off) and silent_since > 0.6 + FREEWHEEL_S:
            assert not self.sounding, f"{self.sounding} sounds although nothing rolls"

    def finish(self) -> None:
        if not self.port_up:
            self.pull()
        self.stop()
        self.cut_off = True
        self.wait(1.5)
        assert not self.sounding, f"{self.sounding} left sounding at the end"


def streams_spp(sixteenths: int) -> bytes:
    return bytes([0xF2, sixteenths % 128, sixteenths // 128 % 128])
