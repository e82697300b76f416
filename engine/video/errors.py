"""The one error of this package (see the tree in engine.music.errors)."""

from __future__ import annotations

from engine.music.errors import UserError


class VideoError(UserError):
    """A film, a mask, a feature file or CLIP weights that cannot be used.  `str(error)` is one sentence."""
