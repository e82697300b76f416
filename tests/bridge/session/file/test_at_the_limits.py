"""As much as a session takes of each thing: what was saved is read again."""

from __future__ import annotations

import pytest
from offlinelab import OfflineStage
from sessionlab import Engine

from bridge.daw.link import DawInfo
from bridge.daw.names import MAX_NAME, read_name
from bridge.session.edits import marks, plan
from bridge.session.file.autosave import saved_state
from bridge.session.session import SessionOptions
from engine.brief import Brief
from engine.document.file.reading import decode_session
from engine.document.file.writing import SessionWriter
from engine.music import Hit, UserError, controls
from engine.music.arguments import MAX_TEXT

FINGERPRINT = "0" * 64
DAW = DawInfo("a DAW", "1", "1", 1, ("127.0.0.1", 9), frozenset())


@pytest.fixture
def stage(clock):
    made = OfflineStage(clock, Engine(60.0), SessionOptions("film.mp4", tempo=Brief(bpm=120)))
    made.ready()
    yield made
    made.close()


def hits(made: OfflineStage) -> None:
    made.session.edit(marks.change_hits, (), [Hit(n * 0.05, "should", "h" * 200) for n in range(marks.MAX_MARKS)])


def sections(made: OfflineStage) -> None:
    changes = "activity=30; pattern=up; parts=pad bass; tempo=91; meter=3/4"
    for n in range(150):
        made.session.edit(marks.add_section, n * 0.4, changes, "n" * 1000)


def long_sections(made: OfflineStage) -> None:
    changes = "; ".join(["pattern=" + " ".join("1" for _ in range(16))] * 30)[:MAX_TEXT].rpartition(";")[0]
    for n in range(5):
        made.session.edit(marks.add_section, n * 2.0, changes, "n" * 4000)


def names_of_a_daw(made: OfflineStage) -> None:
    starts_s = made.session.starts_s
    texts = ("hit: ", "section: activity=30" + " " * (MAX_NAME - 30), "cue: 1m1", "hit must: ")
    found = [read_name(f"{text}{'x' * (MAX_NAME - len(text))}", 5.0 * n + starts_s) for n, text in enumerate(texts)]
    made.daw.names(DAW, tuple(each for each in found if each is not None))
    made.run(1.0)


def texts(made: OfflineStage) -> None:
    """Every control that takes a text, as long as it is taken."""
    for control in controls.CONTROLS:
        if control.address not in controls.SETTINGS or not isinstance(controls.SETTINGS[control.address], str):
            continue
        for text in ("C " * (MAX_TEXT // 2 - 1), "| C | F " * 500, "1:1 " * 255, "0-1 " * 1000, "x" * MAX_TEXT):
            try:
                made.controls.perform(control, control.check((text.strip()[:MAX_TEXT],)))
            except UserError:
                continue


def plan_edits(made: OfflineStage) -> None:
    made.osc("/cue/form", "song")
    made.ready()
    for n in range(60):
        made.session.edit(plan.change, "simpler", n % 50, n % 50 + 2.0, "")
        made.session.edit(plan.change, "only", n % 50, n % 50 + 1.0, "pad bass")


def notes_of_takes(made: OfflineStage) -> None:
    made.osc("/cue/take/note", 1, "n" * MAX_TEXT)
    made.osc("/cue/take/keep", "k" * 64)


@pytest.mark.parametrize("fill", [hits, sections, long_sections, names_of_a_daw, texts, notes_of_takes])
def test_what_a_session_takes_is_read_again(stage, tmp_path, fill) -> None:
    before = stage.session.document
    fill(stage)
    stage.ready()
    document = stage.session.document
    assert document != before or stage.session.takes.table
    saved = saved_state(stage.session, FINGERPRINT)
    assert saved is not None
    back = decode_session(SessionWriter().encode(saved, tmp_path / "x.cuebridge.json"))
    found = back.steps[back.index].document
    assert (found.hits, found.sections, found.cue_states) == (document.hits, document.sections, document.cue_states)
    assert found.settings == document.settings and found.result.recipe == document.result.recipe
    assert back.names == saved.names


def test_a_name_that_nobody_writes_is_left_alone() -> None:
    assert read_name("hit: " + "x" * MAX_NAME, 1.0) is None
