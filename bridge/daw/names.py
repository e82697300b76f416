"""What the names of regions, markers and clips say to us.

`chords: C Am F G`   a progression from here on (`chords loop: …`, `chords exact: …` choose its mode)
`pin: F#m7`          this chord here
`section: pattern=up activity=40`   controls have new values from here on
`cue: 1m1`           a cue from the region's beginning to its end
`hit: door slams` / `hit must: …`   a moment the music is to meet
`print: cue`, `print: film`, `print: selection`   print, once, when the name appears (selection: the clip's range)
Other names are the composer's own and are left alone.
"""

from __future__ import annotations

import re
from typing import Final

from engine.document import NamedMark

PRINT: Final = "print"
MAX_NAME: Final = 4096  # characters, as of a control's text
KINDS: Final = {
    "chords": "progression",
    "pin": "pin",
    "section": "section",
    "cue": "cue",
    "hit": "hit",
    "print": PRINT,
}
_NAME: Final = re.compile(rf"\s*({'|'.join(KINDS)})(?:\s+(\w+))?\s*:\s*(.*?)\s*", re.IGNORECASE | re.DOTALL)


def read_name(name: str, start_s: float, end_s: float | None = None) -> NamedMark | None:
    """None for a name that is not for us, says nothing after its colon, or is longer than anybody writes."""
    found = _NAME.fullmatch(name) if len(name) <= MAX_NAME else None
    if found is None or not found[3]:
        return None
    return NamedMark(KINDS[found[1].lower()], (found[2] or "").lower(), found[3], start_s, end_s, name)


__all__ = ["KINDS", "PRINT", "NamedMark", "read_name"]
