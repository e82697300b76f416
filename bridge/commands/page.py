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
from typing import Any, Final

from bridge.cli import version
from bridge.commands.live import Live, watching_signals
from bridge.commands.live_options import LivePlan, PagePlan, parse, parser
from bridge.commands.page_link import open_in_browser, page_link
from bridge.page import messages as p
from bridge.page.link import PageLink
from engine.music import UserError
from engine.music.extras import need_extra

_LINKS: Final = ("http://", "https://")
_TURN_S: Final = 0.1


class FirstFilm:
    """The program until there is a session."""

    def __init__(self, link: PageLink, words: Sequence[str]) -> None:
        self.link = link
        self._words = list(words)
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
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
            plan = plan_for(message.path, self._words)
        except UserError as error:
            self.link.send(p.Answer(message.client, message.id, None, None, "bad_value", str(error)))
            return None
        self.link.send(p.Answer(message.client, message.id, (message.name,)))
        return plan


def plan_for(film: str, words: Sequence[str]) -> LivePlan:
    """What `live` is asked for with this film.  Raises UserError."""
    given = parser().parse_args([film, *words])
    more = [] if given.midi_api != "auto" else ["--midi-api", "none"]
    return parse([film, *words, *more])


def run_chosen(link: PageLink, words: Sequence[str]) -> int:
    """Waits for films and plays them, until one of them ends the program.  Raises UserError."""
    while True:
        first = FirstFilm(link, words)

        def ended(number: int, frame: object, first: FirstFilm = first) -> None:
            first.ended_by = number

        with watching_signals(ended):
            plan = first.wait()
        if plan is None:
            return 130 if first.ended_by == signal.SIGINT else 0
        try:
            return Live(plan, link).run()
        except UserError as error:
            if not link.pages:  # nobody would see it
                raise
            link.forget_plan()
            link.send(p.FilmOf(""))
            link.send(p.Said(0.0, str(error)))


def page_parser() -> argparse.ArgumentParser:
    """For the help: the options of `live`, the film left to the page."""
    top = parser("cuebridge page", "Opens the page: choose a film, hear its music, change what you like.")
    film = next(action for action in top._actions if action.dest == "film")
    film.nargs, film.metavar = "?", "FILM|LINK"
    film.help = "the film, or the address of one; without it, choose one in the page"
    return top


def main(arguments: Sequence[str]) -> int:
    words = list(arguments)
    film = words[0] if words and not words[0].startswith("-") else None
    if any(word in ("-h", "--help") for word in words):
        page_parser().parse_args(words)
    if film is not None and film.startswith(_LINKS):
        need_extra("link-video", "A film from a link")
        return _run(words[1:], link=film)
    if film is not None:
        return Live(plan_for(film, words[1:])).run()
    return _run(words)


def _run(words: Sequence[str], link: str | None = None) -> int:
    given = plan_for_nothing(words)
    page = page_link(given, version(), link)
    try:
        if not page.start():
            raise UserError(page.fault)
        sys.stdout.write(f"Page: {page.address}\n")
        sys.stdout.flush()
        if given.opens:
            open_in_browser(page.address, _say)
        return run_chosen(page, words)
    finally:
        page.close()


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def plan_for_nothing(words: Sequence[str]) -> PagePlan:
    """What is asked for of the page; everything else is checked as if a film were there.  Raises UserError."""
    from engine.music.bundled import bundled_clip

    plan = plan_for(str(bundled_clip()), words).page
    if plan is None:
        raise UserError("cuebridge page is the page; leave --no-page out.")
    return plan
