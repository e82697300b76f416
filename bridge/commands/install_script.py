"""`cuebridge install-script`: puts the script of a DAW where the DAW looks for it."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    from bridge.osc import daw_install

    return daw_install.main(list(arguments))
