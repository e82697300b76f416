"""A theme, built as one is taught to: an interval to know it by, a skeleton, a rhythm cell, diminution, a sentence or a
period.  Several are built from the take's draws and ranked; ranking chooses, it composes nothing.

Steps are diatonic steps above the tonic: 0 the tonic, 7 its octave.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final

from engine.music import EMOTIONS, MusicError
from engine.music.cueplan import Statement, Theme, ThemeNote
from engine.music.draws import RULES
from engine.music.tune import answers, semitones

BARS: Final = 8
_TRIES: Final = 32  # themes built and ranked for one that is kept
GOOD_ENOUGH: Final = 0.9  # what the theme that is kept may be worth less than the best of them
ANSWERED: Final = 1.5  # what it is worth that what comes back of a theme can close as the whole does
LEAPS: Final = 0.12  # share of a theme's moves that leap, above which it jumps about
_DIMINISHED: Final = 1.4  # how much the draw has to say in how a bar is filled
_DIMINISHED_HEAD: Final = 2.4  # the same in the bars by which a theme is known
_LOWEST, _HIGHEST = -3, 11  # steps that a theme stays between

Draw = Callable[..., float]
Tone = tuple[int, int]  # step, alter


@dataclass(frozen=True, slots=True)
class _Cell:
    """The rhythm of a bar: (start, length) of each note in beats."""

    notes: tuple[tuple[float, float], ...]


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads(files("engine.theme").joinpath("data/themes.toml").read_text("utf-8"))


def shapes() -> tuple[str, ...]:
    """The names of all skeletons."""
    return tuple(_data()["shapes"])


def skeleton(shape: str, mode: str) -> tuple[Tone, ...]:
    """The tones of a shape at its eight bar lines.  Raises MusicError."""
    text = _data()["shapes"].get(shape)
    if text is None:
        raise MusicError(f"'{shape}' is not the shape of a theme; known are {', '.join(shapes())}.")
    return tuple(_tone(word, mode) for word in text.split())


def _tone(word: str, mode: str) -> Tone:
    octave = word.count("'") - word.count(",")
    bare = word.strip("',")
    step = int(bare[-1]) - 1 + 7 * octave
    alter = {"b": -1, "#": 1}.get(bare[0], 0)
    if bare == "#7" and mode == "major":
        alter = 0
    return step, alter


# size: everything that a theme is drawn from.
def build_theme(
    mood: str,
    mode: str,
    shapes: Sequence[str],
    rhythms: Sequence[str],
    bar_beats: float,
    draw: Draw,
    rules: int = RULES,
) -> Theme:
    """A good one of several themes of a mood.  draw(*words) -> 0..1, always the same for the same words.

    The first that is about as good as the best: of many the best begin alike, whatever the film.  shapes, rhythms:
    names that may be drawn.  bar_beats: quarter notes in a bar.  rules: see `engine.music.draws.RULES`; by the first an
    idea that is repeated is repeated whole, by the first two the best is kept.
    """
    if mood not in EMOTIONS:
        raise MusicError(f"'{mood}' is not a mood.")
    built = [
        _built(mood, mode, shapes, rhythms, bar_beats, lambda *words, number=number: draw(number, *words), rules)
        for number in range(_TRIES)
    ]

    def worth(theme: Theme) -> float:
        return judge(theme, mode) - (0.0 if rules == 1 else mechanical(theme))

    if rules < 3:
        return max(built, key=lambda theme: (worth(theme), -_index(built, theme)))
    worths = [worth(theme) + _whole(theme, mode) for theme in built]
    best = max(worths)
    return next(theme for theme, found in zip(built, worths, strict=True) if found >= best - GOOD_ENOUGH)


def _whole(theme: Theme, mode: str) -> float:
    """What a theme is worth as a whole: that it can answer itself, and does not jump about."""
    pitches = [semitones(note.step, note.alter, mode) for note in theme.notes]
    leaps = sum(abs(b - a) >= 5 for a, b in pairwise(pitches)) / max(len(pitches) - 1, 1)
    has_answer = answers(theme, Statement(1, "variant", 4))
    return (ANSWERED if has_answer else 0.0) - 8.0 * max(leaps - LEAPS, 0.0)


def _index(built: Sequence[Theme], theme: Theme) -> int:
    return next(index for index, other in enumerate(built) if other is theme)


def _pick(options: Sequence[Any], value: float) -> Any:
    return options[min(int(value * len(options)), len(options) - 1)]


# size: as `build_theme`.
def _built(
    mood: str, mode: str, shapes: Sequence[str], rhythms: Sequence[str], bar_beats: float, draw: Draw, rules: int
) -> Theme:
    shape, rhythm = _pick(shapes, draw("shape")), _pick(rhythms, draw("rhythm"))
    bones = skeleton(shape, mode)
    cells = _data()["rhythms"][rhythm]["three" if bar_beats == 3 else "four"]
    first, second = (_cell(_pick(cells[place], draw("cell", place)), bar_beats) for place in (0, 1))
    identity = _pick(_data()["identities" if rules < 3 else "more_identities"][mood], draw("identity"))
    said = _DIMINISHED if rules < 3 else _DIMINISHED_HEAD
    form = "sentence" if draw("form") < 0.6 else "period"
    idea = [
        *_bar(first, 0, bones[0], bones[1], draw, bar_beats, identity, said),
        *_bar(second, 1, bones[1], bones[2], draw, bar_beats, None, said),
    ]
    notes = list(idea)

    def other(place: int, bar: int) -> _Cell:
        """The rhythm of a bar that goes on from the idea: another one than the idea has there."""
        if rules == 1:
            return first
        left = [text for text in cells[place] if _cell(text, bar_beats) not in (first, second)] or cells[place]
        return _cell(_pick(left, draw("cell", "bar", bar)), bar_beats)

    if form == "sentence" and rules > 1:
        # The idea again on another tone, and from its second bar on it goes elsewhere.
        notes += _moved(idea[: len(first.notes)], bones[2][0] - bones[0][0], 2, bar_beats)
        notes += _bar(other(1, 3), 3, bones[3], bones[4], draw, bar_beats)
        notes += _bar(first, 4, bones[4], bones[5], draw, bar_beats)
        notes += _bar(other(0, 5), 5, bones[5], bones[6], draw, bar_beats)
    elif form == "sentence":
        notes += _moved(idea, bones[2][0] - bones[0][0], 2, bar_beats)
        notes += _bar(first, 4, bones[4], bones[5], draw, bar_beats)
        notes += _bar(first, 5, bones[5], bones[6], draw, bar_beats)
    else:
        notes += _bar(second, 2, bones[2], bones[3], draw, bar_beats)
        # A half close: 2, 5 or 7, and a breath.
        half = min(((1, 0), (4, 0)), key=lambda tone: abs(tone[0] - bones[3][0]))
        notes.append(ThemeNote(3 * bar_beats, bar_beats - 1, *half))
        if rules == 1:
            notes += _moved(idea, 0, 4, bar_beats)
        else:
            notes += _moved(idea[: len(first.notes)], 0, 4, bar_beats)
            notes += _bar(other(1, 5), 5, bones[5], bones[6], draw, bar_beats)
    notes += _bar(first, 6, bones[6], bones[7], draw, bar_beats)
    last = (
        bones[7] if form == "sentence" else min(((0, 0), (2, 0), (7, 0)), key=lambda tone: abs(tone[0] - bones[7][0]))
    )
    notes.append(ThemeNote(7 * bar_beats, bar_beats - 1, *last))
    notes = _with_breath(notes, 3, bar_beats)
    notes = _with_sighs(notes, mood, bar_beats, draw)
    return Theme(tuple(notes), BARS, bar_beats, shape, rhythm, form)


def _cell(text: str, bar_beats: float) -> _Cell:
    place, notes = 0.0, []
    for word in text.split():
        length = float(word.lstrip("R"))
        if not word.startswith("R"):
            notes.append((place, length))
        place += length
    # Other meters than three and four: the cell is stretched over the bar on eighths.
    written = 3.0 if place == 3 else 4.0
    if bar_beats not in (3, 4):
        scale = bar_beats / written
        notes = [(round(start * scale * 2) / 2, max(round(length * scale * 2) / 2, 0.5)) for start, length in notes]
    return _Cell(tuple(notes))


# size: one bar of the theme: its cell, its place, where it begins and leads.
def _bar(
    cell: _Cell,
    bar: int,
    start: Tone,
    goal: Tone,
    draw: Draw,
    bar_beats: float,
    identity: int | None = None,
    said: float = _DIMINISHED,
) -> list[ThemeNote]:
    """A bar that begins on one tone of the skeleton and leads to the next.

    identity: the interval after its first tone, in steps; what follows turns back.  said: how much the draw has to say.
    """
    count = len(cell.notes)
    tones = [start]
    if identity is not None and count > 1:
        step = start[0] + identity
        if not _LOWEST <= step <= _HIGHEST:
            step = start[0] - identity
        tones.append((step, 0) if identity else start)
    while len(tones) < count:
        tones.append(_next(tones, goal, count - len(tones), draw, bar, said))
    return [
        ThemeNote(bar * bar_beats + place, length, *tone)
        for (place, length), tone in zip(cell.notes, tones, strict=True)
    ]


def _next(tones: Sequence[Tone], goal: Tone, left: int, draw: Draw, bar: int, said: float) -> Tone:
    """Passing tones, neighbours and thirds on the way to the goal, which comes after `left` more tones."""
    here = tones[-1][0]
    leap = here - tones[-2][0] if len(tones) > 1 else 0
    best, best_cost = (here, 0), float("inf")
    for move in (-3, -2, -1, 0, 1, 2, 3):
        step = here + move
        if not _LOWEST <= step <= _HIGHEST:
            continue
        # What is left must be walked in steps; to stand on the goal already would say it twice.
        away = abs(goal[0] - step)
        cost = 1.2 * max(away - left, 0) + (1.5 if left == 1 and away == 0 else 0.0)
        cost += {0: 1.7, 1: 0.0, 2: 1.0, 3: 2.0}[abs(move)]
        if abs(leap) >= 3 and move * leap >= 0:
            cost += 3.0  # after a leap it turns back
        if abs(leap) == 2 and abs(move) >= 2 and move * leap > 0:
            cost += 0.8
        cost += said * draw("tone", bar, len(tones), move)
        if cost < best_cost:
            best, best_cost = (step, 0), cost
    return best


def _moved(notes: Sequence[ThemeNote], steps: int, bars: int, bar_beats: float) -> list[ThemeNote]:
    return [replace(note, start_beats=note.start_beats + bars * bar_beats, step=note.step + steps) for note in notes]


def _with_breath(notes: list[ThemeNote], bar: int, bar_beats: float) -> list[ThemeNote]:
    """The last note of a bar gives up what is needed for a breath of a beat where it is long enough."""
    end = (bar + 1) * bar_beats
    result = []
    for note in notes:
        if note.start_beats + note.length_beats == end and note.length_beats >= 2:
            note = replace(note, length_beats=note.length_beats - 1)
        result.append(note)
    return result


def _with_sighs(notes: list[ThemeNote], mood: str, bar_beats: float, draw: Draw) -> list[ThemeNote]:
    """Accented dissonances that resolve by step: the first tone of some bars comes a step from above, a beat late."""
    result: list[ThemeNote] = []
    every = 2 if mood == "sad" else 4
    offset = 1 + int(draw("sigh") * (every - 1)) if every > 2 else 1
    for note in notes:
        bar, place = divmod(note.start_beats, bar_beats)
        stands = result and result[-1].step == note.step + 1
        if place == 0 and int(bar) % every == offset % every and note.length_beats >= 2 and not stands and bar < 7:
            result.append(replace(note, length_beats=1.0, step=note.step + 1, alter=0))
            note = replace(note, start_beats=note.start_beats + 1, length_beats=note.length_beats - 1)
        result.append(note)
    return result


# ranking -----------------------------------------------------------------------------------------------------------
def judge(theme: Theme, mode: str) -> float:
    """How good a theme is: steps and thirds in proportion, leaps that turn back, one peak, late, a singable range."""
    pitches = [semitones(note.step, note.alter, mode) for note in theme.notes]
    moves = [b - a for a, b in pairwise(pitches)]
    count = max(len(moves), 1)
    steps = sum(1 <= abs(move) <= 2 for move in moves) / count
    thirds = sum(3 <= abs(move) <= 4 for move in moves) / count
    repeats = sum(move == 0 for move in moves) / count
    leaps = [index for index, move in enumerate(moves) if abs(move) >= 5]
    reversed_ = sum(
        index + 1 < len(moves) and moves[index] * moves[index + 1] < 0 and abs(moves[index + 1]) <= 4 for index in leaps
    )
    score = -3.0 * max(0.45 - steps, 0) - 4.0 * max(thirds - 0.27, 0) - 3.0 * max(0.07 - thirds, 0)
    score -= (
        4.0 * max(repeats - 0.18, 0) + 6.0 * max(len(leaps) / count - 0.2, 0) + 2.0 * max(0.04 - len(leaps) / count, 0)
    )
    score += 1.0 if not leaps else reversed_ / len(leaps)
    top = max(pitches)
    at = [note.start_beats / theme.bar_beats for note, pitch in zip(theme.notes, pitches, strict=True) if pitch == top]
    score -= 0.25 * (len(at) - 1)
    score += 0.5 if any(4 <= bar < 6 for bar in at) else 0.0
    span = top - min(pitches)
    score -= 0.15 * max(span - 14, 0) + 0.1 * max(7 - span, 0)
    score -= 1.0 * sum(abs(move) > 12 or abs(move) in (6, 10, 11) for move in moves)
    idea = [note for note in theme.notes if note.start_beats < 2 * theme.bar_beats]
    lengths = [note.length_beats for note in idea]
    score += 0.5 if max(lengths) / min(lengths) >= 3 else 0.0
    score -= 0.3 * max(5 - len(idea), 0) + 0.3 * max(len(idea) - 8, 0)
    return score


def mechanical(theme: Theme) -> float:
    """How much of a theme says the same again: bars with rhythm and contour of one before, beyond the one that an idea
    is repeated by, and places where two tones alternate."""
    bars: dict[int, list[ThemeNote]] = {}
    for note in theme.notes:
        bars.setdefault(int(note.start_beats / theme.bar_beats + 1e-6), []).append(note)
    signs = [
        (
            tuple((round(note.start_beats % theme.bar_beats, 2), note.length_beats) for note in notes),
            tuple(b.step - a.step for a, b in pairwise(notes)),
        )
        for notes in bars.values()
        if len(notes) > 1
    ]
    again = len(signs) - len(set(signs))
    steps = [note.step for note in theme.notes]
    rocking = sum(
        a == c and b == d and a != b for a, b, c, d in zip(steps, steps[1:], steps[2:], steps[3:], strict=False)
    )
    return 0.4 * max(again - 1, 0) + 0.4 * rocking
