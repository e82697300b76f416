"""The film that comes with CueBridge, so that everything can be tried without one."""

from __future__ import annotations

import shutil
from pathlib import Path

from engine.music.files import written_aside


def bundled_clip() -> Path:
    """Thirty seconds of Big Buck Bunny, 640x360, 24 frames a second, with sound (CC BY 3.0, see LICENCE.md there)."""
    return Path(__file__).resolve().parents[1] / "media" / "big-buck-bunny-30s.mp4"


def clip_in(folder: Path) -> Path:
    """The clip in a folder of the user's, copied there where it is missing: a session is saved beside its film.

    Raises OSError where it cannot be written.
    """
    clip, own = bundled_clip(), folder / bundled_clip().name
    if not own.is_file() or own.stat().st_size != clip.stat().st_size:
        folder.mkdir(parents=True, exist_ok=True)
        with written_aside(own) as aside:
            shutil.copyfile(clip, aside)
    return own
