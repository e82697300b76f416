"""The state to go back to where a message of a bundle is refused late: all of it takes effect or none."""

from __future__ import annotations

from bridge.controls.midi import MidiControl
from bridge.session.session import Session


class Before:
    """The state of a session and its learner when it was made; `restore` leads back to it.

    Not kept: where the playhead is and whether it rolls, the film, files that were written, and what was sent to a DAW.
    """

    def __init__(self, session: Session, midi: MidiControl) -> None:
        self._session, self._midi = session, midi
        self._steps, self._index = session.history.steps, session.history.undo_count
        self._loop = session.transport.looped
        self._click = session.arranging.click
        self._takes = session.takes.table
        self._learn = midi.learn.state

    def restore(self) -> None:
        session, history = self._session, self._session.history
        session.takes.restore(self._takes)
        self._midi.learn.restore(self._learn)
        if session.transport.looped != self._loop:
            session.loop(self._loop is not None, *(self._loop or ()))
        session.set_click(self._click)
        if history.undo_count != self._index or history.steps != self._steps:
            session.restore_history(self._steps, self._index)
