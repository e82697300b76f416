"""What a check of this machine or of a DAW found: a row of `cuebridge doctor`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """ok: True it works, False it is needed and does not, None it is not needed.  advice: what to change, or ""."""

    name: str
    ok: bool | None
    found: str
    advice: str = ""
