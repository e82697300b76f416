"""Recall: what followed the last times the song was where it is now.

Chord loops repeat, so the best single predictor of the next chord is what came after similar contexts earlier in the
same song (an adaptive n-gram table does this with counts).  Here it is learned: every earlier slot j votes for the
chord that followed it, with a weight that depends on how alike the histories at i and j are,

    weight(i, j) = softmax over j < i of  table[match, runs, lengths] + distance[i - j],

match = how many slots backwards agree (0..16), runs = how many *different* chords backwards agree whatever their
lengths (0..8), lengths = how much longer the running chord has lasted at i than at j (-4..4).  Several heads learn
several kernels.  The votes enter the network twice: embedded in the decoder's input, and added to its logits as
log-votes with weights that the decoder chooses (a log-linear mixture).

The kernel looks at equality of chords only: it is the same in every key.
Shapes: B songs, T slots, R heads, V = 159 tokens.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import nn
from torch.nn import functional

from models.vocabulary import TOKENS

MATCH: Final = 16
RUNS: Final = 8
LENGTHS: Final = 4
DISTANCES: Final = 48
_TABLE: Final = (MATCH + 1) * (RUNS + 1) * (2 * LENGTHS + 1)


def run_lengths(tokens: torch.Tensor) -> torch.Tensor:
    """(B, T) -> (B, T) int64: for how many slots the chord has lasted, counting this one (1..)."""
    steps = torch.arange(tokens.shape[1], device=tokens.device).expand_as(tokens)
    changed = torch.ones_like(tokens, dtype=torch.bool)
    changed[:, 1:] = tokens[:, 1:] != tokens[:, :-1]
    start = torch.where(changed, steps, 0).cummax(dim=1).values
    return steps - start + 1


def distance_buckets(length: int, device: torch.device | None = None) -> torch.Tensor:
    """(length,) int64: bucket of each distance; exact to 32, then logarithmic up to DISTANCES - 1."""
    distance = torch.arange(length, device=device)
    far = 32 + (torch.log2(distance.clamp(min=32) / 32) * 4.5).long()
    return torch.where(distance < 32, distance, far).clamp(max=DISTANCES - 1)


class RecallCache:
    """Histories of the fed chords: earlier distinct chords and match lengths.  Positions are those of the decoder's."""

    def __init__(self, batch: int, max_slots: int) -> None:
        self.past = torch.full((batch, max_slots, RUNS), -1, dtype=torch.int64)
        self.match = torch.zeros(batch, max_slots, max_slots, dtype=torch.int64)
        self.buckets = distance_buckets(max_slots + 1)


def _index(match: torch.Tensor, runs: torch.Tensor, difference: torch.Tensor) -> torch.Tensor:
    lengths = difference.clamp(-LENGTHS, LENGTHS) + LENGTHS
    lengths = torch.where(runs > 0, lengths, LENGTHS)
    return (match * (RUNS + 1) + runs) * (2 * LENGTHS + 1) + lengths


class Recall(nn.Module):
    """See the module docstring."""

    def __init__(self, heads: int, width: int) -> None:
        super().__init__()
        self.heads = heads
        match = torch.arange(MATCH + 1).float()[:, None, None, None]
        runs = torch.arange(RUNS + 1).float()[None, :, None, None]
        same = (torch.arange(2 * LENGTHS + 1) == LENGTHS).float()[None, None, :, None]
        slope = torch.linspace(0.0, 1.0, heads)
        # Heads start as different kernels: from "whole-slot history" to "chord order whatever the lengths".
        start = match * (1 - slope) * 0.8 + runs * (0.3 + slope) + same * (runs > 0)
        self.table = nn.Parameter(start.reshape(_TABLE, heads).clone())
        self.distance = nn.Parameter(torch.zeros(DISTANCES, heads))
        self.embedding = nn.Linear(TOKENS, 32, bias=False)
        self.project = nn.Linear(heads * 32 + heads, width)
        self.gate = nn.Linear(width + heads, heads)
        self.floor = nn.Parameter(torch.full((heads,), -5.0))  # log of the vote given to every chord
        nn.init.constant_(self.gate.bias, -1.0)

    def _votes(self, index: torch.Tensor, buckets: torch.Tensor, following: torch.Tensor, hidden: torch.Tensor):
        """index, buckets (B, n, m), following (B, m) tokens, hidden (n, m) bool -> (B, n, R, V), (B, n, R)."""
        score = functional.embedding(index, self.table) + functional.embedding(buckets, self.distance)
        score = score.masked_fill(hidden[..., None], -math.inf)
        empty = hidden.all(dim=-1)[None, :, None]  # the first slot has no past
        mass = torch.logsumexp(score.masked_fill(hidden.all(dim=-1)[:, None, None], 0.0), dim=2)  # (B, n, R)
        weight = torch.exp(score - mass[:, :, None])  # (B, n, m, R); zero where hidden
        target = functional.one_hot(following, TOKENS).to(score.dtype)  # (B, m, V)
        votes = torch.einsum("bnmr,bmv->bnrv", weight, target)
        return votes, torch.where(empty, torch.zeros_like(mass), mass)

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, T) -> votes (B, T, R, V) that sum to 1 (to 0 at the first slot), log of their unnormalised mass."""
        length = tokens.shape[1]
        runs = run_lengths(tokens)
        past = self._past(tokens, runs)
        equal = tokens[:, :, None] == tokens[:, None, :]
        match, chain = equal.to(torch.uint8), equal
        for _ in range(1, MATCH):  # chain[i, j]: the last k slots agree
            chain = equal & functional.pad(chain, (1, 0, 1, 0))[:, :-1, :-1]
            match = match + chain
        order, chain = equal.to(torch.uint8), equal
        for step in range(RUNS - 1):
            older = past[:, :, step]
            chain = chain & (older[:, :, None] == older[:, None, :]) & (older >= 0)[:, :, None]
            order = order + chain
        index = _index(match.long(), order.long(), runs[:, :, None] - runs[:, None, :])
        steps = torch.arange(length, device=tokens.device)
        apart = steps[:, None] - steps[None, :]
        buckets = distance_buckets(length, tokens.device)[apart.clamp(min=0)].expand_as(index)
        following = functional.pad(tokens[:, 1:], (0, 1))  # token after j; j = T - 1 is always hidden
        return self._votes(index, buckets, following, apart <= 0)

    @staticmethod
    def _past(tokens: torch.Tensor, runs: torch.Tensor) -> torch.Tensor:
        """(B, T, RUNS): the distinct chords before the running one, nearest first; -1 where there was none."""
        steps = torch.arange(tokens.shape[1], device=tokens.device).expand_as(tokens)
        before = steps - runs  # last slot of the previous run
        columns, current = [], tokens
        for _ in range(RUNS):
            previous = current.gather(1, before.clamp(min=0))
            current = torch.where(before >= 0, previous, -1)
            columns.append(current)
        return torch.stack(columns, dim=-1)

    def step(
        self, tokens: torch.Tensor, runs: torch.Tensor, position: int, cache: RecallCache
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Row `position` of `forward`, from (B, max) histories filled up to it -> (B, 1, R, V), (B, 1, R)."""
        batch = torch.arange(len(tokens), device=tokens.device)
        before = position - runs[:, position]  # (B,)
        older = before.clamp(min=0)
        row = torch.cat([tokens[batch, older][:, None], cache.past[batch, older, : RUNS - 1]], dim=1)
        cache.past[:, position] = torch.where((before >= 0)[:, None], row, -1)
        if position == 0:
            cache.match[:, 0, 0] = 1
            zero = self.table.new_zeros(len(tokens), 1, self.heads)
            return zero[..., None].expand(-1, -1, -1, TOKENS).clone(), zero
        now = tokens[:, position, None]
        equal = now == tokens[:, : position + 1]  # (B, position + 1)
        longer = functional.pad(cache.match[:, position - 1, :position], (1, 0)) + 1
        cache.match[:, position, : position + 1] = torch.where(equal, longer.clamp(max=MATCH), 0)
        same = torch.cat([equal[:, :position, None], self._same_past(cache, position)], dim=2)
        order = same.long().cumprod(dim=2).sum(dim=2)
        difference = runs[:, position, None] - runs[:, :position]
        index = _index(cache.match[:, position, :position], order, difference)
        buckets = cache.buckets[1 : position + 1].flip(0).expand_as(index)
        hidden = torch.zeros(1, position, dtype=torch.bool, device=tokens.device)
        return self._votes(index[:, None], buckets[:, None], tokens[:, 1 : position + 1], hidden)

    @staticmethod
    def _same_past(cache: RecallCache, position: int) -> torch.Tensor:
        """(B, position, RUNS - 1) bool: do the distinct chords before agree, one by one."""
        now = cache.past[:, position, None, : RUNS - 1]
        return (now == cache.past[:, :position, : RUNS - 1]) & (now >= 0)

    def embed(self, votes: torch.Tensor, mass: torch.Tensor) -> torch.Tensor:
        """Votes as decoder input: (B, n, R, V), (B, n, R) -> (B, n, d)."""
        return self.project(torch.cat([self.embedding(votes).flatten(2), mass / 8], dim=-1))

    def vote(self, x: torch.Tensor, votes: torch.Tensor, mass: torch.Tensor) -> torch.Tensor:
        """Weighted log-votes to add to the logits: x (B, n, d) decoder output -> (B, n, V)."""
        gate = functional.softplus(self.gate(torch.cat([x, mass / 8], dim=-1)))  # (B, n, R)
        logs = torch.log(votes + self.floor.exp()[:, None])  # (B, n, R, V)
        return torch.einsum("bnr,bnrv->bnv", gate, logs)
