"""What becomes of a batch: a line for each unit while it runs, and a report of what was done and what failed."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from engine.batch.units import Outcome
from engine.music.errors import shown
from engine.music.files import write_whole


@dataclass(slots=True)
class BatchReport:
    """The outcomes of one run.  wall_s: of the whole."""

    total: int
    outcomes: list[Outcome] = field(default_factory=list)
    wall_s: float = 0.0

    def of(self, state: str) -> list[Outcome]:
        """Those in a state, in order of their sources."""
        return sorted((each for each in self.outcomes if each.state == state), key=lambda each: each.source)

    @property
    def usable(self) -> list[Outcome]:
        """Whose result is there."""
        return sorted((each for each in self.outcomes if each.state != "aside"), key=lambda each: each.source)

    def write(self, path: Path) -> None:
        """Writes it as JSON."""
        took = [each.took_s for each in self.of("done")]
        value = {
            "files": self.total,
            "done": len(took),
            "kept": len(self.of("kept")),
            "aside": [{"file": os.path.basename(each.source), "reason": each.reason} for each in self.of("aside")],
            "seconds_each": None
            if not took
            else {"mean": round(statistics.fmean(took), 3), "median": round(statistics.median(took), 3)},
            "wall_s": round(self.wall_s, 3),
        }
        write_whole(path, (json.dumps(value, indent=1) + "\n").encode())

    def say(self, out: TextIO) -> None:
        """What a person wants to know at the end."""
        out.write(
            f"{len(self.of('done'))} done, {len(self.of('kept'))} kept from before, {len(self.of('aside'))} set aside; "
            f"{self.wall_s:.1f} s\n"
        )
        for each in self.of("aside"):
            out.write(f"set aside  {shown(os.path.basename(each.source))}: {each.reason}\n")


def follow(outcomes: Iterable[Outcome], total: int, out: TextIO) -> BatchReport:
    """Collects outcomes and says each as it comes."""
    report, began = BatchReport(total), time.monotonic()
    for outcome in outcomes:
        report.outcomes.append(outcome)
        count = len(report.outcomes)
        spent = time.monotonic() - began
        left = f", {spent / count * (total - count):.0f} s left" if count < total else ""
        took = f" {outcome.took_s:.1f} s" if outcome.took_s else ""
        out.write(f"{count}/{total} {outcome.state}{took}  {shown(os.path.basename(outcome.source))}{left}\n")
        out.flush()
    report.wall_s = time.monotonic() - began
    return report
