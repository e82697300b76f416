"""A listening test from films to tables: clips rendered, the page answered in a real browser, the answers analysed.

    python tests/bench/listening.py FOLDER_OF_FILMS WORK [--listeners 40] [--effect 1.0]
    python tests/bench/listening.py --panels [--runs 200]      # how often the analysis finds something, without a page

Made-up listeners prefer the first condition by `--effect` points and click what they think of each clip; they know
from the study which clip is which, the page does not tell them.  Each has a browser profile of its own.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from listeners import panel, rated

from engine.listening.analysis import analyse
from engine.listening.study import Clip, Study, blind_name, trials

# A listener's ears: how loud each tone is that the page plays, in order.
EARS = """
window.heard = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...when) {
  window.heard.push(Math.max(...this.buffer.getChannelData(0)));
  return start.apply(this, when);
};
"""


def panels(runs: int) -> None:
    """Share of simulated studies in which any difference is found, with and without one."""
    names = ("ours", "paper")
    clips = [Clip(blind_name(0, f"f{n}", name), f"f{n}", name) for n in range(5) for name in names]
    study = Study("t", 0, names, tuple(clips))
    for effect in (0.0, 0.25, 0.5, 1.0):
        found = [analyse(study, panel(study, 20, {"ours": effect}, seed)) for seed in range(runs)]
        any_found = np.mean([any(each.significant for each in one.differences) for one in found])
        covered = np.mean([each.low <= -effect <= each.high for one in found for each in one.differences])
        print(
            f"effect {effect:4.2f}: any question significant in {any_found:.1%} of {runs} studies of 20 listeners; "
            f"the interval holds the effect in {covered:.1%}"
        )


def in_browser(films: Path, work: Path, listeners: int, effect: float) -> None:
    from browserlab import chromium

    study_folder = work / "study"
    cuebridge = [sys.executable, "-m", "bridge.cli", "listening"]
    if not study_folder.exists():
        subprocess.run([*cuebridge, "make", str(films), "--out", str(study_folder)], check=True, cwd=ROOT)
    study = Study.load(study_folder)
    server = subprocess.Popen(
        [*cuebridge, "serve", str(study_folder), "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        address = re.search(r"http://\S+/", server.stdout.readline()).group()
        with chromium("--autoplay-policy=no-user-gesture-required") as browser:
            for number in range(listeners):
                began = time.monotonic()
                one_listener(browser, address, study, number, {study.conditions[0]: effect})
                print(f"listener {number}: {time.monotonic() - began:.1f} s", flush=True)
    finally:
        server.terminate()
        server.wait(20)
    subprocess.run([*cuebridge, "analyse", str(study_folder), "--out", str(work / "tables")], check=True, cwd=ROOT)


def one_listener(browser, address: str, study: Study, number: int, effects: dict[str, float]) -> None:
    """Goes through the page by clicks; the film is sent to its end instead of waited for."""
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(EARS)
    page.clock.install()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address)
    page.click("#begin")
    page.wait_for_selector("#headphones:visible")
    rng = np.random.default_rng([9, number])
    taste = rng.normal(0, 0.8)
    while page.locator("#headphones").is_visible():
        page.click("#tones")
        page.clock.fast_forward(4000)
        page.wait_for_selector("[data-tone='0']:not([disabled])")
        levels = page.evaluate("window.heard.splice(0)")
        page.click(f"[data-tone='{levels.index(min(levels))}']")
        page.wait_for_selector("#tones:enabled:visible, #trial:visible")
    plan = trials(study, number)
    for place, trial in enumerate(plan, 1):
        page.wait_for_selector("#trial:visible")
        page.wait_for_selector(f"#progress:text-is('Clip {place} of {len(plan)}')")
        assert page.get_attribute("#clip", "src") == f"clip/{trial.token}.mp4"
        page.evaluate(
            "async () => { const clip = document.getElementById('clip');"
            " clip.muted = true; await clip.play(); clip.playbackRate = 16; }"
        )
        page.wait_for_selector("fieldset:not([disabled])", timeout=60000)
        for question, value in rated(study, trial, effects, rng, taste).items():
            page.click(f"input[name={question}][value='{value}']")
        page.click("#next")
    page.wait_for_selector("#thanks:visible")
    assert not faults, faults
    context.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("films", type=Path, nargs="?")
    parser.add_argument("work", type=Path, nargs="?")
    parser.add_argument("--listeners", type=int, default=40)
    parser.add_argument("--effect", type=float, default=1.0)
    parser.add_argument("--panels", action="store_true")
    parser.add_argument("--runs", type=int, default=200)
    arguments = parser.parse_args()
    if arguments.panels:
        panels(arguments.runs)
    else:
        in_browser(arguments.films, arguments.work, arguments.listeners, arguments.effect)


if __name__ == "__main__":
    main()
