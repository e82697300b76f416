"""`cuebridge live` with its page, and `cuebridge page` from a first visit to the saved film, as programs."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import av
import pytest
from livelab import COMMAND, Live, environment, short_film
from pagelab import Browser
from websockets.exceptions import ConnectionClosed


def test_the_page_s_server_is_killed_and_play_goes_on(tmp_path) -> None:
    film = short_film(tmp_path / "short.mp4", 6.0)
    with Live(film, tmp_path, "--midi-api", "none", "--no-session", "--page-port", "0") as live:
        ready = live.wait(lambda line: line.get("type") == "ready", "the page's address")
        live.ready()
        browser = Browser(ready["page"])
        assert browser.open().status_code == 200 and browser.secret
        socket = browser.socket()
        assert socket.state["phase"] == "ready" and len(socket.state["lists"]["chords"]) > 1
        # What one does the other sees; over OSC and in the page.
        live.send("/cue/swing", 57.0)
        assert socket.until(lambda each: each.get("set") == "/cue/swing")["args"] == [57.0]
        assert socket.ask("/cue/swing", 61.0)["ok"][0] == 61.0
        answer = live.send("/cue/swing")
        assert answer is not None and answer.params == [61.0]
        assert socket.ask("/cue/play")["ok"]
        live.wait(lambda line: line.get("state") == "playing", "play")
        os.kill(ready["pids"]["page"], signal.SIGKILL)
        with pytest.raises(ConnectionClosed):
            while True:
                socket.next()
        at_s = live.wait(lambda line: line.get("state") == "playing", "play goes on")["position_s"]
        later = live.wait(lambda line: line.get("type") == "status" and line["position_s"] > at_s + 1.0, "it goes on")
        assert later["state"] == "playing" and later["dropped"] == 0
        again = reconnected(browser)
        assert again.state["phase"] == "ready" and again.state["values"]["/cue/swing"] == [61.0]
        assert again.ask("/cue/stop")["ok"] is not None
        again.close()
        assert live.quit() == 0
    assert any("server has died" in line for line in live.errors)


def reconnected(browser: Browser, timeout_s: float = 20.0):
    end_s = time.monotonic() + timeout_s
    while True:
        try:
            return browser.socket()
        except (OSError, ConnectionClosed, TimeoutError, EOFError):
            assert time.monotonic() < end_s, "the page did not come back"
            time.sleep(0.1)


@contextmanager
def page_program(home: Path, *words: str):
    """`cuebridge page … --open` and a browser that has opened it; what it opened is in the file `opened`."""
    opener = home / "opener"
    opener.write_text(f"#!/bin/sh\necho \"$1\" >> '{home}/opened'\n")
    opener.chmod(0o755)
    program = subprocess.Popen(
        [*COMMAND, "page", "--page-port", "0", "--osc-port", "off", "--plain", "--no-keys", "--open", *words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
        env={**environment(home), "BROWSER": str(opener)},
        cwd=home,
    )  # fmt: skip
    said: list[str] = []
    assert program.stdout is not None
    first = program.stdout.readline()
    stream = program.stdout
    threading.Thread(target=lambda: said.extend(stream), daemon=True).start()
    try:
        assert first.startswith("Page: http://127.0.0.1:"), first + "".join(said)
        browser = Browser(first.split()[1])
        assert browser.open().status_code == 200
        yield program, browser, said
    finally:
        program.send_signal(signal.SIGTERM)
        try:
            program.wait(15)
        except subprocess.TimeoutExpired:
            program.kill()
        browser.close()


def uploaded(browser: Browser, path: Path) -> str:
    answer = browser.post("/upload", path.read_bytes(), **{"X-File-Name": path.name})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["upload"])


def test_a_first_visit_ends_in_the_film_with_its_music(tmp_path) -> None:
    film = short_film(tmp_path / "short.mp4", 4.0)
    odd = tmp_path / "h.mov"
    odd.write_bytes(b"no film" * 100)
    with page_program(tmp_path) as (program, browser, said):
        socket = browser.socket()
        assert socket.state["phase"] == "empty" and socket.state["can"]["bundled"] is True
        assert socket.ask("/cue/play")["error"][0] == "not_ready"
        # A film that cannot be read is said, and another can be chosen.
        assert socket.ask("/page/film/upload", uploaded(browser, odd))["ok"] == ["h.mov"]
        socket.until(lambda each: each.get("state", {}).get("phase") == "empty", 60.0)
        refused = socket.until(lambda each: "h.mov is not a film" in each.get("say", ""), 10.0)
        assert refused["say"].endswith(".")
        assert socket.ask("/page/film/upload", uploaded(browser, film))["ok"] == ["short.mp4"]
        socket.send({"id": 900, "do": "/cue/key", "args": ["Am"]})  # before there is a session
        assert socket.until(lambda each: each.get("id") == 900, 60.0)["ok"][0] == "Am"
        assert socket.ask("/cue/progression", "Am F C G")["ok"]
        socket.until(lambda each: each.get("plan") and each["complete"], 60.0)
        state = browser.get("/state").json()
        assert [row[4] for row in state["lists"]["chords"]][:2] == ["Am", "F"] and state["phase"] == "ready"
        job = socket.ask("/page/save", "mp4", {"name": "../my cue"})["ok"][0]
        done = socket.until(lambda each: each.get("job", {}).get("job") == job and finished(each["job"]), 120.0)["job"]
        assert done["link"] == f"/saved/{job}/my%20cue.mp4", done
        saved = browser.get(done["link"])
        assert saved.headers["content-disposition"].startswith("attachment")
        (tmp_path / "saved.mp4").write_bytes(saved.content)
        assert browser.get(f"/saved/{job}/session.cuebridge.json").status_code == 404
        assert socket.ask("/cue/quit")["ok"] == []
        assert program.wait(20) == 0, "".join(said)
        # The page is said and opened once, whatever sessions follow.
        assert not any(line.startswith("Page:") for line in said)
        assert (tmp_path / "opened").read_text().split() == [browser.address]
    with av.open(str(tmp_path / "saved.mp4")) as saved_film:
        streams = {each.type: float(each.duration * each.time_base) for each in saved_film.streams}
    assert streams["video"] == pytest.approx(4.0, abs=0.1) and streams["audio"] == pytest.approx(4.0, abs=0.1)


def finished(job) -> bool:
    return bool(job["link"] or job["error"])
