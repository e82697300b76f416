"""What the board gets of each take: when, once, and what is in it."""

from __future__ import annotations

import json
import time

import pytest
from golden import stored
from livelab import CLIP

from bridge.page import sketches
from bridge.page.sketches import STEPS, Sketches
from engine.arrange.score import arrange_whole
from engine.music import PARTS


@pytest.fixture
def drawn(tmp_path):
    with stored.live(str(CLIP), "--form", "auto", folder=tmp_path, network=True) as stage:
        sent: list[tuple[int, bytes]] = []
        made = Sketches(stage.session, lambda number, data: sent.append((number, data)))
        yield stage, made, sent
        made.close()


def until(made: Sketches, sent: list, count: int) -> None:
    end_s = time.monotonic() + 20
    while len(sent) < count:
        made.tick()
        assert time.monotonic() < end_s, f"{len(sent)} of {count}"
        time.sleep(0.005)


def test_nothing_is_drawn_before_a_board_is_open(drawn) -> None:
    _, made, sent = drawn
    for _ in range(20):
        made.tick()
    assert sent == []


def test_each_take_is_drawn_once_with_its_form_and_the_notes_that_it_plays(drawn) -> None:
    stage, made, sent = drawn
    stage.osc("/cue/takes/add", 1)
    stage.until(lambda: len(stage.session.takes) == 2)
    made.want()
    until(made, sent, 3)
    assert [number for number, _ in sent] == [0, 1, 2]  # 0: what was before counts no more
    first, second = (json.loads(data) for _, data in sent[1:])
    assert first != second
    plan, played = stage.session.document.result.plans[0], arrange_whole(stage.session.score()).notes
    assert [row[2:7] for row in first["sections"]] == [
        [each.letter, each.role, each.mood, each.intensity, each.variant] for each in plan.sections
    ]
    assert first["players"] == plan.ensemble and first["form"] == plan.form
    assert len(first["notes"]) == 4 * len(played)
    heard = {(note.part, note.pitch, round(STEPS * stage.session.picture_at(note.start_beats))) for note in played}
    rows = [first["notes"][at : at + 3] for at in range(0, len(first["notes"]), 4)]
    assert {(PARTS[part], pitch, start) for part, pitch, start in rows} == heard
    for _ in range(20):
        made.tick()
    assert len(sent) == 3
    # Another board, or a server that took the place of a dead one, gets them again; nothing is arranged anew.
    made.want()
    assert sent[3:] == sent[1:3]


def test_a_take_that_cannot_be_drawn_is_said_and_ends_nothing(drawn, monkeypatch) -> None:
    stage, made, sent = drawn

    def fails(*_):
        raise ValueError("no")

    monkeypatch.setattr(sketches, "sketch", fails)
    made.want()
    end_s = time.monotonic() + 10
    while not any("could not be drawn" in sentence for sentence in stage.session.news):
        made.tick()
        assert time.monotonic() < end_s
        time.sleep(0.005)
    assert [number for number, _ in sent] == [0]
