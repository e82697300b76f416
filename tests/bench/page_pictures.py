"""The pictures of the page: `python tests/bench/page_pictures.py` writes docs/pictures/page-*.png anew.

`--screens FOLDER` writes others to look at: three sizes of window, dark and light, a dialog and the first visit.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

import browserlab
from browserlab import CLIP, ROOT, PageProgram, chromium, composed, opened, settled, value, wait

PICTURES = ROOT / "docs" / "pictures"
SIZES = ((1280, 720), (1440, 900), (2560, 1440))
EDITS = (
    ("/cue/hits/add", [4.0, "must", "door"]),
    ("/cue/sections/add", [18.0, "activity=60", "reveal"]),
    ("/cue/speech", ["7.5-9.5"]),
)
# Every take's miniature that is shown has something in it.
_MINIATURES = (
    "[...document.querySelectorAll('.take canvas')].every((each) => !each.clientWidth || new Set(new Uint32Array("
    "each.getContext('2d').getImageData(0, 0, each.width, each.height).data.buffer)).size > 2)"
)


def edit(page: browserlab.Page) -> None:
    """A session that shows something: a hit, a section, a line of speech, a pinned chord, a second take."""
    for address, arguments in EDITS:
        value(page, "app.link.do(...argument)", [address, arguments])
        composed(page)
        settled(page)
    value(page, "app.link.do('/cue/chords/pin', ['E7', app.chords[3].start_s])")
    value(page, "app.takes.make()")
    wait(page, "app.rows.takes.length > 1", 60)
    # Played for a moment, so that nothing waits to be heard any more.
    value(page, "app.link.do('/cue/play')")
    wait(page, "app.rolling && app.position_s() > 3", 60)
    value(page, "app.link.do('/cue/stop')")


def ready(page: browserlab.Page) -> None:
    """Nothing moves any more: the film at its place, thumbnails, miniatures, no message."""
    composed(page)
    settled(page)
    value(page, "app.link.do('/cue/locate', [12.3])")
    composed(page)
    settled(page)
    wait(page, _MINIATURES, 180)
    time.sleep(3.0)
    value(page, "app.messages.clear()")


def take_screens(browser: browserlab.Browser, program: PageProgram, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in ("dark", "light"):
        for width, height in SIZES:
            page = opened(browser, program, scheme=scheme, lanes="all", width=width, height=height)
            ready(page)
            page.screenshot(path=folder / f"page-{scheme}-{width}.png")
            if width == 1280:
                value(page, "(void app.open_save(), 0)")
                page.wait_for_selector("dialog select")
                page.screenshot(path=folder / f"save-{scheme}-{width}.png")
            page.context.close()
    with tempfile.TemporaryDirectory() as home, PageProgram("page", Path(home)) as fresh:
        for scheme in ("dark", "light"):
            page = opened(browser, fresh, scheme=scheme, width=1280, height=720)
            page.wait_for_selector("cue-first h1")
            page.screenshot(path=folder / f"first-{scheme}-1280.png")
            page.context.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--screens", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    if reason := browserlab.why_not():
        print(reason)
        return 2
    with (
        tempfile.TemporaryDirectory() as folder,
        PageProgram("live", Path(folder), str(CLIP), "--form", "none") as program,
        chromium() as browser,
    ):
        page = opened(browser, program)
        composed(page)
        settled(page)
        edit(page)
        page.context.close()
        if given.screens is not None:
            take_screens(browser, program, given.screens)
            return 0
        for scheme in ("dark", "light"):
            page = opened(browser, program, scheme=scheme, lanes="all")
            ready(page)
            page.screenshot(path=PICTURES / f"page-{scheme}.png")
            page.context.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
