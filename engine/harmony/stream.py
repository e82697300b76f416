"""Chords for a film: the chord network run over the planned slots, window by window, streamed.

The network works in C major or A minor, so what is fixed is transposed in and what it finds is transposed out (the
authors' program forgot this).  It looks at windows of 300 slots; a longer cue is composed by windows that overlap by
60 slots, whose chords are the primer of the next.  Between two changes of the harmonic rhythm the chord is forced to
stay; at a change the network may not repeat it.

What comes out depends on the film, the request and the take alone: draws are tied to (take, absolute slot, chord), so
neither chunking nor where composition was taken up again moves a chord.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from engine.harmony.cells import CellChooser
from engine.harmony.conditions import Events, conditions
from engine.harmony.form import form_pull
from engine.harmony.loops import HISTORY, patience, worn_out
from engine.harmony.mood import guidance, guiding_mood, temperature, top_p
from engine.harmony.plan import PlannedSlot
from engine.harmony.reasons import Trace, of_network
from engine.harmony.slots import SlotFeatures
from engine.music import NO_CHORD, Chord, Key
from engine.music.chord import VOCABULARY_SIZE
from engine.process.messages import ComposeOptions
from models.decoding import ChordStream, DecodingOptions, condition_scales, windows
from models.film import FilmInputs

if TYPE_CHECKING:
    from models.runtime import ChordNetwork

REFERENCE_TONICS: Final = (Chord(0, "maj").id, Chord(9, "min").id)  # where a film without a progression starts
MAX_STREAMS: Final = 40  # windows whose encoder memory and KV cache are kept (a film of two hours has about 30)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Slots [begin, end) to be composed in one key, within the window [start, stop) that the network looks at.

    The window follows from the cue alone, so that a key or chord set later in a cue changes nothing before it.
    """

    start: int
    stop: int
    begin: int
    end: int
    key: Key
    ends: bool  # the cue's music ends with the window


def stretches(slots: Sequence[PlannedSlot], keys: Sequence[Key], begin: int = 0) -> tuple[Stretch, ...]:
    """What to compose from slot `begin` on, in order, without the slots outside every cue.  keys: one per slot."""
    found = []
    for first, last in _runs([slot.cue for slot in slots]):
        if slots[first].cue < 0:
            continue
        decided = first
        for window_start, window_stop in windows(last - first):
            start, stop = first + window_start, first + window_stop
            for a, b in _runs(keys[decided:stop]):
                if decided + b > begin:
                    stretch = Stretch(
                        start, stop, max(decided + a, begin), decided + b, keys[decided + a], stop == last
                    )
                    found.append(stretch)
            decided = stop
    return tuple(found)


def _runs(values: Sequence[object]) -> list[tuple[int, int]]:
    """Runs of equal neighbours as (first, one past the last)."""
    edges = [i for i in range(1, len(values)) if values[i] != values[i - 1]]
    return list(pairwise([0, *edges, len(values)])) if values else []


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is asked of each slot: affect (S, 6) for chord types, conditions (S, 12) for a network that reads them."""

    affect: np.ndarray
    conditions: np.ndarray | None

    def of(self, stretch: Stretch) -> Asked:
        """Of the slots of a window."""
        rows = slice(stretch.start, stretch.stop)
        return Asked(self.affect[rows], None if self.conditions is None else self.conditions[rows])


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a chord is drawn: at changes of the harmonic rhythm the last one may not come again, at hits it may."""

    steady: DecodingOptions
    loose: DecodingOptions


def decoding_options(options: ComposeOptions, seed: int, conditioned: bool) -> Drawing:
    """What the composer's controls mean to the decoder.  Rests are never drawn: silence is the composer's to ask.

    conditioned: the network reads mood and cuts itself; else it is pulled towards the mood's chord types.
    """
    condition_scale, stay_scale = condition_scales(guidance(options))
    steady = DecodingOptions(
        temperature=temperature(options),
        top_p=top_p(options),
        seed=seed,
        allow_rests=False,
        max_repeats=1,
        guidance=0.0 if conditioned else guidance(options),
        condition_scale=condition_scale,
        stay_scale=stay_scale,
    )
    return Drawing(steady, replace(steady, max_repeats=None))


def film_inputs(features: SlotFeatures, stretch: Stretch) -> FilmInputs:
    """What the network sees of a stretch's window."""
    rows = slice(stretch.start, stretch.stop)
    return FilmInputs.from_arrays(
        scene_offset=features.scene_offset[rows],
        motion=features.motion[rows],
        emotion=features.emotion[rows],
        semantic=None if features.semantic is None else features.semantic[rows],
        valid=features.valid[rows],
        minor=stretch.key.is_minor,
        ends=stretch.ends,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """What one call composes from.  slots, features, keys: a row a slot.  chords: decided so far; it grows."""

    slots: Sequence[PlannedSlot]
    features: SlotFeatures
    keys: Sequence[Key]
    asked: Asked
    adventurous: float
    chords: list[Chord]
    trace: Trace | None


class Harmony:
    """The chord network with what it has already seen and heard.

    Encoder memories and KV caches of windows live on between calls: a call that shares a past with an earlier one
    truncates the cache and goes on, it recomputes nothing.
    """

    def __init__(self, model: ChordNetwork) -> None:
        self.model = model
        self._streams: OrderedDict[tuple[object, ...], ChordStream] = OrderedDict()
        self.decoded = 0  # slots that the network was asked for, over all calls; for benches and tests

    def forget(self) -> None:
        """Drops everything remembered (another film)."""
        self._streams.clear()

    # size: what may change a chord, which tests and benches leave out where they have none.
    def compose(
        self,
        slots: Sequence[PlannedSlot],
        features: SlotFeatures,
        keys: Sequence[Key],
        options: ComposeOptions,
        seed: int,
        begin: int = 0,
        cue_seeds: Mapping[int, int] | None = None,
        choosers: Mapping[int, CellChooser] | None = None,
        events: Events | None = None,
        trace: Trace | None = None,
    ) -> Iterator[Chord]:
        """Chords of the slots from `begin` on, one by one.

        All slots before `begin` must be fixed.  features, keys: one row per slot.  seed: the take; cue_seeds: of cues
        that have a take of their own.  choosers: of cues that have a plan; in the others the network decides alone.
        events: the film's cuts and the hits.  trace: gets why each chord was chosen.
        """
        chords: list[Chord] = [slot.fixed or NO_CHORD for slot in slots[:begin]]
        conditioned = self.model.config.condition_width > 0
        rows = conditions(slots, features.emotion, options, events or Events()) if conditioned else None
        asked = Asked(guiding_mood(features.emotion, options), rows)
        work = _Work(slots, features, keys, asked, options.adventurous, chords, trace)
        planned = choosers or {}
        _take_kept(planned, slots, chords)
        for stretch in stretches(slots, keys, begin):
            while len(chords) < stretch.begin:  # outside every cue
                chords.append(slots[len(chords)].fixed or NO_CHORD)
                yield chords[-1]
            drawing = decoding_options(options, (cue_seeds or {}).get(slots[stretch.start].cue, seed), conditioned)
            chooser = planned.get(slots[stretch.start].cue)
            if chooser is not None:
                yield from self._cells(stretch, work, drawing, chooser)
                continue
            yield from self._stretch(stretch, work, drawing)
        while len(chords) < len(slots):
            chords.append(slots[len(chords)].fixed or NO_CHORD)
            yield chords[-1]

    def _stretch(self, stretch: Stretch, work: _Work, drawing: Drawing) -> Iterator[Chord]:
        """Decides the stretch's slots."""
        slots, chords = work.slots, work.chords
        start, shift = stretch.start, stretch.key.semitones_from_reference
        past = [chord.transpose(-shift).id for chord in chords[start:]]
        if not past:
            opening = slots[start].fixed
            past = [REFERENCE_TONICS[stretch.key.is_minor] if opening is None else opening.transpose(-shift).id]
        stream = self._stream(stretch, work.features, work.asked, past, drawing.steady)
        for index in range(stretch.begin, stretch.end):
            slot, at = slots[index], index - start
            forced = slot.fixed
            if forced is None and not slot.change and at > 0:
                forced = chords[-1]
            if at >= len(stream.chords):  # else it is the window's first chord
                if forced is not None:
                    stream.configure(pins={at: forced.transpose(-shift).id})
                else:
                    worn = worn_out(changes(slots, chords), patience(work.adventurous))
                    avoid = [chord.transpose(-shift).id for chord in worn]
                    bias = form_pull(*heard(slots, work.keys, chords), stretch.key.is_minor, work.adventurous)
                    stream.configure(
                        options=drawing.loose if slot.free else drawing.steady, pins={}, avoid=avoid, bias=bias
                    )
                if work.trace is not None and forced is None:
                    work.trace(index, of_network(stream.log_probs(), stretch.key))
                    stream.rewind(at)
                stream.next()
                self.decoded += 1
            chords.append(forced if forced is not None else Chord.from_id(stream.chords[at]).transpose(shift))
            yield chords[-1]

    def _cells(self, stretch: Stretch, work: _Work, drawing: Drawing, chooser: CellChooser) -> Iterator[Chord]:
        """Decides the slots of a planned cue: its palettes' cells lead, the network ranks what they offer."""
        slots, chords = work.slots, work.chords
        start, shift = stretch.start, stretch.key.semitones_from_reference
        fed: ChordStream | None = None

        def log_probs_at(first: int) -> np.ndarray:
            """Of the chord of slot `first`; the network is asked only where a palette wants its opinion."""
            nonlocal fed
            if first == start or first >= stretch.stop:
                return np.zeros(VOCABULARY_SIZE)  # the window's first chord has no past
            past = [chord.transpose(-shift).id for chord in chords[start:first]]
            if fed is None:
                fed = self._stream(stretch, work.features, work.asked, past, drawing.loose)
            else:
                self._return_to(fed, past, work.asked.of(stretch), drawing.loose)
            self.decoded += 1
            return fed.log_probs()

        for index in range(stretch.begin, stretch.end):
            slot = slots[index]
            first = index
            while first > start and chooser.place(slots[first - 1]) == chooser.place(slot):
                first -= 1
            before = chords[first - 1] if first > start else None
            if slot.fixed is not None:
                chord = slot.fixed
                if not chord.is_silence:
                    chooser.take(slot, [chord])
            else:
                if not chooser.is_decided(slot):
                    chooser.decide(slot, before, partial(log_probs_at, first))
                    if first < index and chooser.chord(slots[first], before).plain != chords[first].plain:
                        chooser.hold(slot, chords[index - 1])
                chord = chooser.chord(slot, before)
                reason = chooser.reason(slot)
                if work.trace is not None and reason is not None:
                    work.trace(index, reason)
            chords.append(chord)
            yield chord

    def _stream(
        self,
        stretch: Stretch,
        features: SlotFeatures,
        asked: Asked,
        past: list[int],
        options: DecodingOptions,
    ) -> ChordStream:
        """A stream over the stretch's window that has heard exactly `past` (never empty)."""
        here = asked.of(stretch)
        film = film_inputs(features, stretch)
        name = (stretch.start, stretch.stop, stretch.ends, stretch.key, _digest(film))
        stream = self._streams.pop(name, None)
        if stream is None or stream.chords[:1] != tuple(past[:1]):
            # Only the first chord is its primer: a primer could not be taken back.
            stream = ChordStream(
                self.model,
                film,
                options,
                primer=past[:1],
                affect=here.affect,
                conditions=here.conditions,
                first_slot=stretch.start,
            )
        self._return_to(stream, past, here, options)
        self._streams[name] = stream
        while len(self._streams) > MAX_STREAMS:
            self._streams.popitem(last=False)
        return stream

    def _return_to(self, stream: ChordStream, past: list[int], asked: Asked, options: DecodingOptions) -> None:
        """Takes a used stream back to the longest past that both share and tells it the rest."""
        common = 0
        for known, wanted in zip(stream.chords, past, strict=False):
            if known != wanted:
                break
            common += 1
        stream.rewind(common)
        stream.configure(options=options, pins=dict(enumerate(past)), affect=asked.affect, conditions=asked.conditions)
        for _ in range(len(past) - common):
            stream.next()
            self.decoded += 1


def _take_kept(planned: Mapping[int, CellChooser], slots: Sequence[PlannedSlot], chords: Sequence[Chord]) -> None:
    """Tells the choosers what was kept, unit by unit; a unit that goes on after the kept slots is decided anew, since
    what came before it decides it alike."""
    first = 0
    for index in range(1, len(chords) + 1):
        cue = slots[first].cue
        chooser = planned.get(cue)
        if chooser is None:
            first = index
            continue
        if (
            index < len(slots)
            and slots[index].cue == cue
            and chooser.place(slots[index]) == chooser.place(slots[first])
        ):
            continue
        if not chords[first].is_silence:
            chooser.take(slots[first], chords[first:index])
        first = index


def changes(slots: Sequence[PlannedSlot], chords: Sequence[Chord]) -> list[Chord]:
    """The cue's latest chords, one entry per change, as far back as loops are looked for."""
    found: list[Chord] = []
    cue = slots[len(chords)].cue
    for index in range(len(chords) - 1, -1, -1):
        if slots[index].cue != cue or len(found) >= HISTORY:
            break
        if not found or found[-1] != chords[index]:
            found.append(chords[index])
    return found[::-1]


def heard(slots: Sequence[PlannedSlot], keys: Sequence[Key], chords: Sequence[Chord]) -> tuple[list[int], list[float]]:
    """What sounded in the cue since the key is the one of the next slot: ids in C major / A minor and beats, per
    change, silence left out, as far back as `changes`."""
    here = len(chords)
    cue, key = slots[here].cue, keys[here]
    shift = key.semitones_from_reference
    ids: list[int] = []
    beats: list[float] = []
    last: Chord | None = None
    for index in range(here - 1, -1, -1):
        slot, chord = slots[index], chords[index]
        if slot.cue != cue or keys[index] != key or len(ids) >= HISTORY:
            break
        length = slot.end_beats - slot.start_beats
        if chord == last and ids:
            beats[-1] += length
        elif not chord.is_silence:
            ids.append(chord.transpose(-shift).id)
            beats.append(length)
        last = None if chord.is_silence else chord
    return ids[::-1], beats[::-1]


def _digest(film: FilmInputs) -> bytes:
    """Names what a window shows: equal rows, equal name."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(np.ascontiguousarray(film.features).data)
    digest.update(np.ascontiguousarray(film.valid).data)
    digest.update(b"s" if bool(film.semantic_present[0]) else b"-")
    return digest.digest()
