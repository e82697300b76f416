"""How well the film in the page follows what is heard: straight play, seeks and loops, in a real browser.

    python tests/bench/page_sync.py [--seconds 120] [--seeks 10] [--loops 4]

Each presented frame is laid beside the position that is heard when it is shown; the aim is .99 within one frame.  In
brackets: share of the screen's refreshes at which the frame that stands there is, where a seek takes time too.
Beside it stands what the browser itself does on this machine: frames against their own steady pace, without anybody
correcting them, before each of ours.  Where that is poor, the machine has no time to show frames, whatever we do.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

import browserlab
from browserlab import PageProgram, chromium, composed, opened, settled, value, wait

# A second film of the same page, that nobody corrects: seconds it is off its own first frames, frame by frame.
FREE = """async (seconds) => {
  const video = document.createElement("video");
  video.muted = true;
  video.src = document.querySelector("cue-film video").src;
  video.style = "position:fixed;right:0;bottom:0;width:160px;z-index:99";
  document.body.append(video);
  await video.play();
  const seen = [];
  const watch = (now, frame) => {
    seen.push((frame.expectedDisplayTime ?? now) / 1000 - frame.mediaTime);
    video.requestVideoFrameCallback(watch);
  };
  video.requestVideoFrameCallback(watch);
  await new Promise((done) => setTimeout(done, seconds * 1000));
  video.remove();
  const middle = [...seen].sort((a, b) => a - b)[seen.length >> 1];
  return seen.map((each) => (each - middle) * window.cuebridge.fps);
}"""

# At each refresh of the screen: how far the frame that stands there is off, whether a new one has come or not.
STANDS = """() => {
  const app = window.cuebridge, film = document.querySelector("cue-film");
  const stands = new WeakMap(), watched = new WeakSet();
  window.standing = [];
  const watch = (video) => video.requestVideoFrameCallback((_, frame) => {
    stands.set(video, frame.mediaTime);
    watch(video);
  });
  const look = (now) => {
    for (const video of film.querySelectorAll("video")) if (!watched.has(video)) (watched.add(video), watch(video));
    const media_s = stands.get(film.video);
    if (app.rolling && media_s !== undefined)
      window.standing.push((app.heard_s(now) + (app.get("film").offset_s ?? 0) - media_s - app.frame_s / 2) * app.fps);
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


def share(frames: list[float], most: float = 1.0) -> str:
    if not frames:
        return "no frame was shown"
    ordered = sorted(frames)
    within = sum(abs(each) <= most for each in frames) / len(frames)
    low, middle, high = (ordered[int(place * (len(ordered) - 1))] for place in (0.05, 0.5, 0.95))
    return f"{within:.3f} within one frame; 5 % {low:+.2f}  50 % {middle:+.2f}  95 % {high:+.2f} frames ({len(frames)})"


def rolling(page: browserlab.Page) -> None:
    if not value(page, "app.rolling"):
        value(page, "app.link.do('/cue/play')")
    wait(page, "app.rolling && app.sound.on && app.position_s() > 1", 60)


def stopped(page: browserlab.Page) -> None:
    value(page, "app.link.do('/cue/stop')")
    wait(page, "!app.rolling")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seeks", type=int, default=10)
    parser.add_argument("--loops", type=int, default=4)
    given = parser.parse_args()
    if reason := browserlab.why_not():
        print(reason)
        return 2
    with (
        tempfile.TemporaryDirectory() as folder,
        PageProgram("live", Path(folder), str(browserlab.CLIP), "--form", "none") as program,
        chromium() as browser,
    ):
        page = opened(browser, program)
        composed(page)
        settled(page)
        wait(page, "document.querySelector('cue-film video').readyState >= 2", 60)
        sync = "document.querySelector('cue-film').sync"
        free = lambda: print(f"browser alone, free   {share(page.evaluate(FREE, 10.0))}", flush=True)  # noqa: E731
        free()
        page.keyboard.press("Space")
        rolling(page)
        page.evaluate(STANDS)

        def took() -> str:
            stands = page.evaluate("window.standing.splice(0)")
            within = sum(abs(each) <= 1 for each in stands) / max(len(stands), 1)
            return f"{share(value(page, f'{sync}.off_frames.splice(0)'))} [{within:.3f} of {len(stands)}]"

        value(page, "app.link.do('/cue/loop', [true, 0, app.duration_s - 0.5])")
        took()
        time.sleep(given.seconds)
        print(f"played {given.seconds:g} s          {took()}")
        stopped(page)
        free()
        rolling(page)
        took()
        for number in range(given.seeks):
            value(page, "app.link.do('/cue/locate', [argument])", (number * 7.3) % 24)
            time.sleep(3.0)
        print(f"{given.seeks} seeks              {took()}")
        stopped(page)
        free()
        rolling(page)
        value(page, "app.link.do('/cue/loop', [true, 5, 9])")
        value(page, "app.link.do('/cue/locate', [5])")
        took()
        time.sleep(4.0 * given.loops + 1)
        print(f"{given.loops} loops of 4 s       {took()}")
        heard = value(page, "(app.heard_s() - app.position_s()) * 1000")
        print(f"heard - transport     {heard:+.1f} ms")
        page.context.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
