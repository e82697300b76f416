"""The controls table as a session of Open Stage Control: faders, buttons, menus and fields on a second screen.

The program's widgets are used as its sources describe them (fader, button, dropdown, input, text in panels and tabs,
version 1.27).  Its server is to send to our port; the page subscribes to everything, so it shows what any other client,
a fader or an undo has changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from engine.music import PARTS, controls
from engine.music.arguments import Arg
from engine.music.controls import CONTROLS, LEARN, ROOT, SUBSCRIBE, Control

VERSION: Final = "1.27.0"
CELL: Final = (170, 96)
WIDE: Final = (350, 96)
LABEL: Final = 26
WHOLE_FILM: Final = 360_000
LEFT_OUT: Final = frozenset({controls.SUBSCRIBE, controls.UNSUBSCRIBE, controls.PING})  # the page does these by itself

# No pattern crosses a slash, so each depth has its own.  Asked again and again: `live` may have been started anew.
_SUBSCRIBE: Final = "".join(f"    send('{SUBSCRIBE}', '{ROOT}{'/*' * depth}')\n" for depth in range(1, 5))
_ON_CREATE: Final = f"""\
function ask() {{
{_SUBSCRIBE}}}
ask()
setInterval('renew', ask, 20000)
"""


def layout() -> dict[str, Any]:
    """The session file's content."""
    by_part = {part: [each for each in CONTROLS if each.part == part] for part in PARTS}
    rest = [each for each in CONTROLS if each.part is None and each.address not in LEFT_OUT]
    learn = [each for each in rest if each.address == LEARN or each.address.startswith(f"{LEARN}/")]
    rest = [each for each in rest if each not in learn]
    tabs = [
        _tab("play", [each for each in rest if each.access == "do"]),
        _tab("music", [each for each in rest if each.access == "value"]),
        {"type": "tab", "id": "tab/parts", "label": "parts", "tabs": [_tab(part, by_part[part]) for part in PARTS]},
        _tab("status", [each for each in rest if each.access == "state"]),
        _tab("learn", learn),
    ]
    return {
        "createdWith": "Open Stage Control",
        "version": VERSION,
        "type": "session",
        "content": {"type": "root", "id": "root", "tabs": tabs, "onCreate": _ON_CREATE},
    }


def _tab(name: str, controls: Iterable[Control]) -> dict[str, Any]:
    return {"type": "tab", "id": f"tab/{name}", "label": name, "widgets": [_cell(each) for each in controls]}


def _cell(control: Control) -> dict[str, Any]:
    """A name above the widgets of one address."""
    widgets = list(_widgets(control))
    wide = len(widgets) > 1 or widgets[0]["type"] in ("input", "text")
    width, height = WIDE if wide else CELL
    name = control.name
    unit = next((f" ({arg.unit})" for arg in control.arguments if arg.unit), "")
    return {
        "type": "panel", "id": f"{name}/cell", "width": width, "height": height, "layout": "vertical", "scroll": False,
        "comments": control.doc,
        "widgets": [
            {"type": "text", "id": f"{name}/label", "height": LABEL, "default": name + unit, "bypass": True,
             "address": f"/label/{name}"},
            {"type": "panel", "id": f"{name}/hands", "expand": True, "layout": "horizontal", "scroll": False,
             "widgets": widgets},
        ],
    }  # fmt: skip


def _widgets(control: Control) -> Iterable[dict[str, Any]]:
    common = {"id": control.name, "address": control.address, "expand": True}
    needed = [arg for arg in control.arguments if not arg.optional]
    if control.access == "state":
        yield {**common, "type": "text", "bypass": True}
    elif not needed:
        yield {**common, "type": "button", "mode": "momentary", "label": common["id"]}
    elif len(needed) > 1:
        # Two arguments are typed as a list, as the program's fields take it: [12, "Am"].
        tags = "".join(arg.tag for arg in needed)
        yield {**common, "type": "input", "typeTags": tags, "comments": f"a list: [{control.signature}]"}
    else:
        yield _widget(needed[0], common)
        for word in needed[0].words if needed[0].kind in ("number", "whole") else ():
            more = {**common, "id": f"{common['id']}/{word}", "label": word}
            yield {**more, "type": "button", "mode": "tap", "on": word, "typeTags": "s"}


def _widget(arg: Arg, common: dict[str, Any]) -> dict[str, Any]:
    if arg.kind == "switch":
        return {**common, "type": "button", "mode": "toggle", "on": True, "off": False, "label": common["id"]}
    if arg.kind == "choice":
        return {**common, "type": "dropdown", "values": list(arg.words), "typeTags": "s"}
    if arg.kind == "text":
        return {**common, "type": "input", "typeTags": "s"}
    whole = arg.kind == "whole"
    if arg.low is None or arg.high is None or arg.high >= WHOLE_FILM:
        return {**common, "type": "input", "numeric": 1 if whole else 0.01, "typeTags": "i" if whole else "f"}
    shape = {"type": "fader", "horizontal": True, "snap": True, "range": {"min": arg.low, "max": arg.high}}
    more = {"typeTags": "i", "decimals": 0} if whole else {"typeTags": "f"}
    return {**common, **shape, **more}
