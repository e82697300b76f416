"""Time of drawing in the page, and its memory: two hours with 120,000 notes, five zooms, two sizes of window.

    python tests/bench/page_draw.py [draw] [memory] [--notes 120000] [--hours 2] [--minutes 4]

draw: the page's own server gets the notes of the bundled clip again and again over the whole time, and a real browser
scrolls through them.  A frame in milliseconds, twice: the script of our lanes by the clock, beside that of the simplest
way in the same browser (all notes of the window into one canvas at every frame), and by the processor's time of the
page's main thread, as the browser traces it: all scripts, and the whole frame with layout and drawing.  The
processor's time is not that of other programs; the clock's is, on a machine that is busy.

memory: the tab while the whole film is played in so many minutes, followed by the playhead, with sound.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

import browserlab
import psutil
from pagelab import PageProcess

from bridge.page import messages as p
from bridge.player import messages as m
from bridge.player.memory import PlayerMemory
from engine.arrange import ArrangeOptions, arrange
from engine.brief import Brief
from engine.composer import compose_takes
from engine.music import Note, controls

ZOOMS = {"whole film": None, "ten minutes": 600.0, "two minutes": 120.0, "half a minute": 30.0, "a bar": 3.0}
SIZES = ((1440, 900), (2560, 1440))

# Steps of scrolling, one a frame, through `span` seconds from the middle on.
ZOOM = """async ([span]) => {
  const { view } = window.cuebridge;
  view.set_following(false);
  if (span === null) view.fit();
  else view.zoom_by(view.width / span / view.zoom, 0);
}"""
WALK = """async ([span, frames]) => {
  const { view, timeline } = window.cuebridge;
  const middle = view.duration_s / 2;
  timeline.take_draw_times();
  const began = performance.now();
  for (let step = 0; step < frames; step++) {
    if (span === null) view.zoom_by(step % 2 ? 1.25 : 0.8, 0);
    else view.scroll_to(middle + (step * 8) / view.zoom);
    await new Promise((done) => requestAnimationFrame(done));
  }
  const times = timeline.take_draw_times();
  return { times, took: performance.now() - began, heap: performance.memory?.usedJSHeapSize ?? 0 };
}"""
BARE = """async () => {
  const { view, timeline } = window.cuebridge;
  const bare = [];
  const canvas = new OffscreenCanvas(timeline.under.width, timeline.under.height);
  const context = canvas.getContext("2d");
  const from = view.left_s;
  const to = from + view.span_s;
  for (let step = 0; step < 12; step++) {
    const start = performance.now();
    context.clearRect(0, 0, canvas.width, canvas.height);
    for (let tile = Math.floor(from / 10); tile <= Math.floor(to / 10); tile++) {
      const notes = window.all_notes[tile];
      for (let index = 0; index < (notes?.n ?? 0); index++) {
        const x = view.x_of(notes.start[index]);
        if (x > view.width || x + notes.length[index] * view.zoom < 0) continue;
        context.fillStyle = ["#6fb1f2", "#f0a93b", "#2bb58c", "#f58fc7", "#edeff2"][notes.part[index]];
        context.fillRect(x, 500 - notes.pitch[index] * 3, Math.max(1.5, notes.length[index] * view.zoom), 3);
      }
    }
    context.getImageData(0, 0, 1, 1);
    bare.push(performance.now() - start);
  }
  return bare;
}"""
SCRIPT, FRAME = "PageAnimator::serviceScriptedAnimations", "ProxyMain::BeginMainFrame"  # as the browser traces them
FETCH_ALL = """async (count) => {
  const { readNotes } = await import("/static/lib/tiles.js");
  const { tiles } = window.cuebridge;
  tiles.end_s = 0;
  window.all_notes = [];
  for (let tile = 0; tile < count; tile++) {
    const answer = await fetch(`/notes/${tiles.revision_of(tile)}/${tile}.bin`);
    window.all_notes.push(readNotes(await answer.arrayBuffer()));
  }
  return window.all_notes.reduce((sum, each) => sum + each.n, 0);
}"""


def two_hours(count: int, seconds: float) -> tuple[list[Note], list[tuple[object, ...]]]:
    """Notes (in seconds, not beats) and rows of chords: the bundled clip's, again and again."""
    score = compose_takes(browserlab.CLIP, Brief(), 1)[0]
    composition = score.composition
    found = arrange(composition, ArrangeOptions()).notes
    at = composition.tempo_map.seconds_at
    clip = [
        replace(note, start_beats=at(note.start_beats), length_beats=at(note.end_beats) - at(note.start_beats))
        for note in found
    ]
    copies = -(-count // len(clip))
    step_s = seconds / copies
    notes = [replace(note, start_beats=note.start_beats + copy * step_s) for copy in range(copies) for note in clip]
    chords = [
        (
            slot.start_s + copy * 30.0,
            slot.end_s + copy * 30.0,
            0.0,
            "1|1",
            composition.spell(slot.chord),
            "generated",
            False,
        )
        for copy in range(int(seconds / 30))
        for slot in composition.slots
        if slot.end_s <= 30.0
    ]
    return sorted(notes, key=lambda note: note.start_beats)[:count], chords


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def processor_ms(trace: bytes, name: str) -> list[float]:
    """Processor's time of each event of that name."""
    events = json.loads(trace)["traceEvents"]
    return [each["tdur"] / 1000 for each in events if each["name"] == name and "tdur" in each] or [math.nan]


@contextlib.contextmanager
def two_hours_open(options: argparse.Namespace) -> Iterator[tuple[PageProcess, Any]]:
    """The page's server with all of it, and a browser."""
    seconds = options.hours * 3600
    notes, chords = two_hours(options.notes, seconds)
    bars = tuple((index + 1, index * 2.5, 4, 96.0) for index in range(int(seconds / 2.5)))
    with (
        tempfile.TemporaryDirectory() as folder,
        PageProcess(Path(folder)) as served,
        browserlab.chromium("--enable-precise-memory-info") as browser,
    ):
        served.tell(
            p.FilmOf(str(browserlab.CLIP), "two hours", True, seconds, (24, 1), 640, 360, ()),
            p.Rows("bars", bars), p.Rows("chords", tuple(chords)),
            p.Rows("cuts", tuple((index * 4.0, 0.6, "cut") for index in range(1, int(seconds / 4)))),
        )  # fmt: skip
        for message in PlayerMemory(m.PlayerOptions()).plan(1, "seconds", tuple(notes), (), 0.0):
            served.link.take_player_message(message)
        yield served, browser


def draw(options: argparse.Namespace) -> None:
    with two_hours_open(options) as (served, browser):
        print("                               by the clock                    processor: scripts   whole frame")
        print(
            "     window          shown     p50    p95  bare p95  ratio      p50    p95     p50    p95   fps  heap MB"
        )
        for width, height in SIZES:
            page = browserlab.opened(browser, served.link, width=width, height=height, lanes="all")
            browserlab.wait(page, "app.tiles.counts?.total > 0", 60)
            page.evaluate(FETCH_ALL, int(options.hours * 360))
            for name, span_s in ZOOMS.items():
                page.evaluate(ZOOM, [span_s])
                page.evaluate(WALK, [span_s, options.frames])
                time.sleep(1.5)
                browser.start_tracing(page=page, categories=["cc", "blink", "devtools.timeline"])
                found = page.evaluate(WALK, [span_s, options.frames])
                trace = browser.stop_tracing()
                bare = percentile(page.evaluate(BARE), 0.95)
                scripts, frames = processor_ms(trace, SCRIPT), processor_ms(trace, FRAME)
                ours = percentile(found["times"], 0.95)
                shares = [percentile(values, share) for values in (scripts, frames) for share in (0.5, 0.95)]
                print(
                    f"{width}x{height:<6} {name:>14}  {percentile(found['times'], 0.5):6.1f} {ours:6.1f} {bare:9.1f} "
                    f"{bare / max(ours, 0.05):6.1f}   {shares[0]:6.1f} {shares[1]:6.1f}  {shares[2]:6.1f} "
                    f"{shares[3]:6.1f}  "
                    f"{options.frames / found['took'] * 1000:4.0f} {found['heap'] / 1e6:8.0f}",
                    flush=True,
                )
            page.context.close()


def memory(options: argparse.Namespace) -> None:
    with two_hours_open(options) as (served, browser):
        page = browserlab.opened(browser, served.link, width=1440, height=900, lanes="all")
        browserlab.wait(page, "app.tiles.counts?.total > 0", 60)
        page.keyboard.press("F")  # a key: from now on it may sound
        page.evaluate("window.cuebridge.view.set_following(true)")
        page.evaluate("const { view } = window.cuebridge; view.zoom_by(view.width / 60 / view.zoom, 0)")
        tab = max(
            (each for each in psutil.Process().children(recursive=True) if "--type=renderer" in each.cmdline()),
            key=lambda each: each.memory_info().rss,
        )

        def say(at_s: float) -> None:
            used = tab.memory_full_info()
            heap = page.evaluate("performance.memory.usedJSHeapSize")
            print(
                f"{at_s / 60:6.0f} min of film  tab {used.uss / 1e6:5.0f} MB of its own, "
                f"{used.pss / 1e6:5.0f} with its share of what is common; script {heap / 1e6:4.0f} MB",
                flush=True,
            )

        seconds = options.hours * 3600
        began_s, said_s = time.monotonic(), 0.0
        say(0.0)
        while (at_s := (time.monotonic() - began_s) / (options.minutes * 60) * seconds) < seconds:
            now_s = time.perf_counter()
            served.tell(p.Values(now_s, ((controls.PLAYHEAD, (at_s, 0.0, "", "", "", True)),)))
            if at_s - said_s >= seconds / 8:
                said_s = at_s
                say(at_s)
            time.sleep(0.1)
        say(seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["draw", "memory"], metavar="draw|memory")
    parser.add_argument("--notes", type=int, default=120_000)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--minutes", type=float, default=4.0)
    options = parser.parse_args()
    if browserlab.why_not():
        print(browserlab.why_not())
        return 2
    for name in options.what:
        {"draw": draw, "memory": memory}[name](options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
