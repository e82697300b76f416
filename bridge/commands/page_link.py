"""The page of `live` and of `page`: its server as the command line asks for it, and the browser."""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Callable

from bridge.commands.live_options import PagePlan
from bridge.page.link import PageLink, films_folder, new_secret
from bridge.page.messages import PageOptions
from engine.music.bundled import bundled_clip
from engine.music.errors import UserError


def page_link(wanted: PagePlan, version: str, film: str | None = None) -> PageLink:
    """Not started yet.  film: address of a film to fetch at once."""
    clip = bundled_clip()
    options = PageOptions(
        port=wanted.port,
        token=new_secret(),
        secret=new_secret(),
        folder=str(films_folder()),
        work="",
        version=version,
        any_port=wanted.any_port,
        upload_bytes=wanted.upload_bytes,
        soundfont=wanted.soundfont,
        bundled=str(clip) if clip.is_file() else None,
        link=film,
    )
    return PageLink(options, lambda message: None)


def open_in_browser(address: str, say: Callable[[str], None]) -> None:
    """Beside everything: some browsers answer when they are closed."""

    def opened() -> None:
        try:
            found = webbrowser.open(address)
        except (OSError, webbrowser.Error):
            found = False
        if not found:
            say("no browser could be opened; open the page's address in one.")

    threading.Thread(target=opened, name="browser", daemon=True).start()


def check_port(wanted: PagePlan) -> None:
    """Raises UserError where the port that was asked for is another program's."""
    if wanted.any_port or not wanted.port:
        return
    from bridge.page.process import listening, port_refused

    try:
        listening(wanted.port, any_port=False).close()
    except OSError as error:
        raise UserError(port_refused(wanted.port, error)) from None
