"""What a take of a cue is made of before a note is written: its form, its harmony's palette, its theme, its players.

The composing side draws a plan from the picture, the film's seed, the cue's number and the take; the arranger reads it.
It is plain data that a session keeps and a composer may overrule.  A composition without plans is arranged as one
stretch of equal music, as in sessions that were made before there were plans.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from engine.music.draws import RULES
from engine.music.errors import MusicError
from engine.music.key import Key

ENSEMBLES: Final = ("pop", "piano", "strings", "chamber", "ambient", "hybrid", "orchestra", "comedy", "pulse")
FORMS: Final = (
    "under dialogue", "montage", "suspense", "reveal", "chase", "comedy", "sad arc", "trailer", "end card",
)  # fmt: skip
CUE_ENDINGS: Final = ("ring-off", "button", "unresolved", "pre-lap", "bump")
STATEMENT_KINDS: Final = ("hint", "statement", "variant", "full", "memory")
TURNS: Final = ("", "ornamented", "delayed", "plain")


@dataclass(frozen=True, slots=True)
class ThemeNote:
    """start_beats, length_beats: from the theme's first bar line.  step: diatonic steps above the tonic (7 is the
    octave), alter: semitones added to the scale's tone."""

    start_beats: float
    length_beats: float
    step: int
    alter: int = 0


@dataclass(frozen=True, slots=True)
class Theme:
    """A tune in scale degrees, so that it may sound in any key and mode.

    bars: its length; bar_beats: quarter notes in one of its bars.  shape, rhythm, form: how it was built, "" for a tune
    that was given.
    """

    notes: tuple[ThemeNote, ...]
    bars: int
    bar_beats: float = 4.0
    shape: str = ""
    rhythm: str = ""
    form: str = ""

    def __post_init__(self) -> None:
        if not self.notes:
            raise MusicError("a theme needs at least one note.")
        if any(note.length_beats <= 0 for note in self.notes):
            raise MusicError("a note of the theme has no length.")

    @property
    def head(self) -> tuple[ThemeNote, ...]:
        """The notes of its first two bars."""
        return tuple(note for note in self.notes if note.start_beats < 2 * self.bar_beats)


@dataclass(frozen=True, slots=True)
class Statement:
    """The theme, or its head, from a bar on.

    bar: number of the bar (1 = bar 1).  kind: see STATEMENT_KINDS.  bars: how many bars of the theme sound.
    stretch: 2 is twice as slow.  octave: octaves above the melody's own place.  turn: how what returns is varied, one
    of TURNS, "" as it is.
    """

    bar: int
    kind: str
    bars: int
    stretch: float = 1.0
    octave: int = 0
    turn: str = ""

    @property
    def length_bars(self) -> int:
        """Bars of the cue that it takes."""
        return max(1, round(self.bars * self.stretch))


@dataclass(frozen=True, slots=True)
class SectionPlan:
    """A section of a cue's form and what it is played with.

    start_s, end_s: picture seconds.  letter: sections with the same letter share material.  role: what it does in the
    form.  mood: one of engine.music.mood.EMOTIONS.  intensity: 0..4.  variant: of the palettes (E1, F2 …).
    unit_bars: bars a chord lasts.  layers: the parts that sound.  pedal: scale degree that stays in the bass.
    note_length: per cent.  velocity: softest, loudest.  centre: middle of the pad.  bass: "root", "inversions" or
    "pedal".  transition: how it leads into the next section.  ostinato: scale degrees of the second voice's figure.
    asked: levels that the composer wants more to go on than the picture asks for (-4..4).
    """

    start_s: float
    end_s: float
    letter: str
    role: str
    mood: str
    intensity: int
    variant: str
    key: Key
    unit_bars: float
    layers: tuple[str, ...]
    pedal: str = ""
    note_length: float = 90.0
    velocity: tuple[int, int] = (60, 100)
    centre: int = 60
    transition: str = "common tone"
    ostinato: str = ""
    asked: int = 0


@dataclass(frozen=True, slots=True)
class CuePlan:
    """The plan of one take of one cue.  cue: index of the cue in the composition, 0 where there are none.

    melody_range: lowest and highest pitch of the theme's place.  seed: what the cue's draws hang on.  rules: by which
    it was drawn and is played, see `engine.music.draws.RULES`.
    fades: of the picture to black, picture seconds: where each begins, where it is black, where a picture comes again.
    """

    cue: int
    form: str
    ensemble: str
    sections: tuple[SectionPlan, ...]
    theme: Theme | None = None
    statements: tuple[Statement, ...] = ()
    ending: str = "unresolved"
    reason: str = ""
    seed: int = 0
    melody_range: tuple[int, int] = (60, 84)
    rules: int = RULES
    fades: tuple[tuple[float, float, float], ...] = ()

    def __post_init__(self) -> None:
        if self.ensemble not in ENSEMBLES:
            raise MusicError(f"'{self.ensemble}' is not an ensemble; known are {', '.join(ENSEMBLES)}.")
        if self.ending not in CUE_ENDINGS:
            raise MusicError(f"'{self.ending}' is not an ending; known are {', '.join(CUE_ENDINGS)}.")
        if not self.sections:
            raise MusicError("the plan of a cue needs at least one section.")

    @property
    def dark_from_s(self) -> float | None:
        """The picture second from which a cue that ends by ringing rings into a fade; None where there is none."""
        end_s = self.sections[-1].end_s
        rings = self.ending in ("ring-off", "unresolved", "pre-lap")
        return self.fades[-1][0] if rings and self.fades and self.fades[-1][2] >= end_s - 1.0 else None

    def index_at(self, picture_s: float) -> int:
        """Number of the section that a picture second lies in; the first or last one outside."""
        return max(bisect_right(self.sections, picture_s + 1e-6, key=lambda section: section.start_s) - 1, 0)

    def section_at(self, picture_s: float) -> SectionPlan:
        return self.sections[self.index_at(picture_s)]
