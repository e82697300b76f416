"""Board, comparison, theme editor, section sheets and second screen: no rule of accessibility broken, all by keys."""

from __future__ import annotations

from collections.abc import Iterator

import browserlab
import pytest
from browserlab import CLIP, PageProgram, chromium, composed, opened, settled, steps, value, violations, wait

pytestmark = browserlab.NEEDS_BROWSER
needs_axe = pytest.mark.skipif(browserlab.axe_file() is None, reason=browserlab.NO_AXE)


@pytest.fixture(scope="module")
def browser() -> Iterator[browserlab.Browser]:
    with chromium("--autoplay-policy=no-user-gesture-required") as found:
        yield found


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageProgram]:
    folder = tmp_path_factory.mktemp("views")
    with PageProgram("live", folder, str(CLIP), "--form", "trailer", "--ensemble", "strings") as found:
        yield found


def view(browser: browserlab.Browser, program: PageProgram, name: str, scheme: str = "dark") -> browserlab.Page:
    plain, program.address = program.address, program.address.replace("/?", f"/?{name}&" if name else "/?")
    try:
        page = opened(browser, program, width=1440, height=900, lanes="all", scheme=scheme)
    finally:
        program.address = plain
    wait(page, "app.store.get('phase') === 'ready' && app.chords.at(-1)?.end_s > app.duration_s - 0.5", 120)
    settled(page)
    return page


@pytest.fixture(scope="module")
def board(browser: browserlab.Browser, program: PageProgram) -> Iterator[browserlab.Page]:
    page = view(browser, program, "view=board")
    wait(page, "app.board !== undefined")
    value(page, "app.link.do('/cue/takes/add', [2])")
    wait(page, "app.rows.takes.length === 3 && app.board.sketches.size === 3", 120)
    yield page
    assert page.faults == []
    page.context.close()


@pytest.fixture(scope="module")
def page(browser: browserlab.Browser, program: PageProgram) -> Iterator[browserlab.Page]:
    page = view(browser, program, "")
    composed(page)
    wait(page, "app.timeline.lanes.form.grid?.children.length === 3")
    yield page
    assert page.faults == []
    page.context.close()


# axe ------------------------------------------------------------------------------------------------------------------
@needs_axe
def test_the_board_and_its_comparison_break_no_rule(board: browserlab.Page) -> None:
    assert violations(board, "html") == []
    value(board, "app.board.pairs.open([1, 2])")
    board.wait_for_selector(".versus-table tbody tr")
    assert violations(board, "html") == []
    board.keyboard.press("Escape")


@needs_axe
@pytest.mark.parametrize(
    "opener", ["themes.open()", "form.open(app.timeline.lanes.form.spans()[1])", "sections.open({start_s: 8})"]
)
def test_sheets_of_the_page_break_no_rule(page: browserlab.Page, opener: str) -> None:
    value(page, f"app.timeline.lanes.{opener}")
    page.wait_for_selector("dialog[open]")
    found = violations(page, "html")
    page.keyboard.press("Escape")
    wait(page, "!document.querySelector('dialog[open]')")
    assert found == []


@needs_axe
def test_the_second_screen_and_the_light_board_break_no_rule(browser: browserlab.Browser, program: PageProgram) -> None:
    for name, scheme in (("view=film", "dark"), ("view=board", "light")):
        page = view(browser, program, name, scheme)
        assert violations(page, "html") == []
        page.context.close()


# keys alone -----------------------------------------------------------------------------------------------------------
def tab_to(page: browserlab.Page, label: str, most: int = 120) -> None:
    """By the Tab key, from where the focus is, to what is called so."""
    for _ in range(most):
        page.keyboard.press("Tab")
        name = value(
            page,
            "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.labels?.[0]?.textContent"
            " ?? document.activeElement.textContent).trim()",
        )
        if name == label:
            return
    raise AssertionError(f"Tab does not come to {label!r}")


def test_a_take_is_chosen_on_the_board_by_keys_alone(board: browserlab.Page) -> None:
    before = steps(board)
    value(board, "(document.activeElement.blur(), 0)")
    board.keyboard.press("2")
    wait(board, "app.rows.takes.find((row) => row[3])[0] === 2")
    settled(board)
    tab_to(board, "4 of 5")
    board.keyboard.press("Space")
    wait(board, "app.store.get('/cue/takes/rated')?.[1] === 4")
    assert not value(board, "app.rolling")  # the space bar pressed the button
    tab_to(board, "Compare")
    board.keyboard.press("Space")
    tab_to(board, "Compare")
    board.keyboard.press("Space")
    for _ in range(60):
        board.keyboard.press("Shift+Tab")
        if value(
            board, "document.activeElement.tagName === 'BUTTON' && document.activeElement.textContent === 'Compare'"
        ):
            break
    board.keyboard.press("Enter")
    board.wait_for_selector(".versus-table tbody tr")
    wait(board, "document.querySelector('.versus').contains(document.activeElement)")
    board.keyboard.press("Escape")
    wait(board, "!document.querySelector('.versus').checkVisibility()")
    assert value(board, "document.activeElement.textContent") == "Compare"  # where it was opened
    value(board, "(document.activeElement.blur(), 0)")
    board.keyboard.press("k")
    wait(board, "app.rows.takes.find((row) => row[3])[2]")
    for _ in range(steps(board) - before):
        board.keyboard.press("Control+z")
    wait(board, "app.store.get('/cue/edits')[2] === argument", argument=before)


def test_the_form_is_walked_and_decided_by_keys_alone(page: browserlab.Page) -> None:
    before = steps(page)
    value(page, "app.timeline.focus_item(app.timeline.lanes.form, 0)")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    tab_to(page, "Accept", 20)
    page.keyboard.press("Enter")
    wait(page, "app.timeline.lanes.form.spans()[1].state === 'accepted'", 40)
    settled(page)
    wait(page, "document.activeElement.closest('.grid')?.dataset.lane === 'form'")  # back where it was opened
    page.keyboard.press("Control+z")
    wait(page, "app.store.get('/cue/edits')[2] === argument", 40, argument=before)
