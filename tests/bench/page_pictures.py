"""The pictures of the page: `python tests/bench/page_pictures.py` writes docs/pictures/page-*.png anew.

`--screens FOLDER` writes others to look at: three sizes of window, dark and light, dialogs, sheets and the first visit.
`--animation` writes docs/pictures/page.webp: ten seconds of a scene that plays while one of its chords is changed, of
frames that the browser painted.  Without a graphics card, and filmed besides, it paints few a second: the scene is
played several times, the same each time, until there is a frame wherever one is needed.
"""

from __future__ import annotations

import argparse
import base64
import io
import itertools
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

import browserlab
from browserlab import CLIP, ROOT, PageProgram, chromium, composed, opened, settled, value, wait
from PIL import Image

PICTURES = ROOT / "docs" / "pictures"
SIZES = ((1280, 720), (1440, 900), (2560, 1440))
SCENE = (7.0, 10.0)  # picture second and length of the animation
CHANGE = (8.5, 13.5, "Am")  # at this second the chord of that second becomes another one
RATE = 10  # frames a second
MOST_PASSES = 10
ANIMATED = (960, 540)
EDITS = (
    ("/cue/hits/add", [4.0, "must", "door"]),
    ("/cue/sections/add", [18.0, "activity=60", "reveal"]),
    ("/cue/speech", ["7.5-9.5"]),
)
SHEETS = {
    "sound": "document.querySelector('cue-top .chip:nth-of-type(2)').click()",
    "sync": "document.querySelector('cue-top .chip').click()",
    "menu": "document.querySelector('cue-top button[aria-label=Menu]').click()",
    "keys": "app.open_keys()",
    "take": "document.querySelector('.take-row button[aria-label^=Menu]').click()",
    "parts": "app.set('tab', 'parts')",
    "why": "(app.timeline.focus_item(app.timeline.lanes.chords, app.chords[4].start_s), app.set('tab', 'why'))",
    "more": "(app.set('tab', 'steer'), document.querySelector('details.more > summary').click())",
}
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


def take_sheets(page: browserlab.Page, folder: Path, scheme: str) -> None:
    """What opens beside or over the page, and the tabs."""
    for name, act in SHEETS.items():
        value(page, f"(void {act}, 0)")
        time.sleep(0.8)
        page.screenshot(path=folder / f"{name}-{scheme}.png")
        page.keyboard.press("Escape")


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
                page.keyboard.press("Escape")
                take_sheets(page, folder, scheme)
            page.context.close()
    with tempfile.TemporaryDirectory() as home, PageProgram("page", Path(home)) as fresh:
        for scheme in ("dark", "light"):
            page = opened(browser, fresh, scheme=scheme, width=1280, height=720)
            page.wait_for_selector("cue-first h1")
            page.screenshot(path=folder / f"first-{scheme}-1280.png")
            page.context.close()


def filmed(page: browserlab.Page, seconds: float) -> list[tuple[float, bytes]]:
    """What the browser paints in so many seconds of the transport: (picture second, JPEG)."""
    painted: list[tuple[float, bytes]] = []
    session = page.context.new_cdp_session(page)

    def take(frame: dict[str, Any]) -> None:
        painted.append((frame["metadata"]["timestamp"], base64.b64decode(frame["data"])))
        session.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

    session.on("Page.screencastFrame", take)
    session.send("Page.startScreencast", {"format": "jpeg", "quality": 92, "everyNthFrame": 2})
    # Picture second 0 on the browser's clock, which stamps the frames.
    zero_s = value(page, "(performance.timeOrigin + performance.now()) / 1000 - app.heard_s()")
    changed = False
    while (at_s := value(page, "app.heard_s()")) < SCENE[0] + seconds:
        if at_s > CHANGE[0] and not changed:
            changed = True
            _, place_s, name = CHANGE
            what = {"what": f"{value(page, 'app.chord_at(argument).name', place_s)} → {name}"}
            value(page, "(void app.act('/cue/chords/pin', [argument[0], argument[1]], argument[2]), 0)",
                  [name, value(page, "app.chord_at(argument).start_s", place_s), what])  # fmt: skip
        page.wait_for_timeout(20)
    session.send("Page.stopScreencast")
    return [(stamp_s - zero_s, data) for stamp_s, data in painted]


def longest_gap(painted: list[tuple[float, bytes]]) -> float:
    """Seconds of the scene without a frame."""
    inside = [at_s for at_s, _ in painted if SCENE[0] <= at_s <= SCENE[0] + SCENE[1]]
    return max(later - earlier for earlier, later in itertools.pairwise([SCENE[0], *inside, SCENE[0] + SCENE[1]]))


def take_animation(browser: browserlab.Browser, program: PageProgram) -> None:
    page = opened(browser, program, lanes="all", width=1280, height=720)
    ready(page)
    painted: list[tuple[float, bytes]] = []
    passes = 0
    while passes < MOST_PASSES and longest_gap(painted) > 1.5 / RATE:
        passes += 1
        value(page, "app.link.do('/cue/locate', [argument])", SCENE[0] - 2.0)
        settled(page)
        page.keyboard.press("Space")
        wait(page, "app.rolling && app.sound.on && app.heard_s() >= argument - 0.5", 60, SCENE[0])
        value(page, "app.messages.clear()")
        wait(page, "app.heard_s() >= argument", 10, SCENE[0])
        taken = filmed(page, SCENE[1])
        if passes > 1 and value(page, "app.get('sound_state').on"):  # the first one brings the sound's blocks
            painted = sorted(painted + taken)
        page.keyboard.press("Space")
        value(page, "app.link.do('/cue/undo')")
        composed(page)
    frames, number = [], 0
    while (at_s := SCENE[0] + number / RATE) < SCENE[0] + SCENE[1]:
        data = max((each for each in painted if each[0] <= at_s), default=painted[0])[1]
        frames.append(Image.open(io.BytesIO(data)).convert("RGB").resize(ANIMATED, Image.Resampling.LANCZOS))
        number += 1
    first, *others = frames
    file = PICTURES / "page.webp"
    first.save(file, save_all=True, append_images=others, duration=round(1000 / RATE), loop=0, quality=62, method=4)
    print(f"{file.name}: {len(frames)} frames, {file.stat().st_size / 1e6:.2f} MB; painted {len(painted)} in {passes} "
          f"passes, {longest_gap(painted):.2f} s apart at most")  # fmt: skip
    page.context.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--screens", type=Path, metavar="FOLDER")
    parser.add_argument("--animation", action="store_true")
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
        if given.animation:
            take_animation(browser, program)
            return 0
        for scheme in ("dark", "light"):
            page = opened(browser, program, scheme=scheme, lanes="all")
            ready(page)
            page.screenshot(path=PICTURES / f"page-{scheme}.png")
            page.context.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
