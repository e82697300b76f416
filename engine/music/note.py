"""Notes and controllers as the arranger writes them and the player performs them.  Beats are quarter notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.music.errors import MusicError

PARTS: Final = ("pad", "arp", "bass", "melody", "drums")
DEFAULT_CHANNELS: Final[dict[str, int]] = {"pad": 1, "arp": 2, "bass": 3, "melody": 4, "drums": 10}


@dataclass(frozen=True, slots=True)
class Note:
    """pitch 0..127 (60 = middle C), velocity 1..127, channel 1..16; raises MusicError outside these."""

    pitch: int
    velocity: int
    start_beats: float
    length_beats: float
    channel: int
    part: str

    def __post_init__(self) -> None:
        if not (0 <= self.pitch <= 127 and 1 <= self.velocity <= 127 and 1 <= self.channel <= 16):
            raise MusicError(
                f"note {self.pitch} velocity {self.velocity} channel {self.channel} is outside MIDI's ranges."
            )
        if not self.length_beats > 0:
            raise MusicError(f"note {self.pitch} at beat {self.start_beats:g} has no length.")

    @property
    def end_beats(self) -> float:
        return self.start_beats + self.length_beats


@dataclass(frozen=True, slots=True)
class Controller:
    """A control change: number 0..119, value 0..127 at a beat."""

    number: int
    value: int
    time_beats: float
    channel: int
    part: str

    def __post_init__(self) -> None:
        if not (0 <= self.number <= 119 and 0 <= self.value <= 127 and 1 <= self.channel <= 16):
            raise MusicError(
                f"controller {self.number} = {self.value} channel {self.channel} is outside MIDI's ranges."
            )


def pitch_name(pitch: int, middle_c_octave: int = 4) -> str:
    """`C4` for 60; `middle_c_octave` 3 is the other convention."""
    names = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
    return f"{names[pitch % 12]}{pitch // 12 - 5 + middle_c_octave}"
