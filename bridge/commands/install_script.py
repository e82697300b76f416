"""`cuebridge install-script`: puts the script of a DAW where the DAW looks for it."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    from bridge.daw.install import main as install

    return install(list(arguments))
