"""Optional packages that a wish needs: said at once, not waited for in vain."""

from __future__ import annotations

import importlib.util
from typing import Final

from engine.music import UserError

_EXTRAS: Final = {  # source -> (module, extra, what it is called)
    "jack": ("jack", "jack", "The JACK transport"),
    "link": ("link", "link", "Ableton Link"),
}


def need_extras(*sources: str | None) -> None:
    """sources: of position and tempo, by their names on the command line.  Raises UserError for one whose package is
    not installed; `auto` needs none."""
    for source in sources:
        module, extra, name = _EXTRAS.get(source or "", ("", "", ""))
        if module and importlib.util.find_spec(module) is None:
            raise UserError(f"{name} needs the extra: pip install 'cuebridge[{extra}]'.")
