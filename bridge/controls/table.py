"""The one table of everything that can be set, asked and done from outside.

OSC server, command line flags of `live`, docs/osc.md, the OSCQuery answer and the session file are all made from it.
Names and ranges are those people see in the product; units stand in the `unit` of an argument.  The rows stand in
`controls_music` and `controls_output` (values), `controls_parts` (values of each part), `controls_actions` (what is
done and read) and `controls_learn` (MIDI learn).
"""

from __future__ import annotations

from typing import Final

from bridge.controls.actions import ACTIONS, STATES
from bridge.controls.arguments import MAX_TEXT, Arg, ControlError, Value
from bridge.controls.control import ROOT, WHEN, Control
from bridge.controls.learn import LEARN_ACTIONS, LEARN_STATES, LEARN_VALUES
from bridge.controls.music import MUSIC
from bridge.controls.output import OUTPUT
from bridge.controls.parts import part_controls
from engine.music import PARTS

DEFAULT_PORT: Final = 9317  # the one port for /cue and /daw; the DAW scripts send here
ERROR: Final = f"{ROOT}/error"
KNOCK_CHANNEL: Final = 10
KNOCK_PITCH: Final = 76  # General MIDI percussion: high woodblock

CONTROLS: Final[tuple[Control, ...]] = (
    *STATES,
    *LEARN_STATES,
    *MUSIC,
    *OUTPUT,
    *(control for part in PARTS for control in part_controls(part)),
    *LEARN_VALUES,
    *ACTIONS,
    *LEARN_ACTIONS,
)
BY_ADDRESS: Final[dict[str, Control]] = {control.address: control for control in CONTROLS}
# What an edit may change and the session file holds: address -> default.
SETTINGS: Final[dict[str, Value]] = {
    control.address: control.default for control in CONTROLS if control.access == "value" and control.undo
}
FLAGS: Final[tuple[Control, ...]] = tuple(control for control in CONTROLS if control.flag)

__all__ = [
    "BY_ADDRESS",
    "CONTROLS",
    "DEFAULT_PORT",
    "ERROR",
    "FLAGS",
    "KNOCK_CHANNEL",
    "KNOCK_PITCH",
    "MAX_TEXT",
    "PARTS",
    "ROOT",
    "SETTINGS",
    "WHEN",
    "Arg",
    "Control",
    "ControlError",
    "Value",
]
