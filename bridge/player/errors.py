"""Faults of ports and sync that a person can act on."""

from __future__ import annotations

from engine.music.errors import UserError


class PortError(UserError):
    """A MIDI port or MIDI system that cannot be used; the sentence names it."""


class SyncError(UserError):
    """A sync source, frame rate or tempo source that cannot be used as asked."""
