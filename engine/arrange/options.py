"""How an arrangement is asked for, what it is, and what is carried from one piece of it to the next.

Ranges, channels and velocities are those of the product's defaults; pitches are MIDI (60 = middle C).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.arrange.arpeggio import check_pattern
from engine.music import DEFAULT_CHANNELS, PARTS, Chord, Controller, FilmLevels, MusicError, Note
from engine.music.arguments import Value
from engine.music.controls import (
    CC11_MODES,
    DENSITY_MAPS,
    LEAVE_ROOM_MODES,
    PART_RANGES,
    PART_VELOCITIES,
    VELOCITY_MAPS,
    VOICING_STYLES,
    options_from,
)
from engine.music.speech import parse_speech


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise MusicError(f"{name} {value:g} is outside {low:g} to {high:g}.")


@dataclass(frozen=True, slots=True)
class PartOptions:
    """One part.

    low, high: range of pitches.  velocity_low, velocity_high: what the film's softest and loudest moments become.
    pattern, note_length: instead of the arrangement's own.  level: added to velocities, -63..63.
    """

    enabled: bool = True
    channel: int = 1
    low: int = 48
    high: int = 76
    velocity_low: int = 60
    velocity_high: int = 90
    pattern: str | None = None
    note_length: float | None = None
    level: float = 0.0

    def __post_init__(self) -> None:
        _check("channel", self.channel, 1, 16)
        _check("lowest pitch", self.low, 0, 127)
        _check("highest pitch", self.high, 0, 127)
        _check("velocity", self.velocity_low, 1, 127)
        _check("velocity", self.velocity_high, self.velocity_low, 127)
        _check("level", self.level, -63, 63)
        if self.note_length is not None:
            _check("note length", self.note_length, 5, 110)
        if self.high - self.low < 18:
            raise MusicError(f"a part from {self.low} to {self.high} is too narrow; it needs 19 semitones.")


def moved_range(part: PartOptions, octaves: int) -> tuple[int, int]:
    """A part's lowest and highest pitch some octaves away; near MIDI's ends moved back inwards by octaves."""
    low, high = part.low + 12 * octaves, part.high + 12 * octaves
    while high > 127 and low >= 12:
        low, high = low - 12, high - 12
    while low < 0:
        low, high = low + 12, high + 12
    return low, min(high, 127)


def default_parts() -> dict[str, PartOptions]:
    """The parts as product defaults have them."""
    return {
        part: PartOptions(
            channel=DEFAULT_CHANNELS[part],
            low=PART_RANGES[part][0],
            high=PART_RANGES[part][1],
            velocity_low=PART_VELOCITIES[part][0],
            velocity_high=PART_VELOCITIES[part][1],
        )
        for part in PARTS
    }


@dataclass(frozen=True, slots=True)
class FixedVoicing:
    """The pitches of one chord from start_beats on: structural bass, pad voices from low to high, arp tones 1 to 4.

    played: the pad is as somebody played it, so all of it sounds.
    """

    start_beats: float
    chord: Chord
    bass: int
    pad: tuple[int, ...]
    arp: tuple[int, ...]
    played: bool = False


@dataclass(frozen=True, slots=True)
class PlayedVoicing:
    """How somebody played a chord: from start_beats to end_beats the pad has these pitches for it."""

    start_beats: float
    end_beats: float
    chord: Chord
    pad: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ArrangeOptions:
    """See the product's table of names and ranges.

    activity, dynamics: 0..100, None as the picture.  pattern: "auto" (the paper's Table 3 by activity), "1".."5",
    "up", "down", "alberti", "octaves", or text such as "1 * 2 * 3 2 4 *".  note_length: percent.
    transpose: semitones, not for drums.  cc11: "fixed" (100), "curve" or "off".  crescendo: how much music grows
    towards hits and sections, percent of the film's own range.  levels: frozen quantiles; None
    takes those of the composition.  density_map: levels by the whole film's quantiles, by those of the last
    half minute ("rolling"), or the paper's thresholds.  fixed_voicings: kept where start and chord still agree; a chord
    beside one is voiced to lead into it.  arp_octaves: how far the patterns `up` and `down` run, 1 or 2.
    played_voicings: in order of time, before all others.
    leave_room: "off", "gentle" or "strict"; speech: the lines to leave it for (see `dialogue`).  Raises MusicError.
    """

    parts: Mapping[str, PartOptions] = field(default_factory=default_parts)
    velocity_map: str = "stretched"
    density_map: str = "stretched"
    activity: float | None = None
    dynamics: float | None = None
    pattern: str = "auto"
    swing: float = 50.0
    note_length: float = 90.0
    looseness_ms: float = 0.0
    transpose: int = 0
    voicing: str = "close"
    arp_octaves: int = 1
    cc1: bool = True
    cc11: str = "fixed"
    crescendo: float = 30.0
    levels: FilmLevels | None = None
    fixed_voicings: tuple[FixedVoicing, ...] = ()
    played_voicings: tuple[PlayedVoicing, ...] = ()
    leave_room: str = "off"
    speech: str = ""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.parts) - set(PARTS))
        if unknown:
            raise MusicError(f"'{unknown[0]}' is not a part; parts are {', '.join(PARTS)}.")
        for name, value, known in (
            ("velocity map", self.velocity_map, VELOCITY_MAPS),
            ("density map", self.density_map, DENSITY_MAPS),
            ("voicing", self.voicing, VOICING_STYLES),
            ("CC 11 mode", self.cc11, CC11_MODES),
            ("way to leave room", self.leave_room, LEAVE_ROOM_MODES),
        ):
            if value not in known:
                raise MusicError(f"'{value}' is not a {name}; known are {', '.join(known)}.")
        if self.activity is not None:
            _check("activity", self.activity, 0, 100)
        if self.dynamics is not None:
            _check("dynamics", self.dynamics, 0, 100)
        parse_speech(self.speech)
        _check("swing", self.swing, 50, 75)
        _check("note length", self.note_length, 5, 110)
        _check("looseness", self.looseness_ms, 0, 25)
        _check("crescendo", self.crescendo, 0, 100)
        _check("transposition", self.transpose, -24, 24)
        _check("arpeggio's span", self.arp_octaves, 1, 2)
        check_pattern(self.pattern)
        for options in self.parts.values():
            if options.pattern is not None:
                check_pattern(options.pattern)

    def part(self, name: str) -> PartOptions | None:
        """The part's options; None where it is switched off or absent."""
        options = self.parts.get(name)
        return options if options is not None and options.enabled else None

    def with_part(self, name: str, **changes: Any) -> ArrangeOptions:
        """A copy with one part changed: `with_part("bass", enabled=False)`."""
        before = self.parts.get(name) or default_parts().get(name)
        if before is None:
            raise MusicError(f"'{name}' is not a part; parts are {', '.join(PARTS)}.")
        return replace(self, parts={**self.parts, name: replace(before, **changes)})


def from_settings(settings: Mapping[str, Value], levels: FilmLevels | None = None) -> ArrangeOptions:
    """What settings of the controls table, by address, decide.  Raises MusicError where they do not go together."""
    whole: dict[str, Any] = {}
    by_part: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    for name, value in options_from(settings, "arrange").items():
        if name.startswith("part."):
            _, part, field_name = name.split(".")
            by_part[part][field_name] = value
        else:
            whole[name] = value
    for part, values in by_part.items():
        if values["low"] > values["high"]:
            low, high = values["low"], values["high"]
            raise MusicError(f"the lowest pitch of the {part} ({low}) is above its highest ({high}).")
        if values["velocity_low"] > values["velocity_high"]:
            soft, loud = values["velocity_low"], values["velocity_high"]
            raise MusicError(f"the softest note of the {part} ({soft}) is louder than its loudest ({loud}).")
    parts = {part: PartOptions(**values) for part, values in by_part.items()}
    return ArrangeOptions(parts=parts, levels=levels, **whole)


def paper_options() -> ArrangeOptions:
    """The paper's rendering (section 4.2): arpeggio only, its thresholds and velocities, chords in root position."""
    parts = {name: replace(part, enabled=name == "arp") for name, part in default_parts().items()}
    return ArrangeOptions(
        parts=parts, velocity_map="paper", density_map="paper", voicing="root", cc1=False, cc11="off", note_length=100.0
    )


@dataclass(frozen=True, slots=True)
class MelodyState:
    """What the tune has done: its last pitch."""

    pitch: int | None = None


@dataclass(frozen=True, slots=True)
class ArrangeState:
    """What a piece of arrangement needs to know of what went before; small, comparable, picklable.

    position_beats: the boundary it stands at.  voicing: what sounded last.  controllers: last values as
    (part, number, value); controllers_beats: when one was last sent.
    """

    position_beats: float = float("-inf")
    voicing: FixedVoicing | None = None
    controllers: tuple[tuple[str, int, int], ...] = ()
    controllers_beats: float = float("-inf")
    melody: MelodyState = field(default_factory=MelodyState)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Notes and controllers in order of time, the state after them, and how each chord was voiced."""

    notes: tuple[Note, ...] = ()
    controllers: tuple[Controller, ...] = ()
    state: ArrangeState = field(default_factory=ArrangeState)
    voicings: tuple[FixedVoicing, ...] = ()

    @property
    def state_out(self) -> ArrangeState:
        return self.state
