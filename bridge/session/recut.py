"""A recut of the film: what changed, what each policy does, and the session on the new cut.

All of it is worked out by `cuebridge conform` in a process of its own, from the session as it stands, in a folder that
is removed afterwards; whoever waits for it waits in a thread (`bridge.controls.file_reader`).
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from bridge.osc.codec import Argument, Double
from engine.document import SavedSession
from engine.document.file import SUFFIX, SessionWriter, read_session, write_session
from engine.music import UserError
from engine.music.arguments import ControlError
from engine.music.controls import CONFORM, CONFORM_CHANGE, CONFORM_MOVED, CONFORM_POLICIES, CONFORM_POLICY
from engine.music.temporary import TemporaryFolder

MAX_ROWS: Final = 500  # of each kind that are answered
NICENESS: Final = 5
_LONGEST_REASON: Final = 300

Messages = list[tuple[str, tuple[Argument, ...]]]


@dataclass(frozen=True, slots=True)
class RecutWords:
    """What is asked for.  new: the new cut.  policies: `bars 1m2=ramp bend=4`, one for all cues, then for single ones.
    edls: of the old and the new cut, instead of looking at the pictures."""

    new: Path
    policies: str = ""
    edls: tuple[Path, Path] | None = None

    def flags(self) -> list[str]:
        """As the command takes them.  Raises ControlError."""
        found: list[str] = [] if self.edls is None else ["--edl", *map(str, self.edls)]
        for word in self.policies.split():
            name, equals, value = word.rpartition("=")
            if not equals and value in CONFORM_POLICIES:
                found += ["--policy", value]
            elif name == "bend" and _is_number(value):
                found += ["--bend", value]
            elif name and value in CONFORM_POLICIES:
                found += ["--cue", word]
            else:
                known = ", ".join(CONFORM_POLICIES)
                raise ControlError(
                    "bad_value", f"'{word[:40]}' is not a policy; write one of {known}, 1m2=ramp or bend=4."
                )
        return found


@dataclass(frozen=True, slots=True)
class Recut:
    """facts: what `cuebridge conform --json` says.  moved: the session on the new cut, where that was asked for."""

    words: RecutWords
    facts: dict[str, Any]
    moved: SavedSession | None = None

    @property
    def summary(self) -> str:
        changes, by = self.facts["changes"], self.facts["new_frames"] - self.facts["old_frames"]
        if not changes:
            return "the cuts are the same."
        lifted = sum(row["new_s"] is None for row in self.facts.get("moved", ()))
        lost = f"; {lifted} marks have lost their picture" if lifted else ""
        many = f"{len(changes)} change{'s' if len(changes) > 1 else ''}"
        return f"{many}, {abs(by)} frames {'longer' if by >= 0 else 'shorter'}{lost}."

    def messages(self, heard_s: float | None) -> Messages:
        """The answer, then each change, each mark, and what each policy would do.  heard_s None: only shown."""
        head: tuple[Argument, ...] = (str(self.words.new), self.summary)
        made: Messages = [(CONFORM, head if heard_s is None else (*head, Double(heard_s)))]
        made += [(CONFORM_CHANGE, row) for row in self.change_rows()]
        for row in self.facts.get("moved", ())[:MAX_ROWS]:
            off = [float(row[name]) if row[name] is not None else 0.0 for name in _OFF]
            made.append((CONFORM_MOVED, (row["kind"], row["name"], Double(row["old_s"]), _or_none(row["new_s"]), *off)))
        return made + [(CONFORM_POLICY, row) for row in self.policy_rows()]

    def change_rows(self) -> list[tuple[Argument, ...]]:
        """Number, kind, from and to in the old cut, in the new one (timecodes, "-": not in it), frames, per cent."""
        return [
            (number, row["kind"], row["old_timecode"], row["new_timecode"], row["frames"], 100 * row["speed"])
            for number, row in enumerate(self.facts["changes"][:MAX_ROWS], start=1)
        ]

    def policy_rows(self) -> list[tuple[Argument, ...]]:
        """Policy, hits on a beat, hits that were on one, hits, hits lifted, worst hit in frames, seconds to compose,
        and what it does in words."""
        names = ("policy", "hits_on_beat", "hits_were_on_beat", "hits", "hits_lifted", "worst_frames", "rewritten_s")
        return [
            (*(row[name] for name in names), " ".join(row["notes"])[:1000]) for row in self.facts.get("policies", ())
        ]


_OFF: Final = ("beat_before_frames", "beat_after_frames")


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _or_none(seconds: float | None) -> Argument:
    return "lifted" if seconds is None else Double(seconds)


class RecutRunner:
    """`run` works one out and may be called in any thread; `close` ends what runs."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def run(self, saved: SavedSession, words: RecutWords, *, take: bool) -> Recut:
        """Raises UserError."""
        flags = words.flags()
        with TemporaryFolder() as folder:
            old, new = folder / f"old{SUFFIX}", folder / f"new{SUFFIX}"
            # One step is enough; the film is named from everywhere.
            step = replace(saved.steps[saved.index], label="", film=None)
            path = str(Path(saved.reading.film.path).absolute())
            reading = replace(saved.reading, film=replace(saved.reading.film, path=path))
            alone = replace(saved, steps=(step,), index=0, takes_aside=(), reading=reading, names=frozenset())
            write_session(old, SessionWriter().encode(alone, old))
            facts = self._conform([str(old), str(words.new), "--json", *flags, *(["-o", str(new)] if take else [])])
            return Recut(words, facts, read_session(new) if take else None)

    def _conform(self, words: list[str]) -> dict[str, Any]:
        environment = {**os.environ, "CUEBRIDGE_COMMAND": "cuebridge"}
        command = [sys.executable, "-m", "engine", "conform", *words]
        with self._lock:
            if self._closed:
                raise ControlError("not_ready", "the program is ending.")
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
                start_new_session=True,
            )  # fmt: skip
            self._running.add(child)
        if hasattr(os, "setpriority"):
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, child.pid, NICENESS)
        try:
            out, err = child.communicate()
        finally:
            with self._lock:
                self._running.discard(child)
        if child.returncode != 0:
            lines = err.decode("utf-8", "replace").strip().splitlines() or ["it was ended from outside."]
            sentence = lines[-1].removeprefix("cuebridge: ")
            raise UserError(sentence[:_LONGEST_REASON])
        found: dict[str, Any] = json.loads(out)
        return found

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for child in self._running:
                child.kill()
