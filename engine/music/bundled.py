"""The film that comes with CueBridge, so that everything can be tried without one."""

from __future__ import annotations

from pathlib import Path


def bundled_clip() -> Path:
    """Thirty seconds of Big Buck Bunny, 640x360, 24 frames a second, with sound (CC BY 3.0, see LICENCE.md there)."""
    return Path(__file__).resolve().parents[1] / "media" / "big-buck-bunny-30s.mp4"
