"""Echo: how alike the song sounded some time ago, mistakes and all, and what followed then.

`models.recall` looks for passages that agree exactly, chord by chord.  Chord labels read from recordings flicker, and a
loop whose length is no whole number of seconds is sampled differently on every pass, so exact agreement breaks off
just where a listener hears the repeat.  Echo measures agreement with a decaying memory instead:

    agree(i, j) = decay * agree(i - 1, j - 1) + [o_i = o_j],    normalised to 0..1

for four observations o (chord, root, "the chord changes here", "the root changes here") and three decays.  The
weight of slot j for slot i is a softmax over all j < i of a learned, piecewise linear function of these twelve
numbers and of the distance.  Every head gives what the weighted past says of the next slot: a vote for each chord, how
probable it is that the chord stays, and the same given that the chord was the one that sounds now.  The last two carry
the rhythm of the harmony from one chord to another, which votes for chords cannot.

The decoder reads all of it; at its output the votes are mixed in log-linearly and the odds of staying are added to the
chord that sounds, with weights that depend on the context.  Only equality counts: it is the same in every key.
Shapes: B songs, T slots, R heads, V = 159 tokens, K = 12 agreements.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import nn
from torch.nn import functional

from models.kernels import AGREEMENTS, DECAYS, DISTANCES, DOUBT, FACTS, KNEE, OBSERVATIONS, UNIT
from models.recall import distance_buckets, exact
from models.vocabulary import ROOT_OF, TOKENS

_EMBEDDED: Final = 32
_GATE: Final = 64
# Where kernels start: (observation, decay, slope).
_STARTS: Final = ((0, 1, 4.0), (0, 0, 2.0), (0, 2, 6.0), (1, 1, 4.0), (3, 1, 4.0), (2, 2, 6.0))


@dataclass(frozen=True, slots=True)
class Echoes:
    """What the past says of the next slot: votes (B, n, R, V), sum 1 (0 at the first slot); facts (B, n, 4 R)."""

    votes: torch.Tensor
    facts: torch.Tensor


class EchoCache:
    """Observations and agreements of the fed chords.  Positions are those of the decoder's cache."""

    def __init__(self, batch: int, max_slots: int) -> None:
        self.observed = torch.zeros(batch, OBSERVATIONS, max_slots, dtype=torch.int64)
        self.agree = torch.zeros(batch, max_slots, AGREEMENTS, max_slots)  # row i: agreement with every j <= i
        self.buckets = distance_buckets(max_slots + 1)


def _next_row(before: torch.Tensor, equal: torch.Tensor, decay: torch.Tensor) -> torch.Tensor:
    """before (B, O, D, m) agreements of slot i - 1, equal (B, O, m) of slot i -> (B, O, D, m) of slot i."""
    return functional.pad(before[..., :-1], (1, 0)) * decay[:, None] + equal[:, :, None]


class Echo(nn.Module):
    """See the module docstring."""

    root_of: torch.Tensor
    decay: torch.Tensor
    full: torch.Tensor

    def __init__(self, heads: int, width: int, max_slots: int) -> None:
        super().__init__()
        self.heads = heads
        slope = torch.zeros(2, OBSERVATIONS, len(DECAYS), heads)
        for head in range(heads):
            observation, decay, start = _STARTS[head % len(_STARTS)]
            slope[0, observation, decay, head] = start
        self.slope = nn.Parameter(slope.reshape(2 * AGREEMENTS, heads))
        self.distance = nn.Parameter(torch.zeros(DISTANCES, heads))
        self.floor = nn.Parameter(torch.full((heads,), -5.0))  # log of the vote given to every chord
        self.embedding = nn.Linear(TOKENS, _EMBEDDED, bias=False)
        self.project = nn.Linear(heads * (_EMBEDDED + FACTS), width)
        self.gate_in = nn.Linear(width + FACTS * heads, _GATE)
        self.gate_out = nn.Linear(_GATE, 3 * heads)
        # At first the network is what it is without echo, but for a faint vote that gives the gates a gradient.
        for layer in (self.project, self.gate_out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.gate_out.bias[:heads] = -3.0
        decays = torch.tensor(DECAYS)
        self.register_buffer("root_of", torch.from_numpy(ROOT_OF.copy()), persistent=False)
        self.register_buffer("decay", decays, persistent=False)
        powers = decays[:, None] ** torch.arange(1, max_slots + 1)
        full = ((1 - powers) / (1 - decays[:, None])).repeat(OBSERVATIONS, 1)
        self.register_buffer("full", full, persistent=False)  # (K, slots): agreement with slot j if all agreed

    # --- all slots at once --------------------------------------------------------------------------------------------

    @exact
    def forward(self, tokens: torch.Tensor) -> Echoes:
        """tokens (B, T) -> what each slot's past says of the slot after it."""
        length = tokens.shape[1]
        observed = self._observe(tokens)
        with torch.no_grad():
            row = torch.zeros(len(tokens), OBSERVATIONS, len(DECAYS), length, device=tokens.device)
            rows = []
            for slot in range(length):
                equal = (observed[:, :, slot, None] == observed).to(row.dtype)
                row = _next_row(row, equal, self.decay)
                rows.append(row)
            agree = torch.stack(rows, dim=1).flatten(2, 3)  # (B, T, K, T)
        steps = torch.arange(length, device=tokens.device)
        apart = steps[:, None] - steps[None, :]
        buckets = distance_buckets(length, tokens.device)[apart.clamp(min=0)]
        score = self._score(agree) + functional.embedding(buckets, self.distance)
        following = functional.pad(tokens[:, 1:], (0, 1))  # the token after j; j = T - 1 is always hidden
        return self._listen(score, tokens, following, tokens, apart <= 0)

    def _observe(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, T) -> (B, 4, T) int64."""
        roots = self.root_of[tokens]
        changes = [functional.pad((x[:, 1:] != x[:, :-1]).long(), (1, 0), value=1) for x in (tokens, roots)]
        return torch.stack([tokens, roots, *changes], dim=1)

    # --- one slot -----------------------------------------------------------------------------------------------------

    def step(self, tokens: torch.Tensor, position: int, cache: EchoCache) -> Echoes:
        """Row `position` of `forward`; tokens (B,) are fed at `position`."""
        observed = cache.observed
        observed[:, 0, position], observed[:, 1, position] = tokens, self.root_of[tokens]
        if position == 0:
            observed[:, 2:, 0] = 1
        else:
            observed[:, 2:, position] = (observed[:, :2, position] != observed[:, :2, position - 1]).long()
        past = slice(0, position + 1)
        equal = (observed[:, :, position, None] == observed[:, :, past]).to(cache.agree.dtype)
        shape = len(tokens), OBSERVATIONS, len(DECAYS), position + 1
        before = cache.agree[:, max(0, position - 1), :, past].reshape(shape)
        agree = _next_row(before, equal, self.decay).flatten(1, 2)
        cache.agree[:, position, :, past] = agree
        if position == 0:
            votes = agree.new_zeros(len(tokens), 1, self.heads, TOKENS)
            return Echoes(votes, agree.new_zeros(len(tokens), 1, FACTS * self.heads))
        score = self._score(agree[:, None, :, :position])
        score = score + functional.embedding(cache.buckets[1 : position + 1].flip(0), self.distance)
        hidden = torch.zeros(1, position, dtype=torch.bool)
        history = observed[:, 0]
        return self._listen(score, history[:, :position], history[:, 1 : position + 1], tokens[:, None], hidden)

    # --- shared -------------------------------------------------------------------------------------------------------

    def _score(self, agree: torch.Tensor) -> torch.Tensor:
        """agree (B, n, K, m) of slots 0..m-1 -> (B, n, m, R)."""
        share = (agree + 0.2) / (self.full[:, : agree.shape[-1]] + 1.0)  # little evidence is not full agreement
        known = torch.cat([share, functional.relu(share - KNEE)], dim=2)
        return UNIT * (known.transpose(2, 3) @ self.slope)

    def _listen(
        self,
        score: torch.Tensor,
        there: torch.Tensor,
        following: torch.Tensor,
        here: torch.Tensor,
        hidden: torch.Tensor,
    ) -> Echoes:
        """score (B, n, m, R), there and following (B, m) tokens, here (B, n) tokens, hidden (n, m) bool."""
        empty = hidden.all(dim=-1)  # the first slot has no past
        score = score.masked_fill((hidden & ~empty[:, None])[..., None], -math.inf)
        mass = torch.logsumexp(score, dim=2, keepdim=True)
        weight = torch.exp(score - mass).masked_fill(empty[:, None, None], 0.0).transpose(2, 3)  # (B, n, R, m)
        stays = (following == there).to(score.dtype)  # (B, m)
        if weight.shape[1] == 1:  # one slot: add each vote to its chord
            votes = weight.new_zeros(*weight.shape[:3], TOKENS)
            votes = votes.scatter_add(3, following[:, None, None].expand_as(weight), weight)
        else:
            votes = torch.einsum("bnrm,bmv->bnrv", weight, functional.one_hot(following, TOKENS).to(score.dtype))
        stay = torch.einsum("bnrm,bm->bnr", weight, stays)
        same = (there[:, None] == here[:, :, None]).to(score.dtype)  # (B, n, m)
        alike = weight @ torch.stack([same, same * stays[:, None]], dim=-1)  # (B, n, R, 2)
        of_chord, stay_of_chord = alike[..., 0], alike[..., 1]
        facts = torch.cat(
            [
                mass[:, :, 0] / 8,
                torch.log((stay + DOUBT) / (1 - stay + DOUBT)),
                torch.log((stay_of_chord + DOUBT) / (of_chord - stay_of_chord + DOUBT)),
                of_chord,
            ],
            dim=-1,
        )
        return Echoes(votes, facts.masked_fill(empty[:, None], 0.0))

    def embed(self, echoes: Echoes) -> torch.Tensor:
        """Echoes as decoder input, (B, n, d)."""
        return self.project(torch.cat([self.embedding(echoes.votes).flatten(2), echoes.facts], dim=-1))

    @exact
    def mix(self, logits: torch.Tensor, x: torch.Tensor, echoes: Echoes, here: torch.Tensor) -> torch.Tensor:
        """logits (B, n, V) with the echoes added; x (B, n, d) decoder output, here (B, n) the chords that sound."""
        gates = self.gate_out(functional.gelu(self.gate_in(torch.cat([x, echoes.facts], dim=-1))))
        voting, staying = gates.split([self.heads, 2 * self.heads], dim=-1)
        logs = torch.log(echoes.votes + self.floor.exp()[:, None])  # (B, n, R, V)
        logits = logits.float() + torch.einsum("bnr,bnrv->bnv", functional.softplus(voting), logs)
        odds = (staying * echoes.facts[..., self.heads : 3 * self.heads]).sum(-1, keepdim=True)
        return logits.scatter_add(2, here[..., None], odds)
