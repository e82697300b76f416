"""What a session file holds, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from engine.document.cues import CueState
from engine.document.document import Step
from engine.document.film_reading import FilmReading
from engine.document.takes import KeptTake
from engine.music import TempoMap, UserError
from engine.music.controls import TEMPO


class SessionError(UserError):
    """A session file that cannot be read or written.  never: nor will it ever be, at that place."""

    def __init__(self, sentence: str, *, never: bool = False) -> None:
        super().__init__(sentence)
        self.never = never


@dataclass(frozen=True, slots=True)
class NamedMark:
    """What the name of a region, marker or clip in the DAW says.  Timeline seconds.

    kind: progression, pin, section, cue, hit or print.  word: what stands before the colon ("loop", "must"), or "".
    value: what stands after the colon.  end_s None: a marker, which has no end.
    """

    kind: str
    word: str
    value: str
    start_s: float
    end_s: float | None
    name: str


@dataclass(frozen=True, slots=True)
class TempoOrigin:
    """Who chose the tempi of a film's cues.

    asked: a person did for all of them, on the command line, by a tempo map or in the DAW.  proposed: number of a cue
    and the tempo in quarter notes a minute that the film's plan proposed for it.
    """

    asked: bool = False
    proposed: tuple[tuple[int, float], ...] = ()

    def is_by_hand(self, cue: CueState) -> bool:
        """Whether a person has set the tempo of a cue, so that nothing else may change it."""
        bpm = cue.number_of(TEMPO)
        return self.asked or bool(bpm and (cue.number, bpm) not in self.proposed)


BY_NOBODY: Final = TempoOrigin()


@dataclass(frozen=True, slots=True)
class TempoChoice:
    """The tempo map in use, the grid, where the picture starts on the timeline, why this tempo, as a sentence, and who
    chose it."""

    tempo_map: TempoMap
    grid: str
    picture_starts_at_s: float
    reason: str
    origin: TempoOrigin = BY_NOBODY


@dataclass(frozen=True, slots=True)
class SavedTake:
    """A take of a cue; numbers as in `engine.document.takes`.  cut: fingerprint of the cut of the film that it belongs
    to, "": the one in force."""

    cue: int
    number: int
    take: KeptTake
    cut: str = ""


@dataclass(frozen=True, slots=True)
class SavedSession:
    """Everything that a session keeps.

    reading: of the film in force.  steps: the undo history, of which `index` is in force.  names: what regions and
    markers of the DAW have said already.  takes: of the cut in force.  takes_aside: of cuts that undo and redo lead to.
    film_beside: the film's path as seen from the session file's folder, "" where there is none.
    """

    reading: FilmReading
    tempo: TempoChoice
    steps: tuple[Step, ...]
    index: int
    takes: tuple[SavedTake, ...] = ()
    names: frozenset[NamedMark] = field(default_factory=frozenset)
    film_beside: str = ""
    takes_aside: tuple[SavedTake, ...] = ()

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the film's content."""
        return self.reading.fingerprint
