"""What pages ask of the session, done like any OSC message.  Runs in the session's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bridge.controls.dispatch import PIECE_S, Controls, Reply
from bridge.osc.clients import Target
from bridge.osc.codec import Argument, Message
from bridge.page import messages as p
from bridge.page.feed import Link
from bridge.session.file.autosave import saved_state
from engine.document import SavedSession
from engine.document.file import SessionWriter, write_session
from engine.music import UserError
from engine.music.arguments import ControlError
from engine.music.controls import BY_ADDRESS

PAGE: Final = "page "  # what the host of a page's target begins with


def is_page(target: Target) -> bool:
    return target[0].startswith(PAGE)


class PageCommands:
    """controls does them; choose_film(path) takes a film that was chosen in a page and may raise UserError."""

    def __init__(self, controls: Controls, link: Link, choose_film: Callable[[Path], None]) -> None:
        self._controls, self._link, self._choose_film = controls, link, choose_film
        self._owed: set[Target] = set()  # what is answered later, when a file is written or read
        self._coming: dict[Target, list[tuple[str, tuple[Argument, ...]]]] = {}  # its answers, of one turn

    def do(self, message: p.Do) -> None:
        """Answers by the link, now or, where that takes time, in later turns; not while `controls` is busy."""
        target = (f"{PAGE}{message.client}", message.id)

        def refused(error: UserError) -> None:
            code = error.code if isinstance(error, ControlError) else "bad_value"
            self.refuse(target, message.address, code, str(error))

        def tried(found: tuple[Argument, ...]) -> None:
            values = found[1:]
            heard_s = values[-1] if values and isinstance(values[-1], float) else None
            self._link.send(p.Answer(message.client, message.id, values, heard_s))

        def answered(replies: list[Reply], heard_s: float | None) -> None:
            if not replies:
                return
            self._owed.discard(target)
            more = tuple((address, tuple(values)) for address, values in replies[1:])
            self._link.send(p.Answer(message.client, message.id, tuple(replies[0][1]), heard_s, more=more))

        if message.attempt:
            self._controls.attempt(message.address, message.arguments, tried, refused, budget_s=PIECE_S)
        else:
            asked = Message(message.address, message.arguments)
            self._owed.add(target)  # beforehand: what is known at once is answered before this returns
            self._controls.ask(asked, target, answered, refused, gesture=message.gesture, budget_s=PIECE_S)

    def answer(self, target: Target, address: str, values: Sequence[Argument]) -> None:
        """Later than the request: a file was written or read, or a change is heard later than was said."""
        if target in self._owed:
            self._owed.discard(target)
            self._coming[target] = [(address, tuple(values))]
        elif target in self._coming and address != self._coming[target][0][0]:
            self._coming[target].append((address, tuple(values)))
        else:
            self.flush()
            heard_s = float(values[-1]) if values and isinstance(values[-1], float) else None
            client = int(target[0].removeprefix(PAGE))
            self._link.send(p.Answer(client, target[1], tuple(values), heard_s, late=True))

    def flush(self) -> None:
        """Sends what was answered later in this turn, all messages of an answer as one."""
        for target, replies in self._coming.items():
            (address, values), more = replies[0], tuple(replies[1:])
            promised = BY_ADDRESS[address].effect != "none" if address in BY_ADDRESS else False
            heard_s = float(values[-1]) if promised and values and isinstance(values[-1], float) else None
            client = int(target[0].removeprefix(PAGE))
            self._link.send(p.Answer(client, target[1], values, heard_s, more=more))
        self._coming.clear()

    def refuse(self, target: Target, address: str, code: str, sentence: str) -> None:
        client = int(target[0].removeprefix(PAGE))
        self._owed.discard(target)
        self._link.send(p.Answer(client, target[1], None, None, code, sentence))

    def choose(self, message: p.ChooseFilm) -> None:
        try:
            self._choose_film(Path(message.path))
        except UserError as error:
            code = error.code if isinstance(error, ControlError) else "bad_value"
            self._link.send(p.Answer(message.client, message.id, None, None, code, str(error)))
            return
        self._link.send(p.Answer(message.client, message.id, (message.name,)))

    def save(self, message: p.Save) -> None:
        """Writes the session for a job, beside the session's thread; answered when it is there."""
        session = self._controls.session
        saved = saved_state(session, session.film.fingerprint or session.film.read_fingerprint())
        if saved is None or not saved.steps[saved.index].document.result.complete:
            self._link.send(p.ToSave(message.job, message.path, "The music is still being composed; wait for its end."))
            return
        threading.Thread(target=self._write, args=(message, saved), name="page save").start()

    def _write(self, message: p.Save, saved: SavedSession) -> None:
        path, fault = Path(message.path), ""
        try:
            write_session(path, SessionWriter().encode(saved, path))
        except UserError as error:
            fault = str(error)
        except Exception as error:  # the job waits for an answer
            fault = f"The session could not be written: {type(error).__name__}: {error}."
        self._link.send(p.ToSave(message.job, message.path, fault))
