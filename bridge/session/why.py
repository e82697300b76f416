"""Questions why a chord stands where it does; what the networks thought is asked of the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bridge.session.state import SessionState
from engine.document import ChordBlock, Document
from engine.music.arguments import ControlError
from engine.process.messages import ToEngine, WhyAnswer, WhyRequest
from engine.process.why import Why, explained, is_composed, request_up_to

PATIENCE_S: Final = 2.0  # an engine that is busy or away: what is known without it is answered


@dataclass(frozen=True, slots=True)
class _Asked:
    block: ChordBlock
    document: Document
    reply: Callable[[Why], None]
    until_host_s: float


class Questions:
    """Questions that the engine was asked, by their number."""

    def __init__(self) -> None:
        self._number = 0
        self._open: dict[int, _Asked] = {}

    def ask(
        self, session: SessionState, at_s: float, send: Callable[[ToEngine], None], reply: Callable[[Why], None]
    ) -> None:
        """Asks why the chord at a picture second is there; `reply` gets the answer, now or later.

        Raises ControlError where there is no chord.
        """
        document = session.document
        block = document.block_at(at_s)
        if block is None:
            raise ControlError("not_ready", f"there is no chord at {at_s:.2f} s.")
        if not is_composed(block) or session.engine_state != "ready":
            reply(explained(document, block, _reading(session)))
            return
        self._number += 1
        self._open[self._number] = _Asked(block, document, reply, session.clock.now() + PATIENCE_S)
        send(WhyRequest(self._number, request_up_to(document, block, session.composing.auto_keys)))

    def answered(self, session: SessionState, answer: WhyAnswer) -> None:
        asked = self._open.pop(answer.number, None)
        if asked is not None:
            asked.reply(explained(asked.document, asked.block, _reading(session), answer))

    def tick(self, session: SessionState) -> None:
        """Answers without the engine what it was asked too long ago."""
        now_s = session.clock.now()
        for number in [number for number, asked in self._open.items() if asked.until_host_s <= now_s]:
            asked = self._open.pop(number)
            asked.reply(explained(asked.document, asked.block, _reading(session)))


def _reading(session: SessionState) -> str:
    return "" if session.analysed is None else session.analysed.reading
