"""What is wrong with a film or a set, in one sentence."""

from engine.music.errors import UserError


class DatasetError(UserError):
    """A film that cannot be part of a set, or a set that cannot be read."""
