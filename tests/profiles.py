"""How many examples the property tests draw: by hypothesis' profile.

`quick` is loaded unless another is asked for and draws a quarter of what the tests state; `full` draws all of it
(`pytest --hypothesis-profile full`, as .ci/run does).  Each run draws other examples, but where the variable CI is set
hypothesis draws the same ones every time.  Tests that roll dice of their own, one seed after another, take as many of
their seeds (`count`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import HealthCheck, settings

FULL = 100  # hypothesis' own number, for tests that state none
DEFAULT = "quick"
LEAST = 5  # of those that state few: a quarter of them would be a test of one case

# No deadlines, and drawing may be slow: how fast something is, benches say; here other tests run beside it.
SLOW = (HealthCheck.too_slow,)
settings.register_profile("full", max_examples=FULL, deadline=None, suppress_health_check=SLOW)
settings.register_profile(DEFAULT, max_examples=FULL // 4, deadline=None, suppress_health_check=SLOW)


def count(stated: int) -> int:
    """Of the examples that a test states, those of the profile in force."""
    return max(min(stated, LEAST), stated * settings.default.max_examples // FULL)


def thorough() -> bool:
    """Whether all that is stated is drawn: for tests that choose among cases of one kind by hand."""
    return settings.default.max_examples >= FULL


def examples(stated: int, *, suppress_health_check: Iterable[HealthCheck] = (), **others: Any) -> settings:
    """`settings(max_examples=stated, ...)` by the profile in force."""
    return settings(max_examples=count(stated), suppress_health_check={*SLOW, *suppress_health_check}, **others)
