"""Functions stay small, or say why they are not (.ci/sizes.py)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / ".ci"))
import sizes

WIDE = "def wide(a, b, c, d, e, f, g): ...\n"
LONG = "class One:\n    def long(self, a, *, b):\n        '''Does\n        it.'''\n" + "        a += b\n" * 60


def test_every_large_function_says_why():
    found = sizes.all_sizes()
    assert len(found) > 3000
    assert not sizes.faults(found)


def test_sizes_are_counted_without_docstrings_and_self():
    (long,) = sizes.sizes(LONG, "one.py")
    assert (long.place, long.name, long.lines, long.parameters) == ("one.py:2", "One.long", 61, 2)
    (short,) = sizes.sizes(LONG.replace("        a += b\n", "", 1), "one.py")
    assert short.lines == 60 and not short.is_large
    (starred,) = sizes.sizes("def many(*a, b, c, d, e, f, **g): ...\n", "many.py")
    assert starred.parameters == 7


def test_a_reason_is_wanted_where_it_is_needed_and_nowhere_else():
    assert "say why" in "".join(sizes.faults(list(sizes.sizes(WIDE, "wide.py"))))
    said = "# An aside.\n# size: seven numbers of one\n# message.\n@cached\n" + WIDE
    (wide,) = sizes.sizes(said, "wide.py")
    assert wide.reason == "seven numbers of one message." and not sizes.faults([wide])
    narrow = "# size: seven numbers.\ndef narrow(a): ...\n"
    assert "no longer needed" in "".join(sizes.faults(list(sizes.sizes(narrow, "narrow.py"))))
