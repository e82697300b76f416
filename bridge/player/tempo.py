"""The player's view of a tempo map: beats <-> timeline seconds in plain floats.

`engine.music.TempoMap` keeps fractions, which cost milliseconds to rebuild for a long map; what crosses the
pipe is the line of its breakpoints.  Both use the same arithmetic, so they agree to the last bit (tested).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engine.music.meter import TempoMap

_POINT: Final = struct.Struct("<ddd")


class TempoLine:
    """Breakpoints in ascending order: beat, timeline second, seconds a beat lasts from there on."""

    __slots__ = ("beat_lengths_s", "beats", "starts_s")

    def __init__(self, points: list[tuple[float, float, float]]) -> None:
        if not points or any(length <= 0 for _, _, length in points):
            raise ValueError("a tempo line needs a point, and beats that last")
        self.beats = [beat for beat, _, _ in points]
        self.starts_s = [start for _, start, _ in points]
        self.beat_lengths_s = [length for _, _, length in points]

    @classmethod
    def constant(cls, bpm: float, origin_s: float = 0.0) -> TempoLine:
        return cls([(0.0, origin_s, 60.0 / bpm)])

    @classmethod
    def of(cls, tempo_map: TempoMap) -> TempoLine:
        return cls(
            [
                (float(tempo.beat), float(tempo_map.seconds_at_exact(tempo.beat)), float(60 / tempo.bpm))
                for tempo in tempo_map.tempos
            ]
        )

    def seconds_at(self, beats: float) -> float:
        """Timeline second of a beat; monotone; the first tempo is continued backwards."""
        index = max(bisect_right(self.beats, beats) - 1, 0)
        seconds = self.starts_s[index] + (beats - self.beats[index]) * self.beat_lengths_s[index]
        return seconds if index + 1 == len(self.beats) else min(seconds, self.starts_s[index + 1])

    def beats_at(self, seconds: float) -> float:
        """Beat of a timeline second; monotone."""
        index = max(bisect_right(self.starts_s, seconds) - 1, 0)
        beats = self.beats[index] + (seconds - self.starts_s[index]) / self.beat_lengths_s[index]
        return beats if index + 1 == len(self.beats) else min(beats, self.beats[index + 1])

    def bpm_at(self, beats: float) -> float:
        return 60.0 / self.beat_lengths_s[max(bisect_right(self.beats, beats) - 1, 0)]

    def pack(self) -> bytes:
        return b"".join(
            _POINT.pack(*point) for point in zip(self.beats, self.starts_s, self.beat_lengths_s, strict=True)
        )

    @classmethod
    def unpack(cls, payload: bytes) -> TempoLine:
        return cls(list(_POINT.iter_unpack(payload)))
