"""`compose FILM --takes 12 --board` and the options of the page that it stands for."""

from __future__ import annotations

import pytest

from bridge.cli import app
from bridge.commands import board, page
from bridge.commands.live_options import PagePlan
from engine.music import UserError


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["f.mp4", "--board"], ["f.mp4", "--board", "--takes", "12", "--open"]),
        (["f.mp4", "--takes", "5", "--board"], ["f.mp4", "--takes", "5", "--board", "--open"]),
        (["f.mp4", "--takes=5", "--board"], ["f.mp4", "--takes=5", "--board", "--open"]),
    ],
)
def test_compose_with_a_board_is_the_page_with_many_takes(monkeypatch, words, wanted) -> None:
    given = []
    monkeypatch.setattr(page, "main", lambda arguments: given.append(list(arguments)) or 0)
    assert app(["compose", *words]) == 0 and given == [wanted]
    assert board.TAKES == 12


def test_takes_and_board_are_read(film, planned) -> None:
    assert planned(film).takes == 1 and planned(film).page == PagePlan()
    plan = planned(film, "--takes", "12", "--board")
    assert plan.takes == 12 and plan.page is not None
    assert plan.page.address("http://127.0.0.1:1/?token=x") == "http://127.0.0.1:1/?token=x&view=board"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--takes", "0"], "--takes 0 is not a number of takes"),
        (["--takes", "65"], "--takes 65 is not a number of takes"),
        (["--takes", "many"], "--takes many is not a number of takes"),
        (["--no-page", "--board"], "--no-page leaves out"),
        (["--no-page", "--takes", "3"], "--no-page leaves out"),
    ],
)
def test_what_cannot_be_is_said(film, words, sentence, planned) -> None:
    with pytest.raises(UserError, match=sentence):
        planned(film, *words)
