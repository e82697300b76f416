"""Several takes decoded side by side, of which the best one's seed is kept (models.selection says what best means).

All candidates go through the network in one batch: sixteen cost about twice one.  The film is then composed with the
chosen seed in the ordinary way, so a candidate that was chosen sounds the same whether it is composed at once, in
chunks, or taken up again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from engine.harmony.conditions import Events, conditions
from engine.harmony.form import form_pull
from engine.harmony.loops import patience, worn_out
from engine.harmony.mood import bias_affect, guiding_mood
from engine.harmony.plan import PlannedSlot
from engine.harmony.slots import SlotFeatures
from engine.harmony.stream import (
    REFERENCE_TONICS,
    Asked,
    Stretch,
    changes,
    decoding_options,
    film_inputs,
    heard,
    stretches,
)
from engine.music import NO_CHORD, Chord, Key
from engine.process.messages import ComposeOptions
from models.decoding import affect_pull, candidate_seed, choose, enlarge, log_softmax
from models.selection import Candidate, Criteria, judge

if TYPE_CHECKING:
    from models.runtime import ChordNetwork


# size: as Harmony.compose, whose slots it decides several times.
def candidates(
    model: ChordNetwork,
    slots: Sequence[PlannedSlot],
    features: SlotFeatures,
    keys: Sequence[Key],
    options: ComposeOptions,
    seed: int,
    count: int,
    events: Events | None = None,
    differ_from: Sequence[Sequence[Chord]] = (),
) -> list[Candidate]:
    """`count` candidates over all slots, best first; their chords are in C major / A minor.

    seed: the take's; candidate 0 has it, the others have seeds derived from it.  differ_from: takes (one sounding
    chord per slot) that they should not repeat.
    """
    conditioned = model.config.condition_width > 0
    rows = conditions(slots, features.emotion, options, events or Events()) if conditioned else None
    asked = Asked(guiding_mood(features.emotion, options), rows)
    songs: list[list[Chord]] = [[] for _ in range(count)]
    nll = np.zeros(count)
    composed = 0
    for stretch in stretches(slots, keys):
        for song in songs:
            song.extend([NO_CHORD] * (stretch.begin - len(song)))  # outside every cue
        composed += _decode(model, stretch, slots, keys, features, asked, options, seed, songs, nll)
    for song in songs:
        song.extend([NO_CHORD] * (len(slots) - len(song)))
    mood = bias_affect(features.emotion, options)
    others = [_ids(song, keys) for song in differ_from]
    found = []
    for index, song in enumerate(songs):
        per_slot = float(nll[index]) / max(composed, 1)
        one = judge(_ids(song, keys), candidate_seed(seed, index), per_slot, mood, Criteria(), others)
        found.append(one)
    return sorted(found, key=lambda candidate: -candidate.score)


def _ids(song: Sequence[Chord], keys: Sequence[Key]) -> list[int]:
    """In C major / A minor."""
    return [chord.transpose(-key.semitones_from_reference).id for chord, key in zip(song, keys, strict=False)]


# size: the inner loop of `candidates`; it writes into songs and nll.
def _decode(
    model: ChordNetwork,
    stretch: Stretch,
    slots: Sequence[PlannedSlot],
    keys: Sequence[Key],
    features: SlotFeatures,
    asked: Asked,
    options: ComposeOptions,
    seed: int,
    songs: list[list[Chord]],
    nll: np.ndarray,
) -> int:
    """Grows every song over a stretch by the rules of engine.harmony.stream; how many slots the network decided."""
    start, shift = stretch.start, stretch.key.semitones_from_reference
    here = asked.of(stretch)
    guided = here.conditions is not None
    each = [decoding_options(options, candidate_seed(seed, index), guided) for index in range(len(songs))]
    rounds = patience(options.adventurous)
    pull = affect_pull(here.affect)
    shown = None if here.conditions is None else np.repeat(here.conditions[None], len(songs), axis=0)
    window = stretch.stop - start
    cache = model.new_cache(film_inputs(features, stretch), window, shown, batch=len(songs), guided=guided)
    for position in range(start, stretch.begin - 1):  # the window's past, but for the chord that is fed first below
        model.decode_step(np.array([song[position].transpose(-shift).id for song in songs]), cache)
    composed = 0
    for index in range(stretch.begin, stretch.end):
        slot, at = slots[index], index - start
        logits = plain = None
        if at:
            tokens = np.array([song[-1].transpose(-shift).id for song in songs])
            logits = model.decode_step(tokens, cache)
            plain = log_softmax(logits[-len(songs) :, : pull.shape[1]])
        for number, song in enumerate(songs):
            if slot.fixed is not None:
                song.append(slot.fixed)
            elif logits is None or plain is None:
                song.append(Chord.from_id(REFERENCE_TONICS[stretch.key.is_minor]).transpose(shift))
            elif not slot.change:
                song.append(song[-1])
            else:
                avoid = [chord.transpose(-shift).id for chord in worn_out(changes(slots, song), rounds)]
                drawing = each[number].loose if slot.free else each[number].steady
                history = [song[-1].transpose(-shift).id]
                bias = form_pull(*heard(slots, keys, song), stretch.key.is_minor, options.adventurous)
                scores = plain[number]
                if guided:
                    scores = enlarge(logits[number], logits[len(songs) + number], drawing, history[-1])
                chord_id = choose(scores, drawing, history, index, pull[at], avoid, bias)
                nll[number] -= plain[number, chord_id]
                song.append(Chord.from_id(chord_id).transpose(shift))
        composed += slot.fixed is None and slot.change and at > 0
    return composed
