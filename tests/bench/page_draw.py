"""Time of drawing in the page: two hours with 120,000 notes, five zooms, two sizes of window.

    python tests/bench/page_draw.py [--notes 120000] [--hours 2]

The page's own server gets the notes of the bundled clip again and again over the whole time, and a real browser
scrolls through them.  Script time a frame (milliseconds) of our lanes beside that of the simplest way in the same
browser: all notes of the window into one canvas at every frame.  Memory is that of the tab's script heap.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

import browserlab
from pagelab import PageProcess

from bridge.page import messages as p
from bridge.player import messages as m
from bridge.player.memory import PlayerMemory
from engine.arrange import ArrangeOptions, arrange
from engine.brief import Brief
from engine.composer import compose_takes
from engine.music import Note

ZOOMS = {"whole film": None, "ten minutes": 600.0, "two minutes": 120.0, "half a minute": 30.0, "a bar": 3.0}
SIZES = ((1440, 900), (2560, 1440))

# A second of scrolling, a step a frame, through `span` seconds from the middle on.
SCROLL = """async ([span, frames]) => {
  const { view, timeline, tiles } = window.cuebridge;
  view.set_following(false);
  if (span === null) view.fit();
  else view.zoom_by(view.width / span / view.zoom, 0);
  const middle = view.duration_s / 2;
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const walk = async () => {
    for (let step = 0; step < frames; step++) {
      if (span === null) view.zoom_by(step % 2 ? 1.25 : 0.8, 0);
      else view.scroll_to(middle + (step * 8) / view.zoom);
      await frame();
    }
  };
  await walk();
  await new Promise((done) => setTimeout(done, 1500));
  timeline.take_draw_times();
  const began = performance.now();
  await walk();
  const times = timeline.take_draw_times();
  const took = performance.now() - began;
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
  void tiles;
  return { times, bare, took, zoom: view.zoom, heap: performance.memory?.usedJSHeapSize ?? 0 };
}"""
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notes", type=int, default=120_000)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--frames", type=int, default=90)
    arguments = parser.parse_args()
    if browserlab.why_not():
        print(browserlab.why_not())
        return 2
    seconds = arguments.hours * 3600
    notes, chords = two_hours(arguments.notes, seconds)
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
        print("     window          shown    notes    p50    p95  bare p95  ratio   fps  heap MB")
        for width, height in SIZES:
            page = browserlab.opened(browser, served.link, width=width, height=height, lanes="all")
            browserlab.wait(page, "app.tiles.counts?.total > 0", 60)
            total = page.evaluate(FETCH_ALL, int(seconds / 10))
            for name, span_s in ZOOMS.items():
                found = page.evaluate(SCROLL, [span_s, arguments.frames])
                ours, bare = percentile(found["times"], 0.95), percentile(found["bare"], 0.95)
                print(
                    f"{width}x{height:<6} {name:>14} {total:>8} {percentile(found['times'], 0.5):6.1f} {ours:6.1f} "
                    f"{bare:9.1f} {bare / max(ours, 0.05):6.1f} {arguments.frames / found['took'] * 1000:5.0f} "
                    f"{found['heap'] / 1e6:8.0f}"
                )
            page.context.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
