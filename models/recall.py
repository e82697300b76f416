"""Recall: what followed the last times the song was where it is now.

Chord loops repeat, so the best single predictor of the next chord is what came after similar contexts earlier in the
same song (an adaptive n-gram table does this with counts).  Here it is learned: every earlier slot j votes for the
chord that followed it, with a weight that depends on how alike the histories at i and j are,

    weight(i, j) = softmax over j < i of  table[match, runs, lengths] + distance[i - j]

match = how many slots backwards agree (0..16), runs = how many *different* chords backwards agree whatever their
lengths (0..8), lengths = how much longer the running chord has lasted at i than at j (-4..4).  With `roots` the same is
asked of chord roots alone, since recognised qualities flicker (C, Cmaj7, C), and of phase: how much more time has
passed since two and four changes of root at i than at j (a loop whose length is no whole number of seconds changes
its run lengths from pass to pass).  Several heads learn several kernels.

The votes enter the network twice: embedded in the decoder's input, and added to its logits as log-votes with weights
that the decoder chooses (a log-linear mixture).  The kernel looks at equality only: it is the same in every key.
Shapes: B songs, T slots, R heads, V = 159 tokens.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

import torch
from torch import nn
from torch.nn import functional

from models import kernels
from models.kernels import DISTANCES, LAGS, LENGTHS, MATCH, RUNS, SPREAD
from models.vocabulary import ROOT_OF, TOKENS

Votes = tuple[torch.Tensor, torch.Tensor]  # (B, n, R, V) votes, (B, n, R) log of their unnormalised mass
P = ParamSpec("P")
Out = TypeVar("Out")


def exact(method: Callable[P, Out]) -> Callable[P, Out]:
    """Keeps a method out of mixed precision: kernels are logits of some forty nats, and votes are small numbers."""

    @wraps(method)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> Out:
        tensor = next(value for value in args if isinstance(value, torch.Tensor))
        with torch.autocast(tensor.device.type, enabled=False):
            return method(*args, **kwargs)

    return wrapped


def run_lengths(tokens: torch.Tensor) -> torch.Tensor:
    """(B, T) -> (B, T) int64: for how many slots the chord has lasted, counting this one (1..)."""
    steps = torch.arange(tokens.shape[1], device=tokens.device).expand_as(tokens)
    changed = torch.ones_like(tokens, dtype=torch.bool)
    changed[:, 1:] = tokens[:, 1:] != tokens[:, :-1]
    start = torch.where(changed, steps, 0).cummax(dim=1).values
    return steps - start + 1


def distance_buckets(length: int, device: torch.device | None = None) -> torch.Tensor:
    """(length,) int64: bucket of each distance, see models.kernels."""
    return torch.from_numpy(kernels.distance_buckets(length)).to(device)


@dataclass(slots=True)
class History:
    """A stream of symbols and what is known of each slot's past.

    ids (B, T); runs (B, T) length of the running symbol; past (B, T, RUNS) the distinct symbols before it, nearest
    first, -1 where there was none; elapsed (B, T, lags) slots since the start of the k-th run back, -1 where none.
    """

    ids: torch.Tensor
    runs: torch.Tensor
    past: torch.Tensor
    elapsed: torch.Tensor

    @classmethod
    def of(cls, ids: torch.Tensor) -> History:
        """Of a whole sequence (B, T)."""
        runs = run_lengths(ids)
        steps = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
        before = steps - runs  # last slot of the previous run, -1 at the beginning
        at = before.clamp(min=0)
        past, current = [], ids
        starts, start = [], before + 1
        for back in range(1, RUNS + 1):
            current = torch.where(before >= 0, current.gather(1, at), -1)
            past.append(current)
            start = torch.where(before >= 0, start.gather(1, at), -1)
            if back in LAGS:
                starts.append(start)
        elapsed = [torch.where(start >= 0, steps - start, -1) for start in starts]
        return cls(ids, runs, torch.stack(past, dim=-1), torch.stack(elapsed, dim=-1))

    @classmethod
    def empty(cls, batch: int, slots: int) -> History:
        """Room for `slots` symbols, to be filled with `put`."""
        shape = batch, slots
        ids, runs = torch.zeros(shape, dtype=torch.int64), torch.zeros(shape, dtype=torch.int64)
        past = torch.full((*shape, RUNS), -1, dtype=torch.int64)
        return cls(ids, runs, past, torch.full((*shape, len(LAGS)), -1, dtype=torch.int64))

    def put(self, position: int, ids: torch.Tensor) -> None:
        """Writes slot `position`, (B,); all before it must be there."""
        self.ids[:, position] = ids
        if position == 0:
            self.runs[:, 0], self.past[:, 0], self.elapsed[:, 0] = 1, -1, -1
            return
        last = position - 1
        same = ids == self.ids[:, last]
        self.runs[:, position] = torch.where(same, self.runs[:, last] + 1, 1)
        pushed = torch.cat([self.ids[:, last, None], self.past[:, last, :-1]], dim=1)
        self.past[:, position] = torch.where(same[:, None], self.past[:, last], pushed)
        songs = torch.arange(len(ids))
        before = position - self.runs[:, position]
        for column, back in enumerate(LAGS):
            at = before
            for _ in range(back - 1):  # walk to the last slot of the run before
                at = torch.where(at >= 0, at - self.runs[songs, at.clamp(min=0)], -1)
            start = at - self.runs[songs, at.clamp(min=0)] + 1
            self.elapsed[:, position, column] = torch.where(at >= 0, position - start, -1)


class RecallCache:
    """Histories and match lengths of the fed chords.  Positions are those of the decoder's cache."""

    def __init__(self, batch: int, max_slots: int) -> None:
        self.chords, self.roots = History.empty(batch, max_slots), History.empty(batch, max_slots)
        self.match = torch.zeros(2, batch, max_slots, max_slots, dtype=torch.int64)  # chords, roots
        self.buckets = distance_buckets(max_slots + 1)


def _full_match(ids: torch.Tensor) -> torch.Tensor:
    """(B, T) -> (B, T, T): how many slots backwards from i and from j agree, at most MATCH."""
    equal = ids[:, :, None] == ids[:, None, :]
    match, chain = equal.to(torch.uint8), equal
    for _ in range(1, MATCH):  # chain[i, j]: the last k slots agree
        chain = equal & functional.pad(chain, (1, 0, 1, 0))[:, :-1, :-1]
        match = match + chain
    return match.long()


def _full_runs(history: History) -> torch.Tensor:
    """(B, T, T): how many distinct symbols backwards agree, at most RUNS."""
    chain = history.ids[:, :, None] == history.ids[:, None, :]
    runs = chain.to(torch.uint8)
    for step in range(RUNS - 1):
        older = history.past[:, :, step]
        chain = chain & (older[:, :, None] == older[:, None, :]) & (older >= 0)[:, :, None]
        runs = runs + chain
    return runs.long()


def _row_runs(history: History, position: int, equal: torch.Tensor) -> torch.Tensor:
    """Row `position` of `_full_runs` against all slots before it: (B, position)."""
    now = history.past[:, position, None, : RUNS - 1]
    older = (now == history.past[:, :position, : RUNS - 1]) & (now >= 0)
    return torch.cat([equal[:, :, None], older], dim=2).long().cumprod(dim=2).sum(dim=2)


def _spread(difference: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Differences in slots -> 0..8, the middle where nothing is known."""
    return torch.where(known, difference.clamp(-LENGTHS, LENGTHS) + LENGTHS, LENGTHS)


def _lag_index(runs: torch.Tensor, here: torch.Tensor, there: torch.Tensor, back: int) -> torch.Tensor:
    """0 where the histories do not agree for `back` changes, else 1 + the spread of elapsed time."""
    known = (runs > back) & (here >= 0) & (there >= 0)
    return torch.where(known, 1 + _spread(here - there, known), 0)


class Recall(nn.Module):
    """See the module docstring."""

    root_of: torch.Tensor

    def __init__(self, heads: int, width: int, *, roots: bool = False) -> None:
        super().__init__()
        self.heads, self.roots = heads, roots
        match = torch.arange(MATCH + 1).float()[:, None, None, None]
        runs = torch.arange(RUNS + 1).float()[None, :, None, None]
        same = (torch.arange(SPREAD) == LENGTHS).float()[None, None, :, None]
        slope = torch.linspace(0.0, 1.0, heads)
        # Heads start as different kernels: from "whole-slot history" to "chord order whatever the lengths".
        start = match * (1 - slope) * 0.8 + runs * (0.3 + slope) + same * (runs > 0)
        self.table = nn.Parameter(start.reshape(-1, heads).clone())
        self.distance = nn.Parameter(torch.zeros(DISTANCES, heads))
        if roots:
            self.root_table = nn.Parameter(torch.zeros((MATCH + 1) * (RUNS + 1) * SPREAD, heads))
            self.lag_table = nn.Parameter(torch.zeros((SPREAD + 1) ** len(LAGS), heads))
        self.embedding = nn.Linear(TOKENS, 32, bias=False)
        self.project = nn.Linear(heads * 32 + heads, width)
        self.gate = nn.Linear(width + heads, heads)
        self.floor = nn.Parameter(torch.full((heads,), -5.0))  # log of the vote given to every chord
        nn.init.constant_(self.gate.bias, -1.0)
        self.register_buffer("root_of", torch.from_numpy(ROOT_OF.copy()), persistent=False)

    @exact
    def forward(self, tokens: torch.Tensor) -> Votes:
        """(B, T) -> votes (B, T, R, V) that sum to 1 (to 0 at the first slot), log of their unnormalised mass."""
        length = tokens.shape[1]
        steps = torch.arange(length, device=tokens.device)
        apart = steps[:, None] - steps[None, :]
        chords = History.of(tokens)
        index = self._index(_full_match(tokens), _full_runs(chords), chords.runs[:, :, None], chords.runs[:, None])
        score = functional.embedding(index, self.table)
        if self.roots:
            roots = History.of(self.root_of[tokens])
            runs = _full_runs(roots)
            index = self._index(_full_match(roots.ids), runs, roots.runs[:, :, None], roots.runs[:, None])
            lags = self._lags(runs, roots.elapsed[:, :, None], roots.elapsed[:, None])
            score = score + functional.embedding(index, self.root_table) + functional.embedding(lags, self.lag_table)
        buckets = distance_buckets(length, tokens.device)[apart.clamp(min=0)]
        score = score + functional.embedding(buckets, self.distance)
        following = functional.pad(tokens[:, 1:], (0, 1))  # the token after j; j = T - 1 is always hidden
        return self._votes(score, following, apart <= 0)

    def step(self, tokens: torch.Tensor, position: int, cache: RecallCache) -> Votes:
        """Row `position` of `forward`; tokens (B,) are fed at `position` -> (B, 1, R, V), (B, 1, R)."""
        score = torch.zeros(len(tokens), position, self.heads)
        for row, (history, ids) in enumerate(((cache.chords, tokens), (cache.roots, self.root_of[tokens]))):
            if row == 1 and not self.roots:
                break
            history.put(position, ids)
            equal = ids[:, None] == history.ids[:, : position + 1]
            before = cache.match[row, :, position - 1, :position] if position else equal[:, :0].long()
            longer = functional.pad(before, (1, 0)) + 1
            cache.match[row, :, position, : position + 1] = torch.where(equal, longer.clamp(max=MATCH), 0)
            if position == 0:
                continue
            runs = _row_runs(history, position, equal[:, :position])
            here, there = history.runs[:, position, None], history.runs[:, :position]
            index = self._index(cache.match[row, :, position, :position], runs, here, there)
            score = score + functional.embedding(index, self.root_table if row else self.table)
            if row:
                lags = self._lags(runs, history.elapsed[:, position, None], history.elapsed[:, :position])
                score = score + functional.embedding(lags, self.lag_table)
        if position == 0:
            zero = self.table.new_zeros(len(tokens), 1, self.heads)
            return zero[..., None].repeat(1, 1, 1, TOKENS), zero
        score = score + functional.embedding(cache.buckets[1 : position + 1].flip(0), self.distance)
        hidden = torch.zeros(1, position, dtype=torch.bool)
        return self._votes(score[:, None], cache.chords.ids[:, 1 : position + 1], hidden)

    @staticmethod
    def _index(match: torch.Tensor, runs: torch.Tensor, here: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        lengths = _spread(here - there, runs > 0)
        return (match * (RUNS + 1) + runs) * SPREAD + lengths

    @staticmethod
    def _lags(runs: torch.Tensor, here: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """here, there: elapsed (…, lags), broadcast against each other -> index into lag_table."""
        index = torch.zeros_like(runs)
        for column, back in enumerate(LAGS):
            index = index * (SPREAD + 1) + _lag_index(runs, here[..., column], there[..., column], back)
        return index

    @staticmethod
    def _votes(score: torch.Tensor, following: torch.Tensor, hidden: torch.Tensor) -> Votes:
        """score (B, n, m, R), following (B, m) tokens, hidden (n, m) bool -> votes and mass."""
        empty = hidden.all(dim=-1)  # the first slot has no past
        score = score.masked_fill((hidden & ~empty[:, None])[..., None], -math.inf)
        mass = torch.logsumexp(score, dim=2)  # (B, n, R)
        weight = torch.exp(score - mass[:, :, None]).masked_fill(empty[:, None, None], 0.0)
        if weight.shape[1] == 1:  # one step: add each vote to its chord
            per_head = weight[:, 0].transpose(1, 2)  # (B, R, m)
            votes = weight.new_zeros(*per_head.shape[:2], TOKENS)
            votes = votes.scatter_add(2, following[:, None].expand_as(per_head), per_head)[:, None]
        else:
            target = functional.one_hot(following, TOKENS).to(score.dtype)  # (B, m, V)
            votes = torch.einsum("bnmr,bmv->bnrv", weight, target)
        return votes, mass.masked_fill(empty[:, None], 0.0)

    def embed(self, votes: torch.Tensor, mass: torch.Tensor) -> torch.Tensor:
        """Votes as decoder input: (B, n, R, V), (B, n, R) -> (B, n, d)."""
        return self.project(torch.cat([self.embedding(votes).flatten(2), mass / 8], dim=-1))

    @exact
    def vote(self, x: torch.Tensor, votes: torch.Tensor, mass: torch.Tensor) -> torch.Tensor:
        """Weighted log-votes to add to the logits: x (B, n, d) decoder output -> (B, n, V)."""
        gate = functional.softplus(self.gate(torch.cat([x.float(), mass / 8], dim=-1)))  # (B, n, R)
        logs = torch.log(votes + self.floor.exp()[:, None])  # (B, n, R, V)
        return torch.einsum("bnr,bnrv->bnv", gate, logs)
