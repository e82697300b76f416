"""From logits to chords: sampling, pins, rests, the repetition rule, guidance by the picture; resumable at any slot.

Two guidances.  *Classifier-free* (Ho & Salimans 2022): the network decides every slot with its conditions (mood course
and boundaries, models.conditioning) and without them, and what the conditions change is enlarged: `condition_scale`
times for where to move, `stay_scale` times for whether to move or to rest at all.  *By chord type* (`guidance`): a pull
towards the qualities of the paper's Table 1, for networks without conditions.

Draws are keyed by (seed, absolute slot, chord): the same film, seed and options give the same chords wherever composing
began, rewinding repeats them, and a small change of probabilities changes few chords (Gumbel-max sampling).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.music.chord import CHORD_END, VOCABULARY_SIZE
from models.errors import ModelError
from models.film import MAX_SLOTS, FilmInputs
from models.runtime import ChordNetwork
from models.vocabulary import AFFECT_SETS, EMOTIONS

REST: Final = 0
TONIC: Final = {False: 1, True: 1 + 9 * 13 + 4}  # C and Am
GUIDANCE_NATS: Final = 8.0  # pull towards the affect set at full strength, in nats
AFFECT_SHARPNESS: Final = 8.0  # the strongest emotion speaks loudest: weights are p ** 8, renormalised
SHARED_LESS: Final = 0.25  # a quality in n sets of Table 1 is pulled by n ** -0.25 of one that tells its emotion apart


@dataclass(frozen=True, slots=True)
class DecodingOptions:
    """How chords are drawn.

    temperature: > 0; 0 takes the likeliest.  top_p: 0..1, the smallest set of chords that holds this probability.
    seed: any integer >= 0.  allow_rests: may silence (N) be drawn.  max_repeats / max_rests: the paper's rule
    (4.1.3) is 2 and 2, then the second best; None (default) lets chords last, as real ones do.  guidance: 0..1,
    how strongly chord qualities follow the picture's affect (Table 1).  condition_scale, stay_scale: >= 0, 0 leaves
    the conditions out, 1 takes them as they were learned, more enlarges what they change.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0
    allow_rests: bool = True
    max_repeats: int | None = None
    max_rests: int | None = None
    guidance: float = 0.5
    condition_scale: float = 4.5
    stay_scale: float = 1.5

    def __post_init__(self) -> None:
        if not (self.temperature >= 0 and np.isfinite(self.temperature)):
            raise ModelError(f"temperature must be 0 or more, not {self.temperature}.")
        if not 0 < self.top_p <= 1:
            raise ModelError(f"top_p must be above 0 and at most 1, not {self.top_p}.")
        if not 0 <= self.guidance <= 1:
            raise ModelError(f"guidance must be 0..1, not {self.guidance}.")
        if self.seed < 0:
            raise ModelError(f"seed must be 0 or more, not {self.seed}.")
        for name in ("max_repeats", "max_rests"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ModelError(f"{name} must be at least 1, not {value}.")
        for name in ("condition_scale", "stay_scale"):
            value = getattr(self, name)
            if not (value >= 0 and np.isfinite(value)):
                raise ModelError(f"{name} must be 0 or more, not {value}.")

    @property
    def conditioned(self) -> bool:
        """Do conditions change anything?"""
        return self.condition_scale > 0 or self.stay_scale > 0


def condition_scales(strength: float) -> tuple[float, float]:
    """A strength of 0..1 -> condition_scale and stay_scale: 4.5 and 1.5 at the half, 7 and 2 at full strength.

    Beyond the half the mood becomes sharper as well (models.conditioning.sharpened).
    Chosen on the validation split: with 3 and 2 the agreement with the own film less that with another is .36, with 4.5
    and 1.5 it is .42, and chords change more often.
    """
    return (11.0 - 4.0 * strength) * strength, (4.0 - 2.0 * strength) * strength


def uniforms(seed: int, slot: int) -> np.ndarray:
    """(157,) numbers in (0, 1) that depend on seed and absolute slot only (Philox counters, stable across versions)."""
    bits = np.random.Philox(key=seed, counter=[0, 0, slot, 0]).random_raw(VOCABULARY_SIZE)
    return ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def _affect_weights() -> np.ndarray:
    """(6, 157) in 0..1, the most telling quality of each emotion at 1.

    min7 is in the sets of three emotions, minor in one: a score that is all min7 suits fear, tension and sorrow alike.
    On 50 validation songs, right film minus wrong film: agreement .205 with these weights, .146 with equal ones.
    """
    sets = AFFECT_SETS[:, :VOCABULARY_SIZE].astype(np.float64)
    weights = sets * np.maximum(sets.sum(axis=0), 1.0) ** -SHARED_LESS
    return weights / np.maximum(weights.max(axis=1, keepdims=True), 1e-9)


_AFFECT_WEIGHTS: Final = _affect_weights()
_AFFECT_WEIGHTS.flags.writeable = False


def affect_pull(affect: np.ndarray) -> np.ndarray:
    """(..., 6) emotion weights -> (..., 157) in 0..1: how much each chord's quality belongs to what is felt.

    Neutral belongs to no set, so it weakens the pull; so does a flat distribution.
    """
    sharp = np.clip(np.nan_to_num(affect), 0.0, None) ** AFFECT_SHARPNESS
    total = sharp.sum(axis=-1, keepdims=True)
    weights = np.divide(sharp, total, out=np.zeros_like(sharp), where=total > 0)
    return weights @ _AFFECT_WEIGHTS


def _blocked(options: DecodingOptions, history: Sequence[int], avoid: Collection[int] = ()) -> np.ndarray:
    """(157,) bool: chords that may not come next."""
    blocked = np.zeros(VOCABULARY_SIZE, dtype=bool)
    blocked[list(avoid)] = True
    blocked[REST] |= not options.allow_rests
    if history:
        last = history[-1]
        limit = options.max_rests if last == REST else options.max_repeats
        if limit is not None and len(history) >= limit and all(chord == last for chord in history[-limit:]):
            blocked[last] = True
    return blocked


def _guided(scores: np.ndarray, pull: np.ndarray, last: int | None) -> np.ndarray:
    """Adds the pull (nats) where a chord changes; silence and staying on the last chord keep their probability.

    So the picture colours the harmony and leaves the harmonic rhythm and the rests to the net: without this, a chord
    that suits the mood would be held on and on.
    """
    kept = np.zeros(len(scores), dtype=bool)
    kept[REST] = True
    if last is not None:
        kept[last] = True
    moving = scores[~kept]
    if not np.isfinite(moving).any():
        return scores
    guided = scores + pull
    guided[kept] = scores[kept] + _log_sum(guided[~kept]) - _log_sum(moving)
    return guided


def _log_sum(scores: np.ndarray) -> float:
    top = scores.max()
    return float(np.log(np.exp(scores - top).sum()) + top)


# size: one draw weighs them all; the network's inner loop makes no object for it.
def choose(
    logits: np.ndarray,
    options: DecodingOptions,
    history: Sequence[int],
    slot: int,
    pull: np.ndarray | None = None,
    avoid: Collection[int] = (),
    bias: np.ndarray | None = None,
) -> int:
    """Draws the chord of absolute slot `slot`.

    logits (>= 157,), pull (157,) from `affect_pull`, avoid: not these, bias (157,): more nats on what comes next.
    """
    scores = np.asarray(logits, dtype=np.float64)[:VOCABULARY_SIZE].copy()
    if pull is not None or bias is not None:
        nats = np.zeros(VOCABULARY_SIZE) if pull is None else options.guidance * GUIDANCE_NATS * pull
        scores = _guided(scores, nats if bias is None else nats + bias, history[-1] if history else None)
    scores[_blocked(options, history, avoid)] = -np.inf
    if options.temperature == 0:
        return int(scores.argmax())
    scores = scores / options.temperature
    if options.top_p < 1:
        order = np.argsort(-scores, kind="stable")
        probability = np.exp(scores[order] - scores[order[0]])
        probability /= probability.sum()
        before = np.cumsum(probability) - probability  # probability of all that are likelier
        scores[order[before >= options.top_p]] = -np.inf
    gumbel = -np.log(-np.log(uniforms(options.seed, slot)))
    return int((scores + gumbel).argmax())


def enlarge(conditioned: np.ndarray, plain: np.ndarray, options: DecodingOptions, last: int | None) -> np.ndarray:
    """Classifier-free guidance: two rows of logits (>= 157,) -> (157,) log probabilities.

    First whether to stay on the chord `last`, to rest or to move, with stay_scale; then where to move, with
    condition_scale.  So a strong mood colours the chords without freezing or hurrying their rhythm.
    """
    asked, free = log_softmax(conditioned[:VOCABULARY_SIZE]), log_softmax(plain[:VOCABULARY_SIZE])
    kept = np.zeros(VOCABULARY_SIZE, dtype=bool)
    kept[REST] = True
    if last is not None:
        kept[last] = True
    moving = ~kept

    def split(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log probabilities of (each kept chord …, moving at all), and of each chord given that one moves."""
        whole = _log_sum(rows[moving])
        return np.append(rows[kept], whole), rows[moving] - whole

    (asked_kind, asked_move), (free_kind, free_move) = split(asked), split(free)
    kind = log_softmax(free_kind + options.stay_scale * (asked_kind - free_kind))
    move = log_softmax(free_move + options.condition_scale * (asked_move - free_move))
    out = np.empty(VOCABULARY_SIZE)
    out[kept] = kind[:-1]
    out[moving] = kind[-1] + move
    return out


def log_softmax(rows: np.ndarray) -> np.ndarray:
    """Log probabilities over the last axis, in float64."""
    scores = np.asarray(rows, dtype=np.float64)
    scores = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True)))


class ChordStream:
    """One window of a film being composed, in C major / A minor ids.  See models.decoding for what draws depend on.

    primer: chords of slots 0, 1, …; empty starts on the tonic.  pins: window slot -> chord that must sound there.
    affect: (T, 6) what guidance by chord type follows, None = the film's emotion columns.  conditions: (T, 12) rows of
    models.conditioning or None; they are read where options.conditioned.  first_slot: absolute slot of slot 0.
    length: slots to compose, at most the film's.  Raises ModelError for ids and lengths out of range.
    """

    # size: keywords that a caller leaves out where it has none.
    def __init__(
        self,
        model: ChordNetwork,
        film: FilmInputs,
        options: DecodingOptions | None = None,
        *,
        primer: Sequence[int] = (),
        pins: Mapping[int, int] | None = None,
        affect: np.ndarray | None = None,
        conditions: np.ndarray | None = None,
        first_slot: int = 0,
        length: int | None = None,
    ) -> None:
        self.model, self.film = model, film
        self.length = film.length if length is None else length
        if not 1 <= self.length <= min(MAX_SLOTS, model.config.max_slots, film.length):
            raise ModelError(
                f"A window of {self.length} slots does not fit the film's {film.length} rows or {MAX_SLOTS}."
            )
        if first_slot < 0:
            raise ModelError(f"first_slot must be 0 or more, not {first_slot}.")
        self.first_slot = first_slot
        self.options = options or DecodingOptions()
        self._primer = tuple(_checked(chord) for chord in primer)[: self.length]
        self._pins: dict[int, int] = {}
        self._pull: np.ndarray | None = None
        self._avoid: frozenset[int] = frozenset()
        self._bias: np.ndarray | None = None
        self.configure(pins=pins or {}, affect=film.emotion() if affect is None else affect)
        self._guided = conditions is not None and model.config.condition_width > 0
        rows = conditions[None, : self.length] if conditions is not None and self._guided else None
        self._cache = model.new_cache(film, self.length, rows, batch=1, guided=self._guided)
        self._chords: list[int] = []
        for _ in self._primer:
            self.next()

    @property
    def chords(self) -> tuple[int, ...]:
        """Chord ids decided so far, the primer's among them."""
        return tuple(self._chords)

    @property
    def done(self) -> bool:
        """All slots of the window are decided."""
        return len(self._chords) >= self.length

    def next(self) -> int:
        """Decides one more slot.  Raises ModelError when the window is full."""
        slot = len(self._chords)
        if slot >= self.length:
            raise ModelError(f"All {self.length} slots of this window are decided.")
        if slot in self._pins:
            chord = self._pins[slot]
        elif slot < len(self._primer):
            chord = self._primer[slot]
        elif slot == 0:
            chord = TONIC[bool(self.film.minor[0])]
        else:
            logits = self._feed(slot)
            scores = enlarge(logits[0], logits[1], self.options, self._chords[-1]) if self._guided else logits[0]
            pull = None if self._pull is None else self._pull[slot]
            absolute = self.first_slot + slot
            chord = choose(scores, self.options, self._chords, absolute, pull, self._avoid, self._bias)
        self._chords.append(chord)
        return chord

    def log_probs(self) -> np.ndarray:
        """(157,) log probabilities of the next slot's chord given all before it; decides nothing.

        The network alone, its conditions enlarged as the options say: without pull, bias or temperature.  Raises
        ModelError when the window is full or nothing has been decided yet.
        """
        slot = len(self._chords)
        if not 0 < slot < self.length:
            raise ModelError(f"Slot {slot} of a window of {self.length} has no past to go by or lies outside.")
        if self._cache.length >= slot:
            self._cache.truncate(slot - 1)  # the last position is fed once more: its logits were not kept
        logits = self._feed(slot)
        if self._guided:
            return enlarge(logits[0], logits[1], self.options, self._chords[-1])
        return log_softmax(logits[0, :VOCABULARY_SIZE])

    def advance(self, count: int | None = None) -> list[int]:
        """Decides `count` more slots (all that are left by default) and returns them."""
        left = self.length - len(self._chords)
        return [self.next() for _ in range(left if count is None else min(count, left))]

    def rewind(self, slot: int) -> None:
        """Keeps the chords before `slot`; nothing that was computed for them is computed again."""
        if not 0 <= slot <= len(self._chords):
            raise ModelError(f"Cannot rewind to slot {slot}: {len(self._chords)} are decided.")
        del self._chords[slot:]
        self._cache.truncate(min(self._cache.length, max(0, slot - 1)))

    def configure(
        self,
        *,
        options: DecodingOptions | None = None,
        pins: Mapping[int, int] | None = None,
        affect: np.ndarray | None = None,
        avoid: Collection[int] | None = None,
        bias: np.ndarray | None = None,
        conditions: np.ndarray | None = None,
    ) -> None:
        """Changes options, pins, affect, the chords to avoid or the bias (157,) in nats from the next decided slot on;
        None stays as it is.  conditions (T, 12), for a stream that has some: as if they had been there all along."""
        if conditions is not None and self._guided:
            self.model.recondition(self._cache, conditions[None, : self.length])
        if options is not None:
            self.options = options
        if pins is not None:
            for slot in pins:
                if not 0 <= slot < self.length:
                    raise ModelError(f"A pin at slot {slot} lies outside the window of {self.length} slots.")
            self._pins = {int(slot): _checked(chord) for slot, chord in pins.items()}
        if avoid is not None:
            self._avoid = frozenset(_checked(chord) for chord in avoid)
        if bias is not None:
            if bias.shape != (VOCABULARY_SIZE,):
                raise ModelError(f"bias has shape {bias.shape}, expected ({VOCABULARY_SIZE},).")
            self._bias = bias
        if affect is not None:
            if affect.ndim != 2 or affect.shape[1] != len(EMOTIONS) or len(affect) < self.length:
                raise ModelError(f"affect has shape {affect.shape}, expected ({self.length}, {len(EMOTIONS)}).")
            self._pull = affect_pull(affect)

    def __iter__(self) -> Iterator[int]:
        while not self.done:
            yield self.next()

    def _feed(self, slot: int) -> np.ndarray:
        """Feeds what the cache has not seen and returns the logits (1 or 2, 159) of `slot`."""
        logits = None
        while self._cache.length < slot:
            token = np.array([self._chords[self._cache.length]])
            logits = self.model.decode_step(token, self._cache)
        assert logits is not None  # rewind keeps one position unfed
        return logits


def _checked(chord: int) -> int:
    if not 0 <= int(chord) < CHORD_END:
        raise ModelError(f"{chord} is not a chord id (0..{CHORD_END - 1}).")
    return int(chord)


def windows(total: int, size: int = MAX_SLOTS, overlap: int = 60) -> tuple[tuple[int, int], ...]:
    """(start, stop) of overlapping windows that cover `total` slots; the chords of an overlap prime the next window."""
    if not 0 <= overlap < size:
        raise ValueError(f"overlap must be 0..{size - 1}, not {overlap}")
    out, start = [], 0
    while True:
        stop = min(start + size, total)
        out.append((start, stop))
        if stop >= total:
            return tuple(out)
        start = stop - overlap


def candidate_seed(seed: int, index: int) -> int:
    """Seed of candidate `index`; 0 is the seed itself, so the first candidate is what a single stream composes."""
    if index == 0:
        return seed
    return int(np.random.SeedSequence([seed, index]).generate_state(1, np.uint64)[0] >> np.uint64(1))
