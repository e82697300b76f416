"""`cuebridge live` that keeps how much processor time the turns of its session's thread take.

    python tests/bench/timed_live.py TURNS.jsonl FILM --json …

TURNS.jsonl gets a line for each turn of more than KEPT_MS, its host second and its milliseconds, and one a second with
the number of all turns so far.  For benches: nothing else differs.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

KEPT_MS = 10.0


def main() -> int:
    from bridge.commands import live
    from bridge.session.background import BackgroundPlan

    turn = BackgroundPlan.turn
    count, said_s = 0, 0.0
    with open(sys.argv[1], "w", buffering=1) as file:

        @contextlib.contextmanager
        def timed(self: BackgroundPlan) -> Iterator[None]:
            nonlocal count, said_s
            begun_s = time.thread_time()
            with turn(self):
                yield
            used_ms, now_s = (time.thread_time() - begun_s) * 1e3, time.perf_counter()
            count += 1
            if used_ms > KEPT_MS or now_s - said_s > 1.0:
                said_s = now_s
                file.write(json.dumps([now_s, used_ms, count]) + "\n")

        BackgroundPlan.turn = timed  # type: ignore[method-assign]
        return live.main(sys.argv[2:])


def turns_between(path: Path, from_s: float, to_s: float) -> tuple[int, float, int]:
    """How many turns there were between two host seconds, the longest in ms, how many had more than 20 ms."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    inside = [row for row in rows if from_s <= row[0] <= to_s]
    count = inside[-1][2] - inside[0][2] if inside else 0
    return count, max((row[1] for row in inside), default=0.0), sum(row[1] > 20.0 for row in inside)


if __name__ == "__main__":
    sys.exit(main())
