"""Blocks of sound on a sound card: what is heard next, tied to a transport's clock.

The same law as in the page's mixer: every jump, wrap, stop and change of the plan is faded over 10 ms, speed follows
the clock within 0.1 %, and a clock that is more than 30 ms off is jumped to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.process.messages import SOUND_BLOCK
from engine.sound.limiter import Limiter
from engine.sound.stream import unpacked
from engine.sound.voice import SAMPLE_RATE

FADE: Final = 480  # samples: 10 ms
KEPT: Final = 180  # blocks: 45 s of two streams
JUMP: Final = 0.030 * SAMPLE_RATE
MOST_RATE: Final = 0.001
_STEER_FROM: Final = 0.002 * SAMPLE_RATE
_STEER_TO: Final = 0.0003 * SAMPLE_RATE


@dataclass(slots=True)
class _Block:
    revision: int
    sound: np.ndarray  # (2, SOUND_BLOCK) float32
    before: np.ndarray | None = None  # what it takes the place of, until that is faded out


class Playback:
    """`put` takes blocks, `follow` the clock; `render` gives what is heard next and may run in another thread."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[int, int], _Block] = {}
        self.limiter = Limiter()
        self.position = 0.0  # samples from the picture's first frame
        self.rolling = False
        self._rate = 1.0
        self._level = 0.0  # 0 silent, 1 rolling
        self._loop: tuple[int, int] | None = None
        self._fading: tuple[float, float, int] | None = None  # position and rate that are left, samples to go

    def put(self, stream: int, index: int, revision: int, parts: Mapping[str, bytes]) -> None:
        """A block of a stream: the sum of its parts; none is silence."""
        sound = np.zeros((2, SOUND_BLOCK), np.float32)
        for data in parts.values():
            part = unpacked(data)
            sound[:, : part.shape[1]] += part
        key = (stream, index)
        old, last = self._blocks.pop(key, None), self._blocks.get((stream, index - 1))
        before = None
        if old is not None and old.revision != revision:
            begins = last is None or last.revision != revision or int(self.position // SOUND_BLOCK) == index
            before = old.sound if begins else None
        self._blocks[key] = _Block(revision, sound, before)
        while len(self._blocks) > KEPT:
            del self._blocks[next(iter(self._blocks))]

    def clear(self) -> None:
        self._blocks.clear()

    def follow(self, expected: float, *, rolling: bool, loop: tuple[int, int] | None = None) -> None:
        """Where the transport is when the next sample is heard.  loop: first sample and the one after the last."""
        self._loop = loop
        if not rolling:
            if not self.rolling and self._level == 0:
                self.position = float(round(expected))
            self.rolling = False
            return
        expected += self.limiter.delay
        if loop is not None and expected >= loop[1] > self.position:
            expected = loop[0] + (expected - loop[0]) % (loop[1] - loop[0])
        if not self.rolling:
            self._jump(float(round(expected)))
            self.rolling = True
            return
        error = expected - self.position
        if abs(error) > JUMP:
            self._jump(float(round(expected)))
        elif abs(error) > _STEER_FROM:
            self._rate = 1 + np.sign(error) * MOST_RATE
        elif self._rate != 1 and abs(error) < _STEER_TO:
            self._jump(float(round(self.position)))  # whole samples again

    def _jump(self, position: float) -> None:
        if self._level > 0:
            self._fading = (self.position, self._rate, FADE)
        self.position, self._rate = position, 1.0

    def render(self, count: int) -> np.ndarray:
        """(2, count) float32, limited; `limiter.delay` samples late."""
        out = np.zeros((2, count), np.float32)
        done = 0
        while done < count:
            done += self._piece(out[:, done:])
        return self.limiter.process(out)[0]

    def _piece(self, out: np.ndarray) -> int:
        """Writes a piece in which nothing begins or ends; its length."""
        count, goal = out.shape[1], 1.0 if self.rolling else 0.0
        if self._level == 0 and goal == 0 and self._fading is None:
            return count
        count = min(count, FADE)
        if self._fading is not None:
            count = min(count, self._fading[2])
        if self._level != goal:
            count = min(count, max(1, round(abs(goal - self._level) * FADE)))
        if self.rolling and self._loop is not None and self.position < self._loop[1]:
            count = min(count, max(1, int(np.ceil((self._loop[1] - self.position) / self._rate))))
        step = np.arange(count, dtype=np.float32) / FADE
        levels = np.clip(self._level + np.sign(goal - self._level) * step, 0, 1) if self._level != goal else goal
        sound = self._read(self.position, self._rate, count) * levels
        if self._fading is not None:
            position, rate, left = self._fading
            rising = 1 - left / FADE + step
            sound = sound * rising + self._read(position, rate, count) * (1 - rising)
            left -= count
            self._fading = (position + count * rate, rate, left) if left > 0 else None
        out[:, :count] = sound
        moved = np.sign(goal - self._level) * min(abs(goal - self._level), count / FADE)
        self._level = float(np.clip(self._level + moved, 0, 1))
        if abs(self._level - goal) < 1e-9:
            self._level = goal
        self.position += count * self._rate
        loop = self._loop
        if self.rolling and loop is not None and loop[1] <= self.position < loop[1] + SOUND_BLOCK:
            self._jump(loop[0] + (self.position - loop[1]))
        return count

    def _read(self, position: float, rate: float, count: int) -> np.ndarray:
        """(2, count): whole samples at rate 1, else between them."""
        first = int(np.floor(position))
        if rate == 1 and position == first:
            return self._samples(first, count)
        found = self._samples(first, int(np.ceil(count * rate)) + 2)
        at = position - first + np.arange(count) * rate
        whole = at.astype(int)
        rest = (at - whole).astype(np.float32)
        return found[:, whole] * (1 - rest) + found[:, whole + 1] * rest

    def _samples(self, first: int, count: int) -> np.ndarray:
        """(2, count) of all streams; zeros where a block is not here."""
        out = np.zeros((2, count), np.float32)
        at = max(first, 0)
        while at < first + count:
            index, offset = divmod(at, SOUND_BLOCK)
            length = min(SOUND_BLOCK - offset, first + count - at)
            for stream in (1, 2):
                block = self._blocks.get((stream, index))
                if block is not None:
                    out[:, at - first : at - first + length] += _faded(block, offset, length)
            at += length
        return out


def _faded(block: _Block, offset: int, length: int) -> np.ndarray:
    """A stretch of a block; the first one after a change fades from what was there before."""
    sound, before = block.sound[:, offset : offset + length], block.before
    if before is None:
        return sound
    block.before = None
    fade = min(FADE, length)
    rising = np.arange(fade, dtype=np.float32) / fade
    faded = sound.copy()
    faded[:, :fade] = before[:, offset : offset + fade] * (1 - rising) + sound[:, :fade] * rising
    return faded
