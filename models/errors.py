"""Errors of the networks' side that a person can act on."""

from __future__ import annotations

from engine.music.errors import UserError


class ModelError(UserError):
    """Weights, training data or decoding options that cannot be used."""


class CheckpointError(ModelError):
    """A weights file that is not what it should be."""
