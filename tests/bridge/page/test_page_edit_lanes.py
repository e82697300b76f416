"""What drags, keys and menus of the lanes of theme, form and cues send, by the page's own modules under node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import bridge.page

STATIC = Path(bridge.page.__file__).parent / "static"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")


@pytest.fixture(scope="module")
def found() -> dict:
    host = Path(__file__).with_name("lanes_host.mjs")
    done = subprocess.run([str(NODE), str(host), f"{STATIC}/"], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_a_statement_is_dragged_to_the_nearest_bar_and_tried_meanwhile(found: dict) -> None:
    dragged = found["theme dragged"]
    assert dragged["sent"][0] == ["try", "/cue/theme/move", [0, 6]]  # held three seconds into it
    assert dragged["sent"][-1] == ["/cue/theme/move", [0, 6], "g"]
    assert dragged["said"] == ["1|1 → 4|1", None, 0]


def test_a_refusal_is_said_while_it_is_dragged_and_a_cancelled_drag_sends_nothing(found: dict) -> None:
    refused = found["theme refused"]
    assert refused["said"] == ["no room there", True, None, ""]
    assert {row[0] for row in refused["sent"]} == {"try"}


def test_keys_move_by_a_bar_and_stay_on_what_they_moved(found: dict) -> None:
    assert found["theme by a key"]["sent"] == [["/cue/theme/move", [0, 2], "keys themes"], ["select", "themes", 2]]
    assert found["theme deleted"]["sent"] == [["/cue/theme/silent", [0], None]]
    assert found["form by keys"]["said"] == [True, True, False]
    assert found["form by keys"]["sent"] == [
        ["/cue/form/move", [16, 14], "keys form"], ["/cue/form/refuse", [16], None], ["select", "form", 14],
    ]  # fmt: skip


def test_a_border_is_dragged_and_the_first_is_none(found: dict) -> None:
    assert found["border dragged"]["said"] == [None, None]
    assert found["border dragged"]["sent"][-1] == ["/cue/form/move", [16, 14], "g"]


def test_a_menu_offers_what_can_be_done(found: dict) -> None:
    first, last = found["form by menu"]["said"]
    assert "Accept" in first and "Merge with next" in first and not any("Refuse" in text for text in first)
    assert "Accept" not in last and "Merge with next" not in last and any("Refuse" in text for text in last)
    assert [row[0] for row in found["form by menu"]["sent"]] == [
        "/cue/form/accept", "/cue/form/merge", "/cue/form/refuse",
    ]  # fmt: skip


def test_proposed_cues_are_refused_others_deleted_and_edges_belong_to_the_selected_one(found: dict) -> None:
    assert found["cues"]["said"] == [
        2, "cue 1m1, selected", "cue 1m2, proposed: much motion", "The door",
    ]  # fmt: skip
    assert [row[:2] for row in found["cues"]["sent"]] == [
        ["/cue/cues/remove", ["1m1"]], ["/cue/cues/refuse", ["1m2"]], ["/cue/cues/accept", ["1m2"]],
        ["/cue/cues/select", ["1m2"]], ["/cue/out", [26]],
    ]  # fmt: skip


def test_a_chord_s_name_is_made_smaller_and_then_its_root_and_never_another_chord(found: dict) -> None:
    assert found["names"]["said"] == [
        ["C#maj7", "600 15px x"], ["C#maj7", "600 13px x"], ["C#maj7", "600 11px x"], ["C#…", "600 11px x"],
        ["C#…", "600 11px x"], ["", "600 11px x"],
    ]  # fmt: skip


def test_among_ten_thousand_hits_only_those_that_are_near_are_looked_at(found: dict) -> None:
    pointed, (texts, painted), whole = found["many hits"]["said"]
    assert pointed == [4000, "should hit 🎬 at 2000, on the frame", 1]
    assert texts == [50 * index + 10 for index in range(-5, 11)] and painted <= 40
    assert whole <= 1500  # three for each pixel of five hundred
