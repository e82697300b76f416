"""What the page costs, and how soon it hears and is heard.

    python tests/bench/page.py [notes] [latency] [heard] [long] [--seconds 20] [--period 256] [--browsers]

notes: onsets captured on JACK, with and without a page, in turns: two pages that are told everything, both pulling the
sound of five parts and of the film, thumbnails and tiles.  p99 must be as without.  --browsers: two real ones, that
play the film and its sound, and one of them scrolls.
latency: from a page's message to its answer, to another page and to an OSC client, beside what an OSC client takes to
reach the other without a page; from a change of the plan to the first block of sound that has it, beside a block that
is kept already.
heard: while it plays, the next chord is changed in a page: until it is heard, as the answer promises, and how long
before that its sound is here.
long: turns of the session of a two-hour film while a page looks on, beside turns without one; the state that a page
begins with, and how long it takes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

import psutil
from jacklab import Capture, JackServer, why_not
from livelab import CLIP, Live, composed_notes, match, port_name, struck
from pagelab import Browser, Socket
from pythonosc.udp_client import SimpleUDPClient

from bridge.page.protocol import MUSIC_STREAM, unpack_sound
from engine.process.messages import SOUND_BLOCK, SOUND_RATE

TRANSPOSED = 5  # different plans of the same music: all pitches of each are new once


def spread(seconds: list[float]) -> str:
    ordered = sorted(1000 * value for value in seconds)
    pick = lambda share: ordered[min(int(share * len(ordered)), len(ordered) - 1)]  # noqa: E731
    return f"p50 {pick(0.5):7.2f}  p99 {pick(0.99):7.2f}  max {ordered[-1]:7.2f} ms  ({len(ordered)})"


@contextlib.contextmanager
def onlookers(address: str, count: int = 2) -> Iterator[list[int]]:
    """Pages that hear everything, draw everything and sound; bytes that they got."""
    browser, ends, got = Browser(address), threading.Event(), [0]
    browser.open()
    with browser.socket() as socket:  # the film is opened for the first page
        seen = {"film": socket.state["film"]}
        while not (seen.get("film") or {}).get("id"):
            seen = socket.next()
        film = seen["film"]["id"]

    def listen() -> None:
        socket = browser.socket()
        while not ends.is_set():
            with contextlib.suppress(TimeoutError):
                got[0] += len(json.dumps(socket.next(0.2)))
        socket.close()

    def sound() -> None:
        socket = browser.socket("sound")
        first = 0
        while not ends.is_set():
            socket.send({"want": [first, 8], "film": True})
            for _ in range(16):
                with contextlib.suppress(TimeoutError):
                    got[0] += len(socket.next(0.5))
            first = (first + 8) % 56
            ends.wait(2.0)
        socket.close()

    def draw() -> None:
        tile = 0
        while not ends.is_set():
            browser.get(f"/film/{film}/thumbnails/{tile % 3}.jpg?level={tile % 2}")
            browser.get("/state")
            browser.get(f"/film/{film}/video", Range=f"bytes={tile * 1000}-{tile * 1000 + 200_000}")
            tile += 1
            ends.wait(0.1)

    threads = [threading.Thread(target=run) for run in (listen, sound) for _ in range(count)]
    threads.append(threading.Thread(target=draw))
    for thread in threads:
        thread.start()
    try:
        yield got
    finally:
        ends.set()
        for thread in threads:
            thread.join(10)
        browser.close()


@contextlib.contextmanager
def two_browsers(address: str) -> Iterator[list[int]]:
    """Two windows of a real browser with film and sound; one of them scrolls, eight pixels a frame."""
    import browserlab

    program = SimpleNamespace(address=address)
    with browserlab.chromium() as browser:
        pages = [browserlab.opened(browser, program, lanes=lanes) for lanes in ("all", "chords")]
        for page in pages:
            page.keyboard.press("F")  # a key: from now on it may sound
        browserlab.value(
            pages[0],
            "(app.view.zoom_by(8, 0), app.view.set_following(false), setInterval(() => app.view.scroll_to("
            "(app.view.left_s + 8 / app.view.zoom) % (app.duration_s - app.view.span_s)), 16))",
        )
        yield [0]
        sounding = [browserlab.value(page, "app.sound.on && app.sound.report?.position > 0") for page in pages]
        print(f"  browsers that sounded: {sum(map(bool, sounding))} of {len(pages)}")


def page_address(live: Live, timeout_s: float = 60.0) -> str:
    """With the program's first line, or later where the page's server took its time."""
    end_s = time.monotonic() + timeout_s
    while time.monotonic() < end_s:
        # All lines: a busy machine may have said its status hundreds of times before.
        if found := re.search(r"http://127\.0\.0\.1:\d+/\?token=[\w-]+", json.dumps(live.lines)):
            return found.group()
        time.sleep(0.1)
    raise AssertionError("the page's server has not come")


def until(live: Live, picture_s: float) -> None:
    live.wait(lambda line: line.get("type") == "status" and line["picture_s"] >= picture_s, f"{picture_s} s", 120)


def notes(options: argparse.Namespace) -> None:
    if (reason := why_not()) is not None:
        print(f"notes: not measured: {reason}")
        return
    with tempfile.TemporaryDirectory() as folder, JackServer(period=options.period) as server:
        home = Path(folder)
        print(f"notes: {server.about}; {options.seconds:g} s a case; |captured - composed| ms")
        arguments = ("--midi-api", "jack-client", "--osc-folder", str(home), "--page-port", "0")
        for number, paged in enumerate((False, True, False, True)):
            with Live(CLIP, home, *arguments) as live, Capture() as capture:
                ready = live.ready()
                address = page_address(live)
                capture.connect(port_name(ready))
                out = home / f"{number}.mid"
                live.send("/cue/export", str(out))
                while not out.exists():
                    time.sleep(0.05)
                time.sleep(0.2)
                looking = two_browsers if options.browsers else onlookers
                with looking(address) if paged else contextlib.nullcontext([0]) as got:
                    time.sleep(1.0)
                    live.send("/cue/play")
                    live.wait(
                        lambda line: line.get("type") == "status" and line["picture_s"] >= options.seconds,
                        "the end",
                        120,
                    )
                    live.send("/cue/stop")
                    time.sleep(0.4)
                composed = [note for note in composed_notes(out) if note[0] < options.seconds - 0.3]
                found = match(struck(capture.heard()), composed)
                figures = found.summary_ms()
                live.quit()
            what = ("two browsers" if options.browsers else "two pages, sound") if paged else "no page"
            print(
                f"  {what:18}{ready['priority']:16} notes {figures['notes']:4.0f}  missing {len(found.missing)}  "
                f"extra {len(found.extra)}  p50 {figures['p50_ms']:.3f}  p99 {figures['p99_ms']:.3f}  "
                f"max {figures['max_ms']:.3f}  xruns {capture.xruns}  got {got[0] / 1e6:.0f} MB",
                flush=True,
            )


def latency(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with Live(CLIP, home, "--midi-api", "none", "--page-port", "0") as live:
            live.ready()
            browser = Browser(page_address(live))
            ready = next(line for line in live.lines if line.get("type") == "ready")
            if "page" in ready["pids"]:
                print(f"latency: server {psutil.Process(ready['pids']['page']).memory_info().rss / 2**20:.0f} MiB")
            browser.open()
            with browser.socket() as first, browser.socket() as second:
                live.send("/cue/subscribe", "/cue/swing")
                answered, to_page, to_osc, without = [], [], [], []
                other = SimpleUDPClient("127.0.0.1", live.osc_port)
                for number in range(options.changes):
                    value = 51.0 + (number * 7) % 24
                    begun_s = time.perf_counter()
                    first.ask("/cue/swing", value)
                    answered.append(time.perf_counter() - begun_s)
                    to_osc.append(_osc_sees(live, value, begun_s))
                    second.until(lambda each, value=value: each.get("set") == "/cue/swing" and each["args"] == [value])
                    to_page.append(time.perf_counter() - begun_s)
                    time.sleep(0.13)
                    begun_s = time.perf_counter()
                    other.send_message("/cue/swing", value + 0.5)
                    without.append(_osc_sees(live, value + 0.5, begun_s))
                    time.sleep(0.13)
                print(f"  page -> its answer    {spread(answered)}")
                print(f"  page -> OSC client    {spread(to_osc)}")
                print(f"  page -> another page  {spread(to_page)}")
                print(f"  OSC -> OSC client     {spread(without)}, without a page: {_ratio(to_osc, without)}")
            with browser.socket() as page, browser.socket("sound") as sound:
                made, kept = _sounds(page, sound, options.changes // 2)
                print(f"  plan -> first block   {spread(made[TRANSPOSED:])}")
                print(f"  the same, pitches new {spread(made[:TRANSPOSED])}: no note of it has sounded before")
                print(f"  a block that is kept  {spread(kept)}: {_ratio(made[TRANSPOSED:], kept)}")
            live.quit()


def _osc_sees(live: Live, value: float, begun_s: float) -> float:
    from pythonosc.osc_packet import OscPacket

    while True:
        for message in OscPacket(live._socket.recv(65536)).messages:
            if message.message.address == "/cue/swing" and message.message.params == [value]:
                return time.perf_counter() - begun_s


def _ratio(ours: list[float], reference: list[float]) -> str:
    return f"ours takes {statistics.median(ours) / statistics.median(reference):.2f} times as long (medians)"


def _sounds(page: Socket, sound: Socket, changes: int) -> tuple[list[float], list[float]]:
    """Seconds from the word that a new plan is there to its first block, and of the same block once more; then the page
    is given rest."""
    found, again = [], []
    for number in range(changes):
        page.ask("/cue/transpose", float(number % TRANSPOSED))
        revision = sound.until(lambda each: isinstance(each, dict), 20.0)["revision"]
        begun_s = time.perf_counter()
        sound.send({"want": [8, 2], "film": False})
        while True:
            message = sound.next(20.0)
            if isinstance(message, dict):
                revision, begun_s = message["revision"], time.perf_counter()
                sound.send({"want": [8, 2], "film": False})
            elif unpack_sound(message)[0] == MUSIC_STREAM and unpack_sound(message)[1] >= revision:
                break
        found.append(time.perf_counter() - begun_s)
        time.sleep(0.3)
        sound.send({"want": None})
        with contextlib.suppress(TimeoutError):
            while True:  # what is on its way still
                sound.next(0.1)
        begun_s = time.perf_counter()
        sound.send({"want": [8, 1], "film": False})
        sound.until(lambda each: isinstance(each, bytes))
        again.append(time.perf_counter() - begun_s)
        time.sleep(0.1)
    return found, again


def heard(options: argparse.Namespace) -> None:
    """The chord after the playhead becomes another one, again and again, while the film is played in a loop."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with Live(CLIP, home, "--midi-api", "none", "--page-port", "0") as live:
            live.ready()
            browser = Browser(page_address(live))
            browser.open()
            with browser.socket() as page, browser.socket("sound") as sound:
                length_s = browser.get("/state").json()["film"]["duration_s"]
                page.ask("/cue/loop", True, 0.0, length_s - 1.0)
                page.ask("/cue/play")
                waits, margins, answers = [], [], []
                for number in range(options.changes):
                    state = browser.get("/state").json()
                    at_s = _now_at(state)
                    coming = [row for row in state["lists"]["chords"] if at_s + 0.1 < row[0] < length_s - 2.0]
                    if not coming:
                        time.sleep(2.0)  # the loop's end
                        continue
                    name = "Am" if coming[0][4] != "Am" else "F"
                    begun_s = time.perf_counter()
                    at_s += begun_s - state["read_s"]
                    answer = page.ask("/cue/chords/pin", name, coming[0][0])
                    answers.append(time.perf_counter() - begun_s)
                    if "error" in answer or answer["heard"] is None:
                        print(f"  refused: {answer}")
                        continue
                    waits.append(answer["heard"] - at_s)
                    block = int(answer["heard"] * SOUND_RATE // SOUND_BLOCK)
                    margins.append(begun_s + waits[-1] - _sound_of(sound, block))
                    time.sleep(0.5 + 0.1 * (number % 7))
                print("heard: a chord is changed in a page while it plays")
                print(f"  page -> its answer    {spread(answers)}")
                print(f"  page -> heard         {spread(waits)}, as promised")
                print(f"  sound before it is due{spread(margins)}; too late {sum(each < 0 for each in margins)}")
            live.quit()


def _now_at(state: dict[str, Any]) -> float:
    """Picture second now; `read_s` is added: when that was."""
    at_s, *_, rolling = state["values"]["/cue/playhead"]
    state["read_s"] = time.perf_counter()
    return at_s + (state["read_s"] - state["t"]) * rolling


def _sound_of(sound: Socket, block: int) -> float:
    """When the block of the newest plan is here."""
    newest = -1
    while True:
        message = sound.next(20.0)
        if isinstance(message, dict):
            newest = message["revision"]
            sound.send({"want": [block, 2], "film": False})
            continue
        stream, revision, index, _ = unpack_sound(message)
        if stream == MUSIC_STREAM and index == block and revision >= newest >= 0:
            return time.perf_counter()


def long(options: argparse.Namespace) -> None:
    from sessionlab import Stage

    from bridge.commands.live import keep_collections_short
    from bridge.controls.dispatch import Controls
    from bridge.page import messages as p
    from bridge.page.feed import PageFeed
    from bridge.page.session import ADDRESSES
    from bridge.player.link import PlayerLink
    from bridge.player.messages import PlayerOptions, PortOptions
    from bridge.session.edits import chords
    from bridge.session.session import SessionOptions
    from engine.brief import Brief
    from engine.music import Chord

    keep_collections_short()  # as `live` does, and the other too
    sys.setswitchinterval(0.001)
    sent: list[Any] = []

    class Link:
        def send(self, message: Any) -> None:
            sent.append(message)

    with PlayerLink(PlayerOptions(ports=PortOptions("none"))) as player:
        made = Stage(player, SessionOptions("film.mp4", tempo=Brief(bpm=90)), 7200.0)
        made.until(lambda: made.session.plan.complete, 120)
        session = made.session
        controls = Controls(session, lambda *words: None, lambda *words: None)
        feed = PageFeed(session, Link(), ADDRESSES, controls.values)
        print(f"long: {len(session.document.result.slots)} slots, {len(session.plan.notes)} notes")
        begun_s = time.perf_counter()
        feed.watching(p.Watching(1, 1))
        feed.tick()
        print(f"  values and short lists{1000 * (time.perf_counter() - begun_s):7.1f} ms, once for the first page")
        while not any(isinstance(each, p.Rows) and each.name == "bars" for each in sent):
            feed.tick()
            time.sleep(0.02)
        print(f"  chords and bars       {1000 * (time.perf_counter() - begun_s):7.1f} ms, in slices of a turn")

        def turns(seconds: float) -> list[float]:
            found, end_s = [], time.perf_counter() + seconds
            while time.perf_counter() < end_s:
                used_s = time.thread_time()
                with session.plan.turn():
                    session.tick()
                    feed.tick()
                found.append(time.thread_time() - used_s)
                time.sleep(0.02)
            return found

        session.play()
        for pages in (0, 1, 0, 1):
            feed.watching(p.Watching(pages, 2))
            feed.tick()
            print(f"  turns, {pages} page{'s' if pages != 1 else ' '}        {spread(turns(3.0))}")
        for pages, at_s in ((0, 6000.0), (1, 6100.0), (0, 6200.0), (1, 6300.0)):
            feed.watching(p.Watching(pages, 3))
            turns(0.5)
            sent.clear()
            session.edit(chords.pin, Chord.parse("E7"), at_s)
            print(f"  after a pin, {pages} page{'s' if pages != 1 else ' '} {spread(turns(3.0))}")
        lists = {each.name: len(each.rows) for each in sent if isinstance(each, p.Rows)}
        print(f"  rows {lists}")
        session.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "what", nargs="*", default=["notes", "latency", "heard", "long"], metavar="notes|latency|heard|long"
    )
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--period", type=int, default=256)
    parser.add_argument("--changes", type=int, default=60)
    parser.add_argument("--browsers", action="store_true")
    options = parser.parse_args()
    for name in options.what:
        {"notes": notes, "latency": latency, "heard": heard, "long": long}[name](options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
