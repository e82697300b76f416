"""What crosses the pipe between bridge and engine.  Pure: both sides import it, neither pulls in the other's packages.

Every request carries a revision; answers to a revision older than the newest request are dropped by the receiver.
Times ending in `_s` are picture seconds unless they say timeline.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from engine.music import (
    Chord,
    Composition,
    Controller,
    Cue,
    Cut,
    Film,
    Hit,
    Key,
    Note,
    Progression,
    Slot,
    Take,
    TempoMap,
)
from engine.music.cueplan import CuePlan, Theme
from engine.music.draws import RULES
from engine.music.plan_edit import PlanEdit

PROTOCOL: Final = 1


@dataclass(frozen=True, slots=True)
class ComposeOptions:
    """How the networks are asked.

    adventurous: 0..10 (temperature and top-p).  follow_picture: 0..100 %, guidance towards the picture's mood.
    dark_light, calm_tense: -100..+100, added to the picture's mood.  affect_bias: six sliders -100..+100 under "more".
    harmonic_rhythm: one of controls.HARMONIC_RHYTHMS.  activity, dynamics: None as the picture, else 0..100.
    candidates: how many takes are decoded together, of which the best is kept.
    form: "auto" (drawn by the take), one of engine.music.cueplan.FORMS, or "none": no plan, the network alone over the
    whole cue, as sessions were composed before there were plans.  ensemble: "auto" or one of ENSEMBLES.  ending: "auto"
    or one of CUE_ENDINGS; for cues without one of their own.
    """

    adventurous: float = 4.0
    follow_picture: float = 50.0
    dark_light: float = 0.0
    calm_tense: float = 0.0
    affect_bias: tuple[float, ...] = (0.0,) * 6
    harmonic_rhythm: str = "auto"
    activity: float | None = None
    dynamics: float | None = None
    candidates: int = 1
    form: str = "none"
    ensemble: str = "auto"
    ending: str = "auto"


@dataclass(frozen=True, slots=True)
class AnalyseRequest:
    """Bridge -> engine: look at this film.  reading: one of controls.READINGS; clip_weights: a file, or None.

    beside: the film that was seen last is composed for until all of this one is seen, and stays if it cannot be read.
    first: what will be composed for it, as far as that is known; the answer proposes a tempo for it, in this meter
    unless that is "", and, where proposes_cues, the cues of a long film.  None: nothing is proposed.
    """

    revision: int
    path: str
    reading: str = "auto"
    clip_weights: str | None = None
    use_cache: bool = True
    beside: bool = False
    first: ComposeRequest | None = None
    meter: str = ""
    proposes_cues: bool = False


@dataclass(frozen=True, slots=True)
class ComposeRequest:
    """Bridge -> engine: compose the film analysed last.

    grid: "seconds" or "beats"; on the seconds grid tempo_map must be a constant 120 bpm.
    key, progression: None where the composer set none.  pins: (picture second, chord).
    keep: the slots already fixed (the past and what is too near to change), in order from the film's beginning;
    composition goes on after the last of them.
    progression_from_s: where the progression begins (the cue's bar 1 unless it was set while rolling).
    film_seed: what the draws of this film hang on; None: drawn from its content, 0: on the take alone, as before there
    were film seeds.  film_seed_since_take: earlier takes are drawn as with 0.  rules: see `engine.music.draws.RULES`.
    theme: instead of one that is built.
    like: number of the take whose plan (form, key, players, theme) this one has, 0: its own.  plan_edits: done to each
    plan when it is drawn.  rewrite: numbers ranges of planned cues that are composed again: other draws, same plan.
    draws: of which takes the plan's layers are, see engine.music.take_draws.
    """

    revision: int
    tempo_map: TempoMap
    grid: str = "beats"
    picture_starts_at_s: float = 0.0
    key: Key | None = None
    progression: Progression | None = None
    progression_from_s: float = 0.0
    take: Take = field(default_factory=Take)
    pins: tuple[tuple[float, Chord], ...] = ()
    hits: tuple[Hit, ...] = ()
    cues: tuple[Cue, ...] = ()
    keep: tuple[Slot, ...] = ()
    options: ComposeOptions = field(default_factory=ComposeOptions)
    film_seed: int | None = None
    film_seed_since_take: int = 1
    rules: int = RULES
    theme: Theme | None = None
    like: int = 0
    plan_edits: tuple[PlanEdit, ...] = ()
    rewrite: int = 0
    draws: str = ""


@dataclass(frozen=True, slots=True)
class WhyRequest:
    """Bridge -> engine: why the first chord after the kept slots of a request is what it is.  number: names the
    question."""

    number: int
    request: ComposeRequest


@dataclass(frozen=True, slots=True)
class Alternative:
    """A chord that could have come: how likely it was, and how likely the network alone finds it (0..1)."""

    chord: Chord
    chance: float
    network: float


@dataclass(frozen=True, slots=True)
class WhyAnswer:
    """Engine -> bridge: who chose the chord; by "" where nothing was chosen (it was fixed).

    by: "network", "cell" or "cadence".  words: of which palette and cell.  weight: 0..1, the network's part in it.
    options: the likeliest chords.  affect: six weights that the choice followed, picture and faders together.
    """

    number: int
    by: str = ""
    words: str = ""
    weight: float = 0.0
    options: tuple[Alternative, ...] = ()
    affect: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Cancel:
    """Bridge -> engine: give up work on revisions below this one."""

    revision: int


@dataclass(frozen=True, slots=True)
class Quit:
    """Bridge -> engine: end."""


@dataclass(frozen=True, slots=True)
class EngineReady:
    """Engine -> bridge: up, weights loaded.  weights: file names with the first digits of their sha256."""

    protocol: int
    version: str
    weights: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnalysisProgress:
    """Engine -> bridge: fraction 0..1 of the film, phase in a composer's words.

    restarted: the analysis crashed and begins anew; phase says so and is to be told.
    """

    revision: int
    fraction: float
    phase: str
    restarted: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the plan of a take would have: tempo and meter, why, and cues (In and Out in picture seconds, bpm, and a
    sentence that says why there)."""

    bpm: float
    meter: str
    reason: str
    cues: tuple[tuple[float, float, float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FilmAnalysed:
    """Engine -> bridge: what was seen.

    reading: "full" or "quick", reason: why.  notes: what the user should know (truncated file, …).
    affect_mean: six weights over the film.  motion: one value per second, 0..255.  cached: nothing was decoded.
    affect: six weights of each second, before any control; empty in a session that was taken up again.
    proposal: for the first composition, where it was asked for.
    """

    revision: int
    film: Film
    cuts: tuple[Cut, ...]
    reading: str
    reason: str
    affect_mean: tuple[float, ...]
    motion: tuple[float, ...]
    notes: tuple[str, ...] = ()
    cached: bool = False
    took_s: float = 0.0
    proposal: Proposal | None = None
    affect: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class FilmHeard:
    """Engine -> bridge, some time after FilmAnalysed: what is heard in the film's own sound.

    speech, music: (from, to), picture seconds; speech None: without the extra `dialogue` nobody listened for it.
    loudness: dB below full scale of each second.  fault: why nobody could listen.
    """

    revision: int
    speech: tuple[tuple[float, float], ...] | None
    music: tuple[tuple[float, float], ...]
    loudness: tuple[float, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class SlotsComposed:
    """Engine -> bridge: the next slots of a revision, in order, without gaps; `key` is already decided.

    cue_keys: of each cue of the request, with why; empty where it has none.  plans: of the cues that have one.
    """

    revision: int
    slots: tuple[Slot, ...]
    key: Key
    key_reason: str
    fraction: float
    cue_keys: tuple[tuple[Key, str], ...] = ()
    plans: tuple[CuePlan, ...] = ()


@dataclass(frozen=True, slots=True)
class Composed:
    """Engine -> bridge: a revision is complete."""

    revision: int
    composition: Composition
    took_s: float
    cue_keys: tuple[tuple[Key, str], ...] = ()


@dataclass(frozen=True, slots=True)
class EngineFailure:
    """Engine -> bridge: one sentence for the user.  film: the film is at fault (asking again will not help)."""

    revision: int
    sentence: str
    film: bool = False


# sound ----------------------------------------------------------------------------------------------------------------
SOUND_RATE: Final = 48_000  # samples a second
SOUND_BLOCK: Final = 24_000  # samples of a block: half a second
SOUND_SCALE: Final = 4.0  # full scale of a block's integers: 12 dB of headroom


@dataclass(frozen=True, slots=True)
class SoundPlan:
    """Bridge -> sound: what is to be heard from now on.

    starts_s: timeline second of the picture's first frame.  ensembles: (picture second, who plays from there on).
    """

    revision: int
    notes: tuple[Note, ...]
    controllers: tuple[Controller, ...]
    tempo_map: TempoMap
    starts_s: float
    duration_s: float
    ensembles: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SoundWanted:
    """Page -> sound or media: blocks from `first` on, in this order; what was wanted before is dropped.

    revision: of the plan, or the number of the film.
    """

    revision: int
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class SoundBlock:
    """Sound or media -> page: half a second from sample `index` * SOUND_BLOCK on (0: the picture's first frame).

    parts: name and 16-bit little-endian integers, left and right in turn, full scale at SOUND_SCALE; silent parts are
    left out.  last: no block follows this one.
    """

    revision: int
    index: int
    parts: tuple[tuple[str, bytes], ...]
    last: bool = False


@dataclass(frozen=True, slots=True)
class SoundFailure:
    """Sound -> bridge: one sentence for the user; the process ends."""

    sentence: str


# the film, for the page ---------------------------------------------------------------------------------------------
THUMBNAILS: Final = 10  # pictures side by side in a tile
THUMBNAIL_HEIGHT: Final = 54
THUMBNAIL_STEPS_S: Final = (1.0, 10.0, 100.0)  # from picture to picture of a tile, by level
PEAKS_HZ: Final = 20  # of the overview of a film's sound


@dataclass(frozen=True, slots=True)
class OpenMedia:
    """Page -> media: this film from now on; what was asked of another is dropped."""

    number: int
    path: str


@dataclass(frozen=True, slots=True)
class MediaOpened:
    """Media -> page: what the file is.  fault: one sentence where it is no film.

    why_not: empty where browsers play the file as it is, else what they cannot play.  offset_s: place of picture second
    0 on the file's own time line.
    """

    number: int
    fault: str = ""
    duration_s: float = 0.0
    fps: tuple[int, int] = (25, 1)
    width: int = 0
    height: int = 0
    thumbnail_width: int = 0
    sound: bool = False
    why_not: str = ""
    offset_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ThumbnailsWanted:
    """Page -> media: pictures at THUMBNAILS * tile * step, and so on, with the step of a level."""

    number: int
    level: int
    tile: int


@dataclass(frozen=True, slots=True)
class ThumbnailsMade:
    """Media -> page: a JPEG with THUMBNAILS pictures side by side, black after the end; empty outside the film."""

    number: int
    level: int
    tile: int
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class PeaksMade:
    """Media -> page: peak and RMS, 0..255 each, of every 1 / PEAKS_HZ seconds of the film's sound; all of it."""

    number: int
    data: bytes


ToMedia = OpenMedia | ThumbnailsWanted | SoundWanted | Quit
FromMedia = MediaOpened | ThumbnailsMade | PeaksMade | SoundBlock
ToEngine = AnalyseRequest | ComposeRequest | Cancel | Quit | WhyRequest
FromEngine = (
    EngineReady | AnalysisProgress | FilmAnalysed | FilmHeard | SlotsComposed | Composed | EngineFailure | WhyAnswer
)
ToSound = SoundPlan | SoundWanted | Quit
FromSound = SoundBlock | SoundFailure
