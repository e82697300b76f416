"""`cuebridge osc`: the table of OSC addresses, as docs/osc.md has it, as JSON, or as a page of Open Stage Control."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from engine.music.command import SentenceParser


def main(arguments: Sequence[str]) -> int:
    parser = SentenceParser(prog="cuebridge osc", description="Prints the table of OSC addresses.")
    parser.add_argument("--json", action="store_true", help="as OSCQuery answers it")
    parser.add_argument("--open-stage-control", action="store_true", help="as a session of Open Stage Control")
    options = parser.parse_args(arguments)
    if options.open_stage_control:
        from bridge.controls.open_stage_control import layout

        sys.stdout.write(json.dumps(layout(), indent=1) + "\n")
    elif options.json:
        from bridge.osc.query import namespace

        sys.stdout.write(json.dumps(namespace(), indent=2) + "\n")
    else:
        from bridge.controls.reference import reference

        sys.stdout.write(reference())
    return 0
