"""What a person can put right about sound."""

from engine.music import UserError


class SoundError(UserError):
    """A SoundFont, a sound file or a film's sound that cannot be read or written."""
