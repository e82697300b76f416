"""The format of a session file, version 5, for msgspec: every field typed, unknown ones refused.

    {"format": "cuebridge-session", "version": 5,
     "film": {…}, "time": {…}, "index": n, "steps": [ … ], "names": [ … ], "takes": [ … ], "results": [ … ]}

Steps and takes name their result by its place in `results`, since most steps share one, and locks by theirs in
`locks`.  Rows that come in thousands (slots, notes, controllers) are arrays.  Seconds are picture seconds unless they
say timeline; beats are quarter notes of the tempo map beside them; chords are in Harte notation.  A change of this file
needs a migration.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct, field

from engine.music.draws import RULES
from engine.music.meter import MAX_BPM, MIN_BPM

FORMAT: Final = "cuebridge-session"
VERSION: Final = 5

_LONGEST_S: Final = 400_000.0
_FARTHEST_BEATS: Final = 10_000_000.0

Seconds = Annotated[float, Meta(ge=-_LONGEST_S, le=_LONGEST_S)]
Beats = Annotated[float, Meta(ge=-_FARTHEST_BEATS, le=_FARTHEST_BEATS)]
Length = Annotated[float, Meta(ge=0.0, le=_FARTHEST_BEATS)]
Level = Annotated[float, Meta(ge=-1e6, le=1e6)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
TakeNumber = Annotated[int, Meta(ge=1, le=999_999)]
Midi = Annotated[int, Meta(ge=0, le=127)]
Rules = Annotated[int, Meta(ge=1, le=RULES)]
Bpm = Annotated[float, Meta(ge=MIN_BPM, le=MAX_BPM)]
Channel = Annotated[int, Meta(ge=1, le=16)]
# At most so many digits: a fraction such as 1e999999999 would never end.
Exact = Annotated[str, Meta(pattern=r"^-?[0-9]{1,24}(/[1-9][0-9]{0,23})?$")]
Word = Annotated[str, Meta(max_length=256)]
Text = Annotated[str, Meta(max_length=8192)]
LongText = Annotated[str, Meta(max_length=8 * 2**20)]  # a thousand sections, each with as much as a control takes
PathText = Annotated[str, Meta(max_length=16_384)]
ChordText = Annotated[str, Meta(max_length=64)]
Affect = tuple[Level, Level, Level, Level, Level, Level]
Four = tuple[Level, Level, Level, Level]
Three = tuple[Level, Level, Level]
Setting = float | int | bool | Text | None
Settings = dict[Word, Setting]
Recipe = list[float | int | bool | LongText | None]


class _Row(Struct, array_like=True, forbid_unknown_fields=True):
    """An array with fixed places."""


class _Object(Struct, forbid_unknown_fields=True):
    """An object with fixed members."""


class SlotRow(_Row):
    """flags: 1 pinned, 2 given, 4 provisional."""

    start_s: Seconds
    end_s: Seconds
    start_beats: Beats
    end_beats: Beats
    chord: ChordText
    density: Level
    loudness: Level
    affect: Affect
    motion: Level
    tension: Level
    flags: Annotated[int, Meta(ge=0, le=7)]


class NoteRow(_Row):
    pitch: Midi
    velocity: Annotated[int, Meta(ge=1, le=127)]
    start_beats: Beats
    length_beats: Length
    channel: Channel
    part: Word


class ControllerRow(_Row):
    number: Midi
    value: Midi
    time_beats: Beats
    channel: Channel
    part: Word


class PinRow(_Row):
    """typed: as the composer wrote the chord, "" where they did not."""

    start_s: Seconds
    end_s: Seconds
    chord: ChordText
    typed: Annotated[str, Meta(max_length=64)]
    exact: bool = False
    voicing: Annotated[list[Midi], Meta(max_length=16)] = field(default_factory=list)


class HitRow(_Row):
    time_s: Seconds
    weight: Word
    name: Text


class SectionRow(_Row):
    start_s: Seconds
    changes: list[tuple[Word, Text]]
    name: Text
    breath: bool


class PrintedRow(_Row):
    part: Word
    start_beats: Annotated[float, Meta(ge=-1e10, le=1e10)]
    end_beats: Annotated[float, Meta(ge=-1e10, le=1e10)]


class PlanEditRow(_Row):
    kind: Word
    cue: Count
    from_s: Seconds
    to_s: Seconds
    value: Text
    number: Count


class RatingRow(_Row):
    cue: Count
    take: TakeNumber
    rating: Annotated[int, Meta(ge=0, le=5)]
    note: Text


class LockObject(_Object):
    part: Word
    start_beats: Beats
    end_beats: Beats
    start_s: Seconds
    end_s: Seconds
    notes: list[NoteRow]
    controllers: list[ControllerRow]


class CueRow(_Row):
    number: Count
    settings: Settings
    take: TakeNumber
    progression_from_s: Seconds


class AdoptedRow(_Row):
    cue: Count
    settings: Settings


class CueKeyRow(_Row):
    cue: Count
    key: Word
    reason: Text


class NameRow(_Row):
    kind: Word
    word: Text
    value: Text
    start_s: Seconds
    end_s: Seconds | None
    name: Text


class CutRow(_Row):
    time_s: Seconds
    strength: Level
    kind: Word


class TempoMapObject(_Object):
    origin_s: Exact
    tempos: list[tuple[Exact, Exact]]
    meters: list[tuple[Exact, Word]]


class TimeObject(_Object):
    """asked, proposed: as in `TempoOrigin`."""

    tempo_map: TempoMapObject
    grid: Word
    picture_starts_at_timeline_s: Seconds
    reason: Text
    asked: bool
    proposed: list[tuple[Count, Bpm]]


class FilmObject(_Object):
    """path: where the film lies; path_bytes: the same in hexadecimal where it is no UTF-8, else ""."""

    path: PathText
    path_bytes: Annotated[str, Meta(pattern=r"^([0-9a-f]{2}){0,8192}$")]
    path_from_here: PathText
    fingerprint: Annotated[str, Meta(max_length=128)]
    content_key: Word
    duration_s: Annotated[float, Meta(gt=0.0, le=_LONGEST_S)]
    fps: Exact
    drop: bool
    width: Count
    height: Count
    start_frames: Annotated[int, Meta(ge=-100_000_000, le=100_000_000)] | None
    reading: Word
    reason: Text
    cuts: list[CutRow]
    affect_mean: Affect


class LevelsObject(_Object):
    density: Four
    loudness: Three
    motion: Four | None


class ThemeNoteRow(_Row):
    start_beats: Length
    length_beats: Length
    step: Annotated[int, Meta(ge=-60, le=60)]
    alter: Annotated[int, Meta(ge=-3, le=3)]


class ThemeObject(_Object):
    notes: list[ThemeNoteRow]
    bars: Annotated[int, Meta(ge=1, le=256)]
    bar_beats: Annotated[float, Meta(gt=0, le=64)]
    shape: Word
    rhythm: Word
    form: Word


class StatementRow(_Row):
    bar: Annotated[int, Meta(ge=-100_000, le=1_000_000)]
    kind: Word
    bars: Annotated[int, Meta(ge=1, le=256)]
    stretch: Annotated[float, Meta(gt=0, le=16)]
    octave: Annotated[int, Meta(ge=-5, le=5)]
    turn: Word = ""


class SectionPlanObject(_Object):
    start_s: Seconds
    end_s: Seconds
    letter: Word
    role: Word
    mood: Word
    intensity: Annotated[int, Meta(ge=0, le=4)]
    variant: Word
    key: Word
    unit_bars: Annotated[float, Meta(gt=0, le=64)]
    layers: list[Word]
    pedal: Word
    note_length: Level
    velocity: tuple[Midi, Midi]
    centre: Midi
    transition: Word
    ostinato: Word
    asked: Annotated[int, Meta(ge=-4, le=4)] = 0


class PlanObject(_Object):
    """The plan of a cue; see engine.music.cueplan.  cue: its place among the cues."""

    cue: Count
    form: Word
    ensemble: Word
    sections: list[SectionPlanObject]
    theme: ThemeObject | None
    statements: list[StatementRow]
    ending: Word
    reason: Text
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    melody_range: tuple[Midi, Midi]
    rules: Rules = 1
    fades: Annotated[list[tuple[Seconds, Seconds, Seconds]], Meta(max_length=1000)] = field(default_factory=list)


class ResultObject(_Object):
    tempo_map: TempoMapObject
    grid: Word
    picture_starts_at_timeline_s: Seconds
    key: Word
    key_reason: Text
    complete: bool
    levels: LevelsObject | None
    weights: list[Text]
    recipe: Recipe
    cue_keys: list[CueKeyRow]
    slots: list[SlotRow]
    plans: list[PlanObject] = field(default_factory=list)


class DocumentObject(_Object):
    settings: Settings
    take: TakeNumber
    pins: list[PinRow]
    hits: list[HitRow]
    sections: list[SectionRow]
    progression_from_s: Seconds
    printed: list[PrintedRow]
    cue: Count
    other_cues: list[CueRow]
    adopted: list[AdoptedRow]
    result: Count
    film_seed: Annotated[int, Meta(ge=0, lt=2**32)] = 0  # 0: all takes are drawn as before there were film seeds
    film_seed_since_take: TakeNumber = 1
    rules: Rules = 1  # by which plans are drawn and played
    plan_edits: Annotated[list[PlanEditRow], Meta(max_length=1000)] = field(default_factory=list)
    locks: Annotated[list[Count], Meta(max_length=1000)] = field(default_factory=list)
    ratings: Annotated[list[RatingRow], Meta(max_length=10_000)] = field(default_factory=list)


class StepObject(_Object):
    label: Text
    document: DocumentObject
    who: Text = ""
    film: FilmObject | None = None  # where the picture is another one from this step on


class TakeObject(_Object):
    """notes and controllers: of a kept take, else null.  rating and note: in files that had them here.  to_beats: where
    the notes end before their cue does.  cut: fingerprint of another cut of the film that it belongs to."""

    cue: Count
    number: TakeNumber
    name: Text
    kept: bool
    document: DocumentObject
    notes: list[NoteRow] | None
    controllers: list[ControllerRow] | None
    rating: Annotated[int, Meta(ge=0, le=5)] = 0
    note: Text = ""
    to_beats: Beats | None = None
    cut: Text = ""


class SessionObject(_Object):
    format: Word
    version: int
    film: FilmObject
    time: TimeObject
    index: Count
    steps: Annotated[list[StepObject], Meta(min_length=1, max_length=2000)]
    names: list[NameRow]
    takes: list[TakeObject]
    results: list[ResultObject]
    locks: list[LockObject] = field(default_factory=list)


class Head(Struct):
    """What says of which format and version a file is; the rest of it is not looked at."""

    format: str = ""
    version: int = 0
