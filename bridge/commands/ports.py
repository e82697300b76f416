"""`cuebridge ports`: which MIDI interfaces this machine has, what is on them, and why others are missing."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from engine.music.command import SentenceParser


def main(arguments: Sequence[str]) -> int:
    parser = SentenceParser(prog="cuebridge ports", description="Lists MIDI interfaces and ports.")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    options = parser.parse_args(arguments)
    from bridge.player.ports import probe_apis

    probes = probe_apis()
    if options.json:
        sys.stdout.write(json.dumps([asdict(probe) for probe in probes], indent=2) + "\n")
        return 0
    for probe in probes:
        sys.stdout.write(f"{probe.api}: {'available' if probe.available else f'not available ({probe.reason})'}\n")
        for name in probe.outputs:
            sys.stdout.write(f"  to    {name}\n")
        for name in probe.inputs:
            sys.stdout.write(f"  from  {name}\n")
    if not any(probe.available for probe in probes):
        sys.stdout.write("No MIDI system: `live` writes what it plays to a .mid file.\n")
    return 0
