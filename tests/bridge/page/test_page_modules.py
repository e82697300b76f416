"""Small modules of the page, under node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import bridge.page
from engine.music import Take

LIB = Path(bridge.page.__file__).parent / "static" / "lib"
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="the page's scripts need node to be run here")


def said(module: str, expression: str, given: Any = None) -> Any:
    script = f"const page = await import({json.dumps((LIB / module).as_uri())}); const given = {json.dumps(given)};"
    words = [str(NODE), "--input-type=module", "--eval", f"{script} console.log(JSON.stringify({expression}));"]
    return json.loads(subprocess.run(words, capture_output=True, check=True, timeout=60).stdout)


def test_a_take_has_the_letters_that_the_engine_gives_it() -> None:
    numbers = [*range(1, 60), 701, 702, 703, 999_999]
    assert said("takes.js", "given.map(page.take_letter)", numbers) == [Take(number).name for number in numbers]


def test_ratings_and_comments_are_found_by_the_take() -> None:
    flat = [2, 5, "warm", 30, 0, "thin"]
    found = said("takes.js", "[2, 30, 3].map((number) => page.rated({ get: () => given }, number))", flat)
    assert found == [{"rating": 5, "note": "warm"}, {"rating": 0, "note": "thin"}, {"rating": 0, "note": ""}]
    assert said("takes.js", "page.rated({ get: () => undefined }, 1)", None) == {"rating": 0, "note": ""}


def test_music_is_shown_where_no_line_stands() -> None:
    given = [{"start_s": 2, "end_s": 20}, [{"start_s": a, "end_s": b} for a, b in ((0, 1), (1, 4), (8, 9), (19, 30))]]
    left = said("values.js", "page.outside(...given)", given)
    assert [(each["start_s"], each["end_s"]) for each in left] == [(4, 8), (9, 19)]
    assert said("values.js", "page.outside(given, [])", given[0]) == [given[0]]
    assert said("values.js", "page.outside(given, [{start_s: 0, end_s: 99}])", given[0]) == []


def test_who_listens_to_the_store_can_end_that() -> None:
    store = "const store = new page.Store(); let count = 0; const end = store.on(['a', 'b*'], () => count++);"
    turns = "store.set('a', 1); await null; store.set('b/c', 1); await null; end(); store.set('a', 2); await null;"
    assert said("store.js", f"await (async () => {{ {store} {turns} return count; }})()") == 3  # once at the beginning
