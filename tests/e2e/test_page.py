"""The web page in a real browser, on the real program: a first visit, edits, undo, two browsers, a lost connection."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import browserlab
import psutil
import pytest
from browserlab import CLIP, PageProgram, chord_box, composed, edited, opened, settled, steps, value, wait

pytestmark = browserlab.NEEDS_BROWSER

SIZES = ((1280, 720), (1440, 900), (2560, 1440))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageProgram]:
    """One program for all tests that edit; each undoes what it has done."""
    # Without a plan of the cue: its chords are many and short.
    with PageProgram("live", tmp_path_factory.mktemp("live"), str(CLIP), "--form", "none") as found:
        yield found


@pytest.fixture()
def page(browser: browserlab.Browser, program: PageProgram) -> Iterator[browserlab.Page]:
    with edited(browser, program) as found:
        yield found


def test_first_visit_to_sound_by_keyboard_alone(browser: browserlab.Browser, tmp_path: Path) -> None:
    with PageProgram("page", tmp_path) as program:
        page = opened(browser, program)
        page.wait_for_selector("cue-first h1")
        assert page.locator("h1").inner_text() == "Music for your film"
        for _ in range(8):
            if value(page, "document.activeElement.textContent") == "Try the bundled clip":
                break
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector("cue-first video", timeout=30_000)
        assert value(page, "document.activeElement.textContent") == "Write the music"
        page.keyboard.press("Enter")
        wait(page, "app.first.hidden")
        assert value(page, "document.querySelector('.message .text').textContent").startswith("Press Space.")
        wait(page, "app.chords.length > 3 && app.store.value('/cue/status') === 'stopped'", 90)
        page.keyboard.press("Space")
        wait(page, "app.rolling && app.position_s() > 0.5", 30)
        wait(page, "app.sound.on && app.sound.report?.rolling && app.sound.report.peak > 0.01", 20)
        # What is heard is where the bridge's transport is.
        assert abs(value(page, "app.heard_s() - app.position_s()")) < 0.05
        assert page.faults == []
        page.context.close()


def test_a_page_that_opens_on_its_film_plays_by_the_first_key(page: browserlab.Page) -> None:
    assert value(page, "document.activeElement.getAttribute('aria-label')") == "Play"
    page.keyboard.press("Space")
    wait(page, "app.rolling")


def test_a_border_is_dragged_in_one_step(page: browserlab.Page) -> None:
    _, right, top, _ = chord_box(page, 4)
    border_s = value(page, "app.chords[5].start_s")
    before = steps(page)
    beat = value(page, "app.bars.beat_length_s(app.chords[5].start_s) * app.view.zoom")
    page.mouse.move(right, top + 20)
    page.mouse.down()
    for part in range(1, 9):
        page.mouse.move(right + beat * part / 8, top + 20)
    assert "+1 beat" in value(page, "app.timeline.tip.textContent")
    assert value(page, "app.timeline.tip.hidden") is False
    page.mouse.up()
    wait(page, "Math.abs(app.chords[5].start_s - argument) > 0.2", argument=border_s)
    moved_s = value(page, "app.chords[5].start_s")
    assert moved_s == pytest.approx(border_s + beat / value(page, "app.view.zoom"), abs=0.01)
    wait(page, "app.store.get('/cue/edits')[2] === argument", argument=before + 1)
    page.keyboard.press("Control+z")
    wait(page, "Math.abs(app.chords[5].start_s - argument) < 1e-3", argument=border_s)


def test_escape_leaves_a_drag_as_it_was(page: browserlab.Page) -> None:
    _, right, top, _ = chord_box(page, 4)
    before, border_s = steps(page), value(page, "app.chords[5].start_s")
    page.mouse.move(right, top + 20)
    page.mouse.down()
    page.mouse.move(right + 40, top + 20, steps=4)
    assert value(page, "app.timeline.lanes.chords.moving !== null")
    page.keyboard.press("Escape")
    assert value(page, "app.timeline.lanes.chords.moving === null && app.timeline.tip.hidden")
    page.mouse.up()
    time.sleep(0.3)
    assert steps(page) == before
    assert value(page, "app.chords[5].start_s") == pytest.approx(border_s)


def test_a_place_that_is_refused_says_so_while_dragging(page: browserlab.Page) -> None:
    """A range that is in the DAW: its chords do not move, and the sentence of the refusal is at the pointer."""
    from_s, to_s = value(page, "[app.chords[4].start_s, app.chords[4].end_s]")
    value(page, "app.link.do('/cue/printed/mute', ['all', ...argument])", [from_s, to_s])
    wait(page, "app.chords[4].printed && app.store.get('/cue/edits')[2] > 0")
    _, right, top, _ = chord_box(page, 4)
    before = steps(page)
    page.mouse.move(right, top + 20)
    page.mouse.down()
    page.mouse.move(right + 40, top + 20, steps=6)
    wait(page, "app.timeline.tip.classList.contains('bad')", 5)
    assert "in the DAW" in value(page, "app.timeline.tip.textContent")
    page.mouse.up()
    wait(page, "document.querySelector('.message').className.includes('refused')", 5)
    assert "in the DAW" in value(page, "document.querySelector('.message .text').textContent")
    assert steps(page) == before


def test_a_window_that_changes_its_size_under_a_drag_loses_nothing(page: browserlab.Page) -> None:
    _, right, top, _ = chord_box(page, 4)
    before, names = steps(page), value(page, "app.chords.map((chord) => [chord.start_s, chord.name])")
    page.mouse.move(right, top + 20)
    page.mouse.down()
    page.mouse.move(right + 20, top + 20, steps=4)
    page.set_viewport_size({"width": 900, "height": 600})
    page.mouse.move(850, 300, steps=4)
    page.set_viewport_size({"width": 500, "height": 700})  # where there are no lanes
    page.mouse.up()
    page.set_viewport_size({"width": 1440, "height": 900})
    wait(page, "app.timeline.lanes.chords.moving == null && app.timeline.tip.hidden", 5)
    for _ in range(steps(page) - before):
        value(page, "app.link.do('/cue/undo')")
    wait(page, "JSON.stringify(app.chords.map((chord) => [chord.start_s, chord.name])) === argument", 10,
         argument=value(page, "JSON.stringify(argument)", names))  # fmt: skip


def test_a_chart_of_thousands_of_chords_is_refused_in_words(page: browserlab.Page) -> None:
    before, chart = steps(page), "C Am F G " * 1250
    page.locator("cue-steer input[type=text]").first.fill(chart)
    page.keyboard.press("Enter")
    wait(page, "document.body.textContent.includes('characters; 8192 are the most')", 10)
    assert steps(page) == before and value(page, "app.value('/cue/progression')") == ""


def test_who_chooses_another_film_is_told_that_the_music_plays_on(page: browserlab.Page) -> None:
    page.click("cue-top button[aria-label=Menu]")
    page.click(".menu button:has-text('Another film')")
    page.wait_for_selector("cue-first h1")
    value(page, "(app.link.do = () => new Promise(() => {}), 0)")  # the film is on its way
    page.click("text=Try the bundled clip")
    wait(page, "document.querySelector('cue-first').textContent.includes('The music plays on until it is there.')", 5)
    value(page, "(delete app.link.do, 0)")
    page.click("cue-first >> text=Back")
    wait(page, "app.first.hidden", 5)


def test_a_chord_is_typed_in_its_place(page: browserlab.Page) -> None:
    index = 6
    page.evaluate(
        "(i) => cuebridge.timeline.focus_item(cuebridge.timeline.lanes.chords, cuebridge.chords[i].start_s)", index
    )
    page.keyboard.press("Enter")
    page.keyboard.type("Q7")
    page.keyboard.press("Enter")
    wait(page, "app.timeline.editor.sentence.classList.contains('bad')", 5)
    assert "Q7" in value(page, "app.timeline.editor.sentence.textContent")
    assert value(page, "app.timeline.editor.shown")
    page.keyboard.press("Control+a")
    page.keyboard.type("E7")
    page.keyboard.press("Enter")
    wait(page, "app.chords[argument].name === 'E7'", argument=index)
    wait(page, "document.querySelector('.message').textContent.includes('→ E7')", 5)
    # Its row says what it is now, for who does not see the block.
    wait(
        page,
        "[...app.timeline.lanes.chords.grid.children].some((row) => /E7, (pinned|typed)/.test(row.textContent))",
        5,
    )


def test_a_sliders_movement_is_one_step(page: browserlab.Page) -> None:
    before = steps(page)
    slider = page.locator('input[aria-label="Adventurous"]')
    box = slider.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] / 2)
    page.mouse.down()
    for part in range(12):
        page.mouse.move(box["x"] + box["width"] * (0.4 + 0.03 * part), box["y"] + box["height"] / 2)
    page.mouse.up()
    wait(page, "app.store.get('/cue/edits')[2] === argument", argument=before + 1)
    assert value(page, "app.store.value('/cue/adventurous')") > 6
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    wait(page, "app.store.get('/cue/edits')[2] === argument", argument=before + 2)
    time.sleep(0.3)
    assert steps(page) == before + 2


def test_an_undo_from_osc_is_seen(page: browserlab.Page, program: PageProgram) -> None:
    name = value(page, "app.chords[8].name")
    value(page, "app.link.do('/cue/chords/pin', ['Bbm7', app.chords[8].start_s])")
    wait(page, "app.chords[8].name === 'Bbm7'")
    program.osc("/cue/undo")
    wait(page, "app.chords[8].name === argument", 5, argument=name)
    wait(page, "document.querySelector('.message').textContent.includes('by osc 127.0.0.1')", 5)


def test_two_browsers_see_one_another(page: browserlab.Page, browser: browserlab.Browser, program: PageProgram) -> None:
    other = opened(browser, program)
    composed(other)
    value(other, "app.link.do('/cue/chords/pin', ['F#m7', app.chords[9].start_s])")
    wait(page, "app.chords[9].name === 'F#m7'", 5)
    you = value(other, "app.you")
    wait(page, "document.querySelector('.message').textContent.includes(argument)", 5, argument=f"by {you}")
    assert not value(other, "document.querySelector('.message').textContent").count(f"by {you}")
    other.context.close()


def test_the_countdown_is_the_answers_time(page: browserlab.Page) -> None:
    value(page, "app.link.do('/cue/locate', [0])")
    page.keyboard.press("Space")
    wait(page, "app.rolling && app.position_s() > 0.3")
    answer = value(page, "app.act('/cue/chords/pin', ['Dm7', app.chords[12].start_s], { what: 'x → Dm7' })")
    shown = value(
        page,
        "[app.messages.now().text, app.position_s(), app.bars.text(argument)]", answer["heard"],
    )  # fmt: skip
    text, at_s, place = shown
    left_s = float(text.split("heard in ")[1].split(" s")[0])
    assert f"at {place}" in text
    assert left_s == pytest.approx(answer["heard"] - at_s, abs=0.15)


def test_takes_are_compared_and_rated(page: browserlab.Page) -> None:
    first = value(page, "app.rows.takes.find((row) => row[3])[0]")
    page.keyboard.press("n")
    wait(
        page, "app.rows.takes.length >= 2 && app.rows.takes.find((row) => row[3])?.[0] !== argument", 30, argument=first
    )
    composed(page)
    settled(page)
    second = value(page, "app.rows.takes.find((row) => row[3])[0]")
    names = value(page, "app.chords.map((chord) => chord.name)")
    page.keyboard.press("1")
    wait(page, "app.rows.takes.find((row) => row[3])?.[0] === argument", 40, argument=first)
    page.keyboard.press("\\")
    wait(page, "app.rows.takes.find((row) => row[3])?.[0] === argument", 40, argument=second)
    wait(page, "JSON.stringify(app.chords.map((chord) => chord.name)) === JSON.stringify(argument)", 40, argument=names)
    page.keyboard.press("r")
    page.keyboard.press("4")
    wait(page, "document.querySelector('.take[aria-current]').textContent.includes('4/5')", 5)
    page.keyboard.press("k")
    wait(page, "document.querySelector('.take[aria-current]').textContent.includes('kept')", 5)


def test_a_new_window_shows_takes_that_it_has_not_heard(
    page: browserlab.Page, browser: browserlab.Browser, program: PageProgram
) -> None:
    if value(page, "app.rows.takes.length") < 2:
        page.keyboard.press("n")
        wait(page, "app.rows.takes.length >= 2", 40)
        settled(page)
    other = opened(browser, program)
    inks = (
        "[...document.querySelectorAll('.take canvas')].filter((each) => each.clientWidth).map((each) => new Set("
        "new Uint32Array(each.getContext('2d').getImageData(0, 0, each.width, each.height).data.buffer)).size)"
    )
    wait(other, f"{inks}.length >= 2 && Math.min(...{inks}) > 2", 120)  # drawn up after all that plays or composes
    other.context.close()


def test_why_says_who_set_a_chord_and_offers_others(page: browserlab.Page) -> None:
    value(page, "app.timeline.focus_item(app.timeline.lanes.chords, app.chords[7].start_s)")
    page.keyboard.press("w")
    wait(page, "document.querySelectorAll('cue-why p').length >= 3", 10)
    others = page.locator("cue-why .instead button")
    if others.count():
        name = others.first.inner_text().split()[0]
        others.first.click()
        wait(page, "app.chords[7].name === argument && app.chords[7].state === 'pinned'", 10, argument=name)
        # Of what somebody set nobody need be asked: that is answered too.
        wait(page, "document.querySelector('cue-why').textContent.includes('You wrote ' + argument)", 10, argument=name)


def test_the_film_with_its_music_is_saved(page: browserlab.Page) -> None:
    page.click("#save")
    page.select_option("dialog select[aria-label=Format]", "mid")
    page.click("dialog button.primary")
    wait(page, "document.querySelector('.message a')?.hidden === false", 60)
    with page.expect_download() as found:
        page.click(".message a")
    assert Path(found.value.path()).read_bytes().startswith(b"MThd")


def test_a_cue_sheet_is_saved_with_its_writers(page: browserlab.Page) -> None:
    """Fields show with the format that has them; the name is a pattern."""
    page.click("#save")
    assert not page.locator("dialog input[aria-label=Writers]").is_visible()
    page.select_option("dialog select[aria-label=Format]", "cuesheet")
    assert page.input_value("dialog input[aria-label='File name']") == "{cue}_v{version} {name} {start}"
    page.fill("dialog input[aria-label=Writers]", "A. Composer")
    page.fill("dialog input[aria-label=Version]", "3")
    page.click("dialog button.primary")
    wait(page, "[...document.querySelectorAll('.message a')].some((each) => each.href.endsWith('cue%20sheet.csv'))", 60)
    with page.expect_download() as found:
        page.locator(".message a[href$='cue%20sheet.csv']").click()
    assert "_v03 " in found.value.suggested_filename
    assert "A. Composer" in Path(found.value.path()).read_text(encoding="utf-8-sig")


def test_the_film_has_a_window_of_its_own(browser: browserlab.Browser, program: PageProgram) -> None:
    page = opened(browser, program)
    page.goto(program.address.split("?")[0] + "?view=film")
    wait(page, "Boolean(app?.store.get('fresh'))")
    box = page.locator("cue-film").bounding_box()
    assert box is not None and (box["width"], box["height"]) == (1440, 900)
    assert not page.locator("cue-timeline").is_visible()
    page.context.close()


@pytest.mark.skipif(browserlab.axe_file() is None, reason=browserlab.NO_AXE)
def test_no_rule_of_accessibility_is_broken(page: browserlab.Page) -> None:
    assert browserlab.violations(page, "html") == []


def test_a_lost_connection_comes_back_with_focus_and_scroll(browser: browserlab.Browser, program: PageProgram) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    sockets: list = []
    page.route_web_socket("**/socket", lambda socket: (sockets.append(socket), socket.connect_to_server()))
    page.goto(program.address)
    wait(page, "Boolean(app?.store.get('fresh'))")
    composed(page)
    value(
        page, "(app.view.zoom_by(8, 300), app.timeline.focus_item(app.timeline.lanes.chords, app.chords[3].start_s), 0)"
    )
    time.sleep(0.3)
    value(page, "app.timeline.focus_row(app.timeline.lanes.chords, app.chords[3].start_s)")
    left_s, key = value(page, "[app.view.left_s, document.activeElement.dataset.key]")
    opened_sockets = len(sockets)
    sockets[-1].close()
    gone = "The connection is gone; the music plays on. Trying again."
    wait(page, "document.querySelector('.message .text').textContent === argument", 5, argument=gone)
    refused = value(page, "app.link.do('/cue/chords/pin', ['E7', 0]).then(() => 'done', (error) => error.code)")
    assert refused == "gone"
    wait(page, "app.link.open", 10)
    assert len(sockets) > opened_sockets
    assert value(page, "[app.view.left_s, document.activeElement.dataset.key]") == [left_s, key]
    wait(page, "!document.querySelector('.message .text').textContent.includes('gone')", 5)
    context.close()


_CUT_OFF = """() => {
  const found = [];
  for (const each of document.querySelectorAll("cue-app *")) {
    const style = getComputedStyle(each);
    if (!each.clientWidth || style.overflowX === "visible") continue;
    if (each.closest(".unseen, .grid, cue-status, .menu, .lanes, video")) continue;
    if (each.scrollWidth <= each.clientWidth + 1) continue;
    found.push(`${each.tagName} ${each.className}: ${each.textContent.slice(0, 40)}`);
  }
  return found;
}"""


_SCROLLS = "(each) => each.scrollHeight - each.clientHeight"
_TOP_MOST = """(selector) => {
  const each = document.querySelector(selector);
  const { left, top, width, height } = each.getBoundingClientRect();
  return each.contains(document.elementFromPoint(left + width / 2, top + height / 2));
}"""
# Lanes that are painted in one colour, or two: those that hold nothing.
_FLAT = """() => {
  const { timeline } = window.cuebridge;
  const canvas = timeline.under;
  const ratio = canvas.width / canvas.clientWidth;
  const flat = (lane) => {
    const box = [0, lane.top * ratio, canvas.width, Math.max(1, (lane.height - 2) * ratio)];
    const pixels = new Uint32Array(canvas.getContext("2d").getImageData(...box).data.buffer);
    return new Set(pixels).size < 3;
  };
  return timeline.shown.filter((lane) => lane.id !== "hits" && flat(lane)).map((lane) => lane.id);
}"""


def painted(page: browserlab.Page) -> None:
    """Every lane is drawn; a few milliseconds of each frame are for that, so that may take a while."""
    end = time.monotonic() + 10
    while page.evaluate(_FLAT) and time.monotonic() < end:
        page.wait_for_timeout(50)
    assert page.evaluate(_FLAT) == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_is_cut_off(
    browser: browserlab.Browser, program: PageProgram, scheme: str, width: int, height: int, tmp_path: Path
) -> None:
    page = opened(browser, program, width=width, height=height, scheme=scheme, lanes="all")
    composed(page)
    assert page.evaluate(_CUT_OFF) == []
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
        width,
        height,
    ]
    # Every part's row, and what opens the further controls, is whole and in sight.
    for whole in (page.locator(".heads .part"), page.locator("details.more > summary")):
        for box in [each.bounding_box() for each in whole.all()]:
            assert box is not None and box["height"] >= 24 and box["y"] + box["height"] <= height - 26
    assert page.evaluate(_TOP_MOST, "details.more > summary")
    assert page.evaluate("(({ scroller, lanes }) => lanes.drums.top + lanes.drums.height <= scroller.clientHeight)"
                         "(cuebridge.timeline)")  # fmt: skip
    # Further controls are whole where they are opened, and so is what was there before once they are closed.
    for _ in range(2):
        assert page.locator("#pane-steer").evaluate(_SCROLLS) <= 1
        page.click("details.more > summary")
        assert page.locator(".more .field").last.is_visible() == page.evaluate("document.querySelector('.more').open")
        assert page.evaluate(_CUT_OFF) == []
    painted(page)
    page.screenshot(path=tmp_path / f"page-{scheme}-{width}.png")
    assert page.faults == []
    page.context.close()


@pytest.mark.parametrize(("width", "height"), [(320, 640), (360, 225), (700, 900), (1000, 800)])
def test_small_windows_scroll_one_way_only(
    browser: browserlab.Browser, program: PageProgram, width: int, height: int
) -> None:
    page = opened(browser, program, width=width, height=height)
    composed(page)
    assert value(page, "document.documentElement.scrollWidth") <= width
    assert page.locator("cue-top .play").is_visible()
    # A film's long name may be; the name of a control may not.
    assert [each for each in page.evaluate(_CUT_OFF) if each.startswith("SPAN cut-off")] == []
    # What is left of the timeline can be reached: lanes, or the chords as a list.
    shown = page.locator(".chord-list button").first if width < 560 else page.locator(".field-of-lanes")
    shown.scroll_into_view_if_needed()
    box = shown.bounding_box()
    assert box is not None and box["height"] >= 24 and 0 <= box["y"] < height
    page.context.close()


def test_forced_colours_leave_nothing_unreadable(browser: browserlab.Browser, program: PageProgram) -> None:
    """The lanes are painted in the system's colours: text against its ground, with every lane's content in sight."""
    page = opened(browser, program, lanes="all", forced_colors="active")
    composed(page)
    ground, text = page.evaluate(
        "import('/static/lib/theme.js').then(({ theme }) => [theme().page, theme().text])",
    )
    own = page.evaluate("getComputedStyle(document.querySelector('cue-status')).color")
    assert text == own and ground != text
    painted(page)
    page.context.close()


THROUGH_THE_MIXER = """async (blocks) => {
  const context = new AudioContext();
  await context.audioWorklet.addModule("/static/sound/worklet.js");
  const node = new AudioWorkletNode(context, "cue-player", { numberOfInputs: 0, outputChannelCount: [2] });
  node.connect(context.destination);
  let heard = 0;
  node.port.onmessage = () => heard++;
  for (let index = 0; index < blocks; index++) {
    const samples = new Int16Array(5 * 48000).fill(index + 1);
    const parts = new Map([["pad", samples]]);
    node.port.postMessage({ stream: 1, index, revision: 1, parts, level: 1 }, [samples.buffer]);
    if (index % 10 === 0) await new Promise((done) => setTimeout(done, 20));
  }
  await new Promise((done) => setTimeout(done, 500));
  return heard;
}"""


def own_bytes(page: browserlab.Page, browser: browserlab.Browser) -> int:
    """Memory of the browser's tabs that is theirs alone, once what nothing refers to is collected."""
    page.context.new_cdp_session(page).send("HeapProfiler.collectGarbage")
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return sum(psutil.Process(each["id"]).memory_full_info().uss for each in processes if each["type"] == "renderer")


def test_blocks_of_sound_that_are_no_longer_kept_give_their_memory_back(
    browser: browserlab.Browser, page: browserlab.Page
) -> None:
    """As many as seven minutes of play have; the mixer keeps 31 MB of them."""
    page.keyboard.press("F")
    before = own_bytes(page, browser)
    assert page.evaluate(THROUGH_THE_MIXER, 900) > 3  # 432 MB
    assert own_bytes(page, browser) - before < 200e6
