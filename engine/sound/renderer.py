"""One part as a stream of sound: the notes of a SoundFont program, added up in order."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import numpy as np

from engine.sound.events import SoundNote
from engine.sound.programs import Program
from engine.sound.voice import SAMPLE_RATE, Voices

BLOCK: Final = SAMPLE_RATE // 2  # samples of a block
CUT: Final = SAMPLE_RATE // 100  # samples in which a note that another one ends fades
_KEPT_BYTES: Final = 24 * 2**20


class PartStream:
    """Reads the sound of one part, block after block.  What comes out does not depend on how it is cut into blocks.

    programs: (sample, program from there on), in order; notes: in order of time.  `seek` puts it anywhere; what has
    begun before sounds on, as if played from the start.
    """

    def __init__(self, voices: Voices, programs: Sequence[tuple[int, Program]], notes: Sequence[SoundNote]) -> None:
        self._voices = voices
        self._programs = programs
        self._notes = notes
        self._cuts = self._cut_by_class()
        self._kept: OrderedDict[tuple[Program, int, int, int], np.ndarray] = OrderedDict()
        self._kept_bytes = 0
        self._next = 0
        self._at = 0
        self._ahead = np.zeros((2, 0), np.float32)  # of notes that have begun, from self._at on
        self.seek(0)

    @property
    def position(self) -> int:
        """The next sample that `read` gives."""
        return self._at

    def seek(self, sample: int) -> None:
        """Goes to a sample.  Notes that began before it are computed again, as far back as one can ring."""
        self._at = sample
        self._ahead = np.zeros((2, 0), np.float32)
        self._next = 0
        while self._next < len(self._notes) and self._notes[self._next].start < sample:
            if self._sounds_until(self._notes[self._next]) > sample:
                self._add(self._next)
            self._next += 1

    def read(self, count: int) -> np.ndarray:
        """(2, count) float32, the next `count` samples."""
        end = self._at + count
        while self._next < len(self._notes) and self._notes[self._next].start < end:
            self._add(self._next)
            self._next += 1
        out = np.zeros((2, count), np.float32)
        ready = min(count, self._ahead.shape[1])
        out[:, :ready] = self._ahead[:, :ready]
        self._ahead = self._ahead[:, ready:]
        self._at = end
        return out

    def _add(self, index: int) -> None:
        note = self._notes[index]
        clip = self._clip(note)
        cut = self._cuts.get(index)
        if cut is not None and cut - note.start < clip.shape[1]:
            kept = cut - note.start
            clip = clip[:, : kept + CUT].copy()
            clip[:, kept:] *= np.linspace(1, 0, CUT, dtype=np.float32)[: clip.shape[1] - kept]
        offset = note.start - self._at
        if offset < 0:
            clip, offset = clip[:, -offset:], 0
        end = offset + clip.shape[1]
        if end == offset:
            return
        if end > self._ahead.shape[1]:
            # Grows with room to spare, so that each note does not copy what lies ahead.
            room = np.zeros((2, end + BLOCK), np.float32)
            room[:, : self._ahead.shape[1]] = self._ahead
            self._ahead = room
        self._ahead[:, offset:end] += clip

    def _clip(self, note: SoundNote) -> np.ndarray:
        program = self._program_at(note.start)
        name = (program, note.pitch, note.velocity, note.length)
        clip = self._kept.get(name)
        if clip is None:
            clip = self._voices.note(program.bank, program.program, note.pitch, note.velocity, note.length)
            clip *= np.float32(10 ** (program.level_db / 20))
            self._kept[name] = clip
            self._kept_bytes += clip.nbytes
            while self._kept_bytes > _KEPT_BYTES and len(self._kept) > 1:
                self._kept_bytes -= self._kept.popitem(last=False)[1].nbytes
        else:
            self._kept.move_to_end(name)
        return clip

    def _sounds_until(self, note: SoundNote) -> int:
        """The sample after which a note is silent for certain."""
        program = self._program_at(note.start)
        return note.start + note.length + self._voices.tail(program.bank, program.program, note.pitch, note.velocity)

    def _program_at(self, sample: int) -> Program:
        return self._programs[max(bisect_right(self._programs, sample, key=lambda entry: entry[0]) - 1, 0)][1]

    def _cut_by_class(self) -> dict[int, int]:
        """Index of a note -> sample at which another one of its exclusive class ends it."""
        cuts: dict[int, int] = {}
        sounding: dict[int, list[int]] = {}
        classes: dict[tuple[Program, int, int], int] = {}
        for index, note in enumerate(self._notes):
            program = self._program_at(note.start)
            name = (program, note.pitch, note.velocity)
            if name not in classes:
                classes[name] = self._voices.exclusive_class(program.bank, program.program, note.pitch, note.velocity)
            own = classes[name]
            if not own:
                continue
            earlier = sounding.get(own, [])
            if earlier and self._notes[earlier[0]].start < note.start:
                cuts.update((before, note.start) for before in earlier)
                earlier = []
            sounding[own] = [*earlier, index]
        return cuts
