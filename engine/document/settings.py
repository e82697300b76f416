"""The settings of a document: by address, with their defaults.

`SETTINGS` are the values that an edit may change and that a session file holds.  `OUTPUT_SETTINGS` are those among them
that decide how notes are sent and positions are shown; no note differs because of them.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from engine.music import DEFAULT_CHANNELS, EMOTIONS, PARTS

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = float | int | bool | str | None

# What each cue has of its own.
CUE_CONTROLS: Final = (
    "/cue/name",
    "/cue/in",
    "/cue/out",
    "/cue/bar_1",
    "/cue/ending",
    "/cue/tail",
    "/cue/tempo",
    "/cue/key",
    "/cue/progression",
    "/cue/progression/mode",
)
# What a take brings with it; where its cue lies and what it is called stays.
TAKE_CONTROLS: Final = (
    "/cue/ending",
    "/cue/tail",
    "/cue/key",
    "/cue/progression",
    "/cue/progression/mode",
)

# Lowest and highest pitch (60 = middle C), softest and loudest velocity.
_PART_RANGES: Final = {
    "pad": (48, 76, 60, 90),
    "arp": (52, 84, 49, 112),
    "bass": (36, 55, 60, 100),
    "melody": (60, 86, 60, 105),
    "drums": (35, 81, 45, 115),
}


def _of_part(part: str) -> dict[str, Value]:
    low, high, softest, loudest = _PART_RANGES[part]
    values: dict[str, Value] = {
        "on": True,
        "channel": DEFAULT_CHANNELS[part],
        "transpose": 0,
        "low": low,
        "high": high,
        "velocity/low": softest,
        "velocity/high": loudest,
        "level": 0.0,
        "pattern": "auto",
        "note_length": "all",
    }
    return {f"/cue/part/{part}/{name}": value for name, value in values.items()}


_MUSIC: Final[dict[str, Value]] = {
    "/cue/name": "1m1",
    "/cue/in": 0.0,
    "/cue/out": "end",
    "/cue/bar_1": "timeline",
    "/cue/ending": "tonic",
    "/cue/tail": 2.0,
    "/cue/picture_starts_at": "0",
    "/cue/progression": "",
    "/cue/progression/mode": "start",
    "/cue/key": "auto",
    "/cue/harmonic_rhythm": "auto",
    "/cue/mood/dark_light": 0.0,
    "/cue/mood/calm_tense": 0.0,
    **{f"/cue/mood/{name}": 0.0 for name in EMOTIONS},
    "/cue/follow": 50.0,
    "/cue/adventurous": 4.0,
    "/cue/activity": "picture",
    "/cue/dynamics": "picture",
    "/cue/pattern": "auto",
    "/cue/note_length": 90.0,
    "/cue/chords_on": "hits",
    "/cue/swing": 50.0,
    "/cue/looseness": 0.0,
    "/cue/voicing": "close",
    "/cue/density_map": "stretched",
    "/cue/velocity_map": "stretched",
    "/cue/crescendo": 30.0,
    "/cue/cc1": True,
    "/cue/cc11": "fixed",
    "/cue/transpose": 0,
    "/cue/arp_span": 1,
    "/cue/tempo": 0.0,
}
_OUTPUT: Final[dict[str, Value]] = {
    "/cue/nudge": 0.0,
    **{f"/cue/part/{part}/nudge": 0.0 for part in PARTS},
    "/cue/hold_on_sync_loss": 0.5,
    "/cue/frame_rate": "film",
    "/cue/ports/layout": "one",
    "/cue/middle_c": "C4",
    "/cue/take/repeat": "same",
}

OUTPUT_SETTINGS: Final = frozenset(_OUTPUT)
SETTINGS: Final[Mapping[str, Value]] = MappingProxyType(
    {**_MUSIC, **_OUTPUT, **{name: value for part in PARTS for name, value in _of_part(part).items()}}
)
