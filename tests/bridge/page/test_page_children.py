"""Processes of the page's server that die: how often they come again, and what is said then."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

import pytest
from livelab import CLIP

from bridge.page import children, films
from bridge.page.children import Child
from bridge.page.films import DEADLY, Films
from engine.process.messages import MediaOpened, OpenMedia, Quit, ThumbnailsWanted


def answers_and_dies(connection: Any) -> None:
    """What a film does whose header can be read and whose pictures kill the decoder."""
    connection.recv()
    connection.send("opened")
    connection.recv()
    os._exit(1)


def opens_and_dies(connection: Any) -> None:
    """The same as the reader of films."""
    while True:
        match connection.recv():
            case OpenMedia(number=number):
                connection.send(MediaOpened(number, duration_s=30.0, fps=(24, 1), width=320, height=180, sound=True))
            case ThumbnailsWanted():
                os._exit(1)
            case Quit():
                return


def opens_and_is_slow(connection: Any) -> None:
    while not isinstance(message := connection.recv(), Quit):
        if isinstance(message, OpenMedia):
            connection.send(MediaOpened(message.number, duration_s=30.0, fps=(24, 1), width=320, height=180))


async def until(met, patience_s: float = 20.0) -> None:
    end_s = time.monotonic() + patience_s
    while not met():
        assert time.monotonic() < end_s
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("steady_s", [30.0, 0.0])
def test_a_child_that_answers_and_dies_is_given_up_unless_it_ran_steadily(monkeypatch, steady_s) -> None:
    monkeypatch.setattr(children, "STEADY_S", steady_s)

    async def scene() -> None:
        answers: list[Any] = []
        given_up: list[bool] = []
        child = Child(answers_and_dies, (), answers.append, given_up.append, asyncio.get_running_loop())
        for deaths in range(1, 5):
            child.send("open")
            child.send("read")
            if steady_s and deaths == 4:
                await asyncio.sleep(0.2)
                assert child.pid is None  # nothing is started any more
                break
            await until(lambda deaths=deaths: len(given_up) == deaths)
        assert answers == ["opened"] * len(given_up)
        assert given_up == ([False, False, True] if steady_s else [False] * 4)
        if steady_s:
            child.forgive()
            child.send("open")
            child.send("read")
            await until(lambda: len(given_up) == 4)
            assert given_up[-1] is False
        child.close()

    asyncio.run(scene())


def test_a_film_that_kills_its_reader_is_given_up_and_said_and_the_next_one_is_read(monkeypatch) -> None:
    monkeypatch.setattr(films, "media_process", opens_and_dies)

    async def scene() -> None:
        opened: list[float] = []
        made = Films(lambda: None, opened.append, lambda block: None, asyncio.get_running_loop())
        made.use(str(CLIP))
        for deaths in range(1, 4):
            await until(lambda deaths=deaths: len(opened) == deaths)
            assert await made.thumbnails(0, deaths) == b""
        await until(lambda: bool(made.facts.get("fault")))
        assert made.facts["sentence"] == DEADLY and made.facts["id"] == made.id and made.facts["sound"] is False
        assert await made.thumbnails(0, 9) == b""  # at once, and nothing is started for it
        assert len(opened) == 3
        made.use(f"{CLIP}.other")
        await until(lambda: len(opened) == 4)
        assert not made.facts.get("fault") and made.facts["sound"] is True
        made.close()

    asyncio.run(scene())


def test_a_thumbnail_that_did_not_come_in_time_is_asked_for_again(monkeypatch) -> None:
    monkeypatch.setattr(films, "media_process", opens_and_is_slow)
    monkeypatch.setattr(films, "PATIENCE_S", 0.05)

    async def scene() -> None:
        opened: list[float] = []
        made = Films(lambda: None, opened.append, lambda block: None, asyncio.get_running_loop())
        asked: list[Any] = []
        made.use(str(CLIP))
        await until(lambda: bool(opened))
        monkeypatch.setattr(made._child, "send", asked.append)
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await made.thumbnails(0, 1)
        assert asked == [ThumbnailsWanted(made.number, 0, 1)] * 2
        made.close()

    asyncio.run(scene())
