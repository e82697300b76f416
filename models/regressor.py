"""Regressors: film features -> note density and loudness per second (paper section 4.2.1).

FC (776 -> 512 ReLU -> 1 per target), LSTM, BiLSTM, GRU and BiGRU (two layers of 64).  With the default
configuration and kind="bigru" this computes what the authors' published network computes.  `scaled=True` is what
ships: inputs brought to like ranges with flags for what is missing, targets z-scored inside the network.
`chord_width` adds a part that reads the chords, too, each second's and those before it (never later ones: in use the
dynamics of a slot are decided when its chord is, while later chords are still being composed).  What it says is added
to what the picture alone says: without chords the network is the one that it was before it had this part.
`levels=True` adds a second opinion on how busy and loud a film is on the whole (ridge regression on the film's mean
features, in closed form; recurrent networks overfit that: there are 597 songs to learn it from) and brings the
deviations from that mean to the size that fits best when features are missing.  `spread` undoes what every
least-squares prediction suffers from, values that crowd around the mean.

Density is in notes per second (MuVi-Sync counts the notes sounding in that second), loudness RMS 0..1.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import nn

from models.config import FARTHEST, LEVEL_SHARE, RegressorConfig
from models.film import (
    EMOTION_COLUMNS,
    FEATURE_WIDTH,
    MOTION_COLUMN,
    SCENE_COLUMN,
    SEMANTIC_WIDTH,
    FilmInputs,
)
from models.vocabulary import ATTRIBUTE_OF, ATTRIBUTES, CHORD_FACTS, ROOT_OF, ROOTS, chord_facts

POOLED: Final = FEATURE_WIDTH  # columns of a film's mean row, see `pooled`
QUANTILES: Final = 33  # knots of the map that spreads predictions


def pooled(features: torch.Tensor, valid: torch.Tensor | None = None) -> torch.Tensor:
    """features (B, S, 776) raw, valid (B, S) -> (B, 776) means over valid rows, of scene offset and motion in logs."""
    rows = features.clone()
    rows[..., SCENE_COLUMN : MOTION_COLUMN + 1] = torch.log1p(rows[..., SCENE_COLUMN : MOTION_COLUMN + 1].clamp(min=0))
    if valid is None:
        return rows.mean(dim=1)
    weight = valid[..., None].to(rows.dtype)
    return (rows * weight).sum(1) / weight.sum(1).clamp(min=1)


def _missing(count: int, semantic: torch.Tensor | None, emotion: torch.Tensor | None) -> torch.Tensor:
    """(B,) int64: 0 nothing is missing, 1 semantics, 2 emotion, 3 both; None = all are there."""
    out = torch.zeros(count, dtype=torch.int64)
    for bit, present in ((1, semantic), (2, emotion)):
        if present is not None:
            out = out.to(present.device) + bit * (~present).long()
    return out


class DynamicsRegressor(nn.Module):
    """See the module docstring."""

    target_mean: torch.Tensor
    target_scale: torch.Tensor
    pooled_mean: torch.Tensor
    pooled_scale: torch.Tensor
    level_weight: torch.Tensor
    level_bias: torch.Tensor
    shape_gain: torch.Tensor
    chord_gain: torch.Tensor
    quantiles_predicted: torch.Tensor
    quantiles_true: torch.Tensor

    def __init__(self, config: RegressorConfig) -> None:
        super().__init__()
        self.config = config
        self.input_dropout = nn.Dropout(config.dropout)
        width_in = FEATURE_WIDTH
        if config.scaled:
            width_in += 2  # flags: semantics, emotion present
            if config.bottleneck:
                self.narrow = nn.Linear(SEMANTIC_WIDTH, config.bottleneck)
                width_in += config.bottleneck - SEMANTIC_WIDTH
        if config.kind == "fc":
            # Section 4.2.1 has one output unit per network: density and loudness each get their own pair of layers.
            self.fc = nn.ModuleList(
                nn.Sequential(nn.Linear(width_in, 512), nn.ReLU(), nn.Linear(512, 1)) for _ in range(2)
            )
        else:
            both = config.kind.startswith("bi")
            cell = nn.LSTM if config.kind.endswith("lstm") else nn.GRU
            self.rnn = cell(width_in, config.width, config.layers, batch_first=True, bidirectional=both)
            self.out = nn.Linear(config.width * (2 if both else 1), 2)
            if config.chord_width:
                self.chord_roots = nn.Embedding(ROOTS, config.chord_width)
                self.chord_qualities = nn.Embedding(ATTRIBUTES, config.chord_width)
                self.chord_facts = nn.Linear(CHORD_FACTS, config.chord_width)
                seen = config.width * (2 if both else 1)
                self.chord_rnn = nn.GRU(seen + config.chord_width, config.chord_width, batch_first=True)
                self.chord_out = nn.Linear(config.chord_width, 2)
                nn.init.zeros_(self.chord_out.weight)
                nn.init.zeros_(self.chord_out.bias)
        if config.scaled:  # filled from the training set; saved with the weights
            self.register_buffer("target_mean", torch.zeros(2))
            self.register_buffer("target_scale", torch.ones(2))
        if config.levels:
            self.register_buffer("pooled_mean", torch.zeros(POOLED))
            self.register_buffer("pooled_scale", torch.ones(POOLED))
            # One ridge and one gain for each of: nothing missing, no semantics, no emotion, neither.
            self.register_buffer("level_weight", torch.zeros(4, POOLED, 2))
            self.register_buffer("level_bias", torch.zeros(4, 2))
            self.register_buffer("shape_gain", torch.ones(4, 2))
            if config.chord_width:
                self.register_buffer("chord_gain", torch.ones(4, 2))  # in its place where chords are read
            ramp = torch.linspace(0.0, 1.0, QUANTILES)[:, None].repeat(1, 2)
            self.register_buffer("quantiles_predicted", ramp.clone())  # (33, 2) ascending
            self.register_buffer("quantiles_true", ramp.clone())

    def forward(
        self,
        features: torch.Tensor,
        valid: torch.Tensor | None = None,
        semantic_present: torch.Tensor | None = None,
        emotion_present: torch.Tensor | None = None,
        chords: torch.Tensor | None = None,
        minor: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """features (B, S, 776) raw -> (B, S, 2): notes per second, loudness.

        With `valid` (B, S) bool, recurrent kinds never read padding after the last valid row; without it they read the
        zeros, as the authors' do.  chords (B, S) int64, one a second in C major or A minor (minor (B,) bool says
        which), PAD where unknown; None, and without `chord_width`: the picture alone.
        """
        x = self.input_dropout(self._scale(features, semantic_present, emotion_present))
        read = chords is not None and self.config.chord_width > 0
        if self.config.kind == "fc":
            alone = out = torch.cat([head(x) for head in self.fc], dim=-1)
        else:
            hidden = self._film_states(x, valid)
            alone = out = self.out(hidden)
            if read and chords is not None:
                out = alone + self.chord_out(self._chord_states(hidden, chords, minor))
        if self.config.scaled:
            out, alone = (each * self.target_scale + self.target_mean for each in (out, alone))
        if self.config.levels and not self.training:  # the ridge has seen the training songs' answers
            weight = torch.ones_like(out[..., :1]) if valid is None else valid[..., None].to(out.dtype)
            own = ((alone * weight).sum(1) / weight.sum(1).clamp(min=1))[:, None]
            level = self.level(features, valid, semantic_present, emotion_present)[:, None]
            gains = self.chord_gain if read else self.shape_gain
            gain = gains[_missing(len(out), semantic_present, emotion_present)][:, None]
            out = own + LEVEL_SHARE * (level - own) + gain * (out - own)
        return out

    def _film_states(self, x: torch.Tensor, valid: torch.Tensor | None) -> torch.Tensor:
        """(B, S, W) what the recurrent network makes of the scaled inputs; zeros after the last valid row."""
        if valid is None:
            return self.rnn(x)[0]
        rows = torch.where(valid, torch.arange(1, valid.shape[1] + 1, device=valid.device), 0)
        lengths = rows.amax(dim=1).clamp(min=1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0], batch_first=True, total_length=x.shape[1])[0]

    def _chord_states(self, hidden: torch.Tensor, chords: torch.Tensor, minor: torch.Tensor | None) -> torch.Tensor:
        """(B, S, chord_width), each row from the chords up to its own second."""
        modes = [False] * len(chords) if minor is None else minor.tolist()
        rows = [chord_facts(row.cpu().numpy(), mode) for row, mode in zip(chords, modes, strict=True)]
        facts = torch.from_numpy(np.stack(rows)).to(hidden.device)
        ids = chords.cpu().numpy()
        roots, qualities = (torch.from_numpy(table[ids]).to(hidden.device) for table in (ROOT_OF, ATTRIBUTE_OF))
        known = facts[..., :1]
        read = torch.tanh((self.chord_roots(roots) + self.chord_qualities(qualities)) * known + self.chord_facts(facts))
        return self.chord_rnn(torch.cat([hidden, read], dim=-1))[0]

    def level(
        self,
        features: torch.Tensor,
        valid: torch.Tensor | None = None,
        semantic_present: torch.Tensor | None = None,
        emotion_present: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """(B, 2) what the ridge says of each film's mean density and loudness."""
        rows = (pooled(features, valid) - self.pooled_mean) / self.pooled_scale
        which = _missing(len(rows), semantic_present, emotion_present)
        weight, bias = self.level_weight[which], self.level_bias[which]
        return (rows.clamp(-FARTHEST, FARTHEST)[:, None] @ weight)[:, 0] + bias

    def spread(self, density: np.ndarray, loudness: np.ndarray, share: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Moves predictions towards the values of the same rank in MuVi-Sync: (T,), (T,) -> (T,), (T,).

        share 0 leaves them, 1 gives the truth's histogram over many films.  Order is kept; errors grow, since a
        prediction that commits itself is wrong by more.  Without `levels` they are left as they are.
        """
        if not self.config.levels or share == 0:
            return density, loudness
        moved = []
        for column, values in enumerate((density, loudness)):
            known, true = self.quantiles_predicted[:, column].numpy(), self.quantiles_true[:, column].numpy()
            moved.append((1 - share) * values + share * np.interp(values, known, true))
        return moved[0], moved[1]

    def _scale(
        self, features: torch.Tensor, semantic: torch.Tensor | None, emotion: torch.Tensor | None
    ) -> torch.Tensor:
        if not self.config.scaled:
            return features
        ones = torch.ones(features.shape[0], dtype=torch.bool, device=features.device)
        has_semantic = ones if semantic is None else semantic
        has_emotion = ones if emotion is None else emotion
        seen = features[..., :SEMANTIC_WIDTH] * has_semantic[:, None, None]
        if self.config.bottleneck:
            seen = self.narrow(seen)
        flags = torch.stack([has_semantic, has_emotion], dim=-1)[:, None].expand(-1, features.shape[1], -1)
        return torch.cat(
            [
                seen,
                torch.log1p(features[..., SCENE_COLUMN : SCENE_COLUMN + 1].clamp(min=0)) / 2,
                torch.log1p(features[..., MOTION_COLUMN : MOTION_COLUMN + 1].clamp(min=0)) / 3,
                features[..., EMOTION_COLUMNS] * has_emotion[:, None, None],
                flags.to(features.dtype),
            ],
            dim=-1,
        )

    @torch.no_grad()
    def predict(self, film: FilmInputs, chords: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Density (T,) notes per second, at least 0, and loudness (T,) 0..1 of a film of any length.

        chords: (T,) ids, see `forward`.
        """
        given = (film.features, film.valid, film.semantic_present, film.emotion_present)
        read = None if chords is None else torch.from_numpy(np.asarray(chords, dtype=np.int64))[None]
        minor = torch.from_numpy(film.minor)
        out = self(*(torch.from_numpy(array) for array in given), chords=read, minor=minor)[0].numpy()
        return np.maximum(out[:, 0], 0.0), np.clip(out[:, 1], 0.0, 1.0)
