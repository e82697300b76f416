"""What chance hangs on: another film, another cue or another take draws anew; older takes stay as they were."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.music import Draws, film_seed

TAKES = st.integers(1, 999_999)
CUES = st.integers(0, 500)
SEEDS = st.integers(1, 2**32 - 1)


def test_a_film_s_seed_follows_from_its_content_alone() -> None:
    assert film_seed("abc") == film_seed("abc") != film_seed("abd")
    assert film_seed("") == 0
    assert 0 < film_seed("abc") < 2**32
    # Stored in sessions: it must never come out otherwise.
    assert film_seed("a film") == 3150417602


@given(SEEDS, TAKES, CUES)
def test_film_take_and_cue_each_draw_anew(seed: int, take: int, cue: int) -> None:
    draws = Draws(seed)
    assert draws.chord_seed(take, cue) == Draws(seed).chord_seed(take, cue)
    others = {
        Draws(seed % (2**32 - 1) + 1).chord_seed(take, cue),
        draws.chord_seed(take + 1, cue),
        draws.chord_seed(take, cue + 1),
        draws.part_seed(take, cue),
    }
    assert draws.chord_seed(take, cue) not in others and len(others) == 4


@given(TAKES, CUES)
def test_without_a_seed_takes_are_drawn_as_before(take: int, cue: int) -> None:
    assert Draws().chord_seed(take, cue) == take
    assert Draws(7, since_take=take + 1).chord_seed(take, cue) == take
    assert Draws(7, since_take=take + 1).part_seed(take, cue) == Draws().part_seed(take, cue)
    assert Draws(7, since_take=take).chord_seed(take, cue) != take


@given(TAKES)
def test_a_new_take_begins_the_film_s_draws_once(take: int) -> None:
    begun = Draws().begun("a film", take)
    assert begun == Draws(film_seed("a film"), take)
    assert begun.begun("the film recut", take + 1) == begun
    assert Draws().begun("", take).film_seed == 0
