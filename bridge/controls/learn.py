"""MIDI learn: which fader, key, pedal or pad does what."""

from __future__ import annotations

from typing import Final

from bridge.controls.arguments import Arg
from bridge.controls.control import ROOT, Control, do, state

LEARN: Final = f"{ROOT}/learn"
LEARN_ACTIONS: Final[tuple[Control, ...]] = (
    do(
        "learn",
        "The next fader, key, pedal or program change on the control port works this address from then on; with "
        "arguments it sends just these (`/cue/learn /cue/chords/next Am`).",
        Arg("address", "text"),
        *(Arg(f"argument {number}", "text", optional=True) for number in range(1, 5)),
    ),
    do("learn/cancel", "Stops waiting for it."),
    do(
        "learn/forget",
        "Takes what was learned for an address away; without one everything, the foot-switch too.",
        Arg("address", "text", optional=True),
    ),
    do("learn/undo", "Takes back the last learning or forgetting."),
)
LEARN_VALUES: Final[tuple[Control, ...]] = (
    Control(
        f"{LEARN}/pickup",
        "Whether a fader does nothing until it passes the value that is set (pick-up), or sets its own at once (jump).",
        (Arg("pick-up", "switch"),),
        "value",
        default=True,
        undo=False,
    ),
)
LEARN_STATES: Final[tuple[Control, ...]] = (
    state("learn/waiting", "The address for which a movement is waited, and for how many seconds; empty: none."),
    state("learn/list", "What was learned: what it is, its address, its arguments."),
)
