"""The table's names where modules still look for them here; the table is `engine.music.controls`."""

from engine.music import PARTS
from engine.music.arguments import MAX_TEXT, Arg, ControlError, Value
from engine.music.controls import BY_ADDRESS, CONTROLS, DEFAULT_PORT, ERROR, ROOT, SETTINGS, WHEN, Control

__all__ = [
    "BY_ADDRESS",
    "CONTROLS",
    "DEFAULT_PORT",
    "ERROR",
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
