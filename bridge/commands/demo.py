"""`cuebridge demo`: the bundled clip with its music, in the page; as a film where no browser can be opened."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Sequence
from typing import Final

from engine.music import UserError
from engine.music.bundled import bundled_clip, clip_in
from engine.music.command import SentenceParser

RENDERED: Final = "cuebridge-demo.mp4"


def main(arguments: Sequence[str]) -> int:
    """Raises UserError."""
    parser = SentenceParser(
        prog="cuebridge demo",
        description="Plays thirty seconds of Big Buck Bunny with music written for them, in the page; where no browser "
        "can be opened it writes them as a film.",
    )
    parser.add_argument("--render", action="store_true", help=f"write a film, {RENDERED}, instead of opening the page")
    parser.add_argument("-o", "--output", metavar="FILE", help=f"with --render: the film to write ({RENDERED})")
    parser.add_argument("--replace", action="store_true", help="with --render: replace an existing file")
    parser.add_argument(
        "--take", type=int, default=1, metavar="N", help="number of the take; another number gives other music (1)"
    )
    options = parser.parse_args(arguments)
    if not bundled_clip().is_file():
        raise UserError("the bundled clip is not installed here; install CueBridge anew.")
    take = ["--take", str(options.take)]
    if options.render or options.output or not has_browser():
        if not (options.render or options.output):
            sys.stderr.write("No browser can be opened here, so the clip is written as a film with its music.\n")
        return _rendered(options.output or RENDERED, [*take, *(["--replace"] if options.replace else [])])
    from bridge.commands import page
    from bridge.page.link import films_folder

    try:
        film = clip_in(films_folder())
    except OSError as error:
        raise UserError(f"{films_folder()}: the clip cannot be copied there: {error.strerror or error}.") from None
    return page.main([str(film), "--open", *take])


def has_browser() -> bool:
    """Whether the system names a browser that can show a page in a window."""
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return False
    return not isinstance(found, webbrowser.GenericBrowser) or isinstance(found, webbrowser.BackgroundBrowser)


def _rendered(output: str, more: Sequence[str]) -> int:
    from bridge.commands.children import run_child

    return run_child("engine", ["render", str(bundled_clip()), "-o", output, *more])
