"""What chance hangs on: a film's own seed, the take, and a cue's number.

Every film has draws of its own: a session draws `film_seed` once, from the film's content, and stores it, so that a
film that is cut again, encoded again or renamed keeps its music.  Cues count by a number that stays theirs, not by name
or place.

Sessions from before there were film seeds go on with the draws they had, which hang on the take alone: their takes
below `since_take` are drawn as they were.  The first new take begins the new draws.

How plans are drawn and played is written down as rules, which have a number: a session keeps those it began with, so
that what it holds sounds as it did when it is opened, or composed, again.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

# 1: pads and tune share a register, the theme returns as it was.  2: players lie under the tune, what returns is
# varied, layers change by phrases, harmony follows intensity, fades are followed.  3: the last chord is everybody's and
# the tune comes to rest on it, themes of two films begin differently, figures keep clear of what is held.  4: figures
# and pads have registers of their own, palettes more cells, of which a film has some, further from the key where a
# section is intense.  5: the tempo is the picture's, a stop is a breath, a cue that ends with the film comes home.
# 6: the second voice of a chamber ensemble sings from the second half of the first statement on, against the tune; no
# two palettes of a mood have a cell in common; a theme has its players wherever the cue begins; figures keep their
# speed for a phrase and go through three tones, and nobody joins in or leaves for one bar.
RULES: Final = 6


def film_seed(content_key: str) -> int:
    """1..2**32 - 1 for the content of a film, 0 where nothing is known of it."""
    return _number(content_key) or 1 if content_key else 0


def _number(*key: object) -> int:
    return int.from_bytes(blake2b(":".join(map(str, key)).encode(), digest_size=4).digest(), "big")


@dataclass(frozen=True, slots=True)
class Draws:
    """film_seed: 0 for none, then all takes are drawn as before there were any.  since_take: the first that it is
    for.  rules: by which plans are drawn and played, 1 for takes before that one."""

    film_seed: int = 0
    since_take: int = 1
    rules: int = RULES

    def film_decides(self, take: int) -> bool:
        """Does this take hang on the film?"""
        return self.film_seed > 0 and take >= self.since_take

    def rules_for(self, take: int) -> int:
        """The rules by which a take's plan is drawn."""
        return self.rules if take >= self.since_take else 1

    def chord_seed(self, take: int, cue_number: int) -> int:
        """Seed of the chord network's draws in a cue."""
        return _number(self.film_seed, take, cue_number, "chords") if self.film_decides(take) else take

    def part_seed(self, take: int, cue_number: int) -> int:
        """Seed of the arranger's draws in a cue."""
        return _number(self.film_seed, take, cue_number) if self.film_decides(take) else _number(take, cue_number)

    def begun(self, content_key: str, take: int) -> Draws:
        """For a session that makes the new take `take`: from now on the film decides, earlier takes stay."""
        return self if self.film_seed else Draws(film_seed(content_key), take)
