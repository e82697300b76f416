"""The table of controls: consistent, complete, and faithful to every name that was ever in use."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.arrange import ArrangeOptions, PartOptions
from engine.arrange.options import from_settings
from engine.brief import Brief
from engine.music import EMOTIONS, PARTS
from engine.music.arguments import Arg, ControlError
from engine.music.controls import (
    ALIASES,
    BY_ADDRESS,
    CONTROLS,
    FLAGS,
    SETTINGS,
    current_address,
    of_part,
    options_from,
    settings_of,
    with_scope,
)
from engine.process.messages import ComposeOptions

NAMES = json.loads((Path(__file__).parent / "fixtures" / "names-of-november-2026.json").read_text(encoding="utf-8"))


def test_addresses_and_flags_are_unique_old_ones_included() -> None:
    names = [name for row in CONTROLS for name in (row.address, *row.old_addresses)]
    flags = [name for row in (*CONTROLS, *FLAGS) if row.flag for name in (row.flag, *row.old_flags)]
    assert [name for name, count in Counter(names + flags).items() if count > 1] == []


def test_every_row_is_whole() -> None:
    for row in CONTROLS:
        assert row.address.startswith("/cue/") and row.doc.endswith("."), row.address
        assert row.access in ("value", "state", "do")
        assert row.effect in ("compose", "arrange", "transport", "output", "none")
        assert set(row.scopes) <= {"film", "cue", "section", "take"}
        if row.access == "value":
            assert row.arguments and not row.arguments[0].optional


def test_defaults_are_what_the_table_itself_accepts() -> None:
    for address, default in SETTINGS.items():
        if address != "/cue/tempo":  # 0 there means: as the film's cuts suggest
            assert BY_ADDRESS[address].arguments[0].check(default) == default


def _fields(options: type) -> set[str]:
    return {each.name for each in dataclasses.fields(options)}


def test_every_option_that_a_row_names_exists() -> None:
    for row in (*CONTROLS, *FLAGS):
        if not row.to:
            continue
        head, _, name = row.to.partition(".")
        if name.startswith("part."):
            _, part, name = name.split(".")
            assert part in PARTS and name in _fields(PartOptions), row.to
        elif name.startswith("affect_bias."):
            assert head == "compose" and name.removeprefix("affect_bias.") in EMOTIONS
        else:
            known = {"arrange": ArrangeOptions, "compose": ComposeOptions, "brief": Brief}[head]
            assert name in _fields(known), row.to


def test_no_two_rows_set_one_option() -> None:
    targets = Counter(row.to for row in (*CONTROLS, *FLAGS) if row.to)
    assert [name for name, count in targets.items() if count > 1] == []


def test_the_defaults_of_the_table_are_those_of_the_options() -> None:
    assert from_settings({}) == ArrangeOptions()
    compose = options_from({}, "compose")
    for name, value in compose.items():
        if not name.startswith("affect_bias."):
            assert value == getattr(ComposeOptions(), name), name


def test_settings_become_options() -> None:
    settings = {
        "/cue/swing": 60.0, "/cue/activity": 40.0, "/cue/looseness": 9.0, "/cue/arp_octaves": 2,
        of_part("bass", "on"): False, of_part("bass", "low"): 30, of_part("arp", "note_length"): 30.0,
        of_part("arp", "pattern"): "up",
    }  # fmt: skip
    options = from_settings(settings)
    assert (options.swing, options.activity, options.looseness_ms, options.arp_octaves) == (60.0, 40.0, 9.0, 2)
    assert options.part("bass") is None and options.parts["bass"].low == 30
    assert (options.parts["arp"].note_length, options.parts["arp"].pattern) == (30.0, "up")
    assert from_settings({"/cue/activity": "picture"}).activity is None


def test_scopes() -> None:
    take = {
        f"/cue/{name}"
        for name in ("ending", "tail", "key", "progression", "progression/mode", "theme", "take/like", "take/draws")
    }
    assert set(with_scope("take")) == take
    assert set(with_scope("cue")) == take | {
        f"/cue/{name}" for name in ("name", "in", "out", "bar_1", "proposed", "tempo")
    }
    assert set(with_scope("section")) == {
        f"/cue/{name}" for name in ("key", "tempo", "activity", "dynamics", "pattern")
    }


# old names -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("old", NAMES["addresses"])
def test_every_old_address_goes_on_meaning_what_it_meant(old: str) -> None:
    was, row = NAMES["addresses"][old], BY_ADDRESS[current_address(old)]
    assert (row.access, row.undo, row.default) == (was["access"], was["undo"], was["default"])
    assert len(row.arguments) >= len(was["arguments"])
    for then, now in zip(was["arguments"], row.arguments, strict=False):
        assert (now.kind, now.optional) == (then["kind"], then["optional"])
        # A range may widen, never narrow.
        assert now.low == then["low"] or (now.low is not None and now.low < then["low"])
        assert now.high == then["high"] or (now.high is not None and now.high > then["high"])
        assert set(then["words"]) <= set(now.words)
    assert all(argument.optional for argument in row.arguments[len(was["arguments"]) :])


def test_kept_settings_under_old_names_are_read() -> None:
    kept = {"/cue/follow": 70, "/cue/arp_span": 2, "/cue/swing": 55.0}
    assert settings_of(kept) == {"/cue/follow_picture": 70.0, "/cue/arp_octaves": 2, "/cue/swing": 55.0}
    for nonsense in ({"/cue/nothing": 1}, {"/cue/play": 1}, {"/cue/swing": 999}):
        with pytest.raises(ControlError):
            settings_of(nonsense)


def test_no_old_name_is_a_name_in_use() -> None:
    assert not set(ALIASES) & set(BY_ADDRESS)


# arguments -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arg", "value", "expected"),
    [
        (Arg("x", "whole", 1, 16), 3.0, 3),
        (Arg("x", "whole", 1, 16), 2.9999998, 3),  # 3 after a sum of 32-bit floats
        (Arg("x", "whole", 1, 16), 0.99999994, 1),
        (Arg("x", "whole", 1, 99_999), 99_998.99, 99_999),
        (Arg("x", "number", 0, 100), 7, 7.0),
        (Arg("x", "switch"), 1.0, True),
        (Arg("x", "switch"), 0, False),
        (Arg("x", "number", 0, 100, words=("picture",)), "picture", "picture"),
        (Arg("x", "number", 0, 100, words=("picture",)), None, "picture"),
        (Arg("x", "choice", words=("1", "2")), 2, "2"),
    ],
)
def test_types_are_converted_where_nothing_is_lost(arg: Arg, value: object, expected: object) -> None:
    found = arg.check(value)  # type: ignore[arg-type]
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("arg", "value", "code"),
    [
        (Arg("x", "whole", 1, 16), 3.5, "bad_value"),
        (Arg("x", "whole", 1, 16), 2.999, "bad_value"),
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


@pytest.mark.parametrize(
    ("address", "arguments", "expected"),
    [
        ("/cue/play", (1.0,), True),
        ("/cue/play", (0.0,), False),
        ("/cue/play", (127,), True),
        ("/cue/undo", (True,), True),
        ("/cue/panic", (False,), False),
        ("/cue/play", (), None),
        ("/cue/play", ("x",), None),
        ("/cue/play", (float("nan"),), None),
        ("/cue/take/new", (1.0,), True),
        ("/cue/take/new", (0.0,), False),
        ("/cue/take/new", (12.5,), None),  # from that picture second
        ("/cue/take/new", ("chord",), None),
        ("/cue/take/keep", (1.0,), True),
        ("/cue/take/keep", (0,), False),
        ("/cue/take/keep", ("warm",), None),
        ("/cue/locate", (0.0,), None),  # needs its number
        ("/cue/swing", (60.0,), None),
        ("/cue/loop", (0,), None),
    ],
)
def test_a_button_is_told_from_arguments(address: str, arguments: tuple, expected: bool | None) -> None:
    assert BY_ADDRESS[address].button(arguments) is expected


@given(
    st.sampled_from(CONTROLS),
    st.lists(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.binary()), max_size=5
    ),
)
def test_any_arguments_are_checked_or_refused(control, arguments) -> None:
    control.button(arguments)
    try:
        control.check(arguments)
    except ControlError as error:
        assert error.code in ("bad_type", "bad_value")
