"""The Affective Multimodal Transformer: film features and the chords so far -> the next chord (paper section 4.1).

With the default configuration this computes what the authors' published network computes (Kang, Poria,
Herremans 2024; code at commit 0ba4356): post-norm encoder over the film, post-norm decoder with relative
self-attention (Music Transformer, Huang et al. 2018) and cross-attention, key flag, root + quality embeddings.
`AmtConfig` switches on what the shipped network adds: padding masks, scaled inputs with flags for what is
missing, the length of the running chord, and `models.recall` (what followed the last time the song was here).
`condition_width` adds a second way in for mood and cuts, aligned with the slots (models.conditioning): it is read
before the decoder and after it; `section_width` adds another for the section of the form.  `see=False` leaves the film
out (the paper's Transformer and, with `relative=True`, Music Transformer).

Shapes: B songs, T chords, S film rows (both at most 300), d model width, H heads, V = 159 tokens.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar, cast

import torch
from torch import nn
from torch.nn import functional

from models.conditioning import BOUNDARY_PRESENT, CONDITION_WIDTH, MOOD_PRESENT, SECTION_PRESENT, SECTION_WIDTH
from models.config import AmtConfig
from models.echo import Echo, EchoCache, Echoes
from models.film import EMOTION_COLUMNS, FEATURE_WIDTH, MOTION_COLUMN, SCENE_COLUMN, SEMANTIC_WIDTH
from models.kernels import sinusoids
from models.recall import Recall, RecallCache, Votes, run_lengths
from models.vocabulary import ATTRIBUTE_OF, ATTRIBUTES, ROOT_OF, ROOTS, TOKENS

Layer = TypeVar("Layer", bound=nn.Module)
KV = tuple[torch.Tensor, torch.Tensor]  # keys and values, each (B, H, n, d/H)


class Attention(nn.Module):
    """Multi-head attention; with `positions` > 0 it adds a learned term per distance, shared by all heads.

    logit[i, j] = q_i . (k_j + Er[positions - 1 - (i - j)]) / sqrt(d/H) for j <= i  (Huang et al. 2018, skewing).
    """

    def __init__(self, width: int, heads: int, dropout: float, positions: int = 0) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.Er = nn.Parameter(torch.empty(positions, width // heads)) if positions else None
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.xavier_uniform_(self.out_proj.weight)
        nn.init.zeros_(self.out_proj.bias)
        if self.Er is not None:
            nn.init.xavier_uniform_(self.Er)

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        """(B, n, d) -> (B, H, n, d/H)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def keys_values(self, x: torch.Tensor) -> KV:
        """(B, n, d) -> keys and values."""
        width = self.out_proj.in_features
        kv = functional.linear(x, self.in_proj_weight[width:], self.in_proj_bias[width:])
        key, value = kv.chunk(2, dim=-1)
        return self._split(key), self._split(value)

    def queries(self, x: torch.Tensor) -> torch.Tensor:
        """(B, n, d) -> (B, H, n, d/H), already divided by sqrt(d/H)."""
        width = self.out_proj.in_features
        q = self._split(functional.linear(x, self.in_proj_weight[:width], self.in_proj_bias[:width]))
        return q * (q.shape[-1] ** -0.5)

    def self_projections(self, x: torch.Tensor) -> tuple[torch.Tensor, KV]:
        """Queries, keys and values of (B, n, d) in one product."""
        query, key, value = functional.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)
        q = self._split(query)
        return q * (q.shape[-1] ** -0.5), (self._split(key), self._split(value))

    def relative_bias(self, query: torch.Tensor) -> torch.Tensor | None:
        """(B, H, T, d/H) -> (B, H, T, T); entries above the diagonal are meaningless and masked by the caller."""
        if self.Er is None:
            return None
        length = query.shape[2]
        product = query @ self.Er[self.Er.shape[0] - length :].T  # column m <-> distance length - 1 - m
        padded = functional.pad(product, (1, 0))  # the skewing trick: row i moves left by length - 1 - i
        return padded.flatten(2).unflatten(-1, (length + 1, length))[:, :, 1:]

    def attend(self, query: torch.Tensor, kv: KV, bias: torch.Tensor | None) -> torch.Tensor:
        """bias: broadcastable to (B, H, n_query, n_key), added to the logits.  Returns (B, n_query, d)."""
        logits = query @ kv[0].transpose(-1, -2)
        if bias is not None:
            logits = logits + bias
        weights = self.dropout(torch.softmax(logits, dim=-1))
        return self.out_proj((weights @ kv[1]).transpose(1, 2).flatten(2))


class EncoderLayer(nn.Module):
    """Post-norm: x = LN(x + attention(x)); x = LN(x + ff(x)), ReLU."""

    def __init__(self, config: AmtConfig) -> None:
        super().__init__()
        self.attention = Attention(config.width, config.heads, config.attention_dropout)
        self.linear1 = nn.Linear(config.width, config.feedforward)
        self.linear2 = nn.Linear(config.feedforward, config.width)
        self.norm1 = nn.LayerNorm(config.width)
        self.norm2 = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)

    def feed_forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dropout(self.linear2(self.dropout(functional.relu(self.linear1(x)))))

    def forward(self, x: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """x (B, S, d), bias (B, 1, 1, S) or None."""
        query, kv = self.attention.self_projections(x)
        x = self.norm1(x + self.dropout(self.attention.attend(query, kv, bias)))
        return self.norm2(x + self.feed_forward(x))


class DecoderLayer(EncoderLayer):
    """Adds cross-attention to the film between self-attention and feed-forward."""

    def __init__(self, config: AmtConfig) -> None:
        super().__init__(config)
        if config.relative:
            self.attention = Attention(config.width, config.heads, config.attention_dropout, config.max_slots)
        self.cross = Attention(config.width, config.heads, config.attention_dropout) if config.see else None
        self.norm_cross = nn.LayerNorm(config.width) if config.see else None

    def film_keys_values(self, memory: torch.Tensor | None) -> KV | None:
        """(B, S, d) -> keys and values of the film; None for a layer that does not look."""
        if self.cross is None or memory is None:
            return None
        return self.cross.keys_values(memory)

    def rest(self, x: torch.Tensor, film: KV | None, film_bias: torch.Tensor | None) -> torch.Tensor:
        """Cross-attention and feed-forward; x (B, n, d), film of B songs or, with n = 1, one for all."""
        if self.cross is not None and self.norm_cross is not None and film is not None:
            if len(x) > 1 and len(film[0]) == 1:  # songs that share a film: its rows are read once for all of them
                seen = self.cross.attend(self.cross.queries(x.transpose(0, 1)), film, film_bias).transpose(0, 1)
            else:
                seen = self.cross.attend(self.cross.queries(x), film, film_bias)
            x = self.norm_cross(x + self.dropout(seen))
        return self.norm2(x + self.feed_forward(x))

    def decode(
        self, x: torch.Tensor, causal: torch.Tensor | None, film: KV | None, film_bias: torch.Tensor | None
    ) -> torch.Tensor:
        """x (B, T, d), causal (T, T) of 0 and -inf (None: unmasked, for parity tests only)."""
        query, kv = self.attention.self_projections(x)
        bias = self.attention.relative_bias(query)
        if bias is not None:
            bias = bias.tril()  # no relative term towards the future; matters only without the causal mask
        if causal is not None:
            bias = causal if bias is None else bias + causal
        x = self.norm1(x + self.dropout(self.attention.attend(query, kv, bias)))
        return self.rest(x, film, film_bias)

    def step(
        self,
        x: torch.Tensor,
        position: int,
        keys: torch.Tensor,
        values: torch.Tensor,
        film: KV | None,
        film_bias: torch.Tensor | None,
    ) -> torch.Tensor:
        """One position, x (B, 1, d); writes its key and value into the caches (B, H, max, d/H)."""
        query, (key, value) = self.attention.self_projections(x)
        keys[:, :, position], values[:, :, position] = key[:, :, 0], value[:, :, 0]
        bias = None
        if self.attention.Er is not None:
            bias = query @ self.attention.Er[self.attention.Er.shape[0] - 1 - position :].T  # (B, H, 1, position + 1)
        past = keys[:, :, : position + 1], values[:, :, : position + 1]
        x = self.norm1(x + self.attention.attend(query, past, bias))
        return self.rest(x, film, film_bias)


class Conditioning(nn.Module):
    """What is asked of the slot being decided, as two additions: to the decoder's input and to its output.

    columns: how many there are; present: the flags among them.  Where no flag is set both additions are exactly 0.
    """

    def __init__(self, hidden: int, width: int, columns: int, present: tuple[int, ...]) -> None:
        super().__init__()
        self.present = list(present)
        self.inner = nn.Linear(columns + 1, hidden)  # and the key flag
        self.before = nn.Linear(hidden, width)
        self.after = nn.Linear(hidden, width)
        for layer in (self.before, self.after):  # at first the network is what it is without conditions
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, conditions: torch.Tensor, minor: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """conditions (B, n, columns), minor (B,) -> two additions (B, n, d)."""
        key = minor.to(conditions.dtype)[:, None, None].expand(-1, conditions.shape[1], 1)
        hidden = functional.gelu(self.inner(torch.cat([conditions, key], dim=-1)))
        given = (conditions[..., self.present] > 0).any(dim=-1, keepdim=True)
        return self.before(hidden) * given, self.after(hidden) * given


class DecoderCache:
    """What decoding has computed: keys and values of every fed chord, pre-allocated; the film's, computed once.

    Positions 0..length-1 are filled.  `truncate(n)` forgets all after the first n: what follows is decoded anew while
    nothing before is recomputed.
    """

    # size: one caller, which has computed each already.
    def __init__(
        self,
        model: AffectiveMultimodalTransformer,
        memory: torch.Tensor | None,
        minor: torch.Tensor,
        valid: torch.Tensor | None,
        ends: bool,
        max_slots: int | None,
        conditions: torch.Tensor | None = None,
    ) -> None:
        config = model.config
        self.max_slots = config.max_slots if max_slots is None else max_slots
        if not 0 < self.max_slots <= config.max_slots:
            raise ValueError(f"max_slots must be 1..{config.max_slots}, not {self.max_slots}")
        batch = minor.shape[0]
        shape = (config.decoder_layers, batch, config.heads, self.max_slots, config.width // config.heads)
        self.keys, self.values = torch.zeros(shape), torch.zeros(shape)
        self.minor = minor
        self.over = model.film_over(valid, ends, batch, self.max_slots)  # (B, max)
        self.film: list[KV | None] = [None] * config.decoder_layers
        self.film_bias = model.film_bias(valid)
        if memory is not None:
            kept = [layer.film_keys_values(memory) for layer in model.decoder]
            # Laid out as they are read, once: every step's products go through them.
            self.film = [None if kv is None else (kv[0].contiguous(), kv[1].contiguous()) for kv in kept]
        self.tokens = torch.zeros(batch, self.max_slots, dtype=torch.int64)
        self.runs = torch.zeros(batch, self.max_slots, dtype=torch.int64)
        self.recall = RecallCache(batch, self.max_slots) if config.recall_heads else None
        self.echo = EchoCache(batch, self.max_slots) if config.echo_heads else None
        self.additions = model.condition(conditions, minor, self.max_slots)
        self.length = 0

    def truncate(self, length: int) -> None:
        """Keeps the first `length` positions, 0..self.length."""
        if not 0 <= length <= self.length:
            raise ValueError(f"cannot keep {length} of {self.length} positions")
        self.length = length

    def append(self, tokens: torch.Tensor) -> int:
        """Books the tokens (B,) as fed; returns their position."""
        position = self.length
        if position >= self.max_slots:
            raise ValueError(f"the cache holds {self.max_slots} slots")
        self.tokens[:, position] = tokens
        if position == 0:
            self.runs[:, 0] = 1
        else:
            same = tokens == self.tokens[:, position - 1]
            self.runs[:, position] = torch.where(same, self.runs[:, position - 1] + 1, torch.ones_like(tokens))
        self.length += 1
        return position


class _LayerList(nn.ModuleList, Generic[Layer]):
    """A ModuleList that knows what it holds."""

    def __iter__(self) -> Iterator[Layer]:
        return cast(Iterator[Layer], super().__iter__())


def _layers(layers: Iterable[Layer]) -> _LayerList[Layer]:
    return _LayerList(layers)


class AffectiveMultimodalTransformer(nn.Module):
    """See the module docstring.  Logits are over 159 tokens: 157 chords, END, PAD."""

    root_of: torch.Tensor
    attribute_of: torch.Tensor
    positions: torch.Tensor

    def __init__(self, config: AmtConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.root_embedding = nn.Embedding(ROOTS, width)
        self.quality_embedding = nn.Embedding(ATTRIBUTES, width)
        self.chord_in = nn.Linear(width + 1, width)  # concat(key flag, root + quality), eq. 3
        self.decoder = _layers(DecoderLayer(config) for _ in range(config.decoder_layers))
        self.decoder_norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, TOKENS)
        self.dropout = nn.Dropout(config.dropout)
        if config.see:
            self.film_in = nn.Linear(FEATURE_WIDTH, width)  # eq. 4
            self.encoder = _layers(EncoderLayer(config) for _ in range(config.encoder_layers))
            self.encoder_norm = nn.LayerNorm(width)
            if config.scaled:
                self.absent = nn.Parameter(torch.zeros(2, width))  # no semantics, no emotion
        if config.run_buckets:
            self.run_embedding = nn.Embedding(config.run_buckets, width)
            self.over_embedding = nn.Embedding(2, width)  # does the film go on in the next slot?
        self.recall = Recall(config.recall_heads, width, roots=config.recall_roots) if config.recall_heads else None
        self.echo = Echo(config.echo_heads, width, config.max_slots) if config.echo_heads else None
        self.conditioning = self.sections = None
        if config.condition_width:
            flags = (MOOD_PRESENT, BOUNDARY_PRESENT)
            self.conditioning = Conditioning(config.condition_width, width, CONDITION_WIDTH, flags)
        if config.section_width:
            self.sections = Conditioning(config.section_width, width, SECTION_WIDTH, (SECTION_PRESENT,))
        self.register_buffer("root_of", torch.from_numpy(ROOT_OF.copy()), persistent=False)
        self.register_buffer("attribute_of", torch.from_numpy(ATTRIBUTE_OF.copy()), persistent=False)
        positions = torch.from_numpy(sinusoids(config.max_slots, width))
        self.register_buffer("positions", positions, persistent=False)

    # --- the film ---------------------------------------------------------------------------------------------------

    def film_bias(self, valid: torch.Tensor | None) -> torch.Tensor | None:
        """(B, S) bool -> (B, 1, 1, S) of 0 and -inf, None where nothing is hidden."""
        if valid is None or not self.config.masked:
            return None
        seen = valid | ~valid.any(dim=1, keepdim=True)  # a film without one valid row: look at all, not at nothing
        return torch.zeros(seen.shape, device=valid.device).masked_fill(~seen, -math.inf)[:, None, None]

    def film_over(self, valid: torch.Tensor | None, ends: bool | torch.Tensor, batch: int, slots: int) -> torch.Tensor:
        """(B, slots) int64: 1 where the slot after this one is past the film's end.  ends: of all, or (B,) bool."""
        over = torch.zeros(batch, slots, dtype=torch.int64, device=self.positions.device)
        if valid is not None and ends is not False:
            rows = valid.shape[1]
            # A hole in the middle (an unreadable second) is not the end: only what follows the last valid row is over.
            last = torch.where(valid, torch.arange(rows, device=valid.device), -1).amax(dim=1)
            over = (torch.arange(slots, device=valid.device)[None] >= last[:, None]).long().expand(batch, -1)
            if rows >= self.config.max_slots:  # a full window may have been cut off: only its padding says it ends
                over = torch.where((last == rows - 1)[:, None], torch.zeros_like(over), over)
            if isinstance(ends, torch.Tensor):
                over = over * ends[:, None]
        return over

    def encode(
        self,
        features: torch.Tensor,
        valid: torch.Tensor | None = None,
        semantic_present: torch.Tensor | None = None,
        emotion_present: torch.Tensor | None = None,
    ) -> torch.Tensor | None:
        """features (B, S, 776) raw, valid (B, S) bool, flags (B,) bool -> memory (B, S', d); None if the net is blind.

        Without `config.masked` the rows are padded with zeros to 300 first, as the authors do; what the encoder says
        depends on that padding.
        """
        if not self.config.see:
            return None
        if not self.config.masked and features.shape[1] < self.config.max_slots:
            features = functional.pad(features, (0, 0, 0, self.config.max_slots - features.shape[1]))
        x = self.film_in(self._scale(features, semantic_present, emotion_present))
        if self.config.scaled:
            for row, present in enumerate((semantic_present, emotion_present)):
                if present is not None:
                    x = x + torch.where(present[:, None, None], 0.0, self.absent[row])
        x = self.dropout(x + self.positions[: x.shape[1]])
        bias = self.film_bias(valid)
        for layer in self.encoder:
            x = layer(x, bias)
        return self.encoder_norm(x)

    def _scale(
        self, features: torch.Tensor, semantic: torch.Tensor | None, emotion: torch.Tensor | None
    ) -> torch.Tensor:
        if not self.config.scaled:
            return features
        x = features.clone()
        if semantic is not None:
            x[..., :SEMANTIC_WIDTH] *= semantic[:, None, None]
        if emotion is not None:
            x[..., EMOTION_COLUMNS] *= emotion[:, None, None]
        x[..., SCENE_COLUMN] = torch.log1p(x[..., SCENE_COLUMN].clamp(min=0)) / 2
        x[..., MOTION_COLUMN] = torch.log1p(x[..., MOTION_COLUMN].clamp(min=0)) / 3
        return x

    def condition(
        self, conditions: torch.Tensor | None, minor: torch.Tensor, slots: int
    ) -> tuple[torch.Tensor, torch.Tensor] | None:
        """conditions (B, S, 12) by slot -> additions (B, slots, d) by step: step t decides slot t + 1.

        Section columns may stand behind the twelve; a network that cannot read them leaves them.  None without
        conditions.  Steps past the last row read that row.  Raises ValueError where the network has no such input.
        """
        if conditions is None:
            return None
        if self.conditioning is None:
            raise ValueError("this network has no conditioning input")
        rows = torch.arange(1, slots + 1, device=conditions.device).clamp(max=conditions.shape[1] - 1)
        given = conditions[:, rows]
        before, after = self.conditioning(given[..., :CONDITION_WIDTH], minor)
        if self.sections is not None and given.shape[2] > CONDITION_WIDTH:
            more = self.sections(given[..., CONDITION_WIDTH:], minor)
            before, after = before + more[0], after + more[1]
        return before, after

    # --- the chords -------------------------------------------------------------------------------------------------

    def _embed(self, tokens: torch.Tensor, minor: torch.Tensor, attributes: torch.Tensor | None) -> torch.Tensor:
        """(B, T) -> (B, T, d), eq. 3 without positions.  attributes overrides the quality index (parity only)."""
        quality = self.attribute_of[tokens] if attributes is None else attributes
        chord = self.root_embedding(self.root_of[tokens]) + self.quality_embedding(quality)
        key = minor.to(chord.dtype)[:, None, None].expand(-1, tokens.shape[1], 1)
        return self.chord_in(torch.cat([chord, key], dim=-1))

    def _memory_rows(self, runs: torch.Tensor, over: torch.Tensor) -> torch.Tensor:
        """Run-length and film-over embeddings, (B, T) each -> (B, T, d)."""
        bucket = (runs - 1).clamp(0, self.config.run_buckets - 1)
        return self.run_embedding(bucket) + self.over_embedding(over)

    # size: the tensors of a teacher-forced pass, by name.
    def forward(
        self,
        features: torch.Tensor,
        tokens: torch.Tensor,
        minor: torch.Tensor,
        *,
        valid: torch.Tensor | None = None,
        semantic_present: torch.Tensor | None = None,
        emotion_present: torch.Tensor | None = None,
        ends: bool | torch.Tensor = True,
        causal: bool = True,
        attributes: torch.Tensor | None = None,
        conditions: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Teacher-forced pass: features (B, S, 776), tokens (B, T), minor (B,) -> logits (B, T, 159).

        Row t holds the logits of token t + 1.  conditions: (B, S, 12) of models.conditioning.  `causal=False` and
        `attributes` exist for parity tests.
        """
        memory = self.encode(features, valid, semantic_present, emotion_present)
        return self.decode(
            tokens,
            minor,
            memory,
            valid=valid,
            ends=ends,
            causal=causal,
            attributes=attributes,
            conditions=conditions,
        )

    # size: the tensors of a teacher-forced pass, by name.
    def decode(
        self,
        tokens: torch.Tensor,
        minor: torch.Tensor,
        memory: torch.Tensor | None,
        *,
        valid: torch.Tensor | None = None,
        ends: bool | torch.Tensor = True,
        causal: bool = True,
        attributes: torch.Tensor | None = None,
        conditions: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The decoder alone: tokens (B, T) and the encoder's memory -> logits (B, T, 159)."""
        length = tokens.shape[1]
        x = self._embed(tokens, minor, attributes)
        if self.config.run_buckets:
            over = self.film_over(valid, ends, len(tokens), length)
            x = x + self._memory_rows(run_lengths(tokens), over)
        recalled = self.recall(tokens) if self.recall is not None else None  # (B, T, heads, V), (B, T, heads)
        if self.recall is not None and recalled is not None:
            x = x + self.recall.embed(*recalled)
        echoes = self.echo(tokens) if self.echo is not None else None
        if self.echo is not None and echoes is not None:
            x = x + self.echo.embed(echoes)
        additions = self.condition(conditions, minor, length)
        if additions is not None:
            x = x + additions[0]
        x = self.dropout(x + self.positions[:length])
        mask = torch.full((length, length), -math.inf, device=x.device).triu(1) if causal else None
        film_bias = self.film_bias(valid)
        for layer in self.decoder:
            x = layer.decode(x, mask, layer.film_keys_values(memory), film_bias)
        x = self.decoder_norm(x)
        if additions is not None:
            x = x + additions[1]
        return self._logits(x, tokens, recalled, echoes)

    def _logits(
        self, x: torch.Tensor, tokens: torch.Tensor, recalled: Votes | None, echoes: Echoes | None
    ) -> torch.Tensor:
        logits = self.out(x)
        if self.recall is not None and recalled is not None:
            logits = logits + self.recall.vote(x, *recalled)
        if self.echo is not None and echoes is not None:
            logits = self.echo.mix(logits, x, echoes, tokens)
        return logits

    # --- one chord at a time ----------------------------------------------------------------------------------------

    @torch.no_grad()
    def lay_out_for_decoding(self) -> None:
        """Stores the decoder's matrices by columns (same shapes, other strides): a product with a single row, which is
        all that decoding does and which is as slow as memory is, takes about a fifth less time.
        """
        for name, module in self.named_modules():
            if name.startswith(("encoder.", "film_in")):
                continue  # they read all rows of a film at once
            weight = module.weight if isinstance(module, nn.Linear) else None
            weight = module.in_proj_weight if isinstance(module, Attention) else weight
            if weight is not None:
                weight.data = weight.data.T.contiguous().T

    def new_cache(
        self,
        memory: torch.Tensor | None,
        minor: torch.Tensor,
        valid: torch.Tensor | None = None,
        *,
        ends: bool = True,
        max_slots: int | None = None,
        conditions: torch.Tensor | None = None,
    ) -> DecoderCache:
        """A cache for minor.shape[0] songs; memory (B, S, d), (1, S, d) for one film for all, None if blind.

        conditions: (B, S, 12) of models.conditioning.
        """
        return DecoderCache(self, memory, minor, valid, ends, max_slots, conditions)

    @torch.inference_mode()
    def decode_step(
        self, tokens: torch.Tensor, cache: DecoderCache, attributes: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Feeds one chord per song, (B,) int64; returns the logits (B, 159) of the next.  Eval mode only."""
        if self.training:
            raise RuntimeError("decode_step is for evaluation: call model.eval() first")
        position = cache.append(tokens)
        x = self._embed(tokens[:, None], cache.minor, None if attributes is None else attributes[:, None])
        if self.config.run_buckets:
            here = slice(position, position + 1)
            x = x + self._memory_rows(cache.runs[:, here], cache.over[:, here])
        recalled = None
        if self.recall is not None and cache.recall is not None:
            recalled = self.recall.step(tokens, position, cache.recall)
            x = x + self.recall.embed(*recalled)
        echoes = None
        if self.echo is not None and cache.echo is not None:
            echoes = self.echo.step(tokens, position, cache.echo)
            x = x + self.echo.embed(echoes)
        if cache.additions is not None:
            x = x + cache.additions[0][:, position, None]
        x = x + self.positions[position]
        for index, layer in enumerate(self.decoder):
            x = layer.step(x, position, cache.keys[index], cache.values[index], cache.film[index], cache.film_bias)
        x = self.decoder_norm(x)
        if cache.additions is not None:
            x = x + cache.additions[1][:, position, None]
        return self._logits(x, tokens[:, None], recalled, echoes)[:, 0]
