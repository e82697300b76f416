"""The networks as they are used: in numpy, one slot at a time, without torch.

`ChordNetwork` computes what `models.amt.AffectiveMultimodalTransformer` computes and `Regressor` what
`models.regressor.DynamicsRegressor` computes, in eval mode; those two are the definition, and tests hold these to
them.  Here nothing is trained, so a step is a few dozen products with one row each, written for that: matrices are
stored as they are read, caches are allocated once, and every earlier slot is visited by one product.

numpy's BLAS should have one thread (`single_threaded`): the products are too small to share.
Shapes: B songs decoded side by side, S film rows, n earlier slots, d width, H heads, R kernels, V = 159 tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from models import files, kernels
from models.conditioning import (
    BOUNDARY_PRESENT,
    CONDITION_WIDTH,
    MOOD_PRESENT,
    SECTION_PRESENT,
    film_rows,
    section_rows,
)
from models.config import FARTHEST, LEVEL_SHARE, AmtConfig, RegressorConfig
from models.errors import CheckpointError
from models.film import (
    EMOTION_COLUMNS,
    MOTION_COLUMN,
    SCENE_COLUMN,
    SEMANTIC_WIDTH,
    FilmInputs,
)
from models.kernels import (
    DECAYS,
    DOUBT,
    FACTS,
    KNEE,
    LAGS,
    LENGTHS,
    MATCH,
    OBSERVATIONS,
    RUNS,
    SPREAD,
    UNIT,
)
from models.vocabulary import ATTRIBUTE_OF, EMOTIONS, ROOT_OF, TOKENS

_EPS: Final = np.float32(1e-5)
_FEW_ROWS: Final = 4  # up to so many rows a large product is faster row by row
_LARGE: Final = 200_000  # weights
_OF_MATCH: Final = (RUNS + 1) * SPREAD  # recall's table: places that one more slot in common is away
_LAG_RUNS: Final = np.array(LAGS)[:, None] * SPREAD  # more runs than that must be in common
KV = tuple[np.ndarray, np.ndarray]  # keys and values, each (B, H, n, d/H)
Votes = tuple[np.ndarray, np.ndarray]  # (B, R, V) votes, (B, R) log of their unnormalised mass


def single_threaded() -> AbstractContextManager[object]:
    """Pins numpy's BLAS to one thread, for the life of the process or, as a context, for a block."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1, user_api="blas")


# --- pieces ---------------------------------------------------------------------------------------------------------


class _Linear:
    """x (..., in) -> (..., out); the matrix is stored (in, out)."""

    __slots__ = ("bias", "large", "weight")

    def __init__(self, weight: np.ndarray, bias: np.ndarray | None) -> None:
        """weight (out, in) as torch has it."""
        self.weight = np.ascontiguousarray(weight.T)
        self.bias = bias
        self.large = weight.size > _LARGE

    def __call__(self, x: np.ndarray) -> np.ndarray:
        if self.large and x.ndim == 2 and 1 < len(x) <= _FEW_ROWS:
            out = np.stack([row @ self.weight for row in x])
        else:
            out = x @ self.weight
        if self.bias is not None:
            out += self.bias
        return out


class _Norm:
    """Layer normalisation over the last axis."""

    __slots__ = ("bias", "mean", "scale", "share")

    def __init__(self, scale: np.ndarray, bias: np.ndarray) -> None:
        self.scale, self.bias = scale, bias
        self.mean = np.full((len(scale), 1), 1.0 / len(scale), dtype=np.float32)  # a product is the quickest mean
        self.share = self.mean[:, 0]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        if x.size == len(self.scale):
            return self._one(x.reshape(-1)).reshape(x.shape)
        centred = x - x @ self.mean
        spread = (centred * centred) @ self.mean
        spread += _EPS
        np.sqrt(spread, out=spread)
        centred /= spread
        centred *= self.scale
        centred += self.bias
        return centred

    def _one(self, x: np.ndarray) -> np.ndarray:
        """One row (d,): numbers in place of arrays of one element, a third of the time."""
        centred = x - np.dot(x, self.share)
        centred *= 1.0 / np.sqrt(np.dot(centred, centred) * self.share[0] + _EPS)
        centred *= self.scale
        centred += self.bias
        return np.asarray(centred)


def _softmax(x: np.ndarray) -> np.ndarray:
    """Over the last axis, in place."""
    x -= np.maximum.reduce(x, axis=-1, keepdims=True)
    np.exp(x, out=x)
    x /= np.add.reduce(x, axis=-1, keepdims=True)
    return x


def _within(x: np.ndarray, bound: int) -> np.ndarray:
    """Integers cut to -bound..bound; np.clip takes several times as long for a few hundred of them."""
    return np.minimum(np.maximum(x, -bound), bound)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.logaddexp(x, np.float32(0)))


def _erf(x: np.ndarray) -> np.ndarray:
    """The error function (Abramowitz & Stegun 1964, series 7.1.5 near 0, else continued fraction 7.1.14), to 1e-7."""
    x = np.asarray(x, dtype=np.float64)
    small = np.clip(np.abs(x), 0.0, 2.5)
    term, total = small.copy(), small.copy()
    for k in range(1, 40):
        term = term * (-small * small / k)
        total += term / (2 * k + 1)
    far = np.maximum(np.abs(x), 2.5)
    fraction = np.zeros_like(far)
    for k in range(40, 0, -1):
        fraction = (k / 2) / (far + fraction)
    tail = 1.0 - np.exp(-far * far) / (far + fraction) / np.sqrt(np.pi)
    return np.sign(x) * np.where(np.abs(x) <= 2.5, 2.0 / np.sqrt(np.pi) * total, tail)


def _normal_table() -> tuple[np.ndarray, np.ndarray]:
    x = np.linspace(-8.0, 8.0, 16_385)
    return x, 0.5 * (1.0 + _erf(x / np.sqrt(2.0)))


_NORMAL_X, _NORMAL = _normal_table()


def _gelu(x: np.ndarray) -> np.ndarray:
    """x * Phi(x), Phi from a table whose error is below 1e-7."""
    return x * np.interp(x, _NORMAL_X, _NORMAL).astype(np.float32)


class _Tensors:
    """Arrays by dotted name; every one must be asked for."""

    def __init__(self, tensors: Mapping[str, np.ndarray]) -> None:
        self._tensors = {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in tensors.items()}
        self._used: set[str] = set()

    def __getitem__(self, name: str) -> np.ndarray:
        self._used.add(name)
        return self._tensors[name]

    def linear(self, name: str, *, bias: bool = True) -> _Linear:
        return _Linear(self[f"{name}.weight"], self[f"{name}.bias"] if bias else None)

    def norm(self, name: str) -> _Norm:
        return _Norm(self[f"{name}.weight"], self[f"{name}.bias"])

    def unused(self) -> set[str]:
        return set(self._tensors) - self._used


# --- attention ------------------------------------------------------------------------------------------------------


class _Attention:
    """Multi-head attention with, where the tensors have `Er`, a learned term per distance."""

    def __init__(self, tensors: _Tensors, name: str, heads: int, relative: bool) -> None:
        weight, bias = tensors[f"{name}.in_proj_weight"].copy(), tensors[f"{name}.in_proj_bias"].copy()
        width = weight.shape[1]
        self.heads, self.head_width = heads, width // heads
        scale = np.float32(self.head_width**-0.5)
        weight[:width] *= scale  # queries come out divided by sqrt(d/H)
        bias[:width] *= scale
        self.project = _Linear(weight, bias)
        self.query = _Linear(weight[:width], bias[:width])
        self.key_value = _Linear(weight[width:], bias[width:])
        self.out = tensors.linear(f"{name}.out_proj")
        self.relative = np.ascontiguousarray(tensors[f"{name}.Er"].T) if relative else None  # (d/H, distances)

    def split(self, x: np.ndarray) -> np.ndarray:
        """(B, n, d) -> (B, H, n, d/H)."""
        return x.reshape(*x.shape[:2], self.heads, self.head_width).transpose(0, 2, 1, 3)

    def keys_values(self, x: np.ndarray) -> KV:
        """(B, n, d) -> keys (B, H, d/H, n), laid out for products with queries, and values (B, H, n, d/H)."""
        key, value = np.split(self.key_value(x), 2, axis=-1)
        return np.ascontiguousarray(self.split(key).swapaxes(-1, -2)), np.ascontiguousarray(self.split(value))

    def rows(self, x: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
        """Plain attention among all rows (B, S, d), bias (B, 1, 1, S)."""
        query, key, value = (self.split(part) for part in np.split(self.project(x), 3, axis=-1))
        logits = query @ key.swapaxes(-1, -2)
        if bias is not None:
            logits += bias
        seen = _softmax(logits) @ value
        return self.out(seen.transpose(0, 2, 1, 3).reshape(x.shape))

    def step(self, x: np.ndarray, position: int, keys: np.ndarray, values: np.ndarray) -> np.ndarray:
        """One position (B, d); writes its key (B, H, d/H, max) and value (B, H, max, d/H) into the caches."""
        batch, width = x.shape
        found = self.project(x).reshape(batch, 3, self.heads, 1, self.head_width)
        query = found[:, 0]  # (B, H, 1, d/H)
        keys[:, :, :, position] = found[:, 1, :, 0]
        values[:, :, position] = found[:, 2, :, 0]
        stop = position + 1
        logits = query @ keys[:, :, :, :stop]  # (B, H, 1, stop)
        if self.relative is not None:
            product = query.reshape(-1, self.head_width) @ self.relative[:, -stop:]
            logits += product.reshape(logits.shape)
        seen = _softmax(logits) @ values[:, :, :stop]
        return self.out(seen.reshape(batch, width))

    def refeed(self, x: np.ndarray, first: int, keys: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Positions first..first + n - 1 anew, (B, n, d), all at once; what is before them stays in the caches."""
        count = x.shape[1]
        stop = first + count
        query, key, value = (self.split(part) for part in np.split(self.project(x), 3, axis=-1))
        keys[:, :, :, first:stop], values[:, :, first:stop] = key.swapaxes(-1, -2), value
        logits = query @ keys[:, :, :, :stop]  # (B, H, n, stop)
        apart = np.arange(first, stop)[:, None] - np.arange(stop)[None]
        if self.relative is not None:
            product = query @ self.relative[:, -stop:]  # column m <-> distance stop - 1 - m
            column = np.broadcast_to(np.maximum(stop - 1 - apart, 0) % stop, logits.shape)
            logits += np.take_along_axis(product, column, axis=-1)
        logits[..., apart < 0] = -np.inf
        seen = _softmax(logits) @ values[:, :, :stop]
        return self.out(seen.transpose(0, 2, 1, 3).reshape(x.shape))

    def look_rows(self, x: np.ndarray, film: KV, bias: np.ndarray | None) -> np.ndarray:
        """Many positions (B, n, d) at the rows of a film."""
        logits = self.split(self.query(x)) @ film[0]
        if bias is not None:
            logits += bias
        seen = _softmax(logits) @ film[1]
        return self.out(seen.transpose(0, 2, 1, 3).reshape(x.shape))

    def look(self, x: np.ndarray, film: KV, bias: np.ndarray | None) -> np.ndarray:
        """One position (B, d) at the rows of a film of its own or, with one film for all, at that."""
        batch, width = x.shape
        query = self.query(x).reshape(batch, self.heads, self.head_width)
        if len(film[0]) == 1 and batch > 1:  # (1, H, B, d/H): its rows are read once for all songs
            logits = query.transpose(1, 0, 2)[None] @ film[0]
        else:
            logits = query[:, :, None] @ film[0]  # (B, H, 1, S)
        if bias is not None:
            logits += bias
        seen = _softmax(logits) @ film[1]
        if seen.shape[0] != batch:
            seen = seen[0].transpose(1, 0, 2)
        return self.out(seen.reshape(batch, width))


class _EncoderLayer:
    """Post-norm: x = LN(x + attention(x)); x = LN(x + ff(x)), ReLU."""

    def __init__(self, tensors: _Tensors, name: str, config: AmtConfig, relative: bool = False) -> None:
        self.attention = _Attention(tensors, f"{name}.attention", config.heads, relative)
        self.linear1, self.linear2 = tensors.linear(f"{name}.linear1"), tensors.linear(f"{name}.linear2")
        self.norm1, self.norm2 = tensors.norm(f"{name}.norm1"), tensors.norm(f"{name}.norm2")

    def feed_forward(self, x: np.ndarray) -> np.ndarray:
        hidden = self.linear1(x)
        np.maximum(hidden, 0, out=hidden)
        return self.norm2(x + self.linear2(hidden))

    def rows(self, x: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
        return self.feed_forward(self.norm1(x + self.attention.rows(x, bias)))


class _DecoderLayer(_EncoderLayer):
    """Adds cross-attention to the film between self-attention and feed-forward."""

    def __init__(self, tensors: _Tensors, name: str, config: AmtConfig) -> None:
        super().__init__(tensors, name, config, config.relative)
        self.cross = _Attention(tensors, f"{name}.cross", config.heads, False) if config.see else None
        self.norm_cross = tensors.norm(f"{name}.norm_cross") if config.see else None

    def step(
        self,
        x: np.ndarray,
        position: int,
        cache: KV,
        film: KV | None,
        film_bias: np.ndarray | None,
    ) -> np.ndarray:
        x = self.norm1(x + self.attention.step(x, position, *cache))
        if self.cross is not None and self.norm_cross is not None and film is not None:
            x = self.norm_cross(x + self.cross.look(x, film, film_bias))
        return self.feed_forward(x)

    def refeed(self, x: np.ndarray, first: int, cache: KV, film: KV | None, film_bias: np.ndarray | None) -> np.ndarray:
        """Many positions at once, (B, n, d)."""
        x = self.norm1(x + self.attention.refeed(x, first, *cache))
        if self.cross is not None and self.norm_cross is not None and film is not None:
            x = self.norm_cross(x + self.cross.look_rows(x, film, film_bias))
        return self.feed_forward(x)


# --- recall ---------------------------------------------------------------------------------------------------------


class _Histories:
    """Streams of symbols, and how alike the past of the latest slot is to that of each slot before it.

    L streams: the chords of B songs and, where they are asked for, then their roots.  What models.recall.History finds
    by comparing pasts symbol by symbol is carried on from row to row here: as many runs agree at slots i and j as at
    the ends of the runs before theirs, and one more.  Counts are in units of their places in the table.
    """

    def __init__(self, streams: int, slots: int) -> None:
        self.ids = np.zeros((streams, slots), dtype=np.int64)
        self.numbers = np.zeros((streams, slots), dtype=np.int64)  # of the run that a slot belongs to
        self.starts = np.zeros((streams, slots), dtype=np.int64)  # of each run
        self.runs = np.zeros((streams, slots), dtype=np.int64)  # how long it has lasted
        self.ends = np.zeros((streams, slots), dtype=np.int64)  # last slot of the run before, -1 where there is none
        self.elapsed = np.zeros((streams, len(LAGS), slots), dtype=np.int64)  # since the start of runs further back
        self.match = np.zeros((streams, slots, slots), dtype=np.int64)  # row i: slots backwards that agree with slot j
        self.common = np.zeros((streams, slots + 1, slots + 1), dtype=np.int64)  # so, runs; row and column -1 stay 0
        self._rows = np.arange(streams) * (slots + 1)

    def put(self, position: int, ids: np.ndarray) -> np.ndarray:
        """Writes slot `position`, (L,); returns places in the table, less LENGTHS, against the slots before: (L, n)."""
        self.ids[:, position] = ids
        for stream, symbol in enumerate(ids.tolist()):
            self._begin(stream, position, symbol)
        equal = (self.ids[:, : position + 1] == ids[:, None]).astype(np.int64)
        match = self.match[:, position, : position + 1]
        np.add(self.match[:, position - 1, :position], _OF_MATCH, out=match[:, 1:])
        match[:, 0] = _OF_MATCH
        np.minimum(match, MATCH * _OF_MATCH, out=match)
        match *= equal
        common = self.common[:, position, : position + 1]
        row = (self._rows + self.ends[:, position]) * self.common.shape[2]
        np.add(self.common.take(self.ends[:, : position + 1] + row[:, None]), SPREAD, out=common)
        np.minimum(common, RUNS * SPREAD, out=common)
        common *= equal
        places = _within(self.runs[:, position, None] - self.runs[:, :position], LENGTHS)
        places *= equal[:, :position]
        places += match[:, :position]
        places += common[:, :position]
        return places

    def _begin(self, stream: int, position: int, symbol: int) -> None:
        """Books one symbol as the start of a run, or as more of the one that lasts."""
        lasts = position > 0 and symbol == self.ids[stream, position - 1]
        number = 0 if position == 0 else int(self.numbers[stream, position - 1]) + (not lasts)
        starts = self.starts[stream]
        if not lasts:
            starts[number] = position
        start = int(starts[number])
        self.numbers[stream, position] = number
        self.runs[stream, position] = position - start + 1
        self.ends[stream, position] = start - 1
        for column, back in enumerate(LAGS):
            if number >= back:
                self.elapsed[stream, column, position] = position - starts[number - back]

    def lags(self, position: int, streams: slice) -> np.ndarray:
        """Places in the table of elapsed times, (streams, n); 0 where pasts do not agree so far back."""
        elapsed = self.elapsed[streams]
        apart = _within(elapsed[:, :, position, None] - elapsed[:, :, :position], LENGTHS)
        apart += 1 + LENGTHS
        apart *= self.common[streams, None, position, :position] > _LAG_RUNS
        places = apart[:, 0]
        for column in range(1, len(LAGS)):
            places = places * (SPREAD + 1) + apart[:, column]
        return places


def _weights(score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores (…, n), overwritten with their softmax; and (…) the log of what they sum to."""
    top = np.maximum.reduce(score, axis=-1, keepdims=True)
    score -= top
    np.exp(score, out=score)
    total = np.add.reduce(score, axis=-1, keepdims=True)
    score /= total
    return score, (top + np.log(total))[..., 0]


def _by_slot(distance: np.ndarray, slots: int) -> np.ndarray:
    """(buckets, R) -> (R, slots): the last column is of the slot just before, so the last n are of n earlier slots."""
    return np.ascontiguousarray(distance[kernels.distance_buckets(slots + 1)[:0:-1]].T)


def _exponential(tensors: _Tensors, name: str) -> np.ndarray:
    """Raises FloatingPointError for what no logarithm can be taken of again."""
    found = np.exp(tensors[name])
    if not found.all():
        raise FloatingPointError(f"underflow encountered in {name}")
    return np.asarray(found)


class _Recall:
    """Row by row what models.recall.Recall computes for all slots at once."""

    def __init__(self, tensors: _Tensors, config: AmtConfig) -> None:
        self.heads, self.roots = config.recall_heads, config.recall_roots
        self.table = np.ascontiguousarray(tensors["recall.table"][LENGTHS:].T)  # (R, places)
        self.distance = _by_slot(tensors["recall.distance"], config.max_slots)
        if self.roots:
            self.root_table = np.ascontiguousarray(tensors["recall.root_table"][LENGTHS:].T)
            self.lag_table = np.ascontiguousarray(tensors["recall.lag_table"].T)
        self.embedding = tensors.linear("recall.embedding", bias=False)
        self.project, self.gate = tensors.linear("recall.project"), tensors.linear("recall.gate")
        self.floor = _exponential(tensors, "recall.floor")[:, None]  # (R, 1)

    def step(self, position: int, cache: DecoderCache) -> Votes:
        """What the past says of the slot after `position`; its token must be in the cache."""
        tokens, histories = cache.tokens[:, position], cache.histories
        assert histories is not None
        batch = len(tokens)
        places = histories.put(position, np.concatenate([tokens, ROOT_OF[tokens]]) if self.roots else tokens)
        if position == 0:
            return np.zeros((batch, self.heads, TOKENS), np.float32), np.zeros((batch, self.heads), np.float32)
        score = self.table.take(places[:batch], axis=1)  # (R, B, n)
        if self.roots:
            score += self.root_table.take(places[batch:], axis=1)
            score += self.lag_table.take(histories.lags(position, slice(batch, None)), axis=1)
        score += self.distance[:, None, -position:]
        weight, mass = _weights(score)
        votes = weight.swapaxes(0, 1) @ cache.following[:, 1 : position + 1]  # (B, R, V)
        return votes, mass.T

    def embed(self, votes: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """(B, d) addition to the decoder's input."""
        narrow = (votes @ self.embedding.weight).reshape(len(votes), -1)
        return self.project(np.concatenate([narrow, mass / 8], axis=1))

    def vote(self, x: np.ndarray, votes: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """(B, V) weighted log-votes to add to the logits; x (B, d) is the decoder's output."""
        gate = _softplus(self.gate(np.concatenate([x, mass / 8], axis=1)))
        return np.asarray((gate[:, None] @ np.log(votes + self.floor))[:, 0])


# --- echo -----------------------------------------------------------------------------------------------------------


class _EchoCache:
    """Observations and agreements of the fed chords."""

    def __init__(self, batch: int, slots: int) -> None:
        self.observed = np.zeros((batch, OBSERVATIONS, slots), dtype=np.int64)
        self.agree = np.zeros((batch, slots, OBSERVATIONS, len(DECAYS), slots), dtype=np.float32)
        # Of each slot: does its chord stay for the next; is it the latest chord; both.
        self.asked = np.zeros((batch, slots, 3), dtype=np.float32)


class _Echo:
    """Row by row what models.echo.Echo computes for all slots at once."""

    def __init__(self, tensors: _Tensors, config: AmtConfig) -> None:
        self.heads = config.echo_heads
        self.slope = np.ascontiguousarray(tensors["echo.slope"].T) * np.float32(UNIT)  # (R, 2 K)
        self.distance = _by_slot(tensors["echo.distance"], config.max_slots)
        self.embedding = tensors.linear("echo.embedding", bias=False)
        self.project = tensors.linear("echo.project")
        self.gate_in, self.gate_out = tensors.linear("echo.gate_in"), tensors.linear("echo.gate_out")
        self.floor = _exponential(tensors, "echo.floor")[:, None]
        self.decay = np.asarray(DECAYS, dtype=np.float32)[:, None]
        powers = self.decay ** np.arange(1, config.max_slots + 1, dtype=np.float32)
        full = (1 - powers) / (1 - self.decay)
        self.share = (1.0 / (np.tile(full, (OBSERVATIONS, 1)) + 1.0)).astype(np.float32)  # (K, slots)

    def step(self, position: int, cache: DecoderCache) -> Votes:
        """Votes (B, R, V) and facts (B, 4 R) on the slot after `position`."""
        memory, n = cache.echo, position
        assert memory is not None
        tokens = cache.tokens[:, n]
        batch, observed = len(tokens), memory.observed
        observed[:, 0, n], observed[:, 1, n] = tokens, ROOT_OF[tokens]
        observed[:, 2:, n] = 1 if n == 0 else observed[:, :2, n] != observed[:, :2, n - 1]
        row = memory.agree[:, n, :, :, : n + 1]
        equal = observed[:, :, n, None] == observed[:, :, : n + 1]
        row[...] = equal[:, :, None]
        if n == 0:
            return np.zeros((batch, self.heads, TOKENS), np.float32), np.zeros((batch, FACTS * self.heads), np.float32)
        row[..., 1:] += memory.agree[:, n - 1, :, :, :n] * self.decay
        known = np.empty((batch, self.slope.shape[1], n), dtype=np.float32)  # (B, 2 K, n)
        share, over = known[:, : len(self.share)], known[:, len(self.share) :]
        np.add(row[..., :n].reshape(batch, -1, n), np.float32(0.2), out=share)
        share *= self.share[:, :n]
        np.subtract(share, np.float32(KNEE), out=over)
        np.maximum(over, 0, out=over)
        score = self.slope @ known  # (B, R, n)
        score += self.distance[:, -n:]
        weight, mass = _weights(score)
        votes = weight @ cache.following[:, 1 : n + 1]
        asked = memory.asked[:, :n]
        asked[:, n - 1, 0] = equal[:, 0, n - 1]
        asked[..., 1] = equal[:, 0, :n]
        np.multiply(asked[..., 0], asked[..., 1], out=asked[..., 2])
        found = weight @ asked  # (B, R, 3)
        stay, of_chord, stay_of_chord = found[..., 0], found[..., 1], found[..., 2]
        facts = np.concatenate(
            [
                mass / 8,
                np.log((stay + DOUBT) / (1 - stay + DOUBT)),
                np.log((stay_of_chord + DOUBT) / (of_chord - stay_of_chord + DOUBT)),
                of_chord,
            ],
            axis=1,
        )
        return votes, facts.astype(np.float32, copy=False)

    def embed(self, votes: np.ndarray, facts: np.ndarray) -> np.ndarray:
        """(B, d) addition to the decoder's input."""
        narrow = (votes @ self.embedding.weight).reshape(len(votes), -1)
        return self.project(np.concatenate([narrow, facts], axis=1))

    def mix(self, logits: np.ndarray, x: np.ndarray, votes: np.ndarray, facts: np.ndarray, here: np.ndarray) -> None:
        """Adds the echoes to logits (B, V); x (B, d) is the decoder's output, here (B,) the chords that sound."""
        gates = self.gate_out(_gelu(self.gate_in(np.concatenate([x, facts], axis=1))))
        voting, staying = gates[:, : self.heads], gates[:, self.heads :]
        logits += (_softplus(voting)[:, None] @ np.log(votes + self.floor))[:, 0]
        logits[np.arange(len(here)), here] += np.add.reduce(staying * facts[:, self.heads : 3 * self.heads], axis=1)


# --- the chord network ----------------------------------------------------------------------------------------------


class DecoderCache:
    """What decoding has computed: keys and values of every fed chord, pre-allocated; the film's, computed once.

    `truncate(n)` forgets all after the first n positions: what follows is decoded anew, nothing before recomputed.
    """

    # size: one caller, `ChordNetwork.new_cache`, which says what it needs once.
    def __init__(
        self,
        model: ChordNetwork,
        film: FilmInputs,
        memory: np.ndarray | None,
        max_slots: int,
        conditions: np.ndarray | None,
        songs: int,
        guided: bool,
    ) -> None:
        config = model.config
        batch = 2 * songs if guided else songs
        self.guided = guided
        if not 0 < max_slots <= config.max_slots:
            raise ValueError(f"max_slots must be 1..{config.max_slots}, not {max_slots}")
        self.max_slots = max_slots
        head_width = config.width // config.heads
        shape = config.decoder_layers, batch, config.heads
        self.keys = np.zeros((*shape, head_width, max_slots), dtype=np.float32)
        self.values = np.zeros((*shape, max_slots, head_width), dtype=np.float32)
        self.minor = np.broadcast_to(film.minor, (batch,)).astype(np.float32)
        self.over = np.broadcast_to(_film_over(film, max_slots, config.max_slots), (batch, max_slots))
        self.film_bias = _film_bias(film.valid) if config.masked else None
        self.film: list[KV | None] = [
            None if layer.cross is None or memory is None else layer.cross.keys_values(memory)
            for layer in model.decoder
        ]
        self.additions = model.condition(conditions, self.minor[:songs], max_slots)  # of the conditioned songs
        self.inputs = np.zeros((songs, max_slots, config.width), dtype=np.float32)  # what the chords alone put in
        self.tokens = np.zeros((songs, max_slots), dtype=np.int64)
        self.following = np.zeros((songs, max_slots, TOKENS), dtype=np.float32)  # one-hot
        self.runs = np.zeros((songs, max_slots), dtype=np.int64)
        streams = 0 if model.recall is None else songs * (2 if model.recall.roots else 1)
        self.histories = _Histories(streams, max_slots) if streams else None
        self.echo = _EchoCache(songs, max_slots) if model.echo is not None else None
        self.length = 0

    def truncate(self, length: int) -> None:
        """Keeps the first `length` positions, 0..self.length."""
        if not 0 <= length <= self.length:
            raise ValueError(f"cannot keep {length} of {self.length} positions")
        self.length = length

    def append(self, tokens: np.ndarray) -> int:
        """Books the tokens (B,) as fed; returns their position."""
        position = self.length
        if position >= self.max_slots:
            raise ValueError(f"the cache holds {self.max_slots} slots")
        self.tokens[:, position] = tokens
        self.following[:, position] = 0
        self.following[np.arange(len(tokens)), position, tokens] = 1
        same = position > 0 and self.tokens[:, position] == self.tokens[:, position - 1]
        self.runs[:, position] = np.where(same, self.runs[:, position - 1] + 1, 1)
        self.length += 1
        return position


def _film_bias(valid: np.ndarray) -> np.ndarray | None:
    """(B, S) bool -> (B, 1, 1, S) of 0 and -inf, None where nothing is hidden."""
    seen = valid | ~valid.any(axis=1, keepdims=True)  # a film without one valid row: look at all, not at nothing
    return None if seen.all() else np.where(seen, 0.0, -np.inf).astype(np.float32)[:, None, None]


def _film_over(film: FilmInputs, slots: int, window: int) -> np.ndarray:
    """(B, slots) int64: 1 where the slot after this one is past the film's end."""
    rows = film.valid.shape[1]
    if not film.ends:
        return np.zeros((len(film.valid), slots), dtype=np.int64)
    # A hole in the middle (an unreadable second) is not the end: only what follows the last valid row is over.
    last = np.where(film.valid, np.arange(rows), -1).max(axis=1)
    over = np.arange(slots)[None] >= last[:, None]
    if rows >= window:  # a full window may have been cut off: only its padding says it ends
        over = over & (last != rows - 1)[:, None]
    return over.astype(np.int64)


def _additions(
    way_in: Sequence[_Linear], rows: np.ndarray, present: tuple[int, ...], minor: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What one group of columns (B, n, k) adds before the decoder and after it; 0 where no flag of it is set."""
    inner, before, after = way_in
    key = np.broadcast_to(minor[:, None, None], (*rows.shape[:2], 1))
    hidden = _gelu(inner(np.concatenate([rows, key], axis=2).astype(np.float32)))
    given = (rows[..., present] > 0).any(axis=-1, keepdims=True)
    return before(hidden) * given, after(hidden) * given


class ChordNetwork:
    """The Affective Multimodal Transformer, for use.  See the module docstring and models.amt."""

    def __init__(self, config: AmtConfig, tensors: Mapping[str, np.ndarray]) -> None:
        """tensors: float32 arrays under the names of the torch network.  Raises KeyError for one that is missing and
        ValueError for one too many."""
        self.config = config
        found = _Tensors(tensors)
        roots, qualities = found["root_embedding.weight"], found["quality_embedding.weight"]
        chord_in = found.linear("chord_in")
        # Root, quality and their projection depend on the token alone: a table, and the key's row.
        self._quality_rows = qualities @ chord_in.weight[:-1]
        self._root_rows = roots @ chord_in.weight[:-1] + chord_in.bias
        self._key_row = chord_in.weight[-1]
        self.decoder = [_DecoderLayer(found, f"decoder.{k}", config) for k in range(config.decoder_layers)]
        self.decoder_norm = found.norm("decoder_norm")
        self.out = found.linear("out")
        if config.see:
            self._film_in = found.linear("film_in")
            self._encoder = [_EncoderLayer(found, f"encoder.{k}", config) for k in range(config.encoder_layers)]
            self._encoder_norm = found.norm("encoder_norm")
            self._absent = found["absent"] if config.scaled else None
        if config.run_buckets:
            self._run_rows, self._over_rows = found["run_embedding.weight"], found["over_embedding.weight"]
        self.recall = _Recall(found, config) if config.recall_heads else None
        self.echo = _Echo(found, config) if config.echo_heads else None
        names = ("inner", "before", "after")
        if config.condition_width:
            self._conditioning = [found.linear(f"conditioning.{name}") for name in names]
        if config.section_width:
            self._sections = [found.linear(f"sections.{name}") for name in names]
        self.positions = kernels.sinusoids(config.max_slots, config.width)
        if found.unused():
            raise ValueError(f"{len(found.unused())} tensors belong to another network, {min(found.unused())} first")

    def encode(self, film: FilmInputs) -> np.ndarray | None:
        """Memory (B, S', d) of the film's rows; None if the network is blind."""
        if not self.config.see:
            return None
        features = film.features
        if not self.config.masked and features.shape[1] < self.config.max_slots:
            features = np.pad(features, ((0, 0), (0, self.config.max_slots - features.shape[1]), (0, 0)))
        if self.config.scaled:
            features = features.copy()
            features[..., :SEMANTIC_WIDTH] *= film.semantic_present[:, None, None]
            features[..., EMOTION_COLUMNS] *= film.emotion_present[:, None, None]
            features[..., SCENE_COLUMN] = np.log1p(np.maximum(features[..., SCENE_COLUMN], 0)) / 2
            features[..., MOTION_COLUMN] = np.log1p(np.maximum(features[..., MOTION_COLUMN], 0)) / 3
        x = self._film_in(features)
        if self._absent is not None:
            for row, present in enumerate((film.semantic_present, film.emotion_present)):
                x = x + np.where(present[:, None, None], np.float32(0), self._absent[row])
        x = x + self.positions[: x.shape[1]]
        bias = _film_bias(film.valid) if self.config.masked else None
        for layer in self._encoder:
            x = layer.rows(x, bias)
        return self._encoder_norm(x)

    def condition(
        self, conditions: np.ndarray | None, minor: np.ndarray, slots: int
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """conditions (B, S, 12) by slot -> additions (B, slots, d) by step: step t decides slot t + 1."""
        if conditions is None:
            return None
        if not self.config.condition_width:
            raise ValueError("this network has no conditioning input")
        rows = conditions[:, np.minimum(np.arange(1, slots + 1), conditions.shape[1] - 1)]
        asked, section = rows[..., :CONDITION_WIDTH], rows[..., CONDITION_WIDTH:]
        before, after = _additions(self._conditioning, asked, (MOOD_PRESENT, BOUNDARY_PRESENT), minor)
        if self.config.section_width and section.shape[2]:
            more = _additions(self._sections, section, (SECTION_PRESENT,), minor)
            before, after = before + more[0], after + more[1]
        return before, after

    def new_cache(
        self,
        film: FilmInputs,
        max_slots: int,
        conditions: np.ndarray | None = None,
        batch: int | None = None,
        *,
        guided: bool = False,
    ) -> DecoderCache:
        """Encodes the film and makes a cache for `batch` songs over it (default: as many as films).

        film: of B songs, or one for all.  conditions: (batch, S, 12) or None.  guided: every song is decoded with its
        conditions and without them, for classifier-free guidance.
        """
        songs = len(film.features) if batch is None else batch
        if guided and len(film.features) not in (1, 2 * songs):
            film = film.repeated(2)
        return DecoderCache(self, film, self.encode(film), max_slots, conditions, songs, guided)

    def recondition(self, cache: DecoderCache, conditions: np.ndarray | None) -> None:
        """Gives the songs of a cache other conditions, as if they had been there from the beginning.

        What is already fed goes through the decoder again from the first slot that differs, all slots at once; recall
        and echo know only chords and keep what they found.
        """
        songs = len(cache.tokens)
        found = self.condition(conditions, cache.minor[:songs], cache.max_slots)
        nothing = np.zeros((songs, cache.max_slots, self.config.width), dtype=np.float32)
        before = nothing if found is None else found[0]
        known = nothing if cache.additions is None else cache.additions[0]
        changed = np.flatnonzero((before != known).any(axis=(0, 2)))
        cache.additions = found
        if len(changed) == 0 or changed[0] >= cache.length:
            return
        first = int(changed[0])
        here = slice(first, cache.length)
        x = cache.inputs[:, here] + before[:, here]
        bias = cache.film_bias
        if bias is not None and len(bias) > 1:
            bias = bias[:songs]
        for index, layer in enumerate(self.decoder):
            own = cache.keys[index][:songs], cache.values[index][:songs]
            film = cache.film[index]
            if film is not None and len(film[0]) > 1:
                film = film[0][:songs], film[1][:songs]
            x = layer.refeed(x, first, own, film, bias)

    def decode_step(self, tokens: np.ndarray, cache: DecoderCache, attributes: np.ndarray | None = None) -> np.ndarray:
        """Feeds one chord per song, (B,) int64; returns the logits (B, 159) of the next.

        With a guided cache (2 B, 159): those with conditions, then those without.
        """
        position = cache.append(tokens)
        songs = len(tokens)
        conditioned = slice(0, songs)
        quality = ATTRIBUTE_OF[tokens] if attributes is None else attributes
        x = self._root_rows[ROOT_OF[tokens]] + self._quality_rows[quality]
        x += cache.minor[:songs, None] * self._key_row
        if self.config.run_buckets:
            bucket = np.minimum(cache.runs[:, position] - 1, self.config.run_buckets - 1)
            x += self._run_rows[bucket]
            x += self._over_rows[cache.over[:songs, position]]
        recalled = echoes = None
        if self.recall is not None:
            recalled = self.recall.step(position, cache)
            x += self.recall.embed(*recalled)
        if self.echo is not None:
            echoes = self.echo.step(position, cache)
            x += self.echo.embed(*echoes)
        x += self.positions[position]
        cache.inputs[:, position] = x
        if cache.guided:  # both variants have sung the same so far
            x = np.concatenate([x, x])
        if cache.additions is not None:
            x[conditioned] += cache.additions[0][:, position]
        for index, layer in enumerate(self.decoder):
            own = cache.keys[index], cache.values[index]
            x = layer.step(x, position, own, cache.film[index], cache.film_bias)
        x = self.decoder_norm(x)
        if cache.additions is not None:
            x[conditioned] += cache.additions[1][:, position]
        logits = self.out(x)
        if self.recall is not None and recalled is not None:
            logits += self.recall.vote(x, *(_twice(part, cache.guided) for part in recalled))
        if self.echo is not None and echoes is not None:
            votes, facts = (_twice(part, cache.guided) for part in echoes)
            self.echo.mix(logits, x, votes, facts, _twice(tokens, cache.guided))
        return logits


def _twice(rows: np.ndarray, really: bool) -> np.ndarray:
    return np.concatenate([rows, rows]) if really else rows


# --- the regressor --------------------------------------------------------------------------------------------------


class _Recurrent:
    """One direction of one layer, as torch has it: GRU (Cho et al. 2014) or LSTM (Hochreiter & Schmidhuber 1997)."""

    def __init__(self, tensors: _Tensors, suffix: str, lstm: bool) -> None:
        self.lstm = lstm
        self.input = _Linear(tensors[f"rnn.weight_ih_{suffix}"], tensors[f"rnn.bias_ih_{suffix}"])
        self.state = _Linear(tensors[f"rnn.weight_hh_{suffix}"], tensors[f"rnn.bias_hh_{suffix}"])

    def __call__(self, x: np.ndarray, reverse: bool) -> np.ndarray:
        """(T, in) -> (T, width)."""
        gates = self.input(x)
        width = self.state.weight.shape[0]
        out = np.empty((len(x), width), dtype=np.float32)
        hidden, cell = np.zeros(width, dtype=np.float32), np.zeros(width, dtype=np.float32)
        weight, bias = self.state.weight, self.state.bias
        for row in range(len(x) - 1, -1, -1) if reverse else range(len(x)):
            own, ours = gates[row], hidden @ weight + bias
            if self.lstm:
                forget_in = _sigmoid(own[: 2 * width] + ours[: 2 * width])
                cell = forget_in[width:] * cell + forget_in[:width] * np.tanh(
                    own[2 * width : 3 * width] + ours[2 * width : 3 * width]
                )
                hidden = _sigmoid(own[3 * width :] + ours[3 * width :]) * np.tanh(cell)
            else:
                both = _sigmoid(own[: 2 * width] + ours[: 2 * width])
                new = np.tanh(own[2 * width :] + both[:width] * ours[2 * width :])
                hidden = new + both[width:] * (hidden - new)
            out[row] = hidden
        return out


@dataclass(frozen=True, slots=True)
class _Levels:
    """The ridge on a film's mean row, gains and the map for `spread`, see models.regressor."""

    mean: np.ndarray  # (C,)
    scale: np.ndarray  # (C,)
    weight: np.ndarray  # (4, C, 2)
    bias: np.ndarray  # (4, 2)
    gain: np.ndarray  # (4, 2)


class Regressor:
    """The dynamics regressor, for use.  See models.regressor."""

    def __init__(self, config: RegressorConfig, tensors: Mapping[str, np.ndarray]) -> None:
        self.config = config
        found = _Tensors(tensors)
        kind = config.kind
        self._narrow = found.linear("narrow") if config.scaled and config.bottleneck else None
        if kind == "fc":
            self._heads = [(found.linear(f"fc.{k}.0"), found.linear(f"fc.{k}.2")) for k in range(2)]
        else:
            sides = ("", "_reverse") if kind.startswith("bi") else ("",)
            self._layers = [
                [_Recurrent(found, f"l{layer}{side}", kind.endswith("lstm")) for side in sides]
                for layer in range(config.layers)
            ]
            self._out = found.linear("out")
        if config.scaled:
            self._target_mean, self._target_scale = found["target_mean"], found["target_scale"]
        self._levels: _Levels | None = None
        if config.levels:
            names = ("pooled_mean", "pooled_scale", "level_weight", "level_bias", "shape_gain")
            self._levels = _Levels(*(found[name] for name in names))
            self.quantiles_predicted, self.quantiles_true = found["quantiles_predicted"], found["quantiles_true"]
        if found.unused():
            raise ValueError(f"{len(found.unused())} tensors belong to another network, {min(found.unused())} first")

    def predict(self, film: FilmInputs) -> tuple[np.ndarray, np.ndarray]:
        """Density (T,) notes per second, at least 0, and loudness (T,) 0..1 of a film of any length."""
        features, valid = film.features[0], film.valid[0]
        present = bool(film.semantic_present[0]), bool(film.emotion_present[0])
        rows = int(np.flatnonzero(valid)[-1]) + 1 if valid.any() else 1
        x = self._scaled(features, present)
        out = np.zeros((len(features), 2), dtype=np.float32)
        if self.config.kind == "fc":
            out = np.concatenate([second(np.maximum(first(x), 0)) for first, second in self._heads], axis=1)
        else:
            hidden = x[:rows]  # padding after the last valid row is never read
            for layer in self._layers:
                parts = [side(hidden, reverse=bool(k)) for k, side in enumerate(layer)]
                hidden = np.concatenate(parts, axis=1)
            out[:rows] = self._out(hidden)
            out[rows:] = self._out.bias
        if self.config.scaled:
            out = out * self._target_scale + self._target_mean
        if self._levels is not None:
            out = self._with_level(out, features, valid, present)
        return np.maximum(out[:, 0], 0.0), np.clip(out[:, 1], 0.0, 1.0)

    def _scaled(self, features: np.ndarray, present: tuple[bool, bool]) -> np.ndarray:
        if not self.config.scaled:
            return features
        seen = features[:, :SEMANTIC_WIDTH] * np.float32(present[0])
        if self._narrow is not None:
            seen = self._narrow(seen)
        columns = [
            seen,
            np.log1p(np.maximum(features[:, SCENE_COLUMN : SCENE_COLUMN + 1], 0)) / 2,
            np.log1p(np.maximum(features[:, MOTION_COLUMN : MOTION_COLUMN + 1], 0)) / 3,
            features[:, EMOTION_COLUMNS] * np.float32(present[1]),
            np.tile(np.asarray(present, dtype=np.float32), (len(features), 1)),
        ]
        return np.concatenate(columns, axis=1)

    def _with_level(
        self, out: np.ndarray, features: np.ndarray, valid: np.ndarray, present: tuple[bool, bool]
    ) -> np.ndarray:
        levels, weight = self._levels, valid[:, None].astype(np.float32)
        assert levels is not None
        count = max(float(weight.sum()), 1.0)
        rows = features.copy()
        logs = slice(SCENE_COLUMN, MOTION_COLUMN + 1)
        rows[:, logs] = np.log1p(np.maximum(rows[:, logs], 0))
        which = (not present[0]) + 2 * (not present[1])
        pooled = ((rows * weight).sum(axis=0) / count - levels.mean) / levels.scale
        level = np.clip(pooled, -FARTHEST, FARTHEST) @ levels.weight[which] + levels.bias[which]
        own = (out * weight).sum(axis=0) / count
        return np.asarray(own + LEVEL_SHARE * (level - own) + levels.gain[which] * (out - own))


# --- files ----------------------------------------------------------------------------------------------------------


def load(path: Path) -> ChordNetwork | Regressor:
    """Reads a weights file.  Raises CheckpointError with one sentence."""
    found = files.read(path)
    if isinstance(found.config, RegressorConfig) and found.config.chord_width:
        raise CheckpointError(
            f"{path} holds a regressor that reads chords, which nothing composes with; `models evaluate` does."
        )
    try:
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            network: ChordNetwork | Regressor
            if isinstance(found.config, AmtConfig):
                network = ChordNetwork(found.config, found.tensors)
            else:
                network = Regressor(found.config, found.tensors)
        _try(network)
        return network
    except FloatingPointError as error:
        raise CheckpointError(f"{path} is damaged: its weights are too large to compute with ({error}).") from error
    except (KeyError, ValueError, IndexError, TypeError, AttributeError, MemoryError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:120].rstrip(".")
        raise CheckpointError(f"{path} does not fit its own configuration: {reason}.") from error


def _try(network: ChordNetwork | Regressor) -> None:
    """Computes a little, so that tensors that do not fit together are found now, not while music is composed."""
    rows = 3
    mood = np.full((rows, len(EMOTIONS)), 1 / len(EMOTIONS), dtype=np.float32)
    film = FilmInputs.from_arrays(scene_offset=np.arange(rows), motion=np.ones(rows), emotion=mood)
    if isinstance(network, Regressor):
        network.predict(film)
        return
    guided = network.config.condition_width > 0
    shown = np.concatenate([film_rows(mood), section_rows(rows, [(0, 0)])], axis=1)
    cache = network.new_cache(film, rows, shown[None] if guided else None, guided=guided)
    for slot in range(rows):
        if network.decode_step(np.array([slot]), cache).shape[-1] != TOKENS:
            raise ValueError(f"it does not decide among {TOKENS} tokens")


def load_pair(folder: Path | None = None) -> tuple[ChordNetwork, Regressor]:
    """The chord network and the regressor of a folder (amt.safetensors, regressor.safetensors); None: the shipped ones.

    Raises CheckpointError where one of them is not what its name says.
    """
    folder = files.WEIGHTS if folder is None else folder
    amt, regressor = load(folder / "amt.safetensors"), load(folder / "regressor.safetensors")
    if not isinstance(amt, ChordNetwork) or not isinstance(regressor, Regressor):
        raise CheckpointError(f"{folder} does not hold a chord network and a regressor under their names.")
    return amt, regressor


def from_torch(model: Any) -> ChordNetwork | Regressor:
    """The same network in numpy, from one of models.amt or models.regressor."""
    tensors = {name: value.detach().cpu().float().numpy() for name, value in model.state_dict().items()}
    kind = ChordNetwork if isinstance(model.config, AmtConfig) else Regressor
    return kind(model.config, tensors)
