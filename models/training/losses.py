"""Losses: the paper's (eq. 5-7) and those of the shipped networks."""

from __future__ import annotations

import torch
from torch.nn import functional

from engine.music.chord import CHORD_PAD
from models.vocabulary import AFFECT_SETS, NEUTRAL, TOKENS


def chord_loss(logits: torch.Tensor, targets: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
    """Eq. 6: cross entropy in nats, mean over real targets (END counts, PAD does not).  (B, T, V), (B, T) -> ()."""
    return functional.cross_entropy(
        logits.reshape(-1, TOKENS), targets.reshape(-1), ignore_index=CHORD_PAD, label_smoothing=smoothing
    )


def affect_targets(emotion: torch.Tensor) -> torch.Tensor:
    """Strongest emotion per step (B, T) -> multi-hot chords of its Table 1 set (B, T, V); neutral is all zero."""
    return torch.from_numpy(AFFECT_SETS.copy()).to(emotion.device)[emotion].float()


def emotion_loss(logits: torch.Tensor, emotion: torch.Tensor) -> torch.Tensor:
    """Eq. 7: binary cross entropy of the raw logits against the affect set, mean over steps and the 159 classes.

    The authors include padded steps, whose target is all zero but for END/PAD; here padded steps are to be left out by
    the caller's mask.  A uniform shift of the logits lowers this loss and changes no chord: see `quality_loss`.
    """
    return functional.binary_cross_entropy_with_logits(logits, affect_targets(emotion))


def quality_loss(logits: torch.Tensor, emotion: torch.Tensor) -> torch.Tensor:
    """-log P(the chord's quality is in the affect set), over steps that are not neutral.  Not shift-invariant blind:
    it looks at probabilities, so only moving probability between chords lowers it.  (N, V), (N,) -> ()."""
    rated = emotion != NEUTRAL
    if not bool(rated.any()):
        return logits.sum() * 0
    inside = (torch.softmax(logits[rated], dim=-1) * affect_targets(emotion[rated])).sum(-1)
    return -torch.log(inside.clamp(min=1e-6)).mean()


def masked_mse(predicted: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Mean square error over real frames: (B, S, 2), (B, S, 2), (B, S) -> ()."""
    return ((predicted - truth) ** 2)[valid].mean()


def correlation_loss(predicted: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """1 - Pearson correlation over a song's real frames, mean over songs and the two targets."""
    weight = valid[..., None].to(predicted.dtype)
    count = weight.sum(1, keepdim=True).clamp(min=1)
    p = (predicted - (predicted * weight).sum(1, keepdim=True) / count) * weight
    t = (truth - (truth * weight).sum(1, keepdim=True) / count) * weight
    norm = torch.sqrt((p**2).sum(1) * (t**2).sum(1) + 1e-6)
    return 1 - ((p * t).sum(1) / norm).mean()
