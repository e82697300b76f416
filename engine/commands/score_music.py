"""Is it music worth keeping?  Rows about form, theme, bass, voices and ending, from notes and chords alone.

Nothing of a plan is looked at, so that any file can be measured: ours, the paper's rendering, a person's.  Each row has
a line that says what it means, and a control: the same notes with their bars in another order.  What the control
reaches as well says nothing about form.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np

from engine.arrange.timeline import Bars
from engine.arrange.voicing import is_consecutive
from engine.commands.score_metrics import Sounding, rank_correlation
from engine.midifile import MidiScore
from engine.music import Chord, Note

PITCHED: Final = ("pad", "arp", "bass", "melody")
THEME_NOTES: Final = 6
SLOW_LEAST_S: Final = 20
LEAST_CONTRAST: Final = 0.1  # of log(1 + motion) over eight seconds, below which there is nothing to follow
_ORDERS: Final = 8

EXPLANATIONS: Final[dict[str, str]] = {
    "chord lengths": "how many different lengths chords have, in beats (one length is a machine's)",
    "bass on the root": "share of the time in which the lowest note is the chord's root",
    "pedal bass": "share of chord changes over a bass that stays where it is",
    "second inversions": "share of chords over their fifth, outside pedals and stepwise lines (aim 0)",
    "dim7 held over 2 beats": "diminished sevenths that last longer than an approach (aim 0)",
    "m7 to IV7": "minor seventh to a dominant seventh a fourth up: funk, not tension (aim 0)",
    "V-I moves": "share of chord changes that are dominant to tonic",
    "theme statements": "bars in which six notes or more of the tune come back, contour and rhythm",
    "leaps turned back": "share of leaps of a fourth and more after which the tune turns (Essen .75)",
    "thirds in the tune": "share of the tune's moves that are thirds (Essen .07 to .29)",
    "bar rhythms heard before": "share of the tune's bars whose rhythm has occurred (Essen .20 to .80)",
    "pad under the tune": "share of the tune's bars in which no pad note sounds at or over it (aim .95)",
    "literal repeats": "share of the tune's two-bar stretches heard before, same pitches, rhythm and chords (aim .10)",
    "melody silent": "share of bars without the tune",
    "all four pitched parts": "share of bars in which pad, arp, bass and melody all begin notes",
    "parts from the first bar": "how many parts begin within the first bar",
    "arp doubles the pad": "share of the second voice's notes that sound a pad's pitch at the same moment",
    "parallels in the pad": "share of chord changes with fifths or octaves in succession between any two voices",
    "upper voices, semitones": "mean semitones that a pad voice moves at a chord change (Bach 1.86)",
    "accented dissonances": "tones on a beat that are foreign to the chord and resolve by step, per bar of tune",
    "last chord before the end, s": "seconds from the last strike to the end of the film",
    "notes after the end": "notes that outlast the film (aim 0)",
    "tension to loudness": "rank correlation of spiral-array tension (tone count taken out) with velocity, 8 s",
    "picture, slow": "rank correlation of motion with notes, both over 8 s means",
    "picture, fast": "the same within 4 s, slow part taken out: mickey-mousing if high",
}  # fmt: skip


def music_rows(
    score: MidiScore,
    chords: Sequence[Sounding],
    motion: Sequence[float] = (),
    duration_s: float = math.nan,
    starts_at_s: float = 0.0,
) -> dict[str, float]:
    """All rows of a file or arrangement.  motion: of the picture per second, empty where there is none."""
    notes = [replace(note, part=_part(note)) for note in score.notes]
    if not notes:
        return dict.fromkeys(EXPLANATIONS, math.nan)
    bars = Bars(score.tempo_map, min(n.start_beats for n in notes), max(n.end_beats for n in notes))
    rows: dict[str, float] = {}
    rows |= _harmony_rows(notes, [chord for chord in chords if not chord.chord.is_silence])
    rows |= _tune_rows(notes, chords, bars)
    rows |= _register_rows(notes, bars)
    rows |= _texture_rows(notes, bars)
    rows |= _voice_rows(notes, chords)
    seconds = score.tempo_map.seconds_at
    last = max(note.start_beats for note in notes)
    rows["last chord before the end, s"] = duration_s - (seconds(last) - starts_at_s)
    over = [note for note in notes if seconds(note.end_beats) - starts_at_s > duration_s + 0.02]
    rows["notes after the end"] = float(len(over)) if not math.isnan(duration_s) else math.nan
    rows |= _time_rows(score, notes, chords, motion, starts_at_s)
    return {name: rows.get(name, math.nan) for name in EXPLANATIONS}


def control_rows(
    score: MidiScore,
    chords: Sequence[Sounding],
    motion: Sequence[float] = (),
    duration_s: float = math.nan,
    starts_at_s: float = 0.0,
) -> dict[str, float]:
    """Means of the rows over the same bars in other orders."""
    found = [music_rows(*_shuffled(score, chords, seed), motion, duration_s, starts_at_s) for seed in range(_ORDERS)]
    means = {}
    for name in EXPLANATIONS:
        known = [row[name] for row in found if not math.isnan(row[name])]
        means[name] = float(np.mean(known)) if known else math.nan
    return means


def _part(note: Note) -> str:
    return "drums" if note.channel == 10 else note.part.split()[0].lower() if note.part else ""


def _shuffled(score: MidiScore, chords: Sequence[Sounding], seed: int) -> tuple[MidiScore, list[Sounding]]:
    notes = score.notes
    # A chord may last longer than what is played of it.
    end_beats = max(*(n.end_beats for n in notes), *(chord.end_beats for chord in chords), 0.0)
    bars = Bars(score.tempo_map, min(n.start_beats for n in notes), end_beats)
    numbers = sorted({bars.index(note.start_beats) for note in notes})
    order = numbers[:]
    random.Random(seed).shuffle(order)
    moved_by = {}
    for old, new in zip(numbers, order, strict=True):
        moved_by[old] = bars.line(new) - bars.line(old)
    moved = sorted(
        (replace(note, start_beats=note.start_beats + moved_by[bars.index(note.start_beats)]) for note in notes),
        key=lambda note: note.start_beats,
    )
    pieces = []
    for chord in chords:
        start = chord.start_beats
        while start < chord.end_beats - 1e-6:
            end = min(bars.next(start), chord.end_beats)
            shift = moved_by.get(bars.index(start), 0.0)
            a, b = start + shift, end + shift
            pieces.append(Sounding(chord.chord, score.tempo_map.seconds_at(a), score.tempo_map.seconds_at(b), a, b))
            start = end
    pieces.sort(key=lambda chord: chord.start_beats)
    joined: list[Sounding] = []
    for chord in pieces:
        if joined and joined[-1].chord == chord.chord and abs(joined[-1].end_beats - chord.start_beats) < 1e-6:
            joined[-1] = replace(joined[-1], end_s=chord.end_s, end_beats=chord.end_beats)
        else:
            joined.append(chord)
    return replace(score, notes=tuple(moved)), joined


# harmony -----------------------------------------------------------------------------------------------------------
def _harmony_rows(notes: Sequence[Note], chords: Sequence[Sounding]) -> dict[str, float]:
    if not chords:
        return {}
    lows = [_lowest(notes, chord) for chord in chords]
    root = total = 0.0
    for chord, low in zip(chords, lows, strict=True):
        if low is not None:
            length = chord.end_beats - chord.start_beats
            total += length
            root += length * (low % 12 == chord.chord.root)
    changes = [
        (a, b)
        for a, b in zip(range(len(chords)), range(1, len(chords)), strict=False)
        if lows[a] is not None and lows[b] is not None
    ]
    pedals = sum(lows[a] == lows[b] for a, b in changes)
    six_four = 0
    for index, (chord, low) in enumerate(zip(chords, lows, strict=True)):
        if low is None or chord.chord.root is None or (low - chord.chord.root) % 12 != 7:
            continue
        around = [
            each
            for each in (lows[index - 1] if index else None, lows[index + 1] if index + 1 < len(lows) else None)
            if each is not None
        ]
        stays = any(each % 12 == low % 12 for each in around)
        line = all(min((each - low) % 12, (low - each) % 12) <= 2 for each in around)
        six_four += not (stays or line or chord.chord.extension == "5")
    plain = [(a.chord, b.chord) for a, b in pairwise(chords)]
    return {
        "chord lengths": float(len({round(chord.end_beats - chord.start_beats, 2) for chord in chords})),
        "bass on the root": root / total if total else math.nan,
        "pedal bass": pedals / len(changes) if changes else math.nan,
        "second inversions": six_four / len(chords),
        "dim7 held over 2 beats": float(
            sum(c.chord.quality == "dim7" and c.end_beats - c.start_beats > 2.01 for c in chords)
        ),
        "m7 to IV7": float(sum(_is_vamp(a, b) for a, b in plain)),
        "V-I moves": sum(a.quality in ("maj", "7") and b.quality in ("maj", "min") and _up(a, b) == 5 for a, b in plain)
        / len(plain) if plain else math.nan,
    }  # fmt: skip


def _is_vamp(a: Chord, b: Chord) -> bool:
    return a.quality == "min7" and not a.extension and b.quality == "7" and _up(a, b) == 5


def _up(a: Chord, b: Chord) -> int:
    return ((b.root or 0) - (a.root or 0)) % 12


def _lowest(notes: Sequence[Note], chord: Sounding) -> int | None:
    """The lowest pitch that sounds just after a chord begins, from the bass where there is one."""
    at = chord.start_beats + 0.05
    sounding = [n for n in notes if n.part != "drums" and n.start_beats <= at < n.end_beats]
    bass = [n.pitch for n in sounding if n.part == "bass"]
    return min(bass or [n.pitch for n in sounding], default=None)


# tune --------------------------------------------------------------------------------------------------------------
def _line(notes: Sequence[Note]) -> list[Note]:
    """The tune: the melody's upper notes, one at a time."""
    found: list[Note] = []
    for note in sorted((n for n in notes if n.part == "melody"), key=lambda n: (n.start_beats, -n.pitch)):
        if not found or note.start_beats > found[-1].start_beats + 0.05:
            found.append(note)
    return found


def statements(notes: Sequence[Note], bars: Bars) -> int:
    """How many times at least six notes in a row, with their contour and rhythm, have been heard before: not
    overlapping, the longest stretches first."""
    tune = _line(notes)
    signs = [(round(b.start_beats - a.start_beats, 2), b.pitch - a.pitch) for a, b in pairwise(tune)]
    need = THEME_NOTES - 1
    count, index = 0, need
    while index + need <= len(signs):
        first = next((k for k in range(index - need + 1) if _same(signs, k, index, need)), None)
        varied = len({sign[0] for sign in signs[index : index + need]}) >= 2  # equal notes are no theme
        if first is not None and varied:
            length = need
            while index + length < len(signs) and first + length < index and _same(signs, first, index, length + 1):
                length += 1
            count += 1
            index += length + 1
        else:
            index += 1
    return count


def _same(signs: Sequence[tuple[float, int]], a: int, b: int, length: int) -> bool:
    """Equal rhythm, and intervals equal but for a semitone of another mode."""
    return all(
        one[0] == two[0] and abs(one[1] - two[1]) <= 1
        for one, two in zip(signs[a : a + length], signs[b : b + length], strict=True)
    )


def _tune_rows(notes: Sequence[Note], chords: Sequence[Sounding], bars: Bars) -> dict[str, float]:
    tune = _line(notes)
    if len(tune) < 4:
        return {}
    together = [(a, b) for a, b in pairwise(tune) if b.start_beats - a.end_beats < 2.0]
    moves = [b.pitch - a.pitch for a, b in together]
    leaps = turned = 0
    for here, there in pairwise(moves):
        if abs(here) >= 5:
            leaps += 1
            turned += here * there < 0
    rhythms: dict[int, list[tuple[float, float]]] = {}
    for note in tune:
        rhythms.setdefault(bars.index(note.start_beats), []).append(
            (round(note.start_beats - bars.start(note.start_beats), 2), round(note.length_beats, 1))
        )
    seen: set[tuple[tuple[float, float], ...]] = set()
    again = 0
    for bar in sorted(rhythms):
        sign = tuple(rhythms[bar])
        again += sign in seen
        seen.add(sign)
    return {
        "theme statements": float(statements(notes, bars)),
        "leaps turned back": turned / leaps if leaps else math.nan,
        "thirds in the tune": sum(3 <= abs(move) <= 4 for move in moves) / len(moves) if moves else math.nan,
        "bar rhythms heard before": again / max(len(rhythms) - 1, 1),
        "accented dissonances": _dissonances(tune, chords) / len(rhythms),
        "literal repeats": _literal_repeats(tune, chords, bars),
    }


def _literal_repeats(tune: Sequence[Note], chords: Sequence[Sounding], bars: Bars) -> float:
    """Share of two-bar stretches with three notes of the tune or more that have been heard before, note for note over
    the same chords."""
    starts = [chord.start_beats for chord in chords]
    by_bar: dict[int, list[Note]] = {}
    for note in tune:
        by_bar.setdefault(bars.index(note.start_beats), []).append(note)
    seen: dict[tuple[object, ...], int] = {}
    count = again = 0
    for bar in sorted(by_bar):
        inside = [*by_bar[bar], *by_bar.get(bar + 1, ())]
        if bar + 1 not in by_bar or len(inside) < 3:
            continue
        line = bars.line(bar)
        under = [chords[max(bisect_right(starts, n.start_beats + 0.05) - 1, 0)].chord.plain.id for n in inside]
        sign = (*((round(n.start_beats - line, 2), n.pitch) for n in inside), *under)
        count += 1
        first = seen.setdefault(sign, bar)
        again += bar >= first + 2
    return again / count if count else math.nan


def _register_rows(notes: Sequence[Note], bars: Bars) -> dict[str, float]:
    """Whether the pad lies under the tune, bar by bar."""
    tune = _line(notes)
    pads = sorted((note for note in notes if note.part == "pad"), key=lambda note: note.start_beats)
    starts = [note.start_beats for note in pads]
    longest = max((note.end_beats - note.start_beats for note in pads), default=0.0)
    bad: dict[int, bool] = {}
    for note in tune:
        first, last = bisect_right(starts, note.start_beats - longest), bisect_right(starts, note.end_beats - 0.1)
        together = [pad for pad in pads[first:last] if pad.end_beats > note.start_beats + 0.1]
        if together:
            bar = bars.index(note.start_beats)
            bad[bar] = bad.get(bar, False) or any(pad.pitch >= note.pitch for pad in together)
    return {"pad under the tune": 1 - sum(bad.values()) / len(bad) if bad else math.nan}


def _dissonances(tune: Sequence[Note], chords: Sequence[Sounding]) -> int:
    starts = [chord.start_beats for chord in chords]
    count = 0
    for note, after in pairwise(tune):
        index = bisect_right(starts, note.start_beats + 0.05) - 1
        if index < 0 or abs(note.start_beats - round(note.start_beats)) > 0.05:
            continue
        own = chords[index].chord.pitch_classes()
        resolves = 1 <= abs(after.pitch - note.pitch) <= 2 and after.start_beats - note.start_beats <= 2.01
        count += note.pitch % 12 not in own and resolves and after.pitch % 12 in own
    return count


# texture and voices ------------------------------------------------------------------------------------------------
def _texture_rows(notes: Sequence[Note], bars: Bars) -> dict[str, float]:
    by_bar: dict[int, set[str]] = {}
    sounding: dict[int, set[str]] = {}
    for note in notes:
        first, last = bars.index(note.start_beats), bars.index(note.end_beats - 1e-3)
        by_bar.setdefault(first, set()).add(note.part)
        for bar in range(first, last + 1):
            sounding.setdefault(bar, set()).add(note.part)
    count = max(len(sounding), 1)
    pads = [note for note in notes if note.part == "pad"]
    arps = [note for note in notes if note.part == "arp"]
    pads.sort(key=lambda note: note.start_beats)
    starts = [note.start_beats for note in pads]
    doubled = 0
    for note in arps:
        index = bisect_right(starts, note.start_beats + 1e-3)
        doubled += any(
            pad.pitch == note.pitch and pad.end_beats > note.start_beats + 1e-3
            for pad in pads[max(index - 24, 0) : index]
        )
    first = min(sounding)
    return {
        "melody silent": sum("melody" not in parts for parts in sounding.values()) / count,
        "all four pitched parts": sum(set(PITCHED) <= parts for parts in sounding.values()) / count,
        "parts from the first bar": float(len(by_bar.get(first, ()))),
        "arp doubles the pad": doubled / len(arps) if arps and pads else math.nan,
    }


def _voice_rows(notes: Sequence[Note], chords: Sequence[Sounding]) -> dict[str, float]:
    pads = sorted((n for n in notes if n.part == "pad"), key=lambda n: n.start_beats)
    starts = [n.start_beats for n in pads]
    bass = sorted((n for n in notes if n.part == "bass"), key=lambda n: n.start_beats)
    stacks: list[tuple[int | None, tuple[int, ...]] | None] = []
    for chord in chords:
        a = bisect_right(starts, chord.start_beats - 0.1)
        b = bisect_right(starts, min(chord.start_beats + 2.0, chord.end_beats - 0.05))
        pitches = tuple(sorted({n.pitch for n in pads[a:b]}))
        if len(pitches) < 2:
            stacks.append(None)
            continue
        low = [n.pitch for n in bass if abs(n.start_beats - chord.start_beats) < 0.05]
        stacks.append((min(low) if low else None, pitches))
    moved, voices, faults, steps = 0, 0, 0, 0
    for before, after in pairwise(stacks):
        if before is None or after is None or len(before[1]) != len(after[1]) or before == after:
            continue
        steps += 1
        moved += sum(abs(x - y) for x, y in zip(before[1], after[1], strict=True))
        voices += len(after[1])
        upper_a, upper_b = before[1], after[1]
        if before[0] is not None and after[0] is not None:
            upper_a, upper_b = (before[0], *upper_a), (after[0], *upper_b)
        faults += any(
            is_consecutive(upper_a[i], upper_a[j], upper_b[i], upper_b[j])
            for i in range(len(upper_a))
            for j in range(i + 1, len(upper_a))
        )
    return {
        "parallels in the pad": faults / steps if steps else math.nan,
        "upper voices, semitones": moved / voices if voices else math.nan,
    }


# time --------------------------------------------------------------------------------------------------------------
def spiral(pitch: int, first: int = 0) -> np.ndarray:
    """(3,) place of a pitch class on Chew's spiral array: radius 1, sqrt(2/15) a fifth (Chew 2000).

    first: the pitch class at which the line of fifths begins.
    """
    fifths = ((pitch - first) * 7) % 12
    return np.array([math.sin(fifths * math.pi / 2), math.cos(fifths * math.pi / 2), fifths * math.sqrt(2 / 15)])


def first_fifth(pitches: Sequence[int]) -> int:
    """The pitch class at which a piece's line of fifths begins: where its tones then lie closest together."""
    counts = Counter(pitch % 12 for pitch in pitches)

    def spread(first: int) -> float:
        places = np.array([((tone - first) * 7) % 12 for tone in counts], float)
        weights = np.array([counts[tone] for tone in counts], float)
        mean = float((places * weights).sum() / weights.sum())
        return float((weights * (places - mean) ** 2).sum())

    return min(range(12), key=spread)


def tensile_strain(
    notes: Sequence[Note], window: tuple[float, float], key_centre: np.ndarray, first: int = 0
) -> tuple[float, int]:
    """Distance of a window's centre of effect from the key's (Herremans & Chew 2016), and how many tones it has."""
    weights = Counter[int]()
    for note in notes:
        overlap = min(note.end_beats, window[1]) - max(note.start_beats, window[0])
        if overlap > 0 and note.part in ("pad", "bass", "arp"):
            weights[note.pitch % 12] += overlap  # type: ignore[assignment]
    total = sum(weights.values())
    if not total:
        return math.nan, 0
    centre = sum((spiral(tone, first) * weight for tone, weight in weights.items()), np.zeros(3)) / total
    return float(np.linalg.norm(centre - key_centre)), len(weights)


def _time_rows(
    score: MidiScore, notes: Sequence[Note], chords: Sequence[Sounding], motion: Sequence[float], starts_at_s: float
) -> dict[str, float]:
    end = max(note.end_beats for note in notes)
    total_s = score.tempo_map.seconds_at(end) - starts_at_s
    pitches = [note.pitch for note in notes if note.part in ("pad", "bass", "arp")]
    if not pitches:
        return {}
    first = first_fifth(pitches)
    key_centre = np.mean([spiral(pitch, first) for pitch in pitches], axis=0)
    strain, tones, loud = [], [], []
    second = 0.0
    while second + 8 <= total_s:
        window = tuple(score.tempo_map.beats_at(second + shift + starts_at_s) for shift in (0.0, 8.0))
        value, count = tensile_strain(notes, (window[0], window[1]), key_centre, first)
        inside = [n.velocity for n in notes if window[0] <= n.start_beats < window[1] and n.part != "drums"]
        if not math.isnan(value) and inside:
            strain.append(value)
            tones.append(float(count))
            loud.append(float(np.mean(inside)))
        second += 4.0
    rows = {"tension to loudness": partial(strain, loud, tones)}
    if len(motion) >= 16:
        count_per_s = np.zeros(len(motion))
        for note in notes:
            at = int(score.tempo_map.seconds_at(note.start_beats) - starts_at_s + 1e-6)
            if 0 <= at < len(count_per_s):
                count_per_s[at] += 1
        # A cut that falls on the measured frame pair is not a second of motion: the logarithm keeps it small.
        # The first second has no frame before it, so that nothing is measured to move there.
        moved = np.log1p(np.asarray([motion[1], *motion[1:]], float))
        slow_motion, slow_notes = _mean_8(moved), _mean_8(count_per_s)
        # The order of three windows says nothing, nor that of more in which as little moves.
        if len(motion) >= SLOW_LEAST_S and np.ptp(slow_motion) >= LEAST_CONTRAST:
            rows["picture, slow"] = rank_correlation(slow_motion[::4].tolist(), slow_notes[::4].tolist())
        rows["picture, fast"] = rank_correlation((moved - slow_motion).tolist(), (count_per_s - slow_notes).tolist())
    return rows


def _mean_8(values: np.ndarray) -> np.ndarray:
    """Means over the eight seconds around each, at the ends over those that there are."""
    ones = np.ones(8)
    return np.convolve(values, ones)[4 : 4 + len(values)] / np.convolve(np.ones(len(values)), ones)[4 : 4 + len(values)]


def partial(a: Sequence[float], b: Sequence[float], given: Sequence[float]) -> float:
    """Rank correlation of a with b, a third taken out of both."""
    ab, ag, bg = rank_correlation(a, b), rank_correlation(a, given), rank_correlation(b, given)
    if math.isnan(ag) or math.isnan(bg):
        return ab
    under = math.sqrt(max((1 - ag**2) * (1 - bg**2), 1e-9))
    return (ab - ag * bg) / under
