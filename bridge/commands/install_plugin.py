"""`cuebridge install-plugin`: builds the plugin and puts it where DAWs look."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bridge.plugin.install import FORMATS, install, uninstall
from engine.music.command import SentenceParser

NEXT = "Let the DAW look for plugins again, then see docs/daw/plugin.md."


def main(arguments: Sequence[str]) -> int:
    parser = SentenceParser(
        prog="cuebridge install-plugin",
        description="Builds the plugin that plays the music inside the DAW, and installs it for this user.",
    )
    parser.add_argument(
        "--format", action="append", choices=FORMATS, help="only this one; may be given again (all of them)"
    )
    parser.add_argument("--uninstall", action="store_true", help="take it away again")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--home", metavar="DIR", help="another account's folder")
    options = parser.parse_args(arguments)
    formats = tuple(dict.fromkeys(options.format)) if options.format else FORMATS
    home = Path(options.home).expanduser().absolute() if options.home else Path.home()
    said = (uninstall if options.uninstall else install)(formats, home, options.dry_run)
    if not (options.uninstall or options.dry_run):
        said += ["", NEXT]
    sys.stdout.write("\n".join(said) + "\n")
    return 0
