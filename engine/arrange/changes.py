"""Where chords change: one optimisation over beats, hits and cuts (harmonic rhythm).

The network decides which chords sound and about when; this decides on which sixteenth they change.  Candidates are the
groups of the bar, and the sixteenth nearest to each hit or cut that chords are wanted on.  A dynamic programme weighs
what a change is worth where it stands (bar line, half bar, hit), how far chords are from the length they should have,
and how much of the network's own harmony is lost.  Chords that the composer gave or pinned keep their place, or move to
a hit within a beat.  Nothing stands off the sixteenth grid.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from engine.arrange.timeline import STEP, Bars, effective_cues
from engine.music import Chord, Composition, Cue, MusicError, Slot
from engine.music.controls import CHORDS_ON, HARMONIC_RHYTHMS

_BARS: Final = {"half": 0.5, "1": 1.0, "2": 2.0, "4": 4.0}
_FAST_BPM: Final = 90.0
_HIT_WORTH: Final = {"must": 6.0, "should": 4.0, "nice": 2.0}
_CUT_WORTH: Final = 3.0
_BAR_WORTH: Final = 1.0
_HALF_WORTH: Final = 0.3
_GROUP_WORTH: Final = 0.0
# What a change costs that no cut asks for, where chords are wanted on cuts.
_BESIDE: Final = 2.05
_LENGTH_COST: Final = 0.6
_LOSS_COST: Final = 1.0
_LONGEST_BARS: Final = 4.0
_REACH_BARS: Final = 1.0  # a hit moves chords this far around it and no others
_EPSILON: Final = 1e-6


@dataclass(frozen=True, slots=True)
class ChangeOptions:
    """harmonic_rhythm: bars a chord should last ("auto": one above 90 bpm, half below).  chords_on: "off", "hits",
    "strong" (hits and the stronger half of the cuts) or "all" (hits and every cut).  shortest_beats: no chord is
    shorter.  near_beats: how far a given chord may move to a hit.  Raises MusicError."""

    harmonic_rhythm: str = "auto"
    chords_on: str = "hits"
    shortest_beats: float = 1.0
    near_beats: float = 1.0

    def __post_init__(self) -> None:
        if self.harmonic_rhythm not in HARMONIC_RHYTHMS:
            raise MusicError(
                f"'{self.harmonic_rhythm}' is not a harmonic rhythm; known: {', '.join(HARMONIC_RHYTHMS)}."
            )
        if self.chords_on not in CHORDS_ON:
            raise MusicError(f"'{self.chords_on}' is not a place for chords; known: {', '.join(CHORDS_ON)}.")


def place_changes(composition: Composition, options: ChangeOptions | None = None) -> Composition:
    """The composition with its chord changes put where they are worth most; slots are cut there.

    Silence, given and pinned chords stay what they are.  For hits only the chords within a bar of one are moved: an
    edit here changes nothing there.  Film, cues and everything but chords are untouched.
    """
    options = options or ChangeOptions()
    slots = composition.slots
    if not slots:
        return composition
    bars = Bars(composition.tempo_map, slots[0].start_beats, slots[-1].end_beats)
    regions: list[tuple[float, float, Chord]] = []
    for cue in effective_cues(composition):
        regions += _cue_regions(composition, cue, bars, options)
    return replace(composition, slots=_cut(composition, regions))


def targets(composition: Composition, cue: Cue, bars: Bars, options: ChangeOptions) -> dict[float, float]:
    """Sixteenths where a change is wanted, with what it is worth there."""
    if options.chords_on == "off":
        return {}
    out_s = composition.film.duration_s if cue.out_s is None else cue.out_s
    found: dict[float, float] = {}
    for hit in (*cue.hits, *composition.hits):
        if cue.in_s <= hit.time_s < out_s:
            beats = bars.snap(composition.beats_at_picture(hit.time_s))
            found[beats] = max(found.get(beats, 0.0), _HIT_WORTH[hit.weight])
    cuts = [cut for cut in composition.cuts if cue.in_s < cut.time_s < out_s]
    if options.chords_on == "strong" and cuts:
        middle = sorted(cut.strength for cut in cuts)[(len(cuts) - 1) // 2]
        cuts = [cut for cut in cuts if cut.strength >= middle]
    if options.chords_on in ("strong", "all"):
        for cut in cuts:
            beats = bars.snap(composition.beats_at_picture(cut.time_s))
            found[beats] = max(found.get(beats, 0.0), _CUT_WORTH * (0.5 + 0.5 * cut.strength))
    return found


# one cue -----------------------------------------------------------------------------------------------------------
def _cue_regions(
    composition: Composition, cue: Cue, bars: Bars, options: ChangeOptions
) -> list[tuple[float, float, Chord]]:
    out_s = composition.film.duration_s if cue.out_s is None else cue.out_s
    inside = [slot for slot in composition.slots if slot.end_s > cue.in_s and slot.start_s < out_s]
    if not inside:
        return []
    wanted = targets(composition, cue, bars, options)
    regions: list[tuple[float, float, Chord]] = []
    for first, last, kind in _stretches(inside, wanted, bars, options):
        part = inside[first : last + 1]
        if kind == "fixed":
            regions += _fixed_regions(part, wanted, bars, options)
        elif kind == "far":
            regions += [(slot.start_beats, slot.end_beats, slot.chord) for slot in part]
        else:
            regions += _free_regions(composition, part, wanted, bars, options, regions[-1][2] if regions else None)
    return _joined(regions)


def _stretches(
    slots: Sequence[Slot], wanted: dict[float, float], bars: Bars, options: ChangeOptions
) -> list[tuple[int, int, str]]:
    """Runs of slots: "fixed" by the composer (or silent), "far" from every hit, and "free" to be placed anew."""
    places = sorted(wanted)

    def kind(slot: Slot) -> str:
        if slot.given or slot.pinned or slot.chord.is_silence:
            return "fixed"
        if options.chords_on != "hits":
            return "free"
        reach = _REACH_BARS * (bars.next(slot.start_beats) - bars.start(slot.start_beats))
        index = bisect_right(places, slot.start_beats - reach)
        return "free" if index < len(places) and places[index] < slot.end_beats + reach else "far"

    kinds = [kind(slot) for slot in slots]
    found = []
    first = 0
    for index in range(1, len(slots) + 1):
        if index == len(slots) or kinds[index] != kinds[first]:
            found.append((first, index - 1, kinds[first]))
            first = index
    return found


def _fixed_regions(
    slots: Sequence[Slot], wanted: dict[float, float], bars: Bars, options: ChangeOptions
) -> list[tuple[float, float, Chord]]:
    regions = [(slots[0].start_beats, slots[0].end_beats, slots[0].chord)]
    for slot in slots[1:]:
        start, _, chord = regions[-1]
        if slot.chord == chord:
            regions[-1] = (start, slot.end_beats, chord)
            continue
        change = bars.snap(slot.start_beats)
        near = [beats for beats in wanted if abs(beats - change) <= options.near_beats + _EPSILON]
        near = [b for b in near if b - start >= options.shortest_beats and b < slot.end_beats - _EPSILON]
        if near:
            change = min(near, key=lambda beats: (abs(beats - change), beats))
        regions[-1] = (start, change, chord)
        regions.append((change, slot.end_beats, slot.chord))
    return regions


def _free_regions(
    composition: Composition,
    slots: Sequence[Slot],
    wanted: dict[float, float],
    bars: Bars,
    options: ChangeOptions,
    before: Chord | None,
) -> list[tuple[float, float, Chord]]:
    start, end = slots[0].start_beats, slots[-1].end_beats
    places = _candidates(start, end, wanted, bars)
    harmony = _Harmony(slots)
    on_cuts = options.chords_on in ("strong", "all") and bool(wanted)
    count = len(places)
    best = [-math.inf] * count
    back = [0] * count
    best[0] = 0.0
    for here in range(1, count):
        place = places[here]
        gain = _worth(place, wanted, bars, on_cuts) if here < count - 1 else 0.0
        target = _target_beats(composition, place, bars, options)
        longest = max(_LONGEST_BARS * (bars.next(place - _EPSILON) - bars.start(place - _EPSILON)), 2 * target)
        for earlier in range(here - 1, -1, -1):
            length = place - places[earlier]
            if length > longest and best[here] > -math.inf:
                break
            edge = earlier == 0 or here == count - 1  # what is left at the edges may be short
            if length < options.shortest_beats - _EPSILON and not edge:
                continue
            loss = harmony.loss(places[earlier], place)
            cost = _LENGTH_COST * math.log2(max(length, STEP) / target) ** 2 + _LOSS_COST * loss
            value = best[earlier] + gain - cost
            if value > best[here]:
                best[here], back[here] = value, earlier
    cuts = [count - 1]
    while cuts[-1] != 0:
        cuts.append(back[cuts[-1]])
    edges = [places[index] for index in reversed(cuts)]
    return _with_chords(edges, harmony, wanted, before)


def _candidates(start: float, end: float, wanted: dict[float, float], bars: Bars) -> list[float]:
    found = {start, end}
    line = bars.start(start)
    while line < end:
        position = line
        for group in bars.groups(line):
            if start < position < end:
                found.add(position)
            position += group * STEP
        line = bars.next(line)
    found |= {beats for beats in wanted if start < beats < end}
    return sorted(found)


def _worth(place: float, wanted: dict[float, float], bars: Bars, on_cuts: bool) -> float:
    weight = bars.weight(place)
    metric = _GROUP_WORTH
    if weight == 3:
        metric = _BAR_WORTH
    elif weight == 2 and abs(2 * (place - bars.start(place)) - (bars.next(place) - bars.start(place))) < _EPSILON:
        metric = _HALF_WORTH
    if place in wanted:
        return metric + wanted[place]
    return metric - (_BESIDE if on_cuts else 0.0)


def _target_beats(composition: Composition, place: float, bars: Bars, options: ChangeOptions) -> float:
    bar = bars.next(place - _EPSILON) - bars.start(place - _EPSILON)
    share = _BARS.get(options.harmonic_rhythm)
    if share is None:
        share = 1.0 if composition.tempo_map.bpm_at(place - _EPSILON) > _FAST_BPM else 0.5
    return max(bar * share, options.shortest_beats)


class _Harmony:
    """What the network composed in a stretch: chord by chord over beats."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        self.slots = slots
        self.starts = [slot.start_beats for slot in slots]

    def shares(self, start: float, end: float) -> dict[Chord, float]:
        """Beats of each chord in a span, in the order in which they come."""
        found: dict[Chord, float] = {}
        for index in range(max(bisect_right(self.starts, start) - 1, 0), len(self.slots)):
            slot = self.slots[index]
            if slot.start_beats >= end:
                break
            overlap = min(end, slot.end_beats) - max(start, slot.start_beats)
            if overlap > _EPSILON:
                found[slot.chord] = found.get(slot.chord, 0.0) + overlap
        return found

    def loss(self, start: float, end: float) -> float:
        """Beats of a span, in shares of it, that the chord with most of them does not cover."""
        shares = self.shares(start, end)
        return 1.0 - max(shares.values()) / (end - start) if shares else 0.0

    def after(self, beats: float) -> Chord | None:
        """The next chord that differs from the one at a position."""
        current: Chord | None = None
        for slot in self.slots:
            if slot.end_beats <= beats + _EPSILON:
                continue
            if current is None:
                current = slot.chord
            elif slot.chord != current:
                return slot.chord
        return None


def _with_chords(
    edges: list[float], harmony: _Harmony, wanted: dict[float, float], before: Chord | None
) -> list[tuple[float, float, Chord]]:
    """Each region takes the chord that has most of it; where a change is wanted, another one than before."""
    regions: list[tuple[float, float, Chord]] = []
    for start, end in pairwise(edges):
        shares = harmony.shares(start, end)
        if not shares:  # nothing was composed there: what sounds goes on
            chord = before or harmony.after(start)
            if chord is None:
                continue
        else:
            chord = max(shares, key=lambda found: shares[found])
        if start in wanted and chord == before:
            others = [other for other in shares if other != before]
            coming = harmony.after(start)
            if others:
                chord = max(others, key=lambda found: shares[found])
            elif coming is not None:
                chord = coming  # the next chord of the network, anticipated
        regions.append((start, end, chord))
        before = chord
    return regions


def _joined(regions: list[tuple[float, float, Chord]]) -> list[tuple[float, float, Chord]]:
    """Neighbours of one chord as one; gaps and overlaps at the seams of stretches closed."""
    result: list[tuple[float, float, Chord]] = []
    for start, end, chord in regions:
        if result and result[-1][2] == chord and start <= result[-1][1] + _EPSILON:
            result[-1] = (result[-1][0], max(end, result[-1][1]), chord)
        elif end - start > _EPSILON:
            result.append((start, end, chord))
    return result


def _cut(composition: Composition, regions: list[tuple[float, float, Chord]]) -> tuple[Slot, ...]:
    """The slots, cut where a region begins inside one, with the regions' chords; outside regions as they were."""
    result: list[Slot] = []
    number = 0
    for slot in composition.slots:
        while number < len(regions) and regions[number][1] <= slot.start_beats + _EPSILON:
            number += 1
        edges = [slot.start_beats]
        for start, _, _ in regions[number:]:
            if start >= slot.end_beats - _EPSILON:
                break
            if start > slot.start_beats + _EPSILON:
                edges.append(start)
        edges.append(slot.end_beats)
        for a, b in pairwise(edges):
            chord = slot.chord
            for start, end, own in regions[number:]:
                if start <= a + _EPSILON and end >= b - _EPSILON:
                    chord = own
                    break
                if start >= b:
                    break
            a_s = slot.start_s if a == slot.start_beats else composition.picture_at_beats(a)
            b_s = slot.end_s if b == slot.end_beats else composition.picture_at_beats(b)
            result.append(
                replace(slot, index=len(result), start_s=a_s, end_s=b_s, start_beats=a, end_beats=b, chord=chord)
            )
    return tuple(result)
