"""The page of a running session: ties its feed and commands to the server's messages.  Runs in the session's thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from bridge.controls.dispatch import Controls
from bridge.controls.requests import READABLE
from bridge.osc.clients import Target
from bridge.osc.codec import Argument
from bridge.page import messages as p
from bridge.page.commands import PageCommands, is_page
from bridge.page.feed import PageFeed
from bridge.page.link import PageLink
from bridge.page.sketches import Sketches
from engine.music.controls import CLIENTS

# What changes with every page that comes would wake all others.
ADDRESSES = tuple(address for address in READABLE if address != CLIENTS)


class SessionPage:
    """say: hears where the page is, and what is wrong with it.  choose_film: takes a film chosen in a page."""

    def __init__(
        self, link: PageLink, controls: Controls, say: Callable[[str], None], choose_film: Callable[[Path], None]
    ) -> None:
        self.link, self._say = link, say
        self.feed = PageFeed(controls.session, link, ADDRESSES, controls.values)
        self.commands = PageCommands(controls, link, choose_film)
        self.sketches = Sketches(controls.session, lambda number, data: link.send(p.Sketch(number, data)))
        if link.pages:  # that were there before the session
            self.feed.watching(p.Watching(link.pages, 0))

    @property
    def settled(self) -> bool:
        """Whether it is known where the page is, or that there is none."""
        return self.link.port is not None or bool(self.link.fault)

    def tick(self) -> None:
        """With every turn of the session."""
        self.commands.flush()
        self.feed.tick()
        if self.link.pages:
            self.sketches.tick()

    def receive(self, message: p.FromServer) -> None:
        """A message of the server."""
        match message:
            case p.Watching():
                self.feed.watching(message)
            case p.Do():
                self.commands.do(message)
            case p.ChooseFilm():
                self.commands.choose(message)
            case p.Save():
                self.commands.save(message)
            case p.WantSketches():
                self.sketches.want()
            case p.ServerFailed():
                self._say(message.sentence)

    def close(self) -> None:
        self.sketches.close()

    def answers(self, target: Target, address: str, values: Sequence[Argument]) -> bool:
        """Whether the answer was a page's."""
        if is_page(target):
            self.commands.answer(target, address, values)
        return is_page(target)

    def refuses(self, target: Target, address: str, code: str, sentence: str) -> bool:
        """Whether the refusal was a page's."""
        if is_page(target):
            self.commands.refuse(target, address, code, sentence)
        return is_page(target)
