"""A first visit, from the README's first command to the bundled clip's music being heard: steps, and seconds to each.

    python tests/bench/page_visit.py [--install]

By mouse and by keyboard alone, in a real browser: once by `cuebridge demo`, which opens the page, and once by
`cuebridge page` with its three screens.  A step is a command, a click or a key; the seconds are the program's, a
person who reads and thinks takes longer.  --install: the README's whole first command, in a folder of its own, from
a copy of what is committed; pip takes packages from where it is set up to.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

import browserlab
from browserlab import chromium, value, wait
from livelab import COMMAND, ROOT, environment

HEARD = "app.rolling && app.sound.on && app.sound.report?.rolling && app.sound.report.peak > 0.01"
PLAYABLE = "app?.chords.length > 3 && (app.first?.hidden ?? true)"
# Steps of a way into the page: what is clicked, or until which words one goes by Tab; then what is there.
PAGE = [
    ("Try the bundled clip", "document.querySelector('cue-first video') !== null"),
    ("Write the music", "app.first.hidden && app.chords.length > 3"),
]


class Visit:
    """Counts steps and says when each was done."""

    def __init__(self, name: str) -> None:
        print(name)
        self.steps, self.keys, self.begun_s = 0, 0, time.perf_counter()

    def done(self, what: str) -> None:
        self.steps += 1
        print(f"  {self.steps}. {what:56}{time.perf_counter() - self.begun_s:7.1f} s", flush=True)

    def ends(self) -> None:
        keys = f", {self.keys} keys" if self.keys else ""
        print(f"  heard after {self.steps} steps{keys}, {time.perf_counter() - self.begun_s:.1f} s", flush=True)


@contextlib.contextmanager
def program(words: list[str], home: Path) -> Iterator[Callable[[], str]]:
    """The command with a browser that notes which address it is to open; yields a wait for that address."""
    noted = home / "address"
    opener = home / "browser"
    opener.write_text(f'#!/bin/sh\necho "$1" > {noted}.new && mv {noted}.new {noted}\n')
    opener.chmod(0o755)
    own = {"BROWSER": f"{opener} %s &", "PYTHONPATH": str(ROOT) if words[0] == sys.executable else ""}
    running = subprocess.Popen(
        words, cwd=home, env={**environment(home), **own},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def address() -> str:
        end_s = time.monotonic() + 120
        while not noted.exists():
            assert running.poll() is None and time.monotonic() < end_s, "no page was opened"
            time.sleep(0.02)
        return noted.read_text().strip()

    try:
        yield address
    finally:
        running.terminate()
        running.wait(20)


def act(visit: Visit, page: browserlab.Page, words: str, *, keyboard: bool) -> None:
    """Clicks the button with these words, or goes to it by Tab and presses Enter."""
    if not keyboard:
        page.get_by_role("button", name=words).click()
        visit.done(f"click “{words}”")
        return
    tabs = 0
    while value(page, "document.activeElement.textContent") != words:
        page.keyboard.press("Tab")
        tabs += 1
    visit.keys += tabs
    page.keyboard.press("Enter")
    visit.keys += 1
    visit.done(f"{f'Tab {tabs} times, ' if tabs else ''}Enter on “{words}”")


def way(browser: browserlab.Browser, words: list[str], what: str, *, keyboard: bool) -> None:
    hand = "by keyboard alone" if keyboard else "by mouse"
    with tempfile.TemporaryDirectory() as folder:
        visit = Visit(f"cuebridge {what}, {hand}")
        with program([*words, *what.split()], Path(folder)) as address:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(address())
            visit.done(f"cuebridge {what}: the page is there")
            for button, then in PAGE if "page" in what else []:
                page.get_by_role("button", name=button).wait_for()
                act(visit, page, button, keyboard=keyboard)
                wait(page, then, 120)
            wait(page, PLAYABLE, 120)
            if keyboard:
                page.keyboard.press("Space")
                visit.keys += 1
            else:
                page.locator("cue-top .play").click()
            visit.done("Space" if keyboard else "click “Play”")
            wait(page, HEARD, 60)
            visit.ends()
            page.close()


def installed(folder: Path) -> list[str]:
    """The README's first command up to the program itself; returns that."""
    visit = Visit("installing")
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", "HEAD"], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    visit.begun_s = time.perf_counter()
    clean = {name: text for name, text in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    for line in (["python3", "-m", "venv", ".venv"],
                 [".venv/bin/pip", "install", "-q", "-c", "constraints.txt", "-e", "."]):  # fmt: skip
        subprocess.run(line, cwd=folder, check=True, env=clean)
        visit.done(" ".join(line))
    return [str(folder / ".venv" / "bin" / "cuebridge")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", action="store_true")
    given = parser.parse_args()
    if reason := browserlab.why_not():
        print(reason)
        return 2
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        words = installed(Path(folder)) if given.install else COMMAND
        for what in ("demo", "page --open"):
            for keyboard in (False, True):
                way(browser, words, what, keyboard=keyboard)
    print(f"{os.cpu_count()} cores; programs that wanted one, on average of the last minute: {os.getloadavg()[0]:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
