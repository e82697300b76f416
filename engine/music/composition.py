"""Film, cue and composition: what engine and bridge hand to each other.

Times ending in `_s` are seconds of the picture (first frame = 0) unless the name says `timeline`.  Picture time =
timeline time - `picture_starts_at_s`.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, Final

from engine.music.chord import NO_CHORD, Chord
from engine.music.cueplan import CUE_ENDINGS, CuePlan, Theme
from engine.music.draws import Draws
from engine.music.errors import MusicError
from engine.music.key import C_MAJOR, Key
from engine.music.meter import TempoMap
from engine.music.progression import Progression
from engine.music.spelling import spell
from engine.music.timecode import FrameRate, Timecode, TimecodeClock, timecode_rate

CUT_KINDS: Final = ("cut", "fade", "dissolve")
HIT_WEIGHTS: Final = ("must", "should", "nice")
GRIDS: Final = ("seconds", "beats")
# The first three are the words of unplanned cues: the last chord after Out is the tonic, anything else, or none.
ENDINGS: Final = ("tonic", "open", "cut", *CUE_ENDINGS)


@dataclass(frozen=True, slots=True)
class Film:
    """A file with pictures.

    rate: what the pictures average.  content_key names the content wherever the file lies.  start_timecode: the file's
    own, at a standard rate.
    """

    path: str
    duration_s: float
    rate: FrameRate
    width: int = 0
    height: int = 0
    content_key: str = ""
    start_timecode: Timecode | None = None

    @property
    def clock(self) -> TimecodeClock:
        """The film's own timecode: a standard rate whatever the pictures average, from the file's start timecode on."""
        start = self.start_timecode
        if start is not None:
            return TimecodeClock(start.rate, start.frames)
        return TimecodeClock(timecode_rate(self.rate.fps, drop=self.rate.drop))

    def timecode_at(self, picture_s: float) -> Timecode:
        """The film's timecode at a picture second."""
        return self.clock.label_at(picture_s)


@dataclass(frozen=True, slots=True)
class FilmLevels:
    """A film's own quantiles.

    density: the four thresholds between five levels of activity (a density above the first is level 2 …).
    loudness: RMS at 5 %, 50 % and 95 %.  motion: thresholds of the drums' energy, None where all is alike.
    """

    density: tuple[float, float, float, float]
    loudness: tuple[float, float, float]
    motion: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """A shot change that was found.  time_s: first frame of the new shot; strength 0..1."""

    time_s: float
    strength: float = 1.0
    kind: str = "cut"

    def __post_init__(self) -> None:
        if self.kind not in CUT_KINDS:
            raise MusicError(f"'{self.kind}' is not a kind of cut; kinds are {', '.join(CUT_KINDS)}.")


@dataclass(frozen=True, slots=True)
class Hit:
    """A moment that music is wanted to meet.  weight: "must" (within half a frame or refused), "should", "nice"."""

    time_s: float
    weight: str = "should"
    name: str = ""

    def __post_init__(self) -> None:
        if self.weight not in HIT_WEIGHTS:
            raise MusicError(f"'{self.weight}' is not a hit weight; weights are {', '.join(HIT_WEIGHTS)}.")


@dataclass(frozen=True, slots=True)
class Section:
    """From start_s on, controls have new values: (control name, value as text); `meter` is the time signature of the
    bars from there on, the first of which begins there; `bpm` is a tempo without a new section."""

    start_s: float
    changes: tuple[tuple[str, str], ...] = ()
    name: str = ""
    breath: bool = False

    @property
    def is_time(self) -> bool:
        """Whether all that changes here are bars and tempo: nobody hears a new section."""
        return bool(self.changes) and all(name in ("meter", "bpm") for name, _ in self.changes)


@dataclass(frozen=True, slots=True)
class Cue:
    """A piece of the film that gets music.  out_s None: the end of the film.  bar_1_s: picture second of bar 1.

    progression_from_s: where its progression begins, None: at bar 1.  take: of its own, None: the composition's.
    number: names it whatever cues come before it, None: its place in the row; what is drawn at random hangs on it.
    theme: of its plan, None: the take builds one.  like: number of the take whose plan it has, 0: its own.
    draws: see engine.music.take_draws.
    """

    name: str = "1m1"
    in_s: float = 0.0
    out_s: float | None = None
    bar_1_s: float = 0.0
    key: Key | None = None
    progression: Progression | None = None
    sections: tuple[Section, ...] = ()
    hits: tuple[Hit, ...] = ()
    ending: str = "tonic"
    tail_s: float = 2.0
    progression_from_s: float | None = None
    take: int | None = None
    number: int | None = None
    theme: Theme | None = None
    like: int = 0
    draws: str = ""

    def __post_init__(self) -> None:
        if self.ending not in ENDINGS:
            raise MusicError(f"'{self.ending}' is not an ending; endings are {', '.join(ENDINGS)}.")
        if self.out_s is not None and self.out_s <= self.in_s:
            raise MusicError(f"cue {self.name} ends at {self.out_s:g} s, before it begins at {self.in_s:g} s.")


@dataclass(frozen=True, slots=True)
class Take:
    """A numbered result: the same number gives the same music.  name: A, B, C …"""

    number: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= 999_999:
            raise MusicError(f"take {self.number} is outside 1 to 999999.")

    @property
    def name(self) -> str:
        letters, rest = "", self.number
        while rest:
            rest, letter = divmod(rest - 1, 26)
            letters = chr(ord("A") + letter) + letters
        return letters


@dataclass(frozen=True, slots=True)
class Slot:
    """One step of the network.

    start_s, end_s: picture seconds.  start_beats, end_beats: on the composition's tempo map.
    density: notes sounding in a second (0..40).  loudness: RMS 0..1.  affect: six weights in the order of
    engine.music.mood.EMOTIONS.  motion: mean absolute RGB difference 0..255.  tension: 0..1.
    pinned: the composer set this chord.  given: it comes from the progression.  provisional: planned before the
    analysis of the film was done.
    """

    index: int
    start_s: float
    end_s: float
    start_beats: float
    end_beats: float
    chord: Chord = NO_CHORD
    density: float = 10.0
    loudness: float = 0.165
    affect: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    motion: float = 0.0
    tension: float = 0.0
    pinned: bool = False
    given: bool = False
    provisional: bool = False

    def __reduce__(self) -> tuple[type[Slot], tuple[Any, ...]]:
        # Ten thousand go to the engine with each change of a long film; the dataclass's own way takes twice as long.
        return Slot, (
            self.index, self.start_s, self.end_s, self.start_beats, self.end_beats, self.chord, self.density,
            self.loudness, self.affect, self.motion, self.tension, self.pinned, self.given, self.provisional,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Composition:
    """What the engine composed: chords, activity and loudness over the film.

    tempo_map: beats <-> timeline seconds.  key_reason, tempo_reason: why, where the composer did not say.  typed:
    chords with the words that somebody wrote for them.
    plans: of the cues that were composed by one, in their order.  draws: what chance hangs on, beside the take.
    """

    revision: int
    film: Film
    tempo_map: TempoMap
    slots: tuple[Slot, ...]
    key: Key = C_MAJOR
    grid: str = "beats"
    picture_starts_at_s: float = 0.0
    cues: tuple[Cue, ...] = ()
    cuts: tuple[Cut, ...] = ()
    hits: tuple[Hit, ...] = ()
    take: Take = field(default_factory=Take)
    key_reason: str = ""
    tempo_reason: str = ""
    typed: tuple[tuple[Chord, str], ...] = field(default=(), compare=False)
    plans: tuple[CuePlan, ...] = ()
    draws: Draws = field(default_factory=Draws)

    def __post_init__(self) -> None:
        if self.grid not in GRIDS:
            raise MusicError(f"'{self.grid}' is not a grid; grids are {', '.join(GRIDS)}.")

    def spell(self, chord: Chord) -> str:
        """A chord's name, as it was typed where it was."""
        return spell(chord, self.key, self.typed)

    def beats_at_picture(self, picture_s: float) -> float:
        return self.tempo_map.beats_at(picture_s + self.picture_starts_at_s)

    def picture_at_beats(self, beats: float) -> float:
        return self.tempo_map.seconds_at(beats) - self.picture_starts_at_s

    def slot_at(self, picture_s: float) -> Slot | None:
        """The slot that a picture second lies in; None outside."""
        index = bisect_right(self.slots, picture_s, key=lambda slot: slot.start_s) - 1
        if index < 0 or picture_s >= self.slots[index].end_s:
            return None
        return self.slots[index]
