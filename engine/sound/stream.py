"""A process that turns the plan's notes into blocks of sound for whoever plays them: the page, a sound card.

A block belongs to a plan's revision and a place, and is the same in whatever order blocks are asked for: the sum of a
part's notes under its controllers, as `render` writes it.  The listener adds parts, sets levels and mutes, limits, and
cross-fades where it jumps or the plan changes: 10 ms are enough, since what goes on is the same in both plans.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Final

import numpy as np

from engine.music import UserError
from engine.process.messages import (
    SOUND_BLOCK,
    SOUND_SCALE,
    FromSound,
    Quit,
    SoundBlock,
    SoundFailure,
    SoundPlan,
    SoundWanted,
    ToSound,
)
from engine.process.priorities import lower
from engine.sound.events import SoundEvents, sample_at, sound_events
from engine.sound.fonts import find_soundfont
from engine.sound.mixer import Mixer
from engine.sound.programs import Program
from engine.sound.soundfont import DRUM_BANK, SoundFont
from engine.sound.voice import Voices

_NICENESS: Final = 10  # after all that plays or composes
_NEAR: Final = 12  # semitones from what sounds that may sound after the next change
_SILENT: Final = 0.5 / 32767 * SOUND_SCALE  # less than this rounds to nothing


class BlockSource:
    """The blocks of one plan, in any order; fast in order."""

    def __init__(self, voices: Voices, events: SoundEvents) -> None:
        self._mixer = Mixer(events, voices)
        self.count = -(-events.length // SOUND_BLOCK)  # blocks

    def block(self, index: int) -> dict[str, np.ndarray]:
        """Part -> (2, n) float32, n = SOUND_BLOCK but at the film's end; empty outside the film."""
        if not 0 <= index < self.count:
            return {}
        if self._mixer.position != index * SOUND_BLOCK:
            self._mixer.seek(index * SOUND_BLOCK)
        return self._mixer.read(SOUND_BLOCK)


def plan_events(plan: SoundPlan) -> SoundEvents:
    ensembles = tuple((sample_at(second), name) for second, name in plan.ensembles)
    return sound_events(plan.notes, plan.controllers, plan.tempo_map, plan.starts_s, plan.duration_s, ensembles)


def packed(block: np.ndarray) -> bytes:
    """(2, n) float32 -> little-endian 16-bit integers, left and right in turn, full scale at SOUND_SCALE."""
    scaled = np.rint(np.clip(block.T, -SOUND_SCALE, SOUND_SCALE) * np.float32(32767 / SOUND_SCALE))
    return scaled.astype("<i2").tobytes()


def unpacked(data: bytes) -> np.ndarray:
    """The inverse of `packed`, within half a step (1.2e-4)."""
    return np.frombuffer(data, "<i2").reshape(-1, 2).T.astype(np.float32) * np.float32(SOUND_SCALE / 32767)


def likely_notes(events: SoundEvents) -> Iterator[tuple[Program, int, int, int]]:
    """(program, pitch, velocity, length in samples) of what sounds or may after a change: pitches near those that do,
    the nearest first, as loud and as long as their neighbours.  Of drums only what sounds."""
    sounding: dict[tuple[Program, int], tuple[int, int]] = {}
    for part, found in events.parts.items():
        programs = events.programs(part)
        for note in found.notes:
            program = programs[max(bisect_right(programs, note.start, key=lambda entry: entry[0]) - 1, 0)][1]
            _, longest = sounding.get((program, note.pitch), (0, 0))
            sounding[program, note.pitch] = note.velocity, max(longest, note.length)
    known = set(sounding)
    for distance in range(_NEAR + 1):
        for (program, pitch), (velocity, length) in sounding.items():
            for near in (pitch,) if not distance else (pitch - distance, pitch + distance):
                if not distance or ((program, near) not in known and program.bank != DRUM_BANK and 0 <= near <= 127):
                    known.add((program, near))
                    yield program, near, velocity, length


class StreamServer:
    """Plans and requests in, blocks out; no pipe and no clock.  One plan is in force, one range of blocks is wanted."""

    def __init__(self, voices: Voices) -> None:
        self._voices = voices
        self._source: BlockSource | None = None
        self._revision = -1
        self._waiting: range = range(0)
        self._likely: Iterator[tuple[Program, int, int, int]] = iter(())

    def take(self, message: SoundPlan | SoundWanted) -> None:
        """A message; blocks of an older revision than the plan's are no longer made."""
        if isinstance(message, SoundPlan):
            events = plan_events(message)
            self._source, self._likely = BlockSource(self._voices, events), likely_notes(events)
            self._revision, self._waiting = message.revision, range(0)
        elif message.revision == self._revision and self._source is not None:
            self._waiting = range(max(message.first, 0), min(message.first + message.count, self._source.count))

    @property
    def idle(self) -> bool:
        return not self._waiting

    def prepare(self) -> bool:
        """Computes one key that may sound soon; False when there is none left.  For when nobody waits for a block."""
        for program, pitch, velocity, length in self._likely:
            if self._voices.prepare(program.bank, program.program, pitch, velocity, length):
                return True
        return False

    def next_block(self) -> SoundBlock:
        """The next wanted block.  Raises IndexError when idle."""
        index, self._waiting = self._waiting[0], self._waiting[1:]
        assert self._source is not None
        parts = self._source.block(index)
        sounding = tuple((name, packed(block)) for name, block in parts.items() if np.abs(block).max() >= _SILENT)
        return SoundBlock(self._revision, index, sounding, index == self._source.count - 1)


def run_sound(connection: Connection, soundfont: str | None = None) -> None:
    """The process: serves a pipe until it is closed or Quit comes.  soundfont: None takes the first that is found."""
    lower(_NICENESS)
    send: Callable[[FromSound], None] = connection.send
    try:
        server = StreamServer(Voices(SoundFont(find_soundfont(soundfont))))
        while True:
            # Everything that has arrived is read before the next block is made: the newest request counts.
            while server.idle or connection.poll():
                if not connection.poll() and server.prepare():
                    continue
                message: ToSound = connection.recv()
                if isinstance(message, Quit):
                    return
                server.take(message)
            send(server.next_block())
    except UserError as error:
        send(SoundFailure(str(error)))
    except (EOFError, OSError):  # the bridge has gone
        return
    finally:
        connection.close()
