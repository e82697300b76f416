"""Property tests draw by the profile in force, every one of them."""

from __future__ import annotations

from pathlib import Path

import profiles
from hypothesis import settings

TESTS = Path(__file__).parent


def test_no_test_states_its_examples_elsewhere() -> None:
    files = {path for path in TESTS.rglob("*.py") if "max_examples" in path.read_text(encoding="utf-8")}
    assert files == {TESTS / "profiles.py", Path(__file__)}


def test_full_draws_what_is_stated_and_quick_a_quarter_but_never_one_case() -> None:
    before = settings.get_current_profile_name()
    drawn = {}
    for name in ("full", "quick"):
        settings.load_profile(name)
        drawn[name] = [profiles.examples(stated).max_examples for stated in (3, 8, 60, 300)]
    settings.load_profile(before)
    assert drawn == {"full": [3, 8, 60, 300], "quick": [3, 5, 15, 75]}
