"""The plan of a cue, drawn by its take: form, palettes, keys, tempo, players, where the theme stands, how it ends.

Two steps, since the tempo is chosen by where the sections lie: `draw_cue` works in picture seconds, `settle_bars`
moves what it drew to bar lines and places the theme.  Draws hang on (film seed, the cue's number, take, what is
drawn), so that another film is other music and the same take of the same film the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import pairwise
from typing import Final

from engine.arrange.chance import noise
from engine.arrange.ensembles import Ensemble, ensembles
from engine.form.picture import PictureCurves
from engine.form.sections import LEAST_S, SILENT_ROLES, FormSection, forms, sections
from engine.harmony.palettes import Palette, of_mood, palettes
from engine.harmony.tension import strain
from engine.music import EMOTIONS, Hit, Key, TempoMap
from engine.music.closing import closing_unit
from engine.music.cueplan import CuePlan, SectionPlan, Statement, Theme
from engine.music.draws import RULES
from engine.music.take_draws import OWN, TakeDraws
from engine.music.tune import lies_at

VARIANTS_A_MINUTE: Final = 2
MOST_VARIANTS: Final = 3
LEAST_BARS: Final = 4
STRAINED: Final = 2.0  # how much intensity has to say in which palette of a mood is drawn
_STRAINED_BEFORE: Final = 1.0  # the same by earlier rules
DOZEN: Final = 12  # takes that are told apart from one another
MOST_ATTEMPTS: Final = 6
_ATTEMPTS_BEFORE: Final = 5  # by earlier rules
APART: Final = 3  # what two takes differ in, at least: form, palette and tempo count one, players two
_APART_BEFORE: Final = 2  # the same by earlier rules, where players counted one
LONGEST_S: Final = 10.0  # that a chord stands where nothing is dreaded or awaited
LONGEST_UNDER_TUNE_S: Final = 6.0  # a chord over which a tune moves does not stand still for longer
_WORTH: Final = ("", "hint", "memory", "variant", "statement", "full")  # what a section does with the theme, rising
_HOLDING: Final = frozenset({"still", "veil", "bed", "ring", "tag", "intro", "thin", "solo", "strip"})
_WITH_FILM_S: Final = 2.0  # a cue that ends no earlier before the film's end ends with it
_TAKES_BPM: Final = 0.5  # of its palette's range that the takes' tempi spread over
_NEAR_LINE_S: Final = 0.25  # a boundary this near to a bar line seems to stand on it
LEAST_BPM, MOST_BPM = 48.0, 156.0  # that a picture asks for
# What a form adds to the tempo that its picture asks for, and what it asks for at least.
_FORM_BPM: Final[dict[str, tuple[float, float]]] = {
    "comedy": (28.0, 104.0), "chase": (25.0, 122.0), "trailer": (8.0, 0.0), "under dialogue": (-8.0, 0.0),
    "suspense": (-6.0, 0.0), "sad arc": (-6.0, 0.0), "end card": (-6.0, 0.0),
}  # fmt: skip
# Palettes that a mood borrows where the picture is too quick, or too slow, for all of its own.
_QUICKER: Final[dict[str, tuple[str, ...]]] = {
    "relaxing": ("E3", "N2"), "sad": ("T3",), "fearful": ("T1", "T4", "E2"), "tense": ("E2",),
}  # fmt: skip
_SLOWER: Final[dict[str, tuple[str, ...]]] = {"exciting": ("R2",), "neutral": ("R3",), "tense": ("F1", "S3")}
_BORROWED_FROM: Final = 6.0  # bpm that a mood's palettes lie off, at least
_RELATIONS: Final = {  # semitones from home, drawn by what a section's mood means beside the cue's own
    "exciting": (3, 2, 0, 5),
    "fearful": (0, 6, 0, 1),
    "tense": (0, 0, 1, 6),
    "sad": (0, -3, 0, 5),
    "relaxing": (0, 5, -4, 3),
    "neutral": (0, 0, 5, -2),
}


@dataclass(frozen=True, slots=True)
class PlanWish:
    """What the composer has said of a plan; None or "" where the take draws it.

    draws: of which takes its layers are, and what they shall not come to.  rules: see `engine.music.draws.RULES`.
    """

    key: Key | None = None
    form: str = ""
    ensemble: str = ""
    ending: str = ""
    theme: Theme | None = None
    harmonic_rhythm: float | None = None  # bars a chord
    bpm: float | None = None
    draws: TakeDraws = field(default=OWN, hash=False)
    rules: int = RULES


@dataclass(frozen=True, slots=True)
class Drawn:
    """A cue's plan before its tempo is known."""

    plan: CuePlan
    parts: tuple[FormSection, ...]
    draw: Callable[..., float]
    lively: float = 0.0  # of the cue's picture, see PictureCurves.lively
    asked_bpm: float = 0.0  # that picture and form ask for; 0 by earlier rules

    @property
    def main(self) -> Palette:
        """The palette that sounds longest: the cue's tempo is its."""
        return palettes()[_main_variant(self.plan.sections, [section.variant for section in self.plan.sections])]


# size: where the cue lies, whose draws it takes and what was asked for; tests draw with few of them.
def draw_cue(
    curves: PictureCurves,
    start_s: float,
    end_s: float,
    film_seed: int,
    number: int,
    take: int,
    wish: PlanWish | None = None,
    cue: int = 0,
    before: Key | None = None,
    attempt: int | None = None,
) -> Drawn:
    """The plan of a cue in picture seconds.  number: the cue's stable number.  before: key of the cue before.

    attempt: which of its draws a take has; None: the first by which it differs from the takes before it.
    """
    wish = wish or PlanWish()
    asked = wish.draws
    if attempt is None:
        apart = wish.rules > 1 and not asked and not (wish.form and wish.ensemble)
        # Whatever the tempo: it is chosen for the attempt that is settled here.
        alike = replace(wish, bpm=None)
        attempt = _attempts(curves, start_s, end_s, film_seed, number, take, alike)[-1] if apart else 0

    def draw(*words: object) -> float:
        again = ("again", attempt) if attempt else ()
        return noise(film_seed, number, asked.take_for(words[0], take), *again, *words)

    parts = sections(curves, start_s, end_s, draw, wish.form or None, partial(asked.weight, "form"))
    ensemble = (
        ensembles()[wish.ensemble]
        if wish.ensemble
        else _choose_ensemble(curves, start_s, end_s, parts, draw, partial(asked.weight, "players"))
    )
    mode = wish.key.mode if wish.key is not None else None
    lively = curves.lively(start_s, end_s)
    asked_bpm = _asked_bpm(curves, parts) if wish.rules > 4 else 0.0

    def variants_at(bpm: float | None) -> list[str]:
        weight = partial(asked.weight, "palettes")
        return _variants(parts, bpm, mode, lively, draw, weight, wish.rules, asked_bpm)

    variants = variants_at(wish.bpm if wish.rules < 5 else None)
    if wish.rules > 4 and wish.bpm is not None:
        # A tempo of the palette's own range may be the one that was chosen for it, and is welcome if it was not.
        low, high = palettes()[_main_variant(parts, variants)].bpm
        if not low - 0.05 <= wish.bpm <= high + 0.05:
            variants = variants_at(wish.bpm)
    home = wish.key or _home(
        ensemble, palettes()[variants[_longest(parts)]].mode, draw, before, partial(asked.weight, "keys")
    )
    planned = []
    for index, (part, variant) in enumerate(zip(parts, variants, strict=True)):
        palette = palettes()[variant]
        key = _key_of(part, palette, home, wish.key is not None, index, parts, variants, draw)
        planned.append(_section(part, palette, key, wish, draw, index))
    faded = tuple(fade for fade in curves.fades if start_s <= fade[0] < end_s) if wish.rules > 1 else ()
    ending = wish.ending or _ending(parts[-1].mood)
    if wish.rules > 4 and not wish.ending:
        ending = _ending_of(parts[-1], variants[-1], end_s >= curves.seconds - _WITH_FILM_S)
    if not wish.ending and ending == "button" and faded and faded[-1][2] >= end_s - 1.0:
        ending = "ring-off"  # nothing is struck into the dark
    reason = (
        f"{ensemble.name}, {' then '.join(dict.fromkeys(part.form for part in parts))}: "
        f"{', '.join(dict.fromkeys(f'{palettes()[v].name} ({v})' for v in variants))}"
    )
    plan = CuePlan(
        cue,
        parts[0].form,
        ensemble.name,
        tuple(planned),
        wish.theme,
        (),
        ending,
        reason,
        film_seed,
        rules=wish.rules,
        fades=faded,
    )
    return Drawn(plan, parts, draw, lively, asked_bpm)


def _main_variant(parts: Sequence[FormSection | SectionPlan], variants: Sequence[str]) -> str:
    """The variant that sounds longest."""
    lasted: dict[str, float] = {}
    for part, variant in zip(parts, variants, strict=True):
        lasted[variant] = lasted.get(variant, 0.0) + part.end_s - part.start_s
    return max(lasted, key=lambda variant: lasted[variant])


def _asked_bpm(curves: PictureCurves, parts: Sequence[FormSection]) -> float:
    """The tempo that a cue's picture asks for, as the form that lasts longest takes it."""
    lasted: dict[str, float] = {}
    for part in parts:
        lasted[part.form] = lasted.get(part.form, 0.0) + part.end_s - part.start_s
    more, least = _FORM_BPM.get(max(lasted, key=lambda form: lasted[form]), (0.0, 0.0))
    bpm = max(curves.bpm(parts[0].start_s, parts[-1].end_s) + more, least)
    return min(max(bpm, LEAST_BPM), MOST_BPM)


# size: what `draw_cue` has of a take.
@lru_cache(maxsize=256)
def _attempts(
    curves: PictureCurves, start_s: float, end_s: float, film_seed: int, number: int, take: int, wish: PlanWish
) -> tuple[int, ...]:
    """Which of its draws each take has, from the first of its dozen on up to this one: the first that differs from all
    before it in players and something else, or in form, palette and tempo, else the one that differs most."""
    known = () if (take - 1) % DOZEN == 0 else _attempts(curves, start_s, end_s, film_seed, number, take - 1, wish)
    first = take - len(known)

    def face(of: int, attempt: int) -> tuple[object, ...]:
        drawn = draw_cue(curves, start_s, end_s, film_seed, number, of, wish, attempt=attempt)
        return drawn.plan.form, drawn.plan.ensemble, drawn.main.variant, int(4 * drawn.draw("tempo"))

    players, enough = (2, APART) if wish.rules > 2 else (1, _APART_BEFORE)
    weights = (1, players, 1, 1)
    faces = [face(first + index, attempt) for index, attempt in enumerate(known)]
    best, most = 0, -1
    for attempt in range(MOST_ATTEMPTS if wish.rules > 2 else _ATTEMPTS_BEFORE):
        own = face(take, attempt)
        apart = [sum(w * (a != b) for w, a, b in zip(weights, own, other, strict=True)) for other in faces]
        if wish.rules > 2:  # the same form for the same players looks alike, whatever else differs
            apart = [each - (own[:2] == other[:2]) for each, other in zip(apart, faces, strict=True)]
        least = min(apart, default=sum(weights))
        if least > most:
            best, most = attempt, least
        if least >= enough:
            break
    return (*known, best)


def _longest(parts: Sequence[FormSection]) -> int:
    return max(range(len(parts)), key=lambda index: parts[index].end_s - parts[index].start_s)


def _gumbel(weights: dict[str, float], draw: Callable[[str], float]) -> str:
    """One of the names by their weights; small changes of the weights change few draws."""

    def worth(name: str) -> float:
        value = min(max(draw(name), 1e-9), 1 - 1e-9)
        return math.log(max(weights[name], 1e-9)) - math.log(-math.log(value))

    return max(weights, key=worth)


def _choose_ensemble(
    curves: PictureCurves,
    start_s: float,
    end_s: float,
    parts: Sequence[FormSection],
    draw: Callable[..., float],
    weight: Callable[[str], float],
) -> Ensemble:
    """By how long each mood lasts and how lively the picture is beside all films."""
    total = sum(part.end_s - part.start_s for part in parts)
    share = {name: sum(p.end_s - p.start_s for p in parts if p.mood == name) / total for name in EMOTIONS}
    lively = curves.lively(start_s, end_s)
    weights = {}
    for name, ensemble in ensembles().items():
        suits = sum(ensemble.moods.get(mood, 0.02) * part for mood, part in share.items())
        weights[name] = weight(name) * suits**2 * math.exp(-((lively - ensemble.lively) ** 2) / 1.5)
        if any(part.form == "comedy" for part in parts) and name == "comedy":
            weights[name] *= 12.0
    return ensembles()[_gumbel(weights, partial(draw, "ensemble"))]


# size: a step of `draw_cue`, which has them all.
def _variants(
    parts: Sequence[FormSection],
    bpm: float | None,
    mode: str | None,
    lively: float,
    draw: Callable[..., float],
    weight: Callable[[str], float],
    rules: int,
    asked_bpm: float,
) -> list[str]:
    """A variant for each section: one for a letter and mood, at most two a minute and three in all."""
    length_s = parts[-1].end_s - parts[0].start_s
    most = max(1, min(MOST_VARIANTS, round(VARIANTS_A_MINUTE * length_s / 60 + 0.4)))
    # The longest section chooses first: its tempo is the cue's.
    order = sorted(range(len(parts)), key=lambda index: -(parts[index].end_s - parts[index].start_s))
    chosen: dict[tuple[str, str], str] = {}
    used: list[str] = []
    found = [""] * len(parts)
    for index in order:
        part = parts[index]
        name = (part.part.letter, part.mood)
        if name not in chosen:
            of_same = [variant for variant in used if palettes()[variant].mood == part.mood]
            if len(used) >= most:
                near = of_same or used
                variant = near[0]
            else:
                offered = of_mood(part.mood, rules)
                if part.form == "comedy" and part.mood in ("relaxing", "exciting"):
                    offered = (*offered, palettes(rules)["N3"])  # what is funny is mostly bright too
                if rules > 4:
                    offered = (*offered, *_borrowed(part.mood, offered, asked_bpm if bpm is None else bpm, rules))
                offered = _in_mode(offered, mode, rules)
                weights = {p.variant: weight(p.variant) * _fit(p, part, bpm, lively, used, asked_bpm) for p in offered}
                if rules > 2:
                    for p in offered:
                        weights[p.variant] *= _strained(p, part, offered, STRAINED if rules > 3 else _STRAINED_BEFORE)
                variant = _gumbel(weights, partial(draw, "variant", *name))
                # Between two sections of one mood the same palette is the rule, another one the surprise.
                if of_same and draw("again", *name) < 0.6:
                    variant = of_same[0]
            chosen[name] = variant
            if variant not in used:
                used.append(variant)
        found[index] = chosen[name]
    return found


def _in_mode(offered: tuple[Palette, ...], mode: str | None, rules: int) -> tuple[Palette, ...]:
    """The palettes of a mode; of the moods beside where the mood has none in it."""
    found = tuple(palette for palette in offered if mode is None or palette.mode == mode)
    return found or tuple(palette for palette in palettes(rules).values() if palette.mode == mode)


def _borrowed(mood: str, offered: Sequence[Palette], bpm: float, rules: int) -> tuple[Palette, ...]:
    """Palettes beside a mood's own where all of these are too slow or too quick."""
    names: tuple[str, ...] = ()
    if bpm > max(palette.bpm[1] for palette in offered) + _BORROWED_FROM:
        names = _QUICKER.get(mood, ())
    elif bpm < min(palette.bpm[0] for palette in offered) - _BORROWED_FROM:
        names = _SLOWER.get(mood, ())
    return tuple(palettes(rules)[name] for name in names)


def _fit(
    palette: Palette, part: FormSection, bpm: float | None, lively: float, used: Sequence[str], asked_bpm: float
) -> float:
    """How well a palette suits a section.  asked_bpm: that the picture asks for, 0 by earlier rules."""
    weight = 1.0
    if asked_bpm:
        weight *= _suits_tempo(palette, bpm, used, asked_bpm)
    elif bpm is None and not used:
        # Much motion is quick music: 60 bpm suits a picture that hardly moves, 120 a wild one.
        wanted_bpm = 88.0 + 26.0 * min(max(lively, -1.3), 1.5)
        low, high = palette.bpm
        weight *= max(math.exp(-((max(low - wanted_bpm, wanted_bpm - high, 0.0) / 25.0) ** 2)), 0.05)
    wanted = [bpm] if bpm is not None else []
    if bpm is None and used:
        low, high = palettes()[used[0]].bpm
        wanted = [0.5 * (low + high)]
    for tempo in wanted if not asked_bpm else ():
        weight *= max(_tempo_fit(palette, tempo), _tempo_fit(palette, 2 * tempo), _tempo_fit(palette, 0.5 * tempo))
    slow = palette.bpm[1] <= 72
    if slow:
        weight *= 1.3 if part.energy < -0.3 else 0.6
    if palette.variant == "E2":
        weight *= 2.0 if part.energy > 1.0 or part.form == "chase" else 0.25
    if palette.variant == "T4":
        weight *= 3.0 if part.part.role in ("press", "climax", "swell", "up") else 0.3
    if palette.variant == "N3":
        weight *= 8.0 if part.form == "comedy" else 0.1
    if palette.variant == "R2":
        weight *= 1.6 if part.part.theme == "full" or part.form == "reveal" else 0.45
    return weight


def _suits_tempo(palette: Palette, bpm: float | None, used: Sequence[str], asked_bpm: float) -> float:
    """How well a palette suits the tempo that the composer set (`bpm`), that of the palette that has been chosen
    already, or the one that the picture asks for.

    Over a quick tempo a slow palette is felt in half time; a quick one over a slow tempo drags.
    """
    if bpm is None and not used:
        low, high = palette.bpm
        away = max(low - asked_bpm, asked_bpm - high, 0.0)
        return math.exp(-away / 6.0)
    tempo = bpm
    if tempo is None:
        low, high = palettes()[used[0]].bpm
        tempo = min(max(asked_bpm, low), high)
    return max(_tempo_fit(palette, tempo), 0.5 * _tempo_fit(palette, 0.5 * tempo), 0.1 * _tempo_fit(palette, 2 * tempo))


@lru_cache(maxsize=64)
def _strain_of(palette: Palette) -> float:
    """How far the chords of a palette lie from its key: the mean of its cells."""
    key = Key(0, palette.mode)
    means = [[strain(each, key) for entry in cell for each in entry] for cell in palette.cells]
    return sum(sum(mean) / len(mean) for mean in means) / len(means)


def _strained(palette: Palette, part: FormSection, offered: Sequence[Palette], strained: float) -> float:
    """Where a section is intense the palettes whose chords lie further from the key are drawn more often, where it is
    calm those nearer to it."""
    strains = [_strain_of(each) for each in offered]
    middle = sum(strains) / len(strains)
    spread = math.sqrt(sum((each - middle) ** 2 for each in strains) / len(strains))
    if spread < 0.02:
        return 1.0
    return math.exp(strained * (part.intensity - 2) / 2 * (_strain_of(palette) - middle) / spread)


def _tempo_fit(palette: Palette, bpm: float) -> float:
    low, high = palette.bpm
    away = max(low - bpm, bpm - high, 0.0)
    return math.exp(-((away / 10.0) ** 2))


def _home(
    ensemble: Ensemble, mode: str, draw: Callable[..., float], before: Key | None, weight: Callable[[str], float]
) -> Key:
    """The tonic of a cue: what its players prefer, not the key of the cue before."""
    weights = {}
    for tonic in range(12):
        worth = 3.0 if tonic in ensemble.keys else 1.0
        if before is not None and before.tonic == tonic:
            worth *= 0.15
        weights[str(tonic)] = worth * weight(Key(tonic, mode).short_name)
    return Key(int(_gumbel(weights, partial(draw, "tonic"))), mode)


# size: a step of `draw_cue`, which has them all; the key depends on the sections around.
def _key_of(
    part: FormSection,
    palette: Palette,
    home: Key,
    asked: bool,
    index: int,
    parts: Sequence[FormSection],
    variants: Sequence[str],
    draw: Callable[..., float],
) -> Key:
    """By meaning: the same pedal for unease, the parallel for another light, up a third for escalation, down a major
    third for depth, the tritone for another world."""
    main = parts[_longest(parts)]
    mode = palette.mode
    if asked:
        return Key(home.tonic, mode)  # what was asked for holds; palettes were chosen in its mode
    role, shift = part.part.role, 0
    if role == "up a third":
        shift = 3
    elif role in ("contrast", "break") and part.mood == main.mood:
        shift = (5, -4)[draw("contrast key", part.part.letter) < 0.5]
    elif role == "reveal" and variants[index] in variants[:index]:
        shift = (-4, 4, 3)[min(int(3 * draw("reveal key", index)), 2)]  # what is shown is another world than the veil
    elif role in ("peak", "climax", "reveal", "up") and index and draw("lift key", index) < 0.4:
        shift = 2 if part.mood != "relaxing" else -4
    elif part.mood != main.mood:
        options = _RELATIONS[part.mood]
        shift = options[min(int(4 * draw("relation", part.part.letter, part.mood)), 3)]
    return Key((home.tonic + shift) % 12, mode)


def _section(
    part: FormSection, palette: Palette, key: Key, wish: PlanWish, draw: Callable[..., float], index: int
) -> SectionPlan:
    units = palette.units
    unit = units[min(int(len(units) * draw("unit", part.part.letter, palette.variant)), len(units) - 1)]
    if part.part.role in _HOLDING:
        unit = max(units) if max(units) >= 2 else 2 * max(units)
    elif part.intensity == 4:
        unit = min(units)
    if part.form in ("suspense", "reveal") and part.part.role not in ("reveal", "ring"):
        unit = max(unit, 2.0)
    ostinato = ""
    if palette.ostinato:
        ostinato = palette.ostinato[min(int(len(palette.ostinato) * draw("ostinato")), len(palette.ostinato) - 1)]
    return SectionPlan(
        start_s=part.start_s,
        end_s=part.end_s,
        letter=part.part.letter,
        role=part.part.role,
        mood=part.mood,
        intensity=part.intensity,
        variant=palette.variant,
        key=key,
        unit_bars=wish.harmonic_rhythm or unit,
        layers=(),
        pedal=palette.pedal,
        note_length=palette.note_length,
        velocity=palette.velocity,
        centre=palette.centre,
        ostinato=ostinato,
    )


def _ending_of(part: FormSection, variant: str, with_film: bool) -> str:
    """A joke and a chase end with a button; what is tense or fearful stays open, and a neutral cue that others follow;
    with the film a cue comes home."""
    if variant == "N3" or (part.form in ("comedy", "chase") and part.mood not in ("tense", "fearful", "sad")):
        return "button"
    return "ring-off" if with_film and part.mood == "neutral" else _ending(part.mood)


def _ending(mood: str) -> str:
    if mood in ("sad", "relaxing"):
        return "ring-off"
    return "button" if mood == "exciting" else "unresolved"


# tempo -------------------------------------------------------------------------------------------------------------
def choose_tempo(
    drawn: Drawn, hits: Sequence[Hit], cut_times_s: Sequence[float], bar_beats: float, bar_1_s: float = 0.0
) -> tuple[float, str]:
    """A tempo of the main palette's range that brings sections (and hits) to bar lines, and why.

    The tempo that the picture asks for, and the take, decide the neighbourhood; where the picture changes, and hits,
    choose in it.  Where there are hits all of the range is looked at, the further off the less gladly.
    """
    low, high = drawn.main.bpm
    if drawn.asked_bpm:
        return _tempo_near(drawn, hits, cut_times_s, bar_beats, bar_1_s)
    own = 0.5 if drawn.plan.rules == 1 else 0.65  # of the choice that is the take's
    share = own * drawn.draw("tempo") + (1 - own) * min(max(0.5 + 0.45 * drawn.lively, 0.0), 1.0)
    middle = low + (high - low) * share
    reach = 16 if drawn.plan.rules == 1 else 12  # half per cents: takes that all met the same bar lines had one tempo
    candidates = [round(middle * (1 + step / 200), 1) for step in range(-reach, reach + 1)]
    candidates = [bpm for bpm in candidates if low <= bpm <= high] or [round(middle, 1)]
    worth = _worth_of_tempi(drawn, hits, cut_times_s, bar_beats, bar_1_s, by_half=False)
    bpm = max(candidates, key=lambda each: (round(worth(each), 6), -abs(each - middle)))
    return bpm, _said_of_tempo(drawn, bpm, bar_beats, bar_1_s)


def _tempo_near(
    drawn: Drawn, hits: Sequence[Hit], cut_times_s: Sequence[float], bar_beats: float, bar_1_s: float
) -> tuple[float, str]:
    low, high = drawn.main.bpm
    asked = min(max(drawn.asked_bpm, low), high)
    middle = min(max(asked + (drawn.draw("tempo") - 0.5) * _TAKES_BPM * (high - low), low), high)
    worth = _worth_of_tempi(drawn, hits, cut_times_s, bar_beats, bar_1_s, by_half=True)
    reach = range(-200, 201) if hits else range(-12, 13)  # half per cents
    candidates = [bpm for step in reach if low <= (bpm := round(middle * (1 + step / 200), 1)) <= high]

    def gladly(bpm: float) -> tuple[float, float]:
        away = math.log(bpm / middle) / 0.15
        return round(worth(bpm) - (away**2 if hits else 0.0), 6), -abs(bpm - middle)

    bpm = max(candidates or [round(middle, 1)], key=gladly)
    said = _said_of_tempo(drawn, bpm, bar_beats, bar_1_s)
    return bpm, f"{said}; the picture asks for about {drawn.asked_bpm:.0f}"


def _near_line(time_s: float, bpm: float, beats: float, bar_1_s: float) -> float:
    """0..1 how near a second lies to a multiple of so many beats."""
    place = (time_s - bar_1_s) * bpm / 60 / beats
    miss_s = abs(place - round(place)) * 60 / bpm * beats
    return math.exp(-((miss_s / _NEAR_LINE_S) ** 2) / 2)


def _worth_of_tempi(
    drawn: Drawn,
    hits: Sequence[Hit],
    cut_times_s: Sequence[float],
    bar_beats: float,
    bar_1_s: float,
    by_half: bool,
) -> Callable[[float], float]:
    """How well a tempo brings sections to bar lines, hits and cuts to beats.  by_half: hits count half on eighths, the
    beats of the tempo doubled, where the miss is a sixteenth of a second and not a quarter."""
    edges = [section.start_s for section in drawn.plan.sections[1:]]
    weights = {"must": 3.0, "should": 2.0, "nice": 1.0}

    def at_hit(time_s: float, bpm: float) -> float:
        if not by_half:
            return _near_line(time_s, bpm, 1.0, bar_1_s)
        beat, eighth = (_near_line(time_s, bpm, beats, bar_1_s) ** 16 for beats in (1.0, 0.5))
        return max(beat, 0.5 * eighth)

    def worth(bpm: float) -> float:
        value = sum(2.0 * _near_line(edge, bpm, bar_beats, bar_1_s) for edge in edges)
        value += sum(weights[hit.weight] * at_hit(hit.time_s, bpm) for hit in hits)
        cuts = sum(_near_line(time_s, bpm, 1.0, bar_1_s) for time_s in cut_times_s)
        return value + 0.1 * cuts / max(len(cut_times_s), 1) * 10

    return worth


def _said_of_tempo(drawn: Drawn, bpm: float, bar_beats: float, bar_1_s: float) -> str:
    low, high = drawn.main.bpm
    said = f"{bpm:g} bpm, in the range of {drawn.main.name} ({low:g} to {high:g})"
    edges = [section.start_s for section in drawn.plan.sections[1:]]
    if edges:
        met = sum(_near_line(edge, bpm, bar_beats, bar_1_s) > 0.6 for edge in edges)
        said += f"; a bar line within a quarter of a second at {met} of {len(edges)} later sections"
    return said


def meter_of(drawn: Drawn) -> str:
    """`3/4` where the main palette leans to it and the take draws it, else `4/4`."""
    return drawn.main.meter if drawn.main.meter and drawn.draw("meter") < 0.45 else "4/4"


# bars --------------------------------------------------------------------------------------------------------------
# size: section by section, each with what of the theme it has; little of it stands alone.
def settle_bars(
    drawn: Drawn, tempo_map: TempoMap, picture_starts_at_s: float, theme_of: Callable[[str, float], Theme]
) -> CuePlan:
    """The plan with sections on bar lines, the theme built and placed, layers decided.

    theme_of: the theme for a palette (its variant) and the quarter notes of a bar.
    """
    plan, starts_s = drawn.plan, picture_starts_at_s

    def bar_of(picture_s: float) -> int:
        position = tempo_map.bar_position(round(tempo_map.beats_at(picture_s + starts_s), 6))
        return math.floor(position + 0.5) + 1

    def second_of(bar: int) -> float:
        return tempo_map.seconds_at(float(tempo_map.bar_start(bar))) - starts_s

    bars = [bar_of(section.start_s) for section in plan.sections]
    end_beats = round(tempo_map.beats_at(plan.sections[-1].end_s + starts_s), 6)
    end_bar = math.ceil(float(tempo_map.bar_position(end_beats)) - 0.05) + 1
    kept: list[Placed] = []
    for section, part, bar in zip(plan.sections, drawn.parts, bars, strict=True):
        if kept and bar <= kept[-1][2]:
            continue  # shorter than a bar: the section before it takes its place
        kept.append((section, part, bar))
    while plan.rules > 2 and len(kept) > 1 and kept[-1][0].role in SILENT_ROLES:
        kept.pop()  # what was to follow the silence had no room: the cue ends with what came before it
    stops: set[int] = set()
    if plan.rules > 4:
        kept, stops = _without_silence(kept)
    kept = _merged(kept, float(tempo_map.bar_position(end_beats)) + 1, plan.sections[-1].end_s, second_of)
    edges = [bar for _, _, bar in kept[1:]] + [end_bar]
    ensemble = ensembles(plan.rules)[plan.ensemble]
    main = palettes()[kept[max(range(len(kept)), key=lambda index: edges[index] - kept[index][2])][0].variant]
    bar_beats = float(tempo_map.meter_at(tempo_map.bar_start(bars[0])).bar_beats)
    theme = plan.theme or theme_of(main.variant, bar_beats)
    statements: list[Statement] = []
    planned: list[SectionPlan] = []

    def unit_of(section: SectionPlan, placed: Sequence[Statement], bar: int, stop: int) -> float:
        bars_long = max(stop - bar, 1)
        bar_s = (second_of(stop) - second_of(bar)) / bars_long
        return _unit_bars(section, placed, bars_long, bar_s, ensemble.name)

    for index, ((section, part, bar), stop) in enumerate(zip(kept, edges, strict=True)):
        placed = _statements(part.part.theme, bar, stop, theme, ensemble.name, first=not statements)
        if plan.rules > 2 and index == len(kept) - 1 and placed:
            # What ends with the cue ends with its last chord.
            begins_s = section.start_s if index == 0 else second_of(bar)
            unit = unit_of(section, placed, bar, stop)
            last = replace(section, start_s=begins_s, end_s=plan.sections[-1].end_s, unit_bars=unit)
            chord_bar = _last_chord_bar(replace(plan, sections=(*plan.sections[:index], last)), tempo_map, starts_s)
            if bar < chord_bar < stop - 1:
                placed = _statements(part.part.theme, bar, chord_bar + 1, theme, ensemble.name, first=not statements)
        statements += placed
        start_s = section.start_s if index == 0 else second_of(bar)
        level = section.intensity
        layers = ensemble.theme[level] if placed else ensemble.layers[level]
        if section.role in SILENT_ROLES:
            layers = ()
        if placed and "melody" not in layers:
            layers = (*layers, "melody")
        unit = unit_of(section, placed, bar, stop)
        planned.append(replace(section, start_s=start_s, layers=tuple(layers), unit_bars=unit))
    role = ensemble.parts["melody"]
    placed_plan = replace(plan, melody_range=(role.low, role.high))
    if plan.rules > 1:
        statements = _varied(placed_plan, statements, [(bar, section) for section, _, bar in kept], theme, drawn.draw)
    ends = [section.start_s for section in planned[1:]] + [plan.sections[-1].end_s]
    planned = [replace(section, end_s=end) for section, end in zip(planned, ends, strict=True)]
    before_stops = {index for index, bar in enumerate(edges[:-1]) if bar in stops}
    planned = _with_transitions(planned, ensemble.name, drawn.draw, before_stops)
    return replace(placed_plan, sections=tuple(planned), theme=theme, statements=tuple(statements))


def _without_silence(rows: Sequence[Placed]) -> tuple[list[Placed], set[int]]:
    """Sections without those in which nothing plays: the one before lasts until the next and stops before it, for a
    beat and not for a bar.  With the bars that such a stop leads to."""
    kept: list[Placed] = []
    stops: set[int] = set()
    stopped = False
    for row in rows:
        if row[0].role in SILENT_ROLES and (kept or len(rows) > 1):
            stopped = bool(kept)
            continue
        if stopped:
            stops.add(row[2])
        kept.append(row if kept else (row[0], row[1], rows[0][2]))
        stopped = False
    return kept, stops


def _last_chord_bar(plan: CuePlan, tempo_map: TempoMap, starts_s: float) -> int:
    """Number of the bar in which a plan's last chord begins."""
    return math.floor(closing_unit(plan, tempo_map, starts_s)) + 1


def _unit_bars(section: SectionPlan, placed: Sequence[Statement], bars: int, bar_s: float, ensemble: str) -> float:
    """How many bars a chord of a section lasts.  bars: of the section, each bar_s seconds long."""
    unit = section.unit_bars
    if any(each.kind in ("statement", "variant", "full") and each.bars >= 4 for each in placed):
        # A tune asks for its own harmony: a chord a bar where the palette has one, and none that it must wait for.
        unit = max(min(palettes()[section.variant].units), min(unit, 1.0))
        while unit > 1.0 and unit * bar_s > LONGEST_UNDER_TUNE_S:
            unit /= 2
    elif section.mood not in ("fearful", "tense") and not section.pedal and ensemble != "ambient":
        while unit > 2.0 and unit * bar_s > LONGEST_S:
            unit /= 2
    while unit > bars / 2 and unit > 0.5:
        unit /= 2
    return unit


Placed = tuple[SectionPlan, FormSection, int]  # a section, its part of the form, the bar in which it begins


def _merged(placed: list[Placed], end_bar: float, end_s: float, second_of: Callable[[int], float]) -> list[Placed]:
    """Sections that last as long as a section must: at a slow tempo short ones go up in a neighbour.

    end_bar, end_s: where the cue ends, which need not be a bar line.
    """
    rows = list(placed)
    while len(rows) > 1:
        edges = [*(float(bar) for _, _, bar in rows), end_bar]
        times_s = [*(second_of(bar) for _, _, bar in rows), end_s]
        short = [
            index
            for index, (_, part, _) in enumerate(rows)
            if part.part.role not in forms()[part.form].short
            and part.part.role not in SILENT_ROLES
            and not _is_long(edges[index + 1] - edges[index], times_s[index + 1] - times_s[index])
        ]
        joins: list[tuple[float, int, int]] = []
        for index in short:
            for other in (index - 1, index + 1):
                if 0 <= other < len(rows) and rows[other][1].part.role not in SILENT_ROLES:
                    a, b = rows[index][0], rows[other][0]
                    unlike = (a.letter != b.letter) + (a.variant != b.variant) + (a.key != b.key)
                    joins.append((edges[index + 1] - edges[index] + 0.5 * unlike, index, other))
        if not joins:
            return rows
        _, index, other = min(joins)
        first, second = min(index, other), max(index, other)
        lengths = (edges[first + 1] - edges[first], edges[second + 1] - edges[second])
        rows[first : second + 1] = [_one_of(rows[first], rows[second], lengths)]
    return rows


def _is_long(bars: float, seconds: float) -> bool:
    return (bars >= LEAST_BARS - 0.5 and seconds >= 0.9 * LEAST_S) or (bars >= LEAST_BARS - 1 and seconds >= 10.0)


def _one_of(first: Placed, second: Placed, bars: tuple[float, float]) -> Placed:
    """Two sections as one: the longer's material, the stronger statement of the theme, the mean intensity."""
    section, part, _ = first if bars[0] >= bars[1] else second
    theme = max(first[1].part.theme, second[1].part.theme, key=_WORTH.index)
    level = round((first[0].intensity * bars[0] + second[0].intensity * bars[1]) / max(sum(bars), 1))
    made = replace(section, start_s=first[0].start_s, end_s=second[0].end_s, intensity=level)
    whole = replace(
        part, start_s=first[1].start_s, end_s=second[1].end_s, intensity=level, part=replace(part.part, theme=theme)
    )
    return made, whole, first[2]


def _statements(kind: str, bar: int, stop: int, theme: Theme, ensemble: str, first: bool) -> list[Statement]:
    """What of the theme sounds in a section of bars [bar, stop)."""
    bars = stop - bar
    if not kind or bars < 2:
        return []
    if ensemble == "ambient" and kind != "full":
        kind = "hint" if kind != "memory" else "memory"
    if kind == "hint":
        return [Statement(bar, "hint", min(2, theme.bars))] if bars >= 3 else []
    if kind == "memory":
        whole = min(4 if bars >= 9 else 2, theme.bars)
        return [Statement(bar, kind, whole, 2.0)] if bars >= 2 * whole else [Statement(bar, kind, min(bars, 2))]
    lengths = (theme.bars, 6, 4, 2) if theme.form and theme.bars > 6 else (theme.bars, 4, 2)
    length = next((count for count in lengths if count <= bars), 2)
    octave = 1 if kind == "full" else 0
    found = [Statement(bar, "statement" if first and kind == "variant" else kind, length, 1.0, octave)]
    # In a long section the tune comes back after two bars of rest.
    again = next((count for count in lengths[:-1] if length + 2 + count <= bars), 0)
    if again:
        found.append(Statement(bar + length + 2, "variant", again, 1.0, octave))
    return found


def _varied(
    plan: CuePlan,
    statements: Sequence[Statement],
    sections: Sequence[tuple[int, SectionPlan]],
    theme: Theme,
    draw: Callable[..., float],
) -> list[Statement]:
    """Statements that return varied: what comes again at the pitch and the tempo at which it has been heard is
    ornamented, or its bar lines come late.  A theme that was given returns as it was given.

    sections: with the first bar of each.
    """
    found: list[Statement] = []
    heard: set[tuple[int, str, float]] = set()
    last = ""
    for index, statement in enumerate(statements):
        section = next((each for bar, each in reversed(sections) if bar <= statement.bar), sections[0][1])
        place = (lies_at(plan, section, theme, statement), section.key.mode, statement.stretch)
        if place in heard and theme.form and statement.stretch == 1.0:
            turns = [turn for turn in ("ornamented", "delayed", "ornamented") if turn != last] or ["ornamented"]
            last = turns[min(int(len(turns) * draw("turn", index)), len(turns) - 1)]
            statement = replace(statement, turn=last)
        if statement.bars > 2:
            heard.add(place)  # a hint is no statement yet
        found.append(statement)
    return found


def _with_transitions(
    sections: Sequence[SectionPlan], ensemble: str, draw: Callable[..., float], stops: Collection[int] = ()
) -> list[SectionPlan]:
    """How each section leads into the next; tom fills in pop alone, a stop at most once in thirty seconds, or where the
    form has one (`stops`: numbers of the sections before them)."""
    result = list(sections)
    last_stop_s = -math.inf
    for index, (here, there) in enumerate(pairwise(sections)):
        rising = there.intensity - here.intensity
        if there.role in ("gap", "stop"):
            way = "cut"
        elif index in stops or (rising >= 2 and here.end_s - last_stop_s > 30 and draw("stop", index) < 0.3):
            way, last_stop_s = "stop", here.end_s
        elif rising >= 1:
            options = ["crescendo", "bass walk", "crescendo"]
            if ensemble in ("orchestra", "hybrid"):
                options.append("roll")
            if ensemble == "pop":
                options.append("fill")
            way = options[min(int(len(options) * draw("transition", index)), len(options) - 1)]
        elif rising <= -2:
            way = "thinning"
        else:
            way = ("common tone", "elision", "bass walk", "common tone")[min(int(4 * draw("transition", index)), 3)]
        result[index] = replace(here, transition=way)
    return result
