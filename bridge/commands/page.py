"""`cuebridge page [FILM|LINK]`: the page first, the film in it.

Without a film the server waits for one to be chosen, dropped or fetched from a link; then the session is that of `live`
on its own transport, without a MIDI port unless one is asked for.  A film that cannot be read is said in the page, and
another can be chosen.
"""

from __future__ import annotations

import argparse
import queue
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from bridge.commands.ending import END_S
from bridge.commands.live import Live
from bridge.commands.live_options import LivePlan, page_of, parser, plan_of
from bridge.commands.page_link import open_in_browser, page_link
from bridge.commands.signals import ENDING, handled
from bridge.commands.version import version
from bridge.page import messages as p
from bridge.page.link import PageLink
from engine.music import UserError
from engine.music.extras import need_extra

_LINKS: Final = ("http://", "https://")
_TURN_S: Final = 0.1


class FirstFilm:
    """The program until there is a session.

    inbox: where the page's messages wait, whoever takes them: what comes while a session starts or ends is not lost.
    """

    def __init__(self, link: PageLink, given: argparse.Namespace, inbox: queue.SimpleQueue[Any]) -> None:
        self.link, self._given, self.inbox = link, given, inbox
        self.ended_by: int | None = None

    def wait(self) -> LivePlan | None:
        """The plan for the film that was chosen; None where the program is to end."""
        self.link.receive = self.inbox.put
        if self.link.pages:
            self.link.send(p.FilmOf(""))
        while self.ended_by is None:
            try:
                message = self.inbox.get(timeout=_TURN_S)
            except queue.Empty:
                continue
            plan = self._received(message)
            if plan is not None:
                return plan
        return None

    def _received(self, message: Any) -> LivePlan | None:
        match message:
            case p.Watching():
                self.link.send(p.Fresh(message.fresh))
            case p.Do():
                sentence = "choose a film first."
                self.link.send(p.Answer(message.client, message.id, None, None, "not_ready", sentence))
            case p.Save():
                self.link.send(p.ToSave(message.job, message.path, "There is no music yet."))
            case p.ServerFailed():
                _say(message.sentence)
            case p.ChooseFilm():
                return self._chosen(message)
        return None

    def _chosen(self, message: p.ChooseFilm) -> LivePlan | None:
        try:
            plan = plan_for(message.path, self._given)
        except UserError as error:
            self.link.send(p.Answer(message.client, message.id, None, None, "bad_value", str(error)))
            return None
        self.link.send(p.Answer(message.client, message.id, (message.name,)))
        return plan


def plan_for(film: str, given: argparse.Namespace) -> LivePlan:
    """What `live` is asked for with this film.  Raises UserError."""
    api = "none" if given.midi_api == "auto" else given.midi_api
    return plan_of(argparse.Namespace(**{**vars(given), "film": film, "midi_api": api}))


def run_chosen(link: PageLink, given: argparse.Namespace, inbox: queue.SimpleQueue[Any]) -> int:
    """Waits for films and plays them, until one of them ends the program.  Raises UserError."""
    while True:
        first = FirstFilm(link, given, inbox)

        def ended(number: int, frame: object, first: FirstFilm = first) -> None:
            first.ended_by = number

        with handled(ended, *ENDING):
            plan = first.wait()
        if plan is None:
            return 130 if first.ended_by == signal.SIGINT else 0
        try:
            return Live(replace(plan, page=None), link, inbox).run()  # the page is open already
        except UserError as error:
            if not link.pages:  # nobody would see it
                raise
            link.forget_plan()
            link.send(p.FilmOf(""))
            link.send(p.Said(0.0, str(error)))


def page_parser() -> argparse.ArgumentParser:
    """The options of `live`, the film left to the page."""
    top = parser("cuebridge page", "Opens the page: choose a film, hear its music, change what you like.")
    film = next(action for action in top._actions if action.dest == "film")
    film.nargs, film.metavar = "?", "FILM|LINK"
    film.help = "the film, or the address of one; without it, choose one in the page"
    return top


def main(arguments: Sequence[str]) -> int:
    given = page_parser().parse_args(list(arguments))
    if given.film is None:
        return _run(given)
    if given.film.startswith(_LINKS):
        need_extra("link-video", "A film from a link")
        return _run(given, link=given.film)
    return Live(plan_for(given.film, given)).run()


def _run(given: argparse.Namespace, link: str | None = None) -> int:
    """Raises UserError."""
    wanted = page_of(given)
    if wanted is None:
        raise UserError("cuebridge page is the page; leave --no-page out.")
    page = page_link(wanted, version(), link)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    page.receive = inbox.put
    try:
        with handled(_leave, *(name for name in ENDING if name != "SIGINT")):
            if not page.start():
                raise UserError(page.fault)
        address = wanted.address(page.address)
        sys.stdout.write(f"Page: {address}\n")
        sys.stdout.flush()
        if wanted.opens:
            open_in_browser(address, _say)
        return run_chosen(page, given, inbox)
    finally:
        page.close(END_S)


def _leave(number: int, frame: object) -> None:
    """A signal while the server starts: there is nothing yet to keep."""
    raise SystemExit(0)


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
