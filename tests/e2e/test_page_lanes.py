"""Lanes and sheets of the page: sections, form, theme, speech, ranges in the DAW, markers, takes side by side."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import browserlab
import pytest
import recutlab
from browserlab import CLIP, PageProgram, composed, edited, settled, steps, value, wait

from engine.music.bundled import bundled_clip
from engine.music.controls import CONFORM_POLICIES

pytestmark = browserlab.NEEDS_BROWSER

MARKERS = """Name,Start,Type
door slams,00:00:04:00,Marker
chase begins,00:00:12:12,Marker
end of reel,00:20:00:00,Marker
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageProgram]:
    with PageProgram("live", tmp_path_factory.mktemp("live"), str(CLIP), "--form", "auto") as found:
        yield found


@pytest.fixture()
def page(browser: browserlab.Browser, program: PageProgram) -> Iterator[browserlab.Page]:
    with edited(browser, program, lanes="all") as found:
        yield found


def axe_faults(page: browserlab.Page, within: str) -> list:
    """None known where axe-core is not here: these tests are of more than that."""
    return browserlab.violations(page, within) if browserlab.axe_file() is not None else []


def rows_of(page: browserlab.Page, lane: str) -> list[str]:
    return value(page, "[...app.timeline.lanes[argument].grid.children].map((row) => row.textContent)", lane)


def lane_point(page: browserlab.Page, lane: str, at_s: float) -> tuple[float, float]:
    place = value(
        page,
        "(() => { const t = app.timeline, box = t.field.getBoundingClientRect(), lane = t.lanes[argument[0]];"
        " return [box.left + app.view.x_of(argument[1]), box.top + lane.top - t.scroller.scrollTop + lane.height / 2];"
        " })()",
        [lane, at_s],
    )
    return tuple(place)  # type: ignore[return-value]


def test_lanes_are_there_once_the_film_has_what_they_show(page: browserlab.Page) -> None:
    shown = "app.timeline.shown.map((lane) => lane.id)"
    first = value(page, shown)
    assert {"form", "cc"} <= set(first) and not {"sections", "printed"} & set(first)
    # What is heard in the film's own sound comes by itself, and no line is made of it unasked.
    wait(page, "app.rows.heard.length > 0", 60)
    assert "music" in {kind for _, _, kind in value(page, "app.rows.heard")}
    assert value(page, "app.timeline.lanes.speech.lines()") == []
    assert "music" in {each["name"] for each in value(page, "app.timeline.lanes.speech.spans()")}
    value(page, "app.link.do('/cue/speech', ['3-5.5 14-17'])")
    value(page, "app.link.do('/cue/sections/add', [12, 'activity=70; dynamics=30', 'chase'])")
    value(page, "app.link.do('/cue/printed/mute', ['bass', 20, 26])")
    wait(page, f"['sections', 'speech', 'printed'].every((id) => {shown}.includes(id))", 30)
    settled(page)
    wait(page, "app.timeline.lanes.printed?.grid?.children.length === 1")
    wait(page, "app.timeline.lanes.speech.grid?.children.length === app.timeline.lanes.speech.spans().length")
    rows = rows_of(page, "speech")
    assert [row for row in rows if row.startswith("speech")] == ["speech, 2.5 s", "speech, 3.0 s"]
    assert any(row.startswith("music in the film's own sound") for row in rows)
    assert rows_of(page, "printed")[0].startswith("bass, in the DAW")
    assert "activity=70; dynamics=30" in rows_of(page, "sections")[0]
    assert all(word in rows_of(page, "form")[0] for word in ("A ", ","))
    # What goes out as controllers is there to read, and lies in the lane.
    assert any("CC 11" in row for row in rows_of(page, "cc"))
    page.screenshot(full_page=True)
    assert page.evaluate(_EMPTY) == []


# Lanes in which nothing but their ground is painted.
_EMPTY = """() => {
  const { timeline } = window.cuebridge;
  const canvas = timeline.under;
  const ratio = canvas.width / canvas.clientWidth;
  const flat = (lane) => {
    const box = [0, lane.top * ratio, canvas.width, Math.max(1, (lane.height - 2) * ratio)];
    return new Set(new Uint32Array(canvas.getContext("2d").getImageData(...box).data.buffer)).size < 3;
  };
  return timeline.shown.filter((lane) => lane.id !== "hits" && flat(lane)).map((lane) => lane.id);
}"""


def test_the_ruler_stays_when_the_lanes_are_scrolled(page: browserlab.Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    wait(page, "app.timeline.scroller.scrollHeight > app.timeline.scroller.clientHeight + 20")
    page.mouse.move(*lane_point(page, "film", 5.0))
    page.mouse.wheel(0, 60)
    wait(page, "app.timeline.scroller.scrollTop > 20")
    wait(page, "app.timeline.lanes.ruler.top === app.timeline.scroller.scrollTop")
    before = value(page, "app.position_s()")
    x, _ = lane_point(page, "film", 9.0)
    top = value(page, "app.timeline.scroller.getBoundingClientRect().top")
    page.mouse.click(x, top + 8)
    wait(page, "Math.abs(app.position_s() - 9) < 0.2", 5)
    value(page, "app.locate(argument)", before)


def test_the_edge_of_a_line_of_speech_is_dragged_in_one_step(page: browserlab.Page) -> None:
    value(page, "app.link.do('/cue/speech', ['3-6'])")
    wait(page, "app.timeline.shown.includes(app.timeline.lanes.speech)", 30)
    settled(page)
    before = steps(page)
    x, y = lane_point(page, "speech", 6.0)
    page.mouse.move(x - 2, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=5)
    page.mouse.move(x + 80, y, steps=5)
    page.mouse.up()
    wait(page, "app.timeline.lanes.speech.lines()[0].end_s > 6.5")
    wait(page, "app.store.get('/cue/edits')[2] === argument", argument=before + 1)
    # A range that is selected becomes a line; Backspace takes it away.
    value(page, "(app.view.select_range([10, 12]), app.timeline.lanes.speech.add(app.view.range))")
    wait(page, "app.timeline.lanes.speech.lines().length === 2")
    wait(page, "app.timeline.lanes.speech.grid.children.length === app.timeline.lanes.speech.spans().length")
    value(page, "app.timeline.focus_item(app.timeline.lanes.speech, 10)")
    page.keyboard.press("Backspace")
    wait(page, "app.timeline.lanes.speech.lines().length === 1")


def test_what_a_section_changes_stands_in_rows(page: browserlab.Page) -> None:
    value(page, "app.link.do('/cue/sections/add', [12, 'activity=70; dynamics=30', 'chase'])")
    wait(page, "app.rows.sections.length === 1 && app.timeline.lanes.sections.grid?.children.length === 1", 30)
    settled(page)
    before = steps(page)
    value(page, "app.timeline.focus_item(app.timeline.lanes.sections, 12)")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog .change-rows .change-row")
    assert page.locator("dialog .change-rows .change-row .label").all_inner_texts() == ["Activity", "Dynamics"]
    page.select_option("dialog select", "parts")
    page.fill("dialog .change-value input", "pad,nose")
    page.keyboard.press("Enter")
    wait(page, "document.querySelector('dialog .under').classList.contains('bad')")
    assert "nose" in page.locator("dialog .under").inner_text()
    page.fill("dialog .change-value input", "pad,bass")
    page.keyboard.press("Enter")
    wait(page, "app.rows.sections[0][1].includes('parts=pad,bass')", 30)
    page.click("dialog button[aria-label='No Dynamics here']")
    wait(page, "!app.rows.sections[0][1].includes('dynamics')", 30)
    assert value(page, "app.rows.sections[0][1]") == "activity=70; parts=pad,bass"
    page.keyboard.press("Escape")
    settled(page)
    assert steps(page) == before + 1  # all of one sheet is one step


def test_what_the_plan_says_of_a_section_stands_in_rows(page: browserlab.Page) -> None:
    value(page, "app.timeline.focus_item(app.timeline.lanes.form, app.timeline.lanes.form.spans()[0].start_s)")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog dl")
    assert page.locator("dialog dt").all_inner_texts() == [
        "State", "Role", "Mood", "Intensity", "Ensemble", "Key", "Texture",
    ]  # fmt: skip
    for box in page.locator("dialog input[type=checkbox]").all():
        box.set_checked(box.get_attribute("value") in ("pad", "bass"))
    page.click("dialog button:has-text('Only these parts')")
    wait(page, "app.timeline.lanes.form.spans()[0].parts.join() === 'pad,bass'", 40)


def test_a_theme_is_written_by_arrow_keys(page: browserlab.Page) -> None:
    value(page, "app.timeline.lanes.themes.open()")
    page.wait_for_selector("dialog .theme-grid")
    page.locator("dialog .theme-grid").focus()
    for key in ("Enter", "Enter", "ArrowUp", "ArrowUp", "Enter", "Shift+ArrowUp", "Alt+ArrowRight"):
        page.keyboard.press(key)
    assert page.locator("dialog input[type=text]").input_value() == "1 3 3':1.5"
    assert page.locator("dialog .note-block").count() == 3
    assert "Note 3 of 3: degree 3', 1.5 beats" in page.locator("dialog p[role=status]").inner_text()
    page.fill("dialog input[type=text]", "1:1.5 9")
    page.click("dialog button.primary")
    wait(page, "document.querySelector('dialog .under.bad')?.textContent.includes('9')")
    page.fill("dialog input[type=text]", "1:1.5 5:.5 4:2 | 3:4")
    page.click("dialog button.primary")
    wait(page, "app.store.value('/cue/theme') === '1:1.5 5:.5 4:2 | 3:4' && !document.querySelector('dialog')", 30)
    wait(page, "app.timeline.lanes.themes.small === 'yours'")


def test_markers_of_an_editor_are_looked_at_and_taken(page: browserlab.Page, tmp_path: Path) -> None:
    file = tmp_path / "reel 1.csv"
    file.write_text(MARKERS)
    with page.expect_file_chooser() as chooser:
        page.click("cue-top button[aria-label=Menu]")
        page.click(".menu button:has-text('Markers from the editor')")
    chooser.value.set_files(file)
    page.wait_for_selector("dialog.markers")
    rows = page.locator("dialog.markers tbody tr")
    wait(
        page, "document.querySelector('dialog.markers .under.bad') || document.querySelector('dialog.markers tbody tr')"
    )
    if not rows.count():  # the film's label of its first frame is asked for
        page.fill("dialog.markers input[aria-label*='first frame']", "00:00:00:00")
        page.keyboard.press("Tab")
        rows.first.wait_for()
    assert rows.count() == 3
    # The frame of each marker in the film; what lies outside cannot be taken.
    wait(page, "document.querySelectorAll('dialog.markers canvas[data-drawn]').length === 2", 20)
    dark = page.locator("dialog.markers canvas").evaluate_all(
        "(all) => all.map((each) => new Set(new Uint32Array("
        "each.getContext('2d').getImageData(0, 0, 96, 54).data.buffer)).size < 20)"
    )
    assert dark == [False, False, True]
    assert axe_faults(page, "dialog") == []
    boxes = page.locator("dialog.markers tbody input[type=checkbox]")
    assert boxes.nth(2).is_disabled()
    rows.nth(0).locator("select").select_option("must")
    boxes.nth(1).set_checked(False)
    before = steps(page)
    page.click("dialog.markers button.primary")
    wait(page, "app.rows.hits.length === 1 && !document.querySelector('dialog')", 20)
    assert value(page, "app.rows.hits[0].slice(1)") == ["must", "door slams"]
    assert value(page, "app.rows.hits[0][0]") == pytest.approx(4.0, abs=0.05)
    assert steps(page) == before + 1


def test_a_long_list_of_markers_says_that_more_is_taken_than_is_listed(page: browserlab.Page, tmp_path: Path) -> None:
    file = tmp_path / "long.tsv"
    file.write_text(
        "In (s)\tName\n" + "".join(f"{0.05 * index:.2f}\t🎬 {index}\n" for index in range(501)), encoding="utf-8"
    )
    with page.expect_file_chooser() as chooser:
        page.click("cue-top button[aria-label=Menu]")
        page.click(".menu button:has-text('Markers from the editor')")
    chooser.value.set_files(file)
    wait(page, "document.querySelectorAll('dialog.markers tbody tr').length === 500")
    assert page.locator("dialog.markers button.primary").inner_text() == "Take 500 markers and the others"
    page.keyboard.press("Escape")


def test_a_new_cut_is_looked_at_taken_and_taken_back(page: browserlab.Page, tmp_path: Path) -> None:
    """Two seconds of a title at the sixth second, with the film from the fixture before and after."""
    film = value(page, "app.get('film').name")
    length = value(page, "app.duration_s")
    recutlab.write(tmp_path / "reel v2.mp4", bundled_clip(), [(0, 144), ("title", 48), (144, round(length * 24))])
    with page.expect_file_chooser() as chooser:
        page.click("cue-top button[aria-label=Menu]")
        page.click(".menu button:has-text('New cut of the film')")
    chooser.value.set_files(tmp_path / "reel v2.mp4")
    wait(page, "document.querySelector('dialog.markers button.primary:not(:disabled)')", 120)
    rows = page.locator("dialog.markers tbody tr")
    assert rows.count() == 1 + len(CONFORM_POLICIES)  # one change, and what each policy does
    assert "insert" in rows.nth(0).inner_text() and "+48" in rows.nth(0).inner_text()
    assert axe_faults(page, "dialog") == []
    page.locator("dialog.markers input[value=rewrite]").check()
    page.locator("dialog.markers input[value=shift]").check()
    before = steps(page)
    page.click("dialog.markers button.primary")
    wait(page, f"app.duration_s > {length} + 1.5 && !document.querySelector('dialog')", 120)
    wait(page, f"app.store.get('/cue/edits')[2] === {before + 1}")
    page.click("cue-top button[aria-label=Undo]")
    wait(page, f"app.duration_s < {length} + 0.5 && app.get('film').name === {film!r}", 30)
    wait(page, f"app.store.get('/cue/edits')[2] === {before}")


# Each sheet: what opens it, and how one sees that it is whole.
SHEETS = {
    "section": ("app.later('./elements/section-sheet.js', 'openSection', 12)", "dialog .change-row"),
    "plan": ("app.timeline.lanes.form.open(app.timeline.lanes.form.spans()[0])", "dialog dl"),
    "theme": ("app.timeline.lanes.themes.open()", "dialog .theme-grid"),
    "save": ("app.open_save()", "dialog select"),
    "keys": ("app.open_keys()", "dialog kbd"),
    "messages": ("app.open_log()", "dialog li"),
    "sound": ("document.querySelector('cue-top .chip:nth-of-type(2)').click()", ".sheet input[type=range]"),
    "sync": ("document.querySelector('cue-top .chip').click()", ".sheet dd"),
    "menu": ("document.querySelector('cue-top button[aria-label=Menu]').click()", ".menu button"),
}


@pytest.mark.skipif(browserlab.axe_file() is None, reason=browserlab.NO_AXE)
@pytest.mark.parametrize("sheet", SHEETS)
def test_no_sheet_breaks_a_rule_of_accessibility(page: browserlab.Page, sheet: str) -> None:
    """Rules, and what they leave out: it has a name, takes the focus, and Escape closes it and gives the focus back."""
    act, whole = SHEETS[sheet]
    page.focus("#save")
    value(page, f"(void {act}, 0)")
    page.wait_for_selector(whole)
    box = whole.split(" ")[0]
    assert browserlab.violations(page, box) == []
    assert page.locator(box).evaluate("(each) => each.contains(document.activeElement)")
    assert page.locator(box).evaluate("(each) => Boolean(each.ariaLabel || each.getAttribute('aria-labelledby'))")
    page.keyboard.press("Escape")
    wait(page, "document.querySelector(argument) === null", 5, argument=box)
    assert value(page, "document.activeElement !== document.body")


def test_takes_are_compared_side_by_side_at_equal_loudness(page: browserlab.Page) -> None:
    # A quieter take: how loud it is must not decide which one is liked.
    first = wait(page, "app.rows.takes.find((row) => row[3])?.[0]")
    page.keyboard.press("Space")  # sound wants a key; then it stands still, so that a slow renderer loses nothing
    wait(page, "app.rolling && app.sound.on", 30)
    page.keyboard.press("Space")
    wait(page, "!app.rolling")
    value(page, "app.link.do('/cue/locate', [0])")
    wait(page, "app.sound.levels.pair(argument, argument)?.[2] >= 6", 90, argument=first)
    value(page, "app.takes.make()")
    wait(page, "(app.rows.takes.find((row) => row[3])?.[0] ?? argument) !== argument", 40, argument=first)
    value(page, "app.set('take_before', argument)", first)
    second = value(page, "app.rows.takes.find((row) => row[3])[0]")
    composed(page)
    value(page, "app.link.do('/cue/dynamics', [10])")
    settled(page)
    wait(page, "app.sound.levels.pair(...argument)?.[2] >= 4", 90, argument=[first, second])
    loud = value(page, "app.sound.levels.pair(...argument)", [first, second])
    gains = value(
        page, "[app.sound.levels.gain(...argument), app.sound.levels.gain(...argument.toReversed())]", [first, second]
    )
    assert max(gains) == 1.0 and abs(loud[0] - loud[1]) > 0.1
    page.click(f".take-row button[aria-label='Menu of take {chr(64 + second)}']")
    page.click(".menu button:has-text('side by side')")
    page.wait_for_selector(".compare .compared-take")
    assert page.locator(".compare .compared-take").count() == 2
    wait(page, "document.querySelectorAll('.compare th[scope=row]').length >= 1", 10)
    assert "LUFS" in page.locator(".compare [role=status]").inner_text()
    # Both lanes have their notes, though only one of them plays.
    inked = page.locator(".compare canvas").evaluate_all(
        "(all) => all.map((each) => new Set(new Uint32Array("
        "each.getContext('2d').getImageData(0, 0, each.width, each.height).data.buffer)).size)"
    )
    assert min(inked) > 4
    assert axe_faults(page, ".compare") == []
    page.click(".compare button:has-text('A/B')")
    wait(page, "app.rows.takes.find((row) => row[3])[0] === argument", 30, argument=first)
    wait(
        page,
        "document.querySelector('.compared-take button[aria-pressed=true] b').textContent === argument",
        5,
        argument=chr(64 + first),
    )
    page.keyboard.press("Escape")
    time.sleep(0.1)
    assert page.locator(".compare").count() == 0
