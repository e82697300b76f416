"""The session file: JSON with everything that decides the notes, and the notes of kept takes.

It holds results, not only recipes, so that a session plays without the engine and with other weights.
"""

from engine.document.file.reading import decode_session, read_session
from engine.document.file.suffix import SUFFIX
from engine.document.file.writing import SessionWriter, write_session
from engine.document.saved import SessionError

__all__ = ["SUFFIX", "SessionError", "SessionWriter", "decode_session", "read_session", "write_session"]
