"""Edits that take long in a long film, made over several turns of the session.

An edit is a pure function of the document, so it may be begun more than once: what of it grows with the film is done
first, in pieces, and then the edit is made with that.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Final, TypeVar

from bridge.session.state import SessionState
from bridge.session.tempo import NotRefittedError, Refits

Made = TypeVar("Made")
TRIES: Final = 16  # while the music changes under the pieces; then the edit is made in one


def in_pieces(session: SessionState, act: Callable[[], Made]) -> Generator[bool, None, Made]:
    """What `act` returns, which makes edits and nothing before them that cannot be done twice; a turn may end at each
    pause.  True: the next step takes long in a long film."""
    refits = Refits()
    for _ in range(TRIES):
        session.refits = refits
        try:
            return act()
        except NotRefittedError as wanting:
            missing = wanting
        finally:
            session.refits = None
        yield True
        for _ in refits.make(missing):
            yield False
        yield True
    return act()
