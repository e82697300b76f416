"""`page FILM --takes 12 --board`: many takes chosen down to one, by clicks on the board alone."""

from __future__ import annotations

import time
from pathlib import Path

import browserlab
import pytest
from browserlab import CLIP, PageProgram, chromium, opened, settled, value, wait

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(bool(browserlab.why_not()), reason=browserlab.why_not() or "a browser is there"),
]


def test_twelve_takes_are_chosen_down_to_one(tmp_path: Path, record_property) -> None:
    with chromium() as browser, PageProgram("page", tmp_path, str(CLIP), "--takes", "12", "--board") as program:
        assert program.address.endswith("&view=board")
        begun_s = time.monotonic()
        page = opened(browser, program, width=1600, height=1000)
        wait(page, "app.board !== undefined && app.rows.takes.length === 12", 120)
        wait(page, "app.board.sketches.size === 12 && app.store.value('/cue/takes/coming') === 0", 60)
        all_there_s = time.monotonic() - begun_s
        settled(page)
        assert value(page, "app.rows.takes.find((row) => row[3])[0]") == 1  # they came beside the first
        clicks = 0

        def click(row: int, name: str) -> None:
            nonlocal clicks
            page.locator(f'.board-row[data-number="{row}"]').get_by_role("button", name=name).click()
            clicks += 1

        for number, stars in ((2, 4), (5, 1), (7, 5), (9, 2), (12, 3)):
            click(number, f"{stars} of 5")
        wait(page, "(app.store.get('/cue/takes/rated') ?? []).length === 15")
        for number in (2, 7):
            page.locator(f'.board-row[data-number="{number}"]').get_by_label("Compare").check()
        page.locator(".board-acts").get_by_role("button", name="Compare").click()
        page.get_by_role("button", name="Play take G at once").click()
        clicks += 4
        wait(page, "app.rows.takes.find((row) => row[3])[0] === 7")
        page.locator(".versus .close").click()
        clicks += 1
        settled(page)
        value(page, "document.activeElement.blur()")
        page.keyboard.press("k")
        wait(page, "app.rows.takes.find((row) => row[0] === 7)[2]")
        assert clicks == 10 and page.faults == []
        record_property("seconds_to_twelve_takes", round(all_there_s, 1))
        page.context.close()
