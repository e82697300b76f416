"""The bridge's end of the server: what the player tells never waits for the server's life and death."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
from pagelab import PageProcess

from bridge.page import link
from bridge.page.pipe import Pipe
from bridge.player import messages as m


def within(seconds: float, met) -> None:
    end_s = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end_s
        time.sleep(0.01)


@pytest.mark.parametrize("slow", ["spawn", "close"])
def test_the_player_does_not_wait_while_a_server_takes_the_place_of_a_dead_one(tmp_path, monkeypatch, slow) -> None:
    """Making the new process, or closing the old pipe, is held up; what is told meanwhile reaches the new one."""
    reached, go = threading.Event(), threading.Event()
    spawn, close = link.start_on_pipe, Pipe.close

    def held(real, *arguments, **more):
        reached.set()
        go.wait(20)
        return real(*arguments, **more)

    with PageProcess(tmp_path) as page:
        if slow == "spawn":
            monkeypatch.setattr(link, "start_on_pipe", lambda *target, **more: held(spawn, *target, **more))
        else:
            monkeypatch.setattr(Pipe, "close", lambda pipe: held(close, pipe))
        os.kill(page.link.pid or 0, signal.SIGKILL)
        assert reached.wait(20)

        def told() -> None:
            page.link.take_player_message(m.pack_begin(1, "seconds", 0.0))
            for packet in m.pack_events([(m.NOTE, 0, 0, 60, 90, 11.0, 0.5)]):
                page.link.take_player_message(packet)
            page.link.take_player_message(m.pack_commit(1))

        teller = threading.Thread(target=told)
        teller.start()
        teller.join(5.0)
        waited = teller.is_alive()
        go.set()
        teller.join()
        assert not waited
        within(30, lambda: page.link.restarts == 1 and _tile(page) == 200)


def _tile(page: PageProcess) -> int:
    import httpx

    try:
        return page.browser.get("/notes/1/1.bin").status_code
    except httpx.HTTPError:
        return 0
