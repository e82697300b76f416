"""How session files are named."""

from __future__ import annotations

from typing import Final

SUFFIX: Final = ".cuebridge.json"
