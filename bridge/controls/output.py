"""How notes go out and how positions are shown: kept and undone like the music, but no note is another one for it."""

from __future__ import annotations

from typing import Final

from bridge.controls.arguments import Arg
from bridge.controls.control import value
from engine.music import PARTS

RATES: Final = ("film", "23.976", "24", "25", "29.97", "29.97df", "30")
PORTS: Final = ("one", "per-part")
MIDDLE_C: Final = ("C3", "C4")
_SHIFT: Final = Arg("shift", "number", -250, 250, "ms")

OUTPUT: Final = (
    value("nudge", _SHIFT, 0.0, "output", "MIDI earlier (-) or later (+)."),
    *(
        value(f"part/{part}/nudge", _SHIFT, 0.0, "output", f"The {part} earlier (-) or later (+), besides.")
        for part in PARTS
    ),
    value(
        "hold_on_sync_loss",
        Arg("hold", "number", 0, 5, "seconds"),
        0.5,
        "output",
        "How long the music goes on when the DAW's sync falls silent.",
    ),
    value(
        "frame_rate",
        Arg("rate", "choice", words=RATES),
        "film",
        "output",
        "Frames a second of the film's timecode and of MTC; 'film': as the file says.",
    ),
    value(
        "ports/layout",
        Arg("layout", "choice", words=PORTS),
        "one",
        "output",
        "One MIDI port, or one for each part; they are opened anew, so only while nothing plays.",
    ),
    value(
        "middle_c",
        Arg("name", "choice", words=MIDDLE_C),
        "C4",
        "output",
        "What pitch 60 is called where pitches are shown: C4, or C3 as some programs have it.",
    ),
    value(
        "take/repeat",
        Arg("which", "choice", words=("same", "new")),
        "same",
        "output",
        "Of a loop: the same take in each pass, or a new take each pass.",
    ),
)
