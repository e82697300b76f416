"""The board and the second screen in a real browser, on the real program with planned takes of the bundled clip."""

from __future__ import annotations

from collections.abc import Iterator

import browserlab
import pytest
from browserlab import CLIP, PageProgram, chromium, opened, settled, steps, value, wait

pytestmark = browserlab.NEEDS_BROWSER


@pytest.fixture(scope="module")
def browser() -> Iterator[browserlab.Browser]:
    with chromium("--autoplay-policy=no-user-gesture-required") as found:
        yield found


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageProgram]:
    with PageProgram("page", tmp_path_factory.mktemp("board"), str(CLIP), "--form", "auto") as found:
        yield found


def viewed(browser: browserlab.Browser, program: PageProgram, view: str, **options: int) -> browserlab.Page:
    """The printed address with a view, as the menu's windows have it."""
    plain, program.address = program.address, program.address.replace("/?", f"/?view={view}&")
    try:
        page = opened(browser, program, **options)
    finally:
        program.address = plain
    name = {"board": "board", "film": "second_screen"}[view]
    wait(page, f"app.{name} !== undefined")
    wait(page, "app.store.get('phase') === 'ready' && app.chords.at(-1)?.end_s > app.duration_s - 0.5", 120)
    settled(page)
    return page


@pytest.fixture(scope="module")
def board(browser: browserlab.Browser, program: PageProgram) -> Iterator[browserlab.Page]:
    """One board for all tests: four takes, drawn."""
    page = viewed(browser, program, "board", width=1600, height=1000)
    for _ in range(3):
        page.get_by_role("button", name="One more").click()
    wait(page, "app.rows.takes.length === 4 && app.board.sketches.size === 4", 120)
    yield page
    assert page.faults == []
    page.context.close()


def plays(page: browserlab.Page) -> int:
    return int(value(page, "app.rows.takes.find((row) => row[3])[0]"))


def test_takes_stand_against_the_film_with_their_form_and_notes(board: browserlab.Page) -> None:
    assert plays(board) == 1 and steps(board) == 0  # they were made beside the one that plays
    sketches = value(board, "[...app.board.sketches.values()]")
    assert all(each["sections"] and each["notes"] and each["chords"] for each in sketches)
    assert len({str(each["notes"]) for each in sketches}) == 4
    # They are painted a little after they came.
    wait(board, "[...app.board.querySelectorAll('.board-row canvas')].every((canvas) => {"
         " const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;"
         " let count = 0; for (let at = 3; at < data.length; at += 4) count += data[at] > 0;"
         " return 4 * count / data.length > 0.1; })")  # fmt: skip
    # One axis: a second lies at the same place in the film's strip and in each take.
    lefts = value(
        board,
        "[app.board.strip, ...app.board.querySelectorAll('.board-row canvas')]"
        ".map((each) => each.getBoundingClientRect()).map((box) => [box.left, box.width])",
    )
    assert max(abs(left - lefts[0][0]) + abs(width - lefts[0][1]) for left, width in lefts) < 1
    board.locator(".board-row canvas").nth(1).click(position={"x": 300, "y": 30})
    wait(board, "Math.abs(app.position_s() - app.board.second(300)) < 0.2")


def test_a_take_is_played_at_the_next_bar_and_back_at_once(board: browserlab.Page) -> None:
    before = steps(board)
    board.locator('.board-row[data-number="2"]').get_by_role("button", name="Next bar").click()
    wait(board, "app.rows.takes.find((row) => row[3])[0] === 2")
    assert board.locator('.board-row[data-number="2"]').get_attribute("aria-current") == "true"
    wait(board, "app.store.get('/cue/edits')[2] === argument", argument=before + 1)
    board.locator("body").press("\\")
    wait(board, "app.rows.takes.find((row) => row[3])[0] === 1")
    board.keyboard.press("Control+z")
    board.keyboard.press("Control+z")
    wait(board, "app.store.get('/cue/edits')[2] === argument && app.rows.takes.find((row) => row[3])[0] === 1",
         argument=before)  # fmt: skip


def test_ratings_and_comments_are_one_undo_each_and_steer(board: browserlab.Page) -> None:
    before = steps(board)
    row = board.locator('.board-row[data-number="3"]')
    row.get_by_role("button", name="5 of 5").click()
    wait(board, "app.store.get('/cue/takes/rated')?.[1] === 5")
    assert "of C" in board.locator(".board-rules").inner_text()
    row.get_by_label("Comment on take C").fill("warm, but late")
    row.get_by_label("Comment on take C").press("Enter")
    wait(board, "app.store.get('/cue/takes/rated')?.[2] === 'warm, but late'")
    assert steps(board) == before + 2
    board.get_by_role("button", name="One more").click()
    wait(board, "app.rows.takes.length === 5 && app.store.value('/cue/takes/coming') === 0", 60)
    for _ in range(2):
        board.locator("body").press("Control+z")
    wait(board, "(app.store.get('/cue/takes/rated') ?? []).length === 0")
    assert row.get_by_label("Comment on take C").input_value() == ""
    assert "No ratings yet" in board.locator(".board-rules").inner_text()


def test_more_and_less_begin_from_the_take_they_stand_at_and_are_one_undo(board: browserlab.Page) -> None:
    before, first = steps(board), plays(board)
    board.locator('.board-row[data-number="2"]').get_by_role("button", name="More like this").click()
    wait(board, "app.store.value('/cue/take/like') === 2 && app.store.get('/cue/edits')[2] === argument", 30,
         before + 1)  # fmt: skip
    settled(board)
    players = value(board, "app.store.get('/cue/plan')[1]")
    assert players == value(board, "app.board.sketches.get(2).players")
    board.locator("body").press("Control+z")
    wait(board, "app.rows.takes.find((row) => row[3])[0] === argument", argument=first)
    board.locator('.board-row[data-number="2"]').get_by_role("button", name="Less of that").click()
    wait(board, "(app.store.value('/cue/take/draws') ?? '').includes('-players=' + argument)", 30, players)
    settled(board)
    assert value(board, "app.store.get('/cue/plan')[1]") != players
    board.locator("body").press("Control+z")
    wait(board, "app.rows.takes.find((row) => row[3])[0] === argument", argument=first)


def test_two_takes_are_compared_under_one_playhead(board: browserlab.Page) -> None:
    for number in (1, 2):
        board.locator(f'.board-row[data-number="{number}"]').get_by_label("Compare").check()
    board.locator(".board-acts").get_by_role("button", name="Compare").click()
    lanes = board.locator(".versus-lane")
    assert lanes.count() == 2 and lanes.nth(0).get_attribute("aria-current") == "true"
    board.wait_for_selector(".versus-table tbody tr")
    what = board.locator(".versus-table tbody th").all_inner_texts()
    assert "chords alike" in what and "key" in what
    lanes.nth(1).get_by_role("button").click()
    wait(board, "app.rows.takes.find((row) => row[3])[0] === 2")
    board.keyboard.press("Escape")
    assert not board.locator(".versus").is_visible()
    board.locator("body").press("Control+z")
    wait(board, "app.rows.takes.find((row) => row[3])[0] === 1")


def test_takes_sound_equally_loud_and_that_can_be_switched_off(board: browserlab.Page) -> None:
    value(board, "document.activeElement.blur()")
    board.keyboard.press("Home")
    board.keyboard.press("Space")
    wait(board, "app.sound.on && app.sound.report?.rolling", 20)
    board.locator('.board-row[data-number="2"]').get_by_role("button", name="At once").click()
    wait(board, "app.store.get('take_before') === 1 && app.rows.takes.find((row) => row[3])[0] === 2")
    level = board.get_by_label("A and B equally loud here")
    assert level.is_checked()
    level.uncheck()
    assert value(board, "JSON.parse(localStorage.cuebridge).equal_loudness") is False
    level.check()
    assert value(board, "JSON.parse(localStorage.cuebridge).equal_loudness") is True
    value(board, "document.activeElement.blur()")
    board.keyboard.press("Space")
    wait(board, "!app.rolling")
    board.keyboard.press("Control+z")
    wait(board, "app.rows.takes.find((row) => row[3])[0] === 1")


def test_the_board_says_all_to_a_screen_reader(board: browserlab.Page) -> None:
    named = value(
        board,
        "[...app.board.querySelectorAll('button, input, canvas[role=img]')].filter((each) =>"
        " each.checkVisibility() && !(each.getAttribute('aria-label') || each.textContent.trim()"
        " || each.labels?.length)).length",
    )
    assert named == 0
    assert board.locator('.board-row[data-number="1"] canvas').get_attribute("aria-label") != "being drawn"
    for width, height in ((1280, 720), (900, 700)):
        board.set_viewport_size({"width": width, "height": height})
        assert value(board, "document.documentElement.scrollWidth <= innerWidth")
    board.set_viewport_size({"width": 1600, "height": 1000})


def test_the_second_screen_counts_down_to_a_hit(browser: browserlab.Browser, program: PageProgram) -> None:
    page = viewed(browser, program, "film", width=960, height=560)
    program.osc("/cue/hits/add", 8.0, "must", "the door")
    wait(page, "app.rows.hits.length === 1")
    settled(page)
    program.osc("/cue/locate", 5.5)
    wait(page, "Math.abs(app.position_s() - 5.5) < 0.01")
    wait(page, "document.querySelector('.hit .left').textContent === '2.5'")
    assert page.locator(".hit .name").inner_text() == "the door"
    assert page.locator("cue-second-screen .chord").inner_text() == value(page, "app.chord_at(5.5).name")
    assert page.locator("cue-second-screen .bar").inner_text() == value(page, "app.bars.text(5.5)")
    program.osc("/cue/locate", 7.5)
    wait(page, "document.querySelector('.hit .left').textContent.endsWith(' fr')")
    fps = value(page, "app.fps")
    assert abs(int(page.locator(".hit .left").inner_text().split()[0]) - 0.5 * fps) <= 1
    program.osc("/cue/locate", 8.1)
    wait(page, "document.querySelector('.hit').classList.contains('now')")
    program.osc("/cue/locate", 9.0)
    wait(page, "document.querySelector('.hit').hidden")
    assert value(page, "document.querySelector('cue-film').getBoundingClientRect().width === innerWidth")
    program.osc("/cue/undo")
    assert page.faults == []
    page.context.close()
