"""The theme, the proposed form and proposed cues by hand: drag, keys, menu and sheet, here and from elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator

import browserlab
import pytest
from browserlab import CLIP, PageProgram, chromium, composed, edited, opened, settled, steps, value, wait

pytestmark = browserlab.NEEDS_BROWSER


@pytest.fixture(scope="module")
def browser() -> Iterator[browserlab.Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def program(browser: browserlab.Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageProgram]:
    """A cue of three sections, with one statement of the theme, at its beginning."""
    folder = tmp_path_factory.mktemp("form")
    with PageProgram("live", folder, str(CLIP), "--form", "comedy", "--ensemble", "strings") as found:
        page = opened(browser, found, lanes="all")
        composed(page)
        settled(page)
        value(page, "app.link.do('/cue/theme/silent', [app.timeline.lanes.themes.spans()[1].start_s])")
        wait(page, "app.timeline.lanes.themes.spans().length === 1", 40)
        settled(page)
        page.context.close()
        yield found


@pytest.fixture()
def page(browser: browserlab.Browser, program: PageProgram) -> Iterator[browserlab.Page]:
    with edited(browser, program, lanes="all") as found:
        wait(found, "app.timeline.lanes.form.grid?.children.length === 3")
        yield found


def spans(page: browserlab.Page, lane: str) -> list[dict[str, object]]:
    return value(page, "app.timeline.lanes[argument].spans()", lane)


def point(page: browserlab.Page, lane: str, at_s: float) -> tuple[float, float]:
    x, y = value(
        page,
        "(() => { const t = app.timeline, box = t.field.getBoundingClientRect(), lane = t.lanes[argument[0]];"
        " return [box.left + app.view.x_of(argument[1]), box.top + lane.top - t.scroller.scrollTop + lane.height / 2];"
        " })()",
        [lane, at_s],
    )
    return x, y


def dragged(page: browserlab.Page, lane: str, from_s: float, to_s: float) -> None:
    """Pressed and moved, not let go."""
    x, y = point(page, lane, from_s)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 12, y, steps=3)
    page.mouse.move(point(page, lane, to_s)[0], y, steps=6)


def bar_s(page: browserlab.Page, bar: int) -> float:
    return float(value(page, "app.bars.list.find((row) => row[0] === argument)[1]", bar))


def focus(page: browserlab.Page, lane: str, at_s: float) -> None:
    wait(
        page,
        "[...app.timeline.lanes[argument[0]].grid.children]"
        ".some((row) => Math.abs(row.dataset.key - argument[1]) < 0.01)",
        argument=[lane, at_s],
    )
    value(page, "app.timeline.focus_item(app.timeline.lanes[argument[0]], argument[1])", [lane, at_s])


def test_a_statement_is_dragged_to_another_bar_in_one_step(page: browserlab.Page) -> None:
    before, (stated,) = steps(page), spans(page, "themes")
    length = stated["end_s"] - stated["start_s"]
    dragged(page, "themes", stated["start_s"] + 1, bar_s(page, 4) + 1.2)
    assert "1|1 → 4|1" in page.locator(".tip").inner_text()
    page.keyboard.press("Escape")
    page.mouse.up()
    assert steps(page) == before and spans(page, "themes") == [stated]
    dragged(page, "themes", stated["start_s"] + 1, bar_s(page, 4) + 1.2)
    page.mouse.up()
    wait(page, "app.timeline.lanes.themes.spans()[0].text.endsWith('bar 4')", 40)
    (moved,) = spans(page, "themes")
    assert moved["end_s"] - moved["start_s"] == pytest.approx(length, abs=0.01) and moved["kind"] == stated["kind"]
    settled(page)
    wait(page, "app.store.get('/cue/edits')[2] === argument", argument=before + 1)
    # Where it has no room it says so while it is dragged, and nothing happens.
    dragged(page, "themes", moved["start_s"] + 1, bar_s(page, 9) + 1.2)
    wait(page, "document.querySelector('.tip.bad') || app.timeline.lanes.themes.refused", 10)
    page.mouse.move(point(page, "themes", bar_s(page, 9) + 1.3)[0], point(page, "themes", 1)[1])
    assert "may begin in bars" in page.locator(".tip").inner_text()
    page.mouse.up()
    wait(page, "document.querySelector('.message').textContent.includes('may begin in bars')")
    assert steps(page) == before + 1


def test_a_statement_is_moved_by_keys_and_by_the_editor(page: browserlab.Page) -> None:
    before, (stated,) = steps(page), spans(page, "themes")
    focus(page, "themes", stated["start_s"])
    page.keyboard.press("Alt+ArrowRight")
    wait(page, "app.timeline.lanes.themes.spans()[0].text.endsWith('bar 2')", 40)
    settled(page)
    wait(page, "Math.abs(document.activeElement.dataset.key - app.timeline.lanes.themes.spans()[0].start_s) < 0.01")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog [aria-label='Where it is stated'] .change-row")
    assert "Bar 2" in page.locator("dialog .change-row").first.inner_text()
    page.get_by_label("+1 bar: statement 1").focus()
    page.keyboard.press("Enter")
    wait(page, "app.timeline.lanes.themes.spans()[0].text.endsWith('bar 3')", 40)
    # As a hint, which has room everywhere, to a section of the form.
    page.get_by_label("Statement 1 as").select_option("hint")
    wait(page, "app.timeline.lanes.themes.spans()[0].kind === 'hint'", 40)
    goal = spans(page, "form")[1]
    page.get_by_label("Statement 1 to").focus()
    page.get_by_label("Statement 1 to").select_option(index=3)
    wait(page, "Math.abs(app.timeline.lanes.themes.spans()[0].start_s - argument) < 0.1", 40, goal["start_s"])
    wait(page, "document.activeElement.getAttribute('aria-label') === 'Statement 1 to'")
    # And once more, at the beginning: a hint again, since a longer one would take the place of what it reaches.
    page.get_by_label("Another statement as").select_option("hint")
    page.get_by_label("Another statement at").select_option(index=2)
    wait(
        page,
        "app.timeline.lanes.themes.spans().map((each) => each.text).join() === 'theme, hint, bar 1,theme, hint, bar 8'",
        40,
    )
    page.keyboard.press("Escape")
    settled(page)
    assert steps(page) == before + 2  # the key, and all of the editor


def test_a_theme_is_written_by_the_mouse(page: browserlab.Page) -> None:
    value(page, "app.timeline.lanes.themes.open()")
    page.wait_for_selector("dialog .theme-grid")
    text = page.get_by_label("Theme, degrees with their beats")
    text.fill("1:2 3:2")
    box = page.locator("dialog .theme-grid").bounding_box()
    assert box is not None
    beats, rows = value(
        page,
        "((grid) => [grid.querySelectorAll('.bar-line, .beat-line').length,"
        " Math.round(100 / parseFloat(grid.querySelector('.note-block').style.height))])"
        "(document.querySelector('.theme-grid'))",
    )

    def at(beat: float, step: int) -> tuple[float, float]:
        return box["x"] + beat / beats * box["width"], box["y"] + box["height"] * (1 - (step + 0.5) / rows)

    page.mouse.move(*at(2.5, 2))
    page.mouse.down()
    page.mouse.move(*at(2.5, 3), steps=3)
    page.mouse.move(*at(2.7, 4), steps=3)
    page.mouse.up()
    assert text.input_value() == "1:2 5:2"
    x, y = at(2.0, 0)
    page.mouse.move(x - 3, y)
    page.mouse.down()
    page.mouse.move(at(1.5, 0)[0], y, steps=4)
    page.mouse.up()
    assert text.input_value().startswith("1:1.5 5:2")
    page.mouse.click(*at(4.1, 1))
    assert text.input_value() == "1:1.5 5:2 R:0.5 | 2"
    page.keyboard.press("Backspace")
    assert text.input_value() == "1:1.5 5:2 R:0.5"
    page.keyboard.press("Escape")


def test_a_proposed_form_is_accepted_moved_named_and_refused_one_by_one(page: browserlab.Page) -> None:
    before, form = steps(page), spans(page, "form")
    assert [each["state"] for each in form] == ["proposed"] * 3
    focus(page, "form", form[1]["start_s"])
    page.keyboard.press("Shift+F10")
    page.click(".menu button:has-text('Accept')")
    wait(page, "app.timeline.lanes.form.spans()[1].state === 'accepted'", 40)
    settled(page)
    focus(page, "form", form[1]["start_s"])
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog input[aria-label=Name]")
    page.keyboard.type("The door")
    page.keyboard.press("Enter")
    wait(page, "app.timeline.lanes.form.spans()[1].name === 'The door' && !document.querySelector('dialog')", 40)
    settled(page)
    wait(page, "app.store.get('/cue/edits')[2] === argument", argument=before + 2)
    x, y = point(page, "form", form[2]["start_s"])
    page.mouse.move(x + 2, y)
    page.mouse.down()
    bar = int(value(page, "app.bars.at(argument + 0.01).bar", form[2]["start_s"])) + 1
    page.mouse.move(x - 20, y, steps=3)
    page.mouse.move(point(page, "form", bar_s(page, bar))[0], y, steps=4)
    page.mouse.up()
    wait(page, "app.timeline.lanes.form.spans()[2].state === 'moved'", 40)
    assert spans(page, "form")[2]["start_s"] == pytest.approx(bar_s(page, bar), abs=0.01)
    settled(page)
    focus(page, "form", bar_s(page, bar))
    page.keyboard.press("Alt+ArrowRight")
    wait(page, "Math.abs(app.timeline.lanes.form.spans()[2].start_s - argument) < 0.01", 40, bar_s(page, bar + 1))
    settled(page)
    focus(page, "form", bar_s(page, bar + 1))
    page.keyboard.press("Backspace")
    wait(page, "app.timeline.lanes.form.spans().length === 2", 40)
    settled(page)
    focus(page, "form", 0.0)
    page.keyboard.press("Shift+F10")
    assert page.locator(".menu button:has-text('Refuse')").count() == 0  # the first has none before it
    page.click(".menu button:has-text('Merge with next')")
    wait(page, "app.timeline.lanes.form.spans().length === 1", 40)
    settled(page)
    wait(page, "app.store.get('/cue/edits')[2] === argument", argument=before + 6)
    for count in (2, 3):
        page.keyboard.press("Control+z")
        wait(page, "app.timeline.lanes.form.spans().length === argument", 40, count)


def test_proposed_cues_are_accepted_refused_and_moved(page: browserlab.Page, program: PageProgram) -> None:
    for in_s, out_s in ((0.0, 12.0), (15.0, 28.0)):
        value(page, "app.link.do('/cue/cues/add', argument)", [in_s, out_s])
        wait(page, "app.rows.cues.at(-1)[2] === argument", 40, in_s)
        value(page, "app.link.do('/cue/proposed', ['exciting, much motion'])")
    wait(page, "app.timeline.lanes.cues?.grid?.children.length === 2", 40)
    settled(page)
    before, cues = steps(page), spans(page, "cues")
    assert [each["proposed"] for each in cues] == [True, True]
    assert "proposed: exciting, much motion" in cues[0]["text"]
    focus(page, "cues", 0.0)
    page.keyboard.press("Shift+F10")
    page.click(".menu button:has-text('Accept')")
    wait(page, "!app.timeline.lanes.cues.spans()[0].proposed")
    # The edge of one is dragged: it is the composer's then, and selected.
    x, y = point(page, "cues", 28.0)
    page.mouse.move(x - 1, y)
    page.mouse.down()
    page.mouse.move(x - 20, y, steps=3)
    page.mouse.move(point(page, "cues", 25.0)[0], y, steps=4)
    page.mouse.up()
    wait(page, "!app.timeline.lanes.cues.spans()[1].proposed && app.timeline.lanes.cues.spans()[1].selected", 40)
    assert spans(page, "cues")[1]["end_s"] == pytest.approx(25.0, abs=0.7)
    settled(page)
    assert steps(page) == before + 2
    program.osc("/cue/undo")
    wait(page, "app.timeline.lanes.cues.spans()[1].proposed", 40)
    settled(page)
    focus(page, "cues", 15.0)
    page.keyboard.press("Backspace")
    wait(page, "app.rows.cues.length === 1", 40)
    settled(page)
    wait(page, "app.store.get('/cue/edits')[2] === argument", argument=before + 2)


def test_another_browser_and_osc_see_it_and_may_take_it_back(
    page: browserlab.Page, browser: browserlab.Browser, program: PageProgram
) -> None:
    other = opened(browser, program, lanes="all")
    composed(other)
    before = steps(page)
    value(page, "app.link.do('/cue/play')")
    wait(page, "app.rolling")
    program.osc("/cue/theme/move", 1.0, bar_s(page, 3))
    for each in (page, other):
        wait(each, "app.timeline.lanes.themes.spans()[0].text.endsWith('bar 3')", 40)
    at_s = spans(other, "form")[1]["start_s"]
    value(other, "app.timeline.lanes.form.accept({start_s: argument, name: 'x'})", at_s)
    wait(page, "app.timeline.lanes.form.spans()[1].state === 'accepted'", 40)
    time.sleep(0.2)
    assert steps(page) == before + 2
    value(page, "app.link.do('/cue/undo')")
    wait(other, "app.timeline.lanes.form.spans()[1].state === 'proposed'", 40)
    value(other, "app.link.do('/cue/undo')")
    wait(page, "app.timeline.lanes.themes.spans()[0].text.endsWith('bar 1')", 40)
    assert other.faults == []
    other.context.close()
