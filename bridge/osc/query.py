"""The controls table as an OSCQuery namespace (Vidvox proposal): JSON from which controller programs build pages."""

from __future__ import annotations

from typing import Any

from bridge.osc.controls import CONTROLS, Arg, Control

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
    attributes: dict[str, Any] = {"ACCESS": _ACCESS[control.access], "DESCRIPTION": control.doc}
    if control.arguments:
        attributes["TYPE"] = "".join(argument.tag for argument in control.arguments)
        attributes["RANGE"] = [_range(argument) for argument in control.arguments]
        if any(argument.unit for argument in control.arguments):
            attributes["UNIT"] = [argument.unit for argument in control.arguments]
    if control.access == "value":
        attributes["VALUE"] = [control.default]
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
