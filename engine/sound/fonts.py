"""Where a SoundFont lies: FluidR3 where the system has it, else the small one inside the package pretty_midi.

TimGM6mb.sf2 is under the GPL, version 2: it is played where pretty_midi has put it and never copied.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Final

from engine.sound.errors import SoundError
from engine.user_folders import home_or_none

NO_SOUNDFONT: Final = (
    "No SoundFont was found, so there is no sound; MIDI is not affected. Name one with --soundfont FILE.sf2."
)
_NAMES: Final = ("FluidR3_GM.sf2", "FluidR3_GM2-2.sf2")


def _system_folders() -> list[Path]:
    if sys.platform == "win32":
        return [Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "soundfonts", Path(r"C:\soundfonts")]
    own, shared = ".local/share/soundfonts", ("/usr/local/share/soundfonts", "/usr/share/sounds/sf2",
                                              "/usr/share/soundfonts")  # fmt: skip
    if sys.platform == "darwin":
        own, shared = "Library/Audio/Sounds/Banks", ("/Library/Audio/Sounds/Banks",)
    home = home_or_none()
    return [*([] if home is None else [home / own]), *map(Path, shared)]


def bundled_font() -> Path | None:
    """TimGM6mb.sf2 as pretty_midi brings it; None where that package is absent.  Imports nothing of it."""
    spec = importlib.util.find_spec("pretty_midi")
    for folder in () if spec is None else spec.submodule_search_locations or ():
        path = Path(folder) / "TimGM6mb.sf2"
        if path.is_file():
            return path
    return None


def find_soundfont(chosen: str | os.PathLike[str] | None = None) -> Path:
    """The font to play: the chosen one, or the first that is found.  Raises SoundError where there is none."""
    if chosen is not None:
        path = Path(chosen)
        if not path.exists():
            raise SoundError(f"There is no SoundFont {path}.")
        if not path.is_file():
            raise SoundError(f"{path} is not a SoundFont file.")
        return path
    for folder in _system_folders():
        for name in _NAMES:
            if (folder / name).is_file():
                return folder / name
    found = bundled_font()
    if found is None:
        raise SoundError(NO_SOUNDFONT)
    return found
