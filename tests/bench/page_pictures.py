"""The pictures of the page in the docs: `python tests/bench/page_pictures.py` writes docs/pictures/page-*.png anew."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

import browserlab
from browserlab import CLIP, ROOT, PageProgram, chromium, composed, opened, settled, value, wait

PICTURES = ROOT / "docs" / "pictures"
EDITS = (
    ("/cue/hits/add", [4.0, "must", "door"]),
    ("/cue/sections/add", [18.0, "activity=60", "reveal"]),
    ("/cue/speech", ["7.5-9.5"]),
)


def main() -> int:
    if reason := browserlab.why_not():
        print(reason)
        return 2
    with (
        tempfile.TemporaryDirectory() as folder,
        PageProgram("live", Path(folder), str(CLIP), "--form", "none") as program,
        chromium() as browser,
    ):
        for scheme in ("dark", "light"):
            page = opened(browser, program, scheme=scheme, lanes="all")
            composed(page)
            settled(page)
            for address, arguments in EDITS if scheme == "dark" else ():
                value(page, "app.link.do(...argument)", [address, arguments])
                composed(page)
                settled(page)
            if scheme == "dark":
                value(page, "app.link.do('/cue/chords/pin', ['E7', app.chords[3].start_s])")
                value(page, "app.takes.make()")
                wait(page, "app.rows.takes.length > 1", 60)
            value(page, "app.link.do('/cue/locate', [12.3])")
            composed(page)
            settled(page)
            time.sleep(3.0)  # thumbnails, miniatures, and the film at its place
            value(page, "app.messages.clear()")
            page.screenshot(path=PICTURES / f"page-{scheme}.png")
            page.context.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
