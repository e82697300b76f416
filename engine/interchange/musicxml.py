"""MusicXML by music21 (extra `score`): a lead sheet on top, a staff for each part below.

Notes are written on the sixteenth nearest to where they are played, with their ends on the sixteenth too; a pad's held
tones go on through changes of the others, every other part is written as it is struck.  Chord symbols, key and meters,
tempi, rehearsal marks at sections and hits as text stand where the music has them.
"""

from __future__ import annotations

import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from engine.arrange.rhythm import merge_runs
from engine.interchange.markers_out import mark_name
from engine.interchange.piece import Piece
from engine.music import PARTS, Chord, Key, Note
from engine.music.chord import split_root
from engine.music.extras import need_extra
from engine.music.meter import odd_meter
from engine.music.spelling import key_signature

STEP: Final = Fraction(1, 4)
# Lengths that one note head can have, longest first.
_HEADS: Final = tuple(map(Fraction, ("4", "3", "2", "3/2", "1", "3/4", "1/2", "1/4")))
_NAMES: Final = {"pad": "Pad", "arp": "Arpeggio", "bass": "Bass", "melody": "Melody", "drums": "Drums"}


@dataclass(frozen=True, slots=True)
class Written:
    """What sounds from one place to another, in beats: pitches, and which of them go on from before and after."""

    start: Fraction
    end: Fraction
    pitches: tuple[int, ...] = ()
    held: frozenset[int] = frozenset()  # go on from before
    holds: frozenset[int] = frozenset()  # go on afterwards


def rounded(beats: float) -> Fraction:
    """The nearest sixteenth."""
    return round(beats / float(STEP)) * STEP


def written_notes(notes: Sequence[Note], *, sustained: bool) -> tuple[Written, ...]:
    """The notes of a part as one row of chords without gaps or overlaps, from the first to the last.

    sustained: a tone that is held while others change is tied on; else what is struck ends what came before.
    """
    spans = sorted({(rounded(n.start_beats), max(rounded(n.end_beats), rounded(n.start_beats) + STEP), n.pitch)
                    for n in notes})  # fmt: skip
    starts: dict[Fraction, set[int]] = {}
    for start, _, pitch in spans:
        starts.setdefault(start, set()).add(pitch)
    if not spans:
        return ()
    onsets = sorted(starts)
    if not sustained:
        longest = {start: max(end for s, end, _ in _at(spans, start)) for start in onsets}
        row = []
        for index, start in enumerate(onsets):
            following = onsets[index + 1] if index + 1 < len(onsets) else longest[start]
            end = min(longest[start], following)
            row.append(Written(start, end, tuple(sorted(starts[start]))))
            if end < following:
                row.append(Written(end, following))
        return tuple(row)
    cut: list[tuple[Fraction, Fraction, int]] = []
    next_of: dict[int, Fraction] = {}
    for start, end, pitch in reversed(spans):  # a pitch that is struck again ends there
        cut.append((start, min(end, next_of.get(pitch, end)), pitch))
        next_of[pitch] = start
    edges = sorted({edge for start, end, _ in cut for edge in (start, end)})
    sounding: dict[Fraction, set[tuple[Fraction, Fraction, int]]] = {edge: set() for edge in edges}
    places = {edge: index for index, edge in enumerate(edges)}
    for span in cut:
        for edge in edges[places[span[0]] : places[span[1]]]:
            sounding[edge].add(span)
    row = []
    for begin, after in pairwise(edges):
        now = sounding[begin]
        held = frozenset(pitch for start, _, pitch in now if start < begin)
        holds = frozenset(pitch for _, end, pitch in now if end > after)
        row.append(Written(begin, after, tuple(sorted({pitch for _, _, pitch in now})), held, holds))
    return tuple(row)


def _at(spans: Sequence[tuple[Fraction, Fraction, int]], start: Fraction) -> Iterator[tuple[Fraction, Fraction, int]]:
    index = bisect_left(spans, start, key=lambda span: span[0])
    while index < len(spans) and spans[index][0] == start:
        yield spans[index]
        index += 1


def musicxml(piece: Piece) -> bytes:
    """The score.  Raises UserError without the extra."""
    need_extra("score", "Writing MusicXML")
    from music21 import metadata, stream
    from music21.musicxml.m21ToXml import GeneralObjectExporter

    sheet = _Sheet(piece)
    score: Any = stream.Score()
    score.insert(0, metadata.Metadata())
    score.metadata.title = Path(piece.composition.film.path).stem or "CueBridge"
    score.metadata.movementName = ", ".join(cue.name for cue in piece.cues)
    score.metadata.composer = "CueBridge"
    sounding = {note.part for note in piece.notes}
    # The lead sheet has the tune, or rests where nothing has one, under the chord symbols.
    score.append(sheet.part("Lead sheet", "melody", with_chords=True))
    for part in PARTS:
        if part in sounding and part != "melody":
            score.append(sheet.part(_NAMES[part], part))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bytes(GeneralObjectExporter(score).parse())


@dataclass(frozen=True, slots=True)
class _Bar:
    """begins: its beat of the tempo map; line, end: in the score, whose bars are whole sixteenths long."""

    number: int
    begins: Fraction
    line: Fraction
    end: Fraction


class _Sheet:
    """Measures of a piece, from the bar in which it begins to the one in which its last note ends."""

    def __init__(self, piece: Piece) -> None:
        self._piece, self._map = piece, piece.tempo_map
        composition = piece.composition
        begins = composition.beats_at_picture(piece.start_s)
        first = min([begins, *(note.start_beats for note in piece.notes)])
        last = max([begins + float(STEP), *(note.end_beats for note in piece.notes)]) - float(STEP) / 2
        self.first_bar = bar = self._map.bar_at(rounded(first))
        exact, lines = [self._map.bar_start(bar)], [rounded(float(self._map.bar_start(bar)))]
        numbers: list[int] = []
        while exact[-1] < last or not numbers:
            line = self._map.bar_start(bar + 1)
            length = rounded(float(line - exact[-1]))
            if length:
                numbers.append(bar)
                exact.append(line)
                lines.append(lines[-1] + length)
            else:  # a rest of a bar that nobody could write down
                exact[-1] = line
            bar += 1
        self._exact, self._lines = exact, lines
        self.bars = [_Bar(*row) for row in zip(numbers, exact, lines, lines[1:], strict=False)]

    def place(self, beats: float) -> Fraction:
        """Where a beat is written: on the sixteenth of its bar that is nearest.  Bars of cues that begin their own need
        not begin on a sixteenth of the bars before them."""
        index = min(max(bisect_right(self._exact, beats) - 1, 0), len(self.bars) - 1)
        at = self._lines[index] + rounded(beats - float(self._exact[index]))
        return at if index == len(self.bars) - 1 else min(at, self._lines[index + 1])

    def _written(self, part: str) -> list[Note]:
        """The notes of a part where they are written."""
        made = []
        for note in self._piece.notes:
            if note.part == part:
                start, end = self.place(note.start_beats), self.place(note.end_beats)
                made.append(replace(note, start_beats=float(start), length_beats=float(max(end - start, STEP))))
        return made

    def part(self, name: str, part: str, *, with_chords: bool = False) -> Any:
        from music21 import clef, instrument, stream

        notes = self._written(part)
        row = written_notes(notes, sustained=part == "pad")
        made: Any = stream.Part(id=name)
        made.partName = name
        own = instrument.UnpitchedPercussion() if part == "drums" else instrument.Instrument()
        own.partName = name
        made.insert(0, own)
        middle = sorted(note.pitch for note in notes)[len(notes) // 2] if notes else 60
        signs = {"drums": clef.PercussionClef, "bass": clef.BassClef}
        sign = signs.get(part, clef.TrebleClef if middle >= 57 else clef.BassClef)()
        before_meter = before_key = None
        for index, bar in enumerate(self.bars):
            measure: Any = stream.Measure(number=index + 1 if self.first_bar < 1 else bar.number)
            if index == 0:
                measure.insert(0, sign)
            before_key, before_meter = self._signatures(measure, bar, before_key, before_meter)
            if with_chords:
                self._words(measure, bar)
                self._symbols(measure, bar)
            for piece in _in_bar(row, bar.line, bar.end):
                measure.insert(float(piece.start - bar.line), _element(piece, drums=part == "drums"))
            made.append(measure)
        return made

    def _signatures(self, measure: Any, bar: _Bar, key: Key | None, meter: Any) -> tuple[Key | None, Any]:
        from music21 import key as keys
        from music21 import meter as meters

        own_key, own_meter = self._key_at(bar.begins), self._map.meter_at(bar.begins)
        if bar.end - bar.line != own_meter.bar_beats:  # the bars of another cue begin before this one is full
            own_meter = odd_meter(bar.end - bar.line) or own_meter
        if own_key != key and own_key is not None:
            measure.insert(0, keys.KeySignature(_sharps(own_key)))
        if own_meter != meter:
            measure.insert(0, meters.TimeSignature(f"{own_meter.numerator}/{own_meter.denominator}"))
        return own_key, own_meter

    def _key_at(self, line: Fraction) -> Key:
        composition = self._piece.composition
        at_s = composition.picture_at_beats(float(line)) + 1e-6
        plans = [plan for plan in composition.plans if plan.sections[0].start_s <= at_s]
        if plans:
            return plans[-1].section_at(at_s).key
        cues = [cue for cue in self._piece.cues if cue.in_s <= at_s and cue.key is not None]
        return cues[-1].key or composition.key if cues else composition.key

    def _words(self, measure: Any, bar: _Bar) -> None:
        """Tempi, rehearsal marks and hits."""
        from music21 import expressions, tempo

        composition = self._piece.composition
        line, end = bar.line, bar.end
        changes = {self.place(float(change.beat)): float(change.bpm) for change in self._map.tempos}
        here = {place: bpm for place, bpm in changes.items() if line <= place < end}
        if bar is self.bars[0]:
            here.setdefault(line, self._map.bpm_at(float(bar.begins)))
        for place, bpm in sorted(here.items()):
            measure.insert(float(place - line), tempo.MetronomeMark(number=round(bpm, 2), referent=1.0))
        for mark in self._piece.marks(("sections", "hits")):
            place = self.place(composition.beats_at_picture(mark.start_s))
            if line <= place < end:
                if mark.kind == "sections":
                    measure.insert(float(place - line), expressions.RehearsalMark(mark.name))
                else:
                    measure.insert(float(place - line), expressions.TextExpression(f"▼ {mark_name(mark)}"))

    def _symbols(self, measure: Any, bar: _Bar) -> None:
        low, high = self._piece.span_beats
        line = bar.line
        for run in merge_runs(self._piece.composition.slots):
            place = self.place(run.start_beats)
            if line <= place < bar.end and low <= run.start_beats < high:
                measure.insert(float(place - line), _symbol(run.chord, self._piece.composition.spell(run.chord)))


def _symbol(chord: Chord, name: str) -> Any:
    """A chord symbol that sounds the chord's own tones and shows its name as CueBridge writes it."""
    from music21 import harmony

    if chord.is_silence:
        return harmony.NoChord()
    head, low = name, None
    if chord.bass is not None:  # else a slash is that of 6/9
        head, _, low = name.rpartition("/")
    bass = None if low is None else _step(low)
    kind, degrees = chord_kind(chord.intervals())
    symbol = harmony.ChordSymbol(root=_step(head), kind=_MUSIC21_NAMES.get(kind, kind), bass=bass)
    for what, degree, alter in degrees:
        symbol.addChordStepModification(harmony.ChordStepModification(what, degree, alter))
    symbol.chordKindStr = split_root(head)[1]
    return symbol


def _step(symbol: str) -> str:
    """The note that a symbol begins with as music21 writes it: B- for B flat."""
    return split_root(symbol)[0].replace("b", "-")


# Kinds of MusicXML 4.0 (data type kind-value): degree -> semitones above the root.
_TRIAD: Final = {1: 0, 3: 4, 5: 7}
_MINOR: Final = {1: 0, 3: 3, 5: 7}
KINDS: Final[dict[str, dict[int, int]]] = {
    "major": _TRIAD, "minor": _MINOR, "augmented": {1: 0, 3: 4, 5: 8}, "diminished": {1: 0, 3: 3, 5: 6},
    "dominant": {**_TRIAD, 7: 10}, "major-seventh": {**_TRIAD, 7: 11}, "minor-seventh": {**_MINOR, 7: 10},
    "diminished-seventh": {1: 0, 3: 3, 5: 6, 7: 9}, "augmented-seventh": {1: 0, 3: 4, 5: 8, 7: 10},
    "half-diminished": {1: 0, 3: 3, 5: 6, 7: 10}, "major-minor": {**_MINOR, 7: 11}, "major-sixth": {**_TRIAD, 6: 9},
    "minor-sixth": {**_MINOR, 6: 9}, "dominant-ninth": {**_TRIAD, 7: 10, 9: 14},
    "major-ninth": {**_TRIAD, 7: 11, 9: 14}, "minor-ninth": {**_MINOR, 7: 10, 9: 14},
    "dominant-11th": {**_TRIAD, 7: 10, 9: 14, 11: 17}, "major-11th": {**_TRIAD, 7: 11, 9: 14, 11: 17},
    "minor-11th": {**_MINOR, 7: 10, 9: 14, 11: 17}, "dominant-13th": {**_TRIAD, 7: 10, 9: 14, 11: 17, 13: 21},
    "major-13th": {**_TRIAD, 7: 11, 9: 14, 11: 17, 13: 21}, "minor-13th": {**_MINOR, 7: 10, 9: 14, 11: 17, 13: 21},
    "suspended-second": {1: 0, 2: 2, 5: 7}, "suspended-fourth": {1: 0, 4: 5, 5: 7}, "power": {1: 0, 5: 7},
}  # fmt: skip
_MUSIC21_NAMES: Final = {"dominant": "dominant-seventh", "half-diminished": "half-diminished-seventh",
                         "major-minor": "minor-major-seventh"}  # fmt: skip
# What an added degree is before it is altered: of a dominant chord, as the specification says.
_ADDED: Final = {2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 10, 9: 14, 11: 17, 13: 21}
_DEGREES: Final = {
    0: (1,), 2: (2,), 3: (3,), 4: (3,), 5: (4,), 6: (5,), 7: (5,), 8: (5, 6), 9: (6, 7), 10: (7, 6), 11: (7,), 13: (9,),
    14: (9,), 15: (9,), 16: (11,), 17: (11,), 18: (11,), 20: (13,), 21: (13,), 22: (13,),
}  # fmt: skip


@lru_cache(maxsize=512)
def chord_kind(intervals: tuple[int, ...]) -> tuple[str, tuple[tuple[str, int, int], ...]]:
    """The kind of MusicXML that a chord type needs least words beside, and these: (add, alter or subtract; degree;
    semitones by which it is altered).  intervals: semitones above the root, ascending."""
    found = [(_words(kind, intervals), name) for name, kind in KINDS.items()]
    costs = {"add": 1.0, "alter": 1.1, "subtract": 1.5}  # few readers play what was taken away
    # An added seventh is a minor one by the specification, and a major one to some readers: a kind has it.
    cost = [sum(costs[what] + 9 * (what == "add" and degree == 7) for what, degree, _ in words) for words, _ in found]
    words, name = found[cost.index(min(cost))]
    return name, words


def _words(kind: Mapping[int, int], intervals: Sequence[int]) -> tuple[tuple[str, int, int], ...]:
    """What has to be said beside a kind."""
    wanted: list[tuple[int, int]] = []
    for tone in intervals:
        taken = {degree for degree, _ in wanted}
        free = [degree for degree in _DEGREES[tone] if degree not in taken] or list(_DEGREES[tone])
        exact = [degree for degree in free if kind.get(degree) == tone]
        wanted.append(((exact or free)[0], tone))
    words, met = [], set()
    for degree, tone in sorted(wanted, key=lambda each: (each[0], kind.get(each[0]) != each[1])):
        if degree in kind and degree not in met:
            if kind[degree] != tone:
                words.append(("alter", degree, tone - kind[degree]))
        else:  # also the second of two ninths, as in 7alt
            words.append(("add", degree, tone - _ADDED[degree]))
        met.add(degree)
    return (*words, *(("subtract", degree, 0) for degree in kind if degree not in met))


# From seven flats to seven sharps.
_MAJORS: Final = "Cb Gb Db Ab Eb Bb F C G D A E B F# C#".split()  # noqa: SIM905
_MINORS: Final = "Abm Ebm Bbm Fm Cm Gm Dm Am Em Bm F#m C#m G#m D#m A#m".split()  # noqa: SIM905


def _sharps(key: Key) -> int:
    """Sharps of the signature, flats below zero."""
    name = key_signature(key)
    return (_MINORS.index(name) if name in _MINORS else _MAJORS.index(name)) - 7


def _in_bar(row: Sequence[Written], line: Fraction, end: Fraction) -> Iterator[Written]:
    """What lies in a bar, rests filled in, each as long as one note head can be."""
    at = line
    first = max(bisect_right(row, line, key=lambda each: each.end), 0)
    for each in row[first:]:
        if each.start >= end:
            break
        start, stop = max(each.start, line), min(each.end, end)
        if start > at:
            yield from _heads(Written(at, start))
        held = each.held if start == each.start else frozenset(each.pitches)
        holds = each.holds if stop == each.end else frozenset(each.pitches)
        yield from _heads(Written(start, stop, each.pitches, held, holds))
        at = stop
    if at < end:
        yield from _heads(Written(at, end))


def _heads(piece: Written) -> Iterator[Written]:
    start, held = piece.start, piece.held
    while start < piece.end:
        length = next(head for head in _HEADS if head <= piece.end - start)
        stop = start + length
        holds = piece.holds if stop == piece.end else frozenset(piece.pitches)
        yield Written(start, stop, piece.pitches, held, holds)
        start, held = stop, frozenset(piece.pitches)


def _element(piece: Written, *, drums: bool) -> Any:
    from music21 import chord, note, tie

    length = float(piece.end - piece.start)
    if not piece.pitches:
        return note.Rest(quarterLength=length)
    members = []
    for pitch in piece.pitches:
        made = note.Note(pitch, quarterLength=length)
        before, after = pitch in piece.held, pitch in piece.holds
        if before or after:
            made.tie = tie.Tie("continue" if before and after else "stop" if before else "start")
        members.append(made)
    return members[0] if len(members) == 1 else chord.Chord(members, quarterLength=length)
