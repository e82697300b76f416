"""The table of controls: complete, consistent, and the one source of document, flags and OSCQuery."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.commands.live_options import parser
from bridge.controls.open_stage_control import layout
from bridge.controls.reference import reference
from bridge.controls.table import BY_ADDRESS, CONTROLS, FLAGS, SETTINGS, Arg, ControlError
from bridge.osc.query import namespace

ROOT = Path(__file__).resolve().parents[3]


def test_the_document_is_made_from_the_table() -> None:
    assert (ROOT / "docs" / "osc.md").read_text(encoding="utf-8") == reference(), "run: cuebridge osc > docs/osc.md"


def test_the_page_of_faders_is_made_from_the_table() -> None:
    made = json.dumps(layout(), indent=1) + "\n"
    assert (ROOT / "docs" / "open-stage-control.json").read_text(encoding="utf-8") == made, (
        "run: cuebridge osc --open-stage-control > docs/open-stage-control.json"
    )


def test_every_address_is_told_once_and_has_words() -> None:
    assert len(BY_ADDRESS) == len(CONTROLS)
    for control in CONTROLS:
        assert control.address.startswith("/cue/") and control.doc.endswith((".", "%"))
        assert control.access in ("value", "state", "do")
        if control.access == "value":
            assert control.arguments and not control.arguments[0].optional


def test_defaults_are_what_the_table_itself_accepts() -> None:
    for address, default in SETTINGS.items():
        if address != "/cue/tempo":  # 0 there means: as the film's cuts suggest
            assert BY_ADDRESS[address].arguments[0].check(default) == default


def test_flags_of_live_come_from_the_table() -> None:
    flags = {option for action in parser()._actions for option in action.option_strings}
    assert {control.flag for control in FLAGS} <= flags


def test_oscquery_names_every_address() -> None:
    def paths(node: dict) -> set[str]:
        own = {node["FULL_PATH"]} if "DESCRIPTION" in node and node["FULL_PATH"] != "/" else set()
        return own.union(*(paths(child) for child in node.get("CONTENTS", {}).values()))

    root = json.loads(json.dumps(namespace()))
    assert paths(root) == set(BY_ADDRESS)


@pytest.mark.parametrize(
    ("arg", "value", "expected"),
    [
        (Arg("x", "whole", 1, 16), 3.0, 3),
        (Arg("x", "number", 0, 100), 7, 7.0),
        (Arg("x", "switch"), 1.0, True),
        (Arg("x", "switch"), 0, False),
        (Arg("x", "number", 0, 100, words=("picture",)), "picture", "picture"),
        (Arg("x", "number", 0, 100, words=("picture",)), None, "picture"),
        (Arg("x", "choice", words=("1", "2")), 2, "2"),
    ],
)
def test_types_are_taken_for_each_other_where_nothing_is_lost(arg: Arg, value: object, expected: object) -> None:
    found = arg.check(value)  # type: ignore[arg-type]
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("arg", "value", "code"),
    [
        (Arg("x", "whole", 1, 16), 3.5, "bad_value"),
        (Arg("x", "whole", 1, 16), 17, "bad_value"),
        (Arg("x", "number", 0, 100), float("nan"), "bad_value"),
        (Arg("x", "number", 0, 100), float("inf"), "bad_value"),
        (Arg("x", "number", 0, 100), "7", "bad_type"),
        (Arg("x", "number", 0, 100), True, "bad_type"),
        (Arg("x", "number", 0, 100), b"7", "bad_type"),
        (Arg("x", "switch"), 2, "bad_value"),
        (Arg("x", "switch"), "on", "bad_type"),
        (Arg("x", "choice", words=("a",)), "b", "bad_value"),
        (Arg("x", "text"), None, "bad_type"),
        (Arg("x", "text"), "y" * 5000, "bad_value"),
    ],
)
def test_refusals_have_a_code_and_a_sentence(arg: Arg, value: object, code: str) -> None:
    with pytest.raises(ControlError) as refusal:
        arg.check(value)  # type: ignore[arg-type]
    assert refusal.value.code == code and str(refusal.value).endswith(".")


@given(
    st.sampled_from(CONTROLS),
    st.lists(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.binary()), max_size=5
    ),
)
def test_any_arguments_are_checked_or_refused(control, arguments) -> None:
    try:
        control.check(arguments)
    except ControlError as error:
        assert error.code in ("bad_type", "bad_value")
