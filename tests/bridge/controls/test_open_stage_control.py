"""The Open Stage Control page equals the table, and has only widgets and properties which that program knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.controls.open_stage_control import LEFT_OUT, layout
from bridge.osc.codec import decode, encode
from engine.music.controls import BY_ADDRESS, CONTROLS

COMMON = {"type", "id", "comments", "width", "height", "expand", "address", "typeTags", "decimals", "bypass", "default"}
KNOWN = {
    "root": {"tabs", "onCreate"},
    "tab": {"label", "tabs", "widgets"},
    "panel": {"layout", "scroll", "widgets"},
    "text": set(),
    "button": {"mode", "on", "off", "label"},
    "dropdown": {"values"},
    "input": {"numeric"},
    "fader": {"horizontal", "snap", "range"},
}  # as its sources list them


def widgets(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in (*node.get("widgets", ()), *node.get("tabs", ())):
        yield from widgets(child)


def test_every_address_is_on_it_and_nothing_else() -> None:
    found = {each["address"] for each in widgets(layout()["content"]) if each.get("address", "").startswith("/cue/")}
    assert found == {control.address for control in CONTROLS} - LEFT_OUT


def test_it_has_only_what_the_program_knows() -> None:
    ids: set[str] = set()
    for each in widgets(layout()["content"]):
        assert set(each) <= COMMON | KNOWN[each["type"]], each
        assert each["id"] not in ids, each["id"]  # widgets of one id would move each other
        ids.add(each["id"])
        assert not ("widgets" in each and "tabs" in each)


def test_what_its_widgets_send_the_table_accepts() -> None:
    """Values at both ends of a fader, each choice, on and off, as that program encodes them."""
    for each in widgets(layout()["content"]):
        control = BY_ADDRESS.get(each.get("address", ""))
        if control is None or each.get("bypass"):
            continue
        sent: list[list] = [[]]
        if each["type"] == "fader":
            kind = int if each["typeTags"] == "i" else float
            sent = [[kind(each["range"]["min"])], [kind(each["range"]["max"])]]
        elif each["type"] == "dropdown":
            sent = [[word] for word in each["values"]]
        elif each["type"] == "button" and each["mode"] != "momentary":
            sent = [[each[state]] for state in ("on", "off") if state in each]
        elif each["type"] == "input":
            continue
        for arguments in sent:
            message = decode(encode(control.address, arguments))[0]
            control.check(message.arguments)
