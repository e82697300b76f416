"""The controls table as an OSCQuery namespace: JSON from which controller programs build pages."""

from __future__ import annotations

from typing import Any

from engine.music.arguments import Arg
from engine.music.controls import CONTROLS, Control

_ACCESS = {"state": 1, "do": 2, "value": 3}


def namespace() -> dict[str, Any]:
    """The root node with all addresses under it."""
    root: dict[str, Any] = {"FULL_PATH": "/", "DESCRIPTION": "CueBridge", "ACCESS": 0, "CONTENTS": {}}
    for control in CONTROLS:
        node = root
        path = ""
        for name in control.address.strip("/").split("/"):
            path += f"/{name}"
            contents = node.setdefault("CONTENTS", {})
            node = contents.setdefault(name, {"FULL_PATH": path, "ACCESS": 0})
        node.update(_attributes(control))
    return root


def _attributes(control: Control) -> dict[str, Any]:
    """A value has the type of what it holds; what may follow when it is set (from when) is in the document."""
    attributes: dict[str, Any] = {"ACCESS": _ACCESS[control.access], "DESCRIPTION": control.doc}
    arguments = control.arguments
    if control.access == "value":
        arguments = arguments[:1]
        attributes["VALUE"] = [control.default]
    if arguments:
        attributes["TYPE"] = "".join(argument.tag for argument in arguments)
        attributes["RANGE"] = [_range(argument) for argument in arguments]
        if any(argument.unit for argument in arguments):
            attributes["UNIT"] = [argument.unit for argument in arguments]
    return attributes


def _range(argument: Arg) -> dict[str, Any]:
    if argument.kind == "choice":
        return {"VALS": list(argument.words)}
    found: dict[str, Any] = {}
    if argument.low is not None:
        found["MIN"] = argument.low
    if argument.high is not None:
        found["MAX"] = argument.high
    return found
