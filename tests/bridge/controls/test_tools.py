"""The controls table as tools of assistants: nothing missing, nothing renamed, the same refusals."""

from __future__ import annotations

import pytest

from bridge.controls.tools import LEFT_OUT, tools
from engine.music import controls
from engine.music.arguments import ControlError

BY_NAME = {each.name: each for each in tools()}


def test_every_row_but_the_left_out_ones_is_a_tool_of_its_own():
    assert len(BY_NAME) == len(tools()) == len(controls.CONTROLS) - len(LEFT_OUT)
    assert {each.control.address for each in tools()} | LEFT_OUT == {each.address for each in controls.CONTROLS}


def test_names_are_what_assistants_accept():
    assert all(name.replace("_", "").isalnum() and name.isascii() and len(name) <= 64 for name in BY_NAME)


@pytest.mark.parametrize("tool", tools(), ids=lambda each: each.name)
def test_a_schema_says_what_the_row_says(tool):
    properties = tool.schema["properties"]
    assert list(properties) == [each.name for each in tool.control.arguments]
    for argument in tool.control.arguments:
        choices = properties[argument.name].get("anyOf", [properties[argument.name]])
        words = [word for each in choices for word in each.get("enum", ())]
        assert words == list(argument.words) or argument.kind == "text"
        if argument.is_numeric:
            assert (choices[0].get("minimum"), choices[0].get("maximum")) == (argument.low, argument.high)
    if tool.control.access == "do":
        assert len(tool.schema["required"]) == tool.control.needed_arguments


def test_arguments_go_out_in_the_tables_order_and_types():
    pin = BY_NAME["cue_chords_pin"]
    first, second = (each.name for each in pin.control.arguments[:2])
    assert pin.arguments({second: 19.6, first: "E7"}) == ["E7", 19.6]
    assert BY_NAME["cue_swing"].arguments({}) == []


@pytest.mark.parametrize(
    "name, given, code",
    [
        ("cue_swing", {BY_NAME["cue_swing"].control.arguments[0].name: 1e9}, "bad_value"),
        ("cue_swing", {"no such": 1}, "bad_type"),
        ("cue_chords_pin", {BY_NAME["cue_chords_pin"].control.arguments[1].name: 19.6}, "bad_type"),
        ("cue_chords_pin", {}, "bad_type"),
        ("cue_chords_pin", {BY_NAME["cue_chords_pin"].control.arguments[0].name: None}, "bad_type"),
    ],
)
def test_what_the_table_refuses_is_refused(name, given, code):
    with pytest.raises(ControlError) as refused:
        BY_NAME[name].arguments(given)
    assert refused.value.code == code


def test_patterns_choose():
    assert {each.control.address for each in tools(["/cue/chords/pin", "/cue/st*"])} == {
        "/cue/chords/pin",
        "/cue/status",
        "/cue/stop",
    }
