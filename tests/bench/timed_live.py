"""`cuebridge live` that keeps how much processor time the turns of its session's thread take.

    python tests/bench/timed_live.py TURNS.jsonl FILM --json …

TURNS.jsonl gets a line for each turn of more than KEPT_MS, its host second, its milliseconds and those of its parts,
and one a second with the number of all turns so far.  For benches: nothing else differs.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

KEPT_MS = 10.0


class Parts:
    """Milliseconds of processor time of the turn that runs, by what took them; the longest of each and how often."""

    def __init__(self) -> None:
        self.ms: dict[str, list[float]] = {}
        self._collects_s = 0.0

    def add(self, name: str, ms: float) -> None:
        total, most, count = self.ms.get(name, (0.0, 0.0, 0))
        self.ms[name] = [total + ms, max(most, ms), count + 1]

    def wrap(self, owner: Any, name: str) -> None:
        inner: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(inner)
        def timed(*arguments: Any, **named: Any) -> Any:
            begun_s = time.thread_time()
            try:
                return inner(*arguments, **named)
            finally:
                self.add(f"{owner.__name__}.{name}", (time.thread_time() - begun_s) * 1e3)

        setattr(owner, name, timed)

    def collecting(self, phase: str, about: dict[str, int]) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        if phase == "start":
            self._collects_s = time.thread_time()
        else:
            self.add(f"gc {about['generation']}", (time.thread_time() - self._collects_s) * 1e3)


def main() -> int:
    from bridge.commands import live
    from bridge.controls.dispatch import Controls
    from bridge.session.background import BackgroundPlan
    from bridge.session.session import Session

    parts = Parts()
    gc.callbacks.append(parts.collecting)
    for owner, names in (
        (live.Live, ("_received", "_take_page_message", "_take_datagrams", "_tick", "_tell_plugin")),
        (Controls, ("datagram", "go_on", "too_much", "push")),
        (Session, ("tick", "hurry")),
    ):
        for name in names:
            parts.wrap(owner, name)
    turn = BackgroundPlan.turn
    count, said_s = 0, 0.0
    with open(sys.argv[1], "w", buffering=1) as file:

        @contextlib.contextmanager
        def timed(self: BackgroundPlan) -> Iterator[None]:
            nonlocal count, said_s
            parts.ms.clear()
            begun_s = time.thread_time()
            with turn(self):
                yield
            used_ms, now_s = (time.thread_time() - begun_s) * 1e3, time.perf_counter()
            count += 1
            if used_ms > KEPT_MS or now_s - said_s > 1.0:
                said_s = now_s
                slow = {name: row for name, row in parts.ms.items() if row[0] > 0.5} if used_ms > KEPT_MS else {}
                file.write(json.dumps([now_s, used_ms, count, slow]) + "\n")

        BackgroundPlan.turn = timed  # type: ignore[method-assign]
        return live.main(sys.argv[2:])


def turns_between(path: Path, from_s: float, to_s: float) -> tuple[int, float, int]:
    """How many turns there were between two host seconds, the longest in ms, how many had more than 20 ms."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    inside = [row for row in rows if from_s <= row[0] <= to_s]
    count = inside[-1][2] - inside[0][2] if inside else 0
    return count, max((row[1] for row in inside), default=0.0), sum(row[1] > 20.0 for row in inside)


def slowest(path: Path, from_s: float, to_s: float, most: int = 3) -> list[str]:
    """The longest turns between two host seconds, each with its parts."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    inside = sorted((row for row in rows if from_s <= row[0] <= to_s), key=lambda row: -row[1])[:most]
    return [
        f"{row[1]:.1f} ms: " + ", ".join(
            f"{name} {total:.1f}" + (f" ({count} times, at most {longest:.1f})" if count > 1 else "")
            for name, (total, longest, count) in sorted(row[3].items(), key=lambda each: -each[1][0])
        )
        for row in inside
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
