"""The page's files: what the design allows them to be."""

from __future__ import annotations

import re
from pathlib import Path

import bridge.page

STATIC = Path(bridge.page.__file__).parent / "static"
FILES = sorted(each for each in STATIC.rglob("*") if each.is_file())
LARGEST = 247_000  # bytes, unpacked, that a browser loads to show the page
LARGEST_LATER = 100_000  # that it loads with the film, at the first sound, or when somebody opens more
LARGEST_VIEW = 29_000  # of what only the whole-window pages load: the board and the second screen
VIEWS = STATIC / "views"
_IMPORT = re.compile(r"""(?:from|import) "(\.[^"]+)";""")
_LATER = re.compile(r'(?:later|import)\("(\./[^"]+)"')


def loaded_at_once() -> set[Path]:
    """The page, its styles, and all modules that the first one imports."""
    found, waiting = set(), [STATIC / "main.js"]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += [(each.parent / name).resolve() for name in _IMPORT.findall(each.read_text())]
    return found | {each for each in FILES if each.suffix != ".js" and each.name not in ("later.css", "views.css")}


def test_it_is_small_enough_for_a_slow_start() -> None:
    at_once = loaded_at_once()
    assert sum(each.stat().st_size for each in at_once) <= LARGEST
    views = {each for each in FILES if VIEWS in each.parents}
    assert views and not views & at_once
    assert sum(each.stat().st_size for each in views) <= LARGEST_VIEW
    assert sum(each.stat().st_size for each in FILES if each not in at_once | views) <= LARGEST_LATER


def test_nothing_comes_from_elsewhere() -> None:
    for each in FILES:
        found = re.findall(r"""(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}""", each.read_text())
        assert [link for link in found if "www.w3.org" not in link] == [], each.name


def test_every_import_is_a_file_and_every_file_is_imported() -> None:
    scripts = {each for each in FILES if each.suffix == ".js"}
    found = set()
    for each in scripts:
        # What is opened later is named from the page's root, where main.js is.
        found |= {(STATIC / name).resolve() for name in _LATER.findall(each.read_text())}
        for name in _IMPORT.findall(each.read_text()):
            target = (each.parent / name).resolve()
            assert target in scripts, f"{each.name} imports {name}"
            found.add(target)
    entries = {STATIC / "main.js", STATIC / "sound" / "worklet.js"}
    assert scripts - found == entries


def test_the_page_uses_no_markup_from_text() -> None:
    for each in FILES:
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", each.read_text()), (
            each.name
        )


def test_addresses_in_the_page_stand_in_the_table() -> None:
    from engine.music.controls import BY_ADDRESS, current_address

    for each in FILES:
        for address in re.findall(r'"(/cue/[a-z_/0-9]+[a-z0-9])"', each.read_text()):
            assert current_address(address) == address and address in BY_ADDRESS, f"{each.name}: {address}"
