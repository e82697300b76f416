"""The pictures of the page: `python tests/bench/page_pictures.py` writes docs/pictures/page-*.png anew.

`--screens FOLDER` writes others to look at: six sizes of window, dark and light, at rest and playing,
dialogs, sheets, a refusal and the first visit.
`--animation` writes docs/pictures/page.webp: ten seconds of a scene, taken frame by frame so that it is smooth on every
machine, while one of its chords is changed.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

import browserlab
from browserlab import CLIP, ROOT, PageProgram, chromium, composed, opened, settled, value, wait
from PIL import Image

PICTURES = ROOT / "docs" / "pictures"
SIZES = ((1280, 720), (1440, 900), (2560, 1440))
NARROW = ((320, 640), (700, 900), (1000, 800))
SCENE = (7.0, 10.0)  # picture second and length of the animation
RATE = 8  # frames a second
EDITED_S = 13.5  # the chord of this second is changed: frame -> keys
EDIT = {16: ("open",), 22: ("A",), 25: ("m",), 32: ("Enter",)}
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
    "messages": "app.open_log()",
    "section": "app.later('./elements/section-sheet.js', 'openSection', 18)",
    "theme": "app.timeline.lanes.themes.open()",
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


def playing(page: browserlab.Page, file: Path) -> None:
    """In mid-play, a chord selected, a word that is no chord in its field."""
    value(page, "app.link.do('/cue/play')")
    wait(page, "app.rolling && app.position_s() > 13", 60)
    value(page, "app.timeline.focus_item(app.timeline.lanes.chords, app.chord_at(app.position_s() + 1).start_s)")
    page.wait_for_timeout(300)
    page.screenshot(path=file)
    page.keyboard.press("Enter")
    page.keyboard.type("Q7")
    page.keyboard.press("Enter")
    wait(page, "app.timeline.editor.sentence.classList.contains('bad')", 10)
    page.screenshot(path=file.with_name(file.name.replace("playing", "refused")))
    page.keyboard.press("Escape")
    value(page, "app.link.do('/cue/stop')")


def take_lists(page: browserlab.Page, folder: Path, scheme: str, made: Path) -> None:
    """The table of an editor's markers and the sheet of a new cut."""
    rows = "".join(f"00:00:{at_s:02d}:05\t{name}\tGreen\n" for at_s, name in ((3, "wakes"), (9, "hit door"), (17, "")))
    (made / "reel 1.tsv").write_text(f"Timecode\tName\tColor\n{rows}", encoding="utf-8")
    if not (made / "cut 2.mp4").exists():
        cut = ["-ss", "1.5", "-i", str(CLIP), "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "copy"]
        subprocess.run(["ffmpeg", "-loglevel", "error", *cut, str(made / "cut 2.mp4")], check=True)
    for name, entry, file, there in (
        ("markers", "Markers from the editor", "reel 1.tsv", "dialog tbody tr"),
        ("recut", "New cut of the film", "cut 2.mp4", "dialog tbody tr input"),
    ):
        page.click("cue-top button[aria-label=Menu]")
        with page.expect_file_chooser() as chooser:
            page.click(f".menu button:has-text('{entry}')")
        chooser.value.set_files(str(made / file))
        page.wait_for_selector("dialog.markers")
        if name == "markers":  # the film says nothing of its first frame's label
            page.fill("dialog input[aria-label*='first frame']", "00:00:00:00")
            page.keyboard.press("Tab")
        page.wait_for_selector(there, timeout=120_000)
        page.wait_for_timeout(1500)
        page.screenshot(path=folder / f"{name}-{scheme}.png")
        page.keyboard.press("Escape")


def take_first(browser: browserlab.Browser, folder: Path) -> None:
    """Before there is a film, while it is looked at, and a link that leads nowhere."""
    for number, scheme in enumerate(("dark", "light")):
        with tempfile.TemporaryDirectory() as home, PageProgram("page", Path(home)) as fresh:
            for width, height in SIZES[number::2]:
                page = opened(browser, fresh, scheme=scheme, width=width, height=height)
                page.wait_for_selector("cue-first h1")
                page.screenshot(path=folder / f"first-{scheme}-{width}.png")
                page.context.close()
            page = opened(browser, fresh, scheme=scheme, width=1280, height=720)
            page.click("text=Try the bundled clip")
            page.wait_for_selector("cue-first video")
            page.screenshot(path=folder / f"analysing-{scheme}.png")
            page.click("text=Write the music")
            page.wait_for_timeout(400)
            page.screenshot(path=folder / f"composing-{scheme}.png")
            page.context.close()


def take_screens(browser: browserlab.Browser, program: PageProgram, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in ("dark", "light"):
        for width, height in SIZES:
            page = opened(browser, program, scheme=scheme, lanes="all", width=width, height=height)
            ready(page)
            page.screenshot(path=folder / f"page-{scheme}-{width}.png")
            playing(page, folder / f"playing-{scheme}-{width}.png")
            if width == 1280:
                value(page, "(void app.open_save(), 0)")
                page.wait_for_selector("dialog select")
                page.screenshot(path=folder / f"save-{scheme}-{width}.png")
                page.keyboard.press("Escape")
                take_sheets(page, folder, scheme)
                with tempfile.TemporaryDirectory() as made:
                    take_lists(page, folder, scheme, Path(made))
            page.context.close()
        for width, height in NARROW:
            page = opened(browser, program, scheme=scheme, width=width, height=height)
            ready(page)
            page.screenshot(path=folder / f"narrow-{scheme}-{width}.png")
            page.context.close()
    take_first(browser, folder)


def at(page: browserlab.Page, at_s: float) -> None:
    """Clocks, playhead and film are at a picture second."""
    value(page, "app.link.do('/cue/locate', [argument])", at_s)
    wait(page, "Math.abs(app.position_s() - argument) < 0.01", 10, at_s)
    film = "document.querySelector('cue-film video')"
    wait(page, f"!{film}.seeking && Math.abs({film}.currentTime - argument) < 1.1 * app.frame_s", 10, at_s)


def take_animation(browser: browserlab.Browser, program: PageProgram) -> None:
    page = opened(browser, program, lanes="all", width=1280, height=720)
    ready(page)
    frames = []
    for number in range(round(SCENE[1] * RATE)):
        at(page, SCENE[0] + number / RATE)
        for key in EDIT.get(number, ()):
            if key == "open":
                value(page, "(void app.timeline.editor.open(app.chord_at(argument)), 0)", EDITED_S)
                page.wait_for_selector(".chord-edit input")
                page.keyboard.press("Control+a")
            else:
                page.keyboard.press(key)
                page.wait_for_timeout(400)
        shot = Image.open(io.BytesIO(page.screenshot(type="jpeg", quality=92)))
        frames.append(shot.convert("RGB").resize(ANIMATED, Image.Resampling.LANCZOS))
    page.context.close()
    first, *others = frames
    file = PICTURES / "page.webp"
    first.save(file, save_all=True, append_images=others, duration=round(1000 / RATE), loop=0, quality=62, method=4)
    print(f"{file.name}: {len(frames)} frames, {file.stat().st_size / 1e6:.2f} MB")


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
