"""What a bundle of messages may have to be taken back to: of several messages one is refused late, none is done."""

from __future__ import annotations

from bridge.controls.midi import Hands
from bridge.session.session import Session


class Before:
    """The state of a session and its learner when it was made; `restore` leads back to it.

    Not kept: where the playhead is and whether it rolls, the film, files that were written, and what a DAW was told.
    """

    def __init__(self, session: Session, hands: Hands) -> None:
        self._session, self._hands = session, hands
        self._steps, self._index = session.history.steps, session.history.undo_count
        self._loop = session.transport.looped
        self._knock = (session.knock.on, session.knock.channel, session.knock.pitch)
        self._takes = session.takes.state
        self._learn = hands.learn.state

    def restore(self) -> None:
        session, history = self._session, self._session.history
        session.takes.restore(self._takes)
        self._hands.learn.restore(self._learn)
        if session.transport.looped != self._loop:
            session.transport.loop(self._loop is not None, *(self._loop or ()))
        session.knock.set(*self._knock)
        if history.undo_count != self._index or history.steps != self._steps:
            boundary_s = session.transport.boundary_s("bar")
            history.restore(self._steps, self._index)
            session.follow_document(boundary_s, whole=True)
