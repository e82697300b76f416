"""A study: which film was scored how, under which blind name; what each listener hears in which order.

Order.  A listener's trials come in blocks; in each block every film is heard once, so no film follows itself and every
condition of a film is heard.  Which condition a film has in a block is a row of a balanced Latin square (Williams
1949), turned by the listener's number: over as many listeners as the square has rows, each condition is as often first
as last, and follows each other one equally often.  Films are shuffled by listener.  All of it follows from the seed.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.music.errors import UserError
from engine.music.files import open_regular, write_whole

STUDY: Final = "study.json"
CLIPS: Final = "clips"
ANSWERS: Final = "answers"
FORMAT: Final = 1
LARGEST_SEED: Final = 1 << 63
MOST_CHECKS: Final = 10
LOWEST, HIGHEST = 1, 7
# The paper's questions (5.3.2), 1 = extremely poor to 7 = excellent.
QUESTIONS: Final = {
    "OMQ": "How high is the overall quality of the music, whatever the picture?",
    "MVC": "How well are picture and music matched overall?",
    "HM": "How well does the harmony match the picture?",
    "RM": "How well does the tempo match the picture?",
    "LM": "How well does the loudness match the picture?",
}


class ListeningError(UserError):
    """A study or answers that cannot be read or made."""


@dataclass(frozen=True, slots=True)
class Clip:
    """token: its blind name, of the file too.  film, condition: what it is, which listeners never see."""

    token: str
    film: str
    condition: str


@dataclass(frozen=True, slots=True)
class Trial:
    """demanded: the rating that an attention check asks for, 0 in an ordinary trial.  block: counted from 0."""

    id: str
    token: str
    block: int
    demanded: int = 0


@dataclass(frozen=True, slots=True)
class Study:
    """title: listeners see it.  seed: of names and orders.  checks: attention checks for each listener."""

    title: str
    seed: int
    conditions: tuple[str, ...]
    clips: tuple[Clip, ...]
    checks: int = 1

    def __post_init__(self) -> None:
        """Raises ListeningError for what nobody could hear in order."""
        check_draws(self.seed, self.checks)
        places = sorted((clip.film, clip.condition) for clip in self.clips)
        if not places or places != sorted(itertools.product(self.films, self.conditions)):
            raise ListeningError("A study has each of its films once in each condition.")

    @property
    def films(self) -> tuple[str, ...]:
        return tuple(sorted({clip.film for clip in self.clips}))

    def save(self, folder: Path) -> None:
        """Writes study.json."""
        write_whole(folder / STUDY, (json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n").encode())

    @classmethod
    def load(cls, folder: Path) -> Study:
        """Raises ListeningError."""
        try:
            with open_regular(folder / STUDY) as file:
                found: dict[str, Any] = json.loads(file.read())
            if found.pop("format") != FORMAT:
                raise ListeningError(f"The study in {folder} was made by another version.")
            clips = tuple(Clip(**clip) for clip in found.pop("clips"))
            return cls(conditions=tuple(found.pop("conditions")), clips=clips, **found)
        except FileNotFoundError:
            raise ListeningError(f"There is no study in {folder}; `cuebridge listening make` makes one.") from None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ListeningError(f"{folder / STUDY} is not a study that can be read.") from error


def check_draws(seed: int, checks: int) -> None:
    """Raises ListeningError for a seed or a number of attention checks that no study has."""
    if not 0 <= seed < LARGEST_SEED:
        raise ListeningError(f"--seed is 0 to {LARGEST_SEED - 1}, not {seed}.")
    if not 0 <= checks <= MOST_CHECKS:
        raise ListeningError(f"--checks is 0 to {MOST_CHECKS}, not {checks}.")


def blind_name(seed: int, film: str, condition: str) -> str:
    """20 hex digits that say nothing of the clip to whoever does not know the seed."""
    return hashlib.blake2b(f"{film}\0{condition}".encode(), digest_size=10, key=f"{seed}".encode()).hexdigest()


def williams_square(size: int) -> np.ndarray:
    """(rows, size) of 0..size-1: each value once in every row and as often in every place, each pair of neighbours
    equally often.  `size` rows for even sizes, twice as many for odd ones (Williams 1949).
    """
    first = [0]
    low, high = 1, size - 1
    while len(first) < size:
        first.append(low)
        low += 1
        if len(first) < size:
            first.append(high)
            high -= 1
    square = [[(value + row) % size for value in first] for row in range(size)]
    if size % 2:
        square += [row[::-1] for row in square]
    return np.array(square)


def trials(study: Study, number: int) -> list[Trial]:
    """What listener `number` (0, 1, …) hears, in order; the same each time it is asked."""
    rng = np.random.default_rng([study.seed, 1, number])
    films, count = study.films, len(study.conditions)
    square = williams_square(count)
    names = {(clip.film, clip.condition): clip.token for clip in study.clips}
    out: list[Trial] = []
    for block in range(count):
        order = rng.permutation(len(films))
        if out and len(films) > 1 and names_film(study, out[-1].token) == films[order[0]]:
            order = np.roll(order, 1)
        for which in order:
            condition = study.conditions[square[(number + int(which)) % len(square), block]]
            token = names[films[which], condition]
            out.append(Trial(f"{block}-{token}", token, block))
    for check in range(study.checks):
        # Somewhere in its part of the study but never first: a clip that was heard, and a rating that is asked for.
        low, high = (len(out) * part // study.checks for part in (check, check + 1))
        place = int(rng.integers(max(1, low), max(2, high + 1)))
        before = out[place - 1]
        out.insert(place, Trial(f"check-{check}", before.token, before.block, int(rng.integers(LOWEST, HIGHEST + 1))))
    return out


def names_film(study: Study, token: str) -> str:
    """The film of a clip."""
    return next(clip.film for clip in study.clips if clip.token == token)
