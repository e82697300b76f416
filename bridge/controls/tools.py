"""The controls table as tools of the Model Context Protocol: a name, a text and a JSON Schema for each row.

Nothing is invented: `/cue/chords/pin` is the tool `cue_chords_pin` with the row's arguments, ranges and words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from engine.music.arguments import Arg, ControlError, Value
from engine.music.controls import CONTROLS, QUIT, SUBSCRIBE, UNSUBSCRIBE, Control

# A subscription has nowhere to arrive here, and an assistant should not end the program that a composer plays with.
LEFT_OUT = frozenset({SUBSCRIBE, UNSUBSCRIBE, QUIT})


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    text: str
    schema: Mapping[str, Any]
    control: Control

    @property
    def only_reads(self) -> bool:
        return self.control.access == "state"

    def arguments(self, given: Mapping[str, Any]) -> list[Value]:
        """What is sent, in the table's order.  Raises ControlError."""
        known = {argument.name for argument in self.control.arguments}
        if unknown := sorted(set(given) - known):
            takes = self.control.signature or "no arguments"
            raise ControlError("bad_type", f"{self.name} takes {takes}, not {', '.join(unknown)}.")
        values: list[Value] = []
        missing = ""
        for argument in self.control.arguments:
            if argument.name not in given:
                missing = missing or argument.name
                continue
            if missing:
                raise ControlError("bad_type", f"{self.name} needs {missing} where {argument.name} is given.")
            values.append(argument.check(given[argument.name]))
        if values or self.control.access == "do":
            return list(self.control.check(values))
        return values  # of a value: it is read


def tools(patterns: Sequence[str] = ("*",)) -> list[Tool]:
    """A tool for each row whose address fits one of the patterns ("/cue/chords/*")."""
    rows = [each for each in CONTROLS if each.address not in LEFT_OUT]
    return [_tool(each) for each in rows if any(fnmatchcase(each.address, pattern) for pattern in patterns)]


def _tool(control: Control) -> Tool:
    text = control.doc
    if control.access == "value":
        text += f" Without arguments: reads it; with them: sets it{' (can be undone)' if control.undo else ''}."
    properties = {argument.name: _schema(argument) for argument in control.arguments}
    needed = [each.name for each in control.arguments if not each.optional] if control.access == "do" else []
    schema = {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}
    return Tool(control.address.strip("/").replace("/", "_"), text, schema, control)


def _schema(argument: Arg) -> dict[str, Any]:
    described = {"description": argument.expected}
    if argument.kind == "choice":
        return {"type": "string", "enum": list(argument.words), **described}
    if argument.kind == "text":
        return {"type": "string", **described}
    if argument.kind == "switch":
        plain: dict[str, Any] = {"type": "boolean"}
    else:
        plain = {"type": "integer" if argument.kind == "whole" else "number"}
        for name, bound in (("minimum", argument.low), ("maximum", argument.high)):
            if bound is not None:
                plain[name] = bound
    texts: list[dict[str, Any]] = [{"type": "string", "enum": list(argument.words)}] if argument.words else []
    if argument.bars:
        texts.append({"type": "string", "description": "bar|beat"})
    return {"anyOf": [plain, *texts], **described} if texts else {**plain, **described}
