"""What listeners answered: a file for each, a line for each click, written through to the disk.

Nothing tells who a listener is: a random name, the number that ordered the trials, and milliseconds since the start.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from engine.listening.study import ANSWERS, HIGHEST, LOWEST, QUESTIONS, ListeningError, Study, Trial, trials

HEADPHONES: Final = "headphones"  # the question of the headphone check; its answer is how many of HEADPHONE_TRIALS
HEADPHONE_TRIALS: Final = 6
HEADPHONE_PASS: Final = 5
FINISHED: Final = "finished"
_NAME: Final = re.compile(r"[0-9a-f]{16}")
_LONGEST_MS: Final = 24 * 3600 * 1000
_MOST_LINES: Final = 20_000


@dataclass(slots=True)
class Listener:
    """ratings: (trial id, question) -> the last value clicked.  headphones: of six, None before that."""

    name: str
    number: int
    ratings: dict[tuple[str, str], int] = field(default_factory=dict)
    headphones: int | None = None
    finished: bool = False
    lines: int = 0


class Answers:
    """The folder of answers of a study; one process writes it."""

    def __init__(self, study: Study, folder: Path) -> None:
        self.study = study
        self._folder = folder / ANSWERS
        self._folder.mkdir(parents=True, exist_ok=True)
        self.listeners = {each.name: each for each in read_answers(folder)}
        for name in self.listeners:
            _drop_cut_line(self._folder / f"{name}.jsonl")

    def begin(self) -> Listener:
        """A new listener, who gets the next number: the number of listeners who ever began."""
        used = {each.number for each in self.listeners.values()}
        number = next(n for n in range(len(used) + 1) if n not in used)
        listener = Listener(secrets.token_hex(8), number)
        self.listeners[listener.name] = listener
        self._write(listener, {"number": number})
        return listener

    def of(self, name: object) -> Listener:
        """Raises ListeningError for a name that nobody has."""
        found = self.listeners.get(name) if isinstance(name, str) else None
        if found is None:
            raise ListeningError("Nobody of that name began this study.")
        return found

    def trials(self, listener: Listener) -> list[Trial]:
        return trials(self.study, listener.number)

    def take(self, listener: Listener, trial: object, question: object, value: object, at_ms: object) -> None:
        """Writes one click down.  Raises ListeningError for what no page asks."""
        if listener.lines >= _MOST_LINES:
            raise ListeningError("That is more than anybody clicks.")
        if not _whole(value) or not _whole(at_ms) or not 0 <= int(str(at_ms)) <= _LONGEST_MS:
            raise ListeningError("A value and a time are whole numbers.")
        number = int(str(value))
        if question == HEADPHONES:
            allowed = trial == "" and 0 <= number <= HEADPHONE_TRIALS
        elif question == FINISHED:
            allowed = trial == "" and number == 1
        else:
            asked = question in QUESTIONS and any(each.id == trial for each in self.trials(listener))
            allowed = asked and LOWEST <= number <= HIGHEST
        if not allowed:
            raise ListeningError("That is not an answer to a question of this study.")
        self._write(listener, {"trial": trial, "question": question, "value": number, "at_ms": at_ms})
        _apply(listener, str(trial), str(question), number)

    def _write(self, listener: Listener, line: dict[str, Any]) -> None:
        with (self._folder / f"{listener.name}.jsonl").open("ab") as file:
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def _drop_cut_line(path: Path) -> None:
    """Takes off a last line that a crash cut off, so that the next one is not written behind it."""
    data = path.read_bytes()
    if not data.endswith(b"\n"):
        os.truncate(path, data.rfind(b"\n") + 1)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _apply(listener: Listener, trial: str, question: str, value: int) -> None:
    listener.lines += 1
    if question == HEADPHONES:
        listener.headphones = value
    elif question == FINISHED:
        listener.finished = True
    else:
        listener.ratings[trial, question] = value


def read_answers(folder: Path) -> list[Listener]:
    """All listeners, in order of their numbers.  A last line that a crash cut off is left out, and a listener whose
    first line is that one.

    Raises ListeningError where a file holds something else.
    """
    out = []
    for path in sorted((folder / ANSWERS).glob("*.jsonl")):
        if not _NAME.fullmatch(path.stem):
            continue
        *lines, _ = path.read_bytes().split(b"\n")
        if not lines:
            continue
        try:
            listener = Listener(path.stem, int(json.loads(lines[0])["number"]))
            for line in lines[1:]:
                found = json.loads(line)
                _apply(listener, str(found["trial"]), str(found["question"]), int(found["value"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ListeningError(f"{path.name} does not hold answers that can be read.") from error
        out.append(listener)
    return sorted(out, key=lambda each: (each.number, each.name))
