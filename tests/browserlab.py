"""The web page as a person uses it: the program, and a real browser that opens the address it prints.

with chromium() as browser, PageProgram("page", home) as program:
    page = opened(browser, program)
    page.keyboard.press("Space")
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from livelab import CLIP, COMMAND, ROOT, environment, free_port
from pythonosc.udp_client import SimpleUDPClient

try:
    from playwright.sync_api import Browser, Page, sync_playwright
except ImportError:  # said by `why_not`
    sync_playwright = None

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\?token=\S+")
# Without a display or a sound card the browser paints and plays all the same.
_ARGUMENTS = ("--no-sandbox", "--mute-audio")


def browser_file() -> str | None:
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def why_not() -> str:
    """Why no browser can be driven here; empty: one can."""
    if sync_playwright is None:
        return "needs playwright (the test extra)"
    return "" if browser_file() else "needs chromium on the PATH"


NEEDS_BROWSER = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "a browser is there"),
]


@contextlib.contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_file(), args=[*_ARGUMENTS, *arguments])
        try:
            yield browser
        finally:
            browser.close()


class PageProgram:
    """`cuebridge page` or `cuebridge live FILM`, without MIDI, in a folder of its own."""

    def __init__(self, command: str, home: Path, *arguments: str) -> None:
        self.osc_port = free_port()
        self.said: list[str] = []
        self._address = threading.Event()
        self.address = ""
        line = [*COMMAND, command, *arguments, "--page-port", str(free_port()), "--osc-port", str(self.osc_port)]
        self._line = [*line, "--midi-api", "none", "--plain", "--no-keys", "--no-session"]
        self._home = home

    def __enter__(self) -> PageProgram:
        self.process = subprocess.Popen(
            self._line, cwd=self._home, env=environment(self._home), text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()
        if not self._address.wait(60):
            self.__exit__()
            raise AssertionError("no address was printed:\n" + "\n".join(self.said[-20:]))
        return self

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.said.append(line.rstrip())
            found = _ADDRESS.search(line)
            if found and not self.address:
                self.address = found.group()
                self._address.set()

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def osc(self, address: str, *arguments: Any) -> None:
        SimpleUDPClient("127.0.0.1", self.osc_port).send_message(address, list(arguments))


def opened(
    browser: Browser, program: Any, *, width: int = 1440, height: int = 900, scheme: str = "dark",
    lanes: str = "chords", **options: Any,
) -> Page:  # fmt: skip
    """A fresh browser profile on the program's page.  What goes wrong in its scripts is in `page.faults`."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
    page = context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.add_init_script(f"localStorage.setItem('cuebridge', localStorage.cuebridge ?? '{{\"lanes\": \"{lanes}\"}}')")
    page.goto(program.address)
    wait(page, "Boolean(app?.store.get('fresh'))")
    return page


def wait(page: Page, condition: str, timeout_s: float = 20.0, argument: Any = None) -> Any:
    """Waits until an expression over `app` holds; returns its value.  The page's own policy forbids the browser's way
    of waiting, which evaluates text."""
    end_s = time.monotonic() + timeout_s
    while True:
        found = value(page, condition, argument)
        if found:
            return found
        if time.monotonic() > end_s:
            said = value(page, "document.querySelector('.message')?.textContent")
            raise AssertionError(f"not within {timeout_s:g} s: {condition} (the page says {said!r})")
        time.sleep(0.03)


def value(page: Page, expression: str, argument: Any = None) -> Any:
    return page.evaluate(f"(argument) => {{ const app = window.cuebridge; return {expression}; }}", argument)


def composed(page: Page) -> None:
    """Waits until the music reaches the film's end and its notes are drawn."""
    wait(page, "app.store.get('phase') === 'ready' && app.chords.at(-1)?.end_s > app.duration_s - 0.5", 120)
    wait(page, "app.tiles.notes(0) !== null && app.tiles.notes(0).n > 0", 30)


def axe_file() -> Path | None:
    """axe-core is not part of this repository: AXE_CORE names its axe.min.js; `.ci/run environment` fetches it."""
    file = Path(os.environ.get("AXE_CORE", ""))
    return file if file.is_file() else None


NO_AXE = "needs AXE_CORE=.../axe.min.js: npm pack axe-core && tar xzf axe-core-*.tgz package/axe.min.js"


def violations(page: Page, within: str = "body") -> list[tuple[str, Any]]:
    """Rules of WCAG 2.2 A and AA that an element breaks, and where: (rule, selectors)."""
    file = axe_file()
    assert file is not None
    if not page.evaluate("'axe' in window"):
        page.evaluate(file.read_text())
    levels = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = page.evaluate("([within, levels]) => axe.run(within, { runOnly: levels })", [within, levels])
    return [(each["id"], [node["target"] for node in each["nodes"]][:3]) for each in found["violations"]]


def chord_box(page: Page, index: int) -> tuple[float, float, float, float]:
    """Left, right, top and bottom of a chord's block in the window."""
    box = value(
        page,
        "(() => { const t = app.timeline, field = t.field.getBoundingClientRect(), lane = t.lanes.chords,"
        " chord = app.chords[argument]; return [field.left + app.view.x_of(chord.start_s),"
        " field.left + app.view.x_of(chord.end_s), field.top + lane.top, field.top + lane.top + lane.height]; })()",
        index,
    )
    return tuple(box)  # type: ignore[return-value]


def steps(page: Page) -> int:
    """How many steps undo has."""
    return int(value(page, "app.store.get('/cue/edits')[2]"))


def settled(page: Page) -> None:
    """Waits until nothing is on its way to be heard, composed or drawn."""
    wait(page, "(app.store.get('/cue/progress')?.[1] ?? 1) >= 1 && !app.store.get('/cue/changing')?.[0]", 60)
    time.sleep(0.1)


@contextlib.contextmanager
def edited(browser: Browser, program: Any, **options: Any) -> Iterator[Page]:
    """A page for one test of many on the same program: what the test did is undone, and no script has failed."""
    page = opened(browser, program, **options)
    composed(page)
    settled(page)
    before = steps(page)
    yield page
    for _ in range(steps(page) - before):
        value(page, "app.link.do('/cue/undo')")
    if value(page, "app.rolling"):
        value(page, "app.link.do('/cue/stop')")
    assert page.faults == []
    page.context.close()


__all__ = [
    "CLIP",
    "NO_AXE",
    "ROOT",
    "PageProgram",
    "axe_file",
    "chord_box",
    "chromium",
    "composed",
    "edited",
    "opened",
    "settled",
    "steps",
    "value",
    "violations",
    "wait",
]
