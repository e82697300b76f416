"""Planned cues in `live`: asked for by OSC, played, saved, and the same when the session is opened again."""

from __future__ import annotations

import functools

import pytest
from golden import stored
from golden.facts import midi_lines
from golden.test_live import perform
from livelab import CLIP

from bridge.commands.live_options import parse
from engine.composer import Composer
from engine.music import UserError


@functools.cache
def composer() -> Composer:
    return Composer()


@pytest.fixture(autouse=True)
def _real_networks(monkeypatch) -> None:
    monkeypatch.setattr(stored, "stored_composer", composer)


def test_a_planned_session_opens_with_the_same_notes(tmp_path) -> None:
    file = tmp_path / "film.cuebridge.json"
    with stored.live(str(CLIP), "--session", str(file), folder=tmp_path) as stage:
        perform(stage, ["/cue/ensemble strings", "/cue/take/new"], tmp_path)
        stage.run(2.0)
        plans = stage.session.document.result.plans
        assert len(plans) == 1 and plans[0].ensemble == "strings"
        perform(stage, ["/cue/save", "export"], tmp_path)
    before = midi_lines(tmp_path / "export.mid")
    after = tmp_path / "after"
    after.mkdir()
    with stored.live(str(file), "--session", str(file), folder=after) as stage:
        assert stage.session.document.result.plans == plans
        perform(stage, ["export"], after)
    assert midi_lines(after / "export.mid") == before


def test_a_session_that_begins_plans_its_cues(tmp_path) -> None:
    with stored.live(str(CLIP), folder=tmp_path) as stage:
        stage.run(1.0)
        assert len(stage.session.document.result.plans) == 1
        assert stage.session.document.settings["/cue/form"] == "auto"


def test_a_session_that_says_nothing_of_a_form_has_none(tmp_path) -> None:
    """As sessions from before there were plans: with `--form none` nothing of a form is written."""
    file = tmp_path / "film.cuebridge.json"
    with stored.live(str(CLIP), "--form", "none", "--session", str(file), folder=tmp_path) as stage:
        perform(stage, ["/cue/save", "export"], tmp_path)
    assert "/cue/form" not in file.read_text()
    after = tmp_path / "after"
    after.mkdir()
    with stored.live(str(file), "--session", str(file), folder=after) as stage:
        perform(stage, ["/cue/take/new", "/cue/undo", "export"], after)
        stage.run(1.0)
        assert stage.session.document.result.plans == ()
    assert midi_lines(after / "export.mid") == midi_lines(tmp_path / "export.mid")


def test_a_form_and_players_asked_for_on_the_command_line(tmp_path) -> None:
    with stored.live(str(CLIP), "--form", "sad arc", "--ensemble", "piano", folder=tmp_path) as stage:
        stage.run(1.0)
        plan = stage.session.document.result.plans[0]
        assert (plan.form, plan.ensemble) == ("sad arc", "piano")
    with pytest.raises(UserError, match="--form: "):
        parse([str(CLIP), "--form", "rondo"])
