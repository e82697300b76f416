"""Documents, flags and OSCQuery are made from the table of controls."""

from __future__ import annotations

import json
from pathlib import Path

from bridge.commands.live_options import parser
from bridge.controls.namespace import namespace
from bridge.controls.open_stage_control import layout
from bridge.controls.reference import reference
from engine.music.controls import BY_ADDRESS, MUSIC_FLAGS

ROOT = Path(__file__).resolve().parents[3]


def test_the_document_is_made_from_the_table() -> None:
    assert (ROOT / "docs" / "osc.md").read_text(encoding="utf-8") == reference(), "run: cuebridge osc > docs/osc.md"


def test_the_page_of_faders_is_made_from_the_table() -> None:
    made = json.dumps(layout(), indent=1) + "\n"
    assert (ROOT / "docs" / "open-stage-control.json").read_text(encoding="utf-8") == made, (
        "run: cuebridge osc --open-stage-control > docs/open-stage-control.json"
    )


def test_flags_of_live_come_from_the_table() -> None:
    flags = {option for action in parser()._actions for option in action.option_strings}
    assert {control.flag for control in MUSIC_FLAGS} <= flags


def test_oscquery_names_every_address() -> None:
    def paths(node: dict) -> set[str]:
        own = {node["FULL_PATH"]} if "DESCRIPTION" in node and node["FULL_PATH"] != "/" else set()
        return own.union(*(paths(child) for child in node.get("CONTENTS", {}).values()))

    root = json.loads(json.dumps(namespace()))
    assert paths(root) == set(BY_ADDRESS)
