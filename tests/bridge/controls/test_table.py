"""Documents, flags and OSCQuery are made from the table of controls."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from bridge.commands.live_options import parser
from bridge.controls.dispatch import Controls
from bridge.controls.namespace import namespace
from bridge.controls.open_stage_control import layout
from bridge.controls.reference import reference
from engine.music.controls import BY_ADDRESS, MUSIC_FLAGS

ROOT = Path(__file__).resolve().parents[3]


def test_the_document_is_made_from_the_table() -> None:
    assert (ROOT / "docs" / "osc.md").read_text(encoding="utf-8") == reference(), "run: cuebridge osc > docs/osc.md"


def test_every_row_of_the_document_has_its_cells() -> None:
    rows = [line for line in reference().splitlines() if line.startswith("| ")]
    assert len(rows) > 100
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}


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


def _texts(path: Path) -> list[str]:
    """The texts of a module, those of f-strings too, but no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [str(node.value) for node in constants if id(node) not in documents]


# The document of the table quotes addresses in its prose.
SPELLED = {
    "engine/music/controls.py", "bridge/controls/reference.py",
    "engine/document/file/migrations.py",  # what older files say stays, whatever addresses are called later
}  # fmt: skip


@pytest.mark.parametrize("folder", ["bridge", "engine", "models"])
def test_no_module_spells_out_an_address(folder: str) -> None:
    for path in sorted((ROOT / folder).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name not in SPELLED:
            assert not [text for text in _texts(path) if "/cue/" in text], f"{name}: take it from engine.music.controls"


def test_every_row_has_one_handler_and_every_handler_a_row(stage) -> None:
    handled = Controls(stage(3.0).session, lambda *answer: None, lambda *refusal: None).handled
    assert Counter(handled) == Counter(BY_ADDRESS.keys())


def test_the_guides_name_addresses_in_use() -> None:
    known = {*BY_ADDRESS, "/cue/error", "/cue/tempo/fit/plan", "/cue/markers/row",
             *(f"/cue/conform/{word}" for word in ("change", "moved", "policy"))}  # fmt: skip
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for found in re.findall(
            r"/cue/[a-z0-9_]+(?:/[a-z0-9_]+)*(?![a-z0-9_/*{A-Z])", path.read_text(encoding="utf-8")
        ):
            assert found in known or found == "/cue/shimmer", f"{path.name}: {found}"  # the one that CONTRIBUTING adds
