"""Twelve takes chosen down to one on the board, as a composer would, in a real browser: acts and seconds.

    python tests/bench/choosing.py                    # the bundled clip
    python tests/bench/choosing.py A.mp4 B.mp4 …      # these films

The program (`cuebridge page FILM --takes 12 --board`) and the browser are real; who chooses is simulated: each take is
heard for some seconds while the cue loops, rated by how near its plan is to one that was drawn beforehand, the
three best are compared, the best is kept.  Three times are told apart:

* hearing: music that plays for the composer's ear (so many seconds a take, an option);
* waiting: from an act until the program has done what it was for (measured);
* acting: clicks and keys at the pace of the Keystroke-Level Model (Card, Moran and Newell, CACM 23, 1980): 1.1 s to
  point, 0.2 s to press a button, 0.28 s for a key, 1.2 s to think before each step.

Seconds of waiting depend on the machine: processors and their load are printed.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from browserlab import CLIP, PageProgram, chromium, opened, value, wait, why_not
from playwright.sync_api import Locator, Page

POINT_S, PRESS_S, KEY_S, THINK_S = 1.1, 0.2, 0.28, 1.2
TAKES, BEST = 12, 3


@dataclass
class Step:
    """What was done for one purpose.  waited_s: for the program; heard_s: music for the ear."""

    name: str
    clicks: int = 0
    keys: int = 0
    waited_s: float = 0.0
    heard_s: float = 0.0

    @property
    def acting_s(self) -> float:
        thinking = THINK_S if self.clicks + self.keys else 0.0
        return self.clicks * (POINT_S + PRESS_S) + self.keys * KEY_S + thinking


@dataclass
class Composer:
    page: Page
    steps: list[Step] = field(default_factory=list)

    def begin(self, name: str) -> None:
        self.steps.append(Step(name))

    def click(self, what: Locator) -> None:
        what.click()
        self.steps[-1].clicks += 1

    def key(self, *names: str) -> None:
        for name in names:
            self.page.keyboard.press(name)
        self.steps[-1].keys += len(names)

    def wait(self, condition: str, argument: object = None, timeout_s: float = 300.0) -> None:
        begun_s = time.monotonic()
        wait(self.page, condition, timeout_s, argument)
        self.steps[-1].waited_s += time.monotonic() - begun_s

    def hear(self, seconds: float) -> None:
        """Lets the music play on; that the film moves meanwhile is checked."""
        before = value(self.page, "app.position_s()")
        time.sleep(seconds)
        after = value(self.page, "app.position_s()")
        assert after != before, "nothing played"
        self.steps[-1].heard_s += seconds


def liking(sketches: dict[str, dict], seed: int) -> dict[int, float]:
    """How near each take is to what the composer has in mind, 0 to 1: players, mode, intensity and notes of one drawn
    among them, which is not itself in the contest for being the same."""
    draw = random.Random(seed)
    wanted = sketches[draw.choice(sorted(sketches))]
    minor, dense = wanted["key"].endswith("minor"), len(wanted["notes"])
    found = {}
    for number, sketch in sketches.items():
        near = 0.4 * (sketch["players"] == wanted["players"]) + 0.3 * (sketch["key"].endswith("minor") == minor)
        near += 0.3 * min(len(sketch["notes"]), dense) / max(len(sketch["notes"]), dense, 1)
        found[int(number)] = near + 0.01 * draw.random()
    return found


def choose(page: Page, hear_s: float, seed: int, opened_s: float) -> list[Step]:
    """From the open board to one take that is kept."""
    composer = Composer(page)
    composer.begin("twelve takes are composed and drawn")
    composer.wait(
        "app.rows.takes.length === argument && app.board.sketches.size === argument"
        " && app.store.value('/cue/takes/coming') === 0", TAKES,
    )  # fmt: skip
    composer.steps[-1].waited_s = time.monotonic() - opened_s
    likes = liking(value(page, "Object.fromEntries(app.board.sketches)"), seed)
    ranks = sorted(likes, key=lambda number: -likes[number])
    stars = {number: 5 if rank < 1 else 4 if rank < BEST else 3 if rank < 6 else 2 if rank < 9 else 1
             for rank, number in enumerate(ranks)}  # fmt: skip
    composer.begin("each is heard and rated")
    composer.key("l", "Space")  # the cue in a loop
    composer.wait("app.store.get('/cue/loop')[0] && app.rolling && app.sound.on && app.sound.report?.rolling")
    for number in range(1, TAKES + 1):
        if number > 1:
            composer.key("Shift+ArrowDown")
            composer.wait("app.rows.takes.find((row) => row[3])[0] === argument", number)
            composer.wait("!app.store.get('/cue/changing')?.[0]")
        composer.hear(hear_s)
        composer.key("r", str(stars[number]))
        composer.wait("app.board.takes.find((take) => take.number === argument)?.rating > 0", number)
    composer.begin("those that are out are hidden")
    composer.click(page.get_by_label("Hide takes rated 1 or 2"))
    composer.wait("[...app.board.rows.children].filter((row) => row.hidden).length >= 5")
    composer.begin("the three best are compared")
    for number in ranks[:BEST]:
        composer.click(page.locator(f'.board-row[data-number="{number}"]').get_by_label("Compare"))
    composer.click(page.locator(".board-acts").get_by_role("button", name="Compare"))
    composer.wait("document.querySelectorAll('.versus-table tbody tr').length > 0")
    for number in ranks[:BEST]:
        composer.click(page.locator(f'.versus-lane[data-number="{number}"] button'))
        composer.wait("app.rows.takes.find((row) => row[3])[0] === argument", number)
        composer.wait("!app.store.get('/cue/changing')?.[0]")
        composer.hear(hear_s)
    composer.begin("one is kept")
    composer.click(page.locator(f'.versus-lane[data-number="{ranks[0]}"] button'))
    composer.wait("app.rows.takes.find((row) => row[3])[0] === argument", ranks[0])
    composer.key("Escape", "k")
    composer.wait("app.rows.takes.find((row) => row[0] === argument)[2]", ranks[0])
    assert page.faults == [], page.faults
    return composer.steps


def report(name: str, seconds: float, steps: list[Step]) -> None:
    print(f"\n{name}, {seconds:.0f} s of film")
    print(f"{'':<40}{'clicks':>7}{'keys':>6}{'acting s':>10}{'waiting s':>11}{'hearing s':>11}")
    for each in [*steps, total(steps)]:
        print(
            f"{each.name:<40}{each.clicks:>7}{each.keys:>6}"
            f"{(sum(s.acting_s for s in steps) if each.name == 'together' else each.acting_s):>10.1f}"
            f"{each.waited_s:>11.1f}{each.heard_s:>11.1f}"
        )


def total(steps: list[Step]) -> Step:
    return Step(
        "together", sum(each.clicks for each in steps), sum(each.keys for each in steps),
        sum(each.waited_s for each in steps), sum(each.heard_s for each in steps),
    )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", nargs="*", type=Path, default=[CLIP])
    parser.add_argument("--hear", type=float, default=6.0, help="seconds that each take is heard")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    if why_not():
        print(f"not measured: {why_not()}")
        return 0
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; each take is heard for {options.hear:g} s")
    for film in options.films:
        with tempfile.TemporaryDirectory() as home, chromium("--autoplay-policy=no-user-gesture-required") as browser:
            begun_s = time.monotonic()
            with PageProgram("page", Path(home), str(film.resolve()), "--takes", str(TAKES), "--board") as program:
                page = opened(browser, program, width=1600, height=1000)
                wait(page, "app.board !== undefined", 60)
                steps = choose(page, options.hear, options.seed, begun_s)
                report(film.name, value(page, "app.duration_s"), steps)
                page.context.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
