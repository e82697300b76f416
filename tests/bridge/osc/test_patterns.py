"""Address patterns: what they match, and that none of them takes long."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.osc.patterns import MAX_WRITTEN_OUT, Pattern, PatternError, matching, written_out
from engine.music.controls import BY_ADDRESS

ADDRESSES = tuple(BY_ADDRESS)


@pytest.mark.parametrize(
    ("pattern", "address", "expected"),
    [
        ("/cue/part/*/on", "/cue/part/pad/on", True),
        ("/cue/*", "/cue/part/pad/on", False),
        ("/cue/ke?", "/cue/key", True),
        ("/cue/ke?", "/cue/ke/", False),
        ("/cue/[j-l]ey", "/cue/key", True),
        ("/cue/[!j-l]ey", "/cue/key", False),
        ("/cue/[!a-j]ey", "/cue/key", True),
        ("/cue[!x]key", "/cue/key", False),
        ("/*/*", "/cue/key", True),
        ("/cue/key", "/cue/keys", False),
        ("/cue/{key,take}", "/cue/take", True),
        ("/cue/{key,take/new}", "/cue/take/new", True),
        ("/cue/{key,t*}", "/cue/takes", True),
        ("/cue/{key", "/cue/{key", True),  # a brace that is not closed stands for itself
        ("/cue/[key", "/cue/[key", True),
        ("/cue/{,x}key", "/cue/key", True),
        ("*", "/cue", False),
        ("", "", True),
        ("/**********************************x", "/" + "y" * 200, False),
    ],
)
def test_patterns(pattern: str, address: str, expected: bool) -> None:
    assert Pattern(pattern).matches(address) is expected


PIECES = st.lists(
    st.sampled_from(["*", "?", "a", "b", "/", "ab", "[ab]", "[!a]", "[a-c]", "{a,b/}", "{ab,*,}", "{a,b,c?}"]),
    max_size=4,
)


@given(PIECES, st.text("abc/", max_size=10))
def test_it_agrees_with_a_regular_expression(pieces: list[str], address: str) -> None:
    pattern = "".join(pieces)
    expression = ""
    for piece in pieces:
        if piece.startswith("{"):
            choices = [each.replace("*", "[^/]*").replace("?", "[^/]") for each in piece[1:-1].split(",")]
            expression += "(?:" + "|".join(choices) + ")"
        elif piece.startswith("[!"):
            expression += f"[^{piece[2:-1]}/]"
        elif piece.startswith("["):
            expression += piece
        else:
            expression += {"*": "[^/]*", "?": "[^/]"}.get(piece, piece)
    assert Pattern(pattern).matches(address) == (re.fullmatch(expression, address) is not None)


def test_braces_are_written_out_or_refused_never_cut_short() -> None:
    assert written_out("/cue/{key,take}/x") == ("/cue/key/x", "/cue/take/x")
    assert len(written_out("/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}")) == 128
    with pytest.raises(PatternError):
        written_out("/" + "{a,b}" * 12)


WORST = [
    "/cue" + "*?" * 126,
    "/" + "{a,*}" * 7 + "*?" * 50,
    "/cue/" + "[!-~]" * 50,
    "/cue/" + "[!!-.]" * 41,
    "/cue/{" + ",".join("*a*e*" for _ in range(40)) + "}",
    "/{cue,*}/{*,?*}/{a*,*a}/{*e,*}",
    "{/cue/,*}" * 7,
    "/cue/" + "*a" * 125,
]


@pytest.mark.parametrize("pattern", WORST)
def test_the_worst_patterns_over_all_addresses_take_less_than_a_turn(pattern: str) -> None:
    """Thread time, the least of three: what else runs on the machine is not measured."""
    spent = []
    for _ in range(3):
        started = time.thread_time()
        try:
            automaton = Pattern(pattern)
            for address in ADDRESSES:
                automaton.matches(address)
        except PatternError:
            pass
        spent.append(time.thread_time() - started)
    assert min(spent) < 0.02


def test_too_long_a_pattern_is_refused() -> None:
    for pattern in ("/" + "a" * 300, "/" + "{" + ",".join("ab" for _ in range(80)) + "}" * 1 + "{c,d}" * 8):
        with pytest.raises(PatternError):
            matching(pattern, ADDRESSES)
    assert MAX_WRITTEN_OUT >= 1024
