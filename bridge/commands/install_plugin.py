"""`cuebridge install-plugin`: puts the plugin where DAWs look, and builds it where no built one is at hand."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bridge.plugin.install import FORMATS, install, uninstall, usual_formats
from engine import user_folders
from engine.music import UserError
from engine.music.command import SentenceParser

NEXT = "Let the DAW look for plugins again, then see docs/daw/plugin.md."


def main(arguments: Sequence[str]) -> int:
    parser = SentenceParser(
        prog="cuebridge install-plugin",
        description="Installs the plugin that plays the music inside the DAW, for this user.",
    )
    parser.add_argument(
        "--format",
        action="append",
        choices=FORMATS,
        help="only this format; repeatable (default: all that this system has)",
    )
    parser.add_argument("--uninstall", action="store_true", help="remove the plugin again")
    parser.add_argument("--dry-run", action="store_true", help="only show what would be done")
    parser.add_argument("--home", metavar="DIR", help="home folder of another account")
    options = parser.parse_args(arguments)
    formats = tuple(dict.fromkeys(options.format)) if options.format else usual_formats()
    home = (user_folders.home("--home") if options.home is None else user_folders.expanded(options.home)).absolute()
    if options.home == "" or not home.is_dir():
        raise UserError(f"there is no folder {home if options.home is None else repr(options.home)}.")
    said = (uninstall if options.uninstall else install)(formats, home, options.dry_run)
    if not (options.uninstall or options.dry_run):
        said += ["", NEXT]
    sys.stdout.write("\n".join(said) + "\n")
    return 0
