"""Hits from a command line."""

import pytest

from engine.music import Film, FrameRate, UserError
from engine.music.hit_text import hits_reading, parse_hits

FILM = Film("film.mp4", 60.0, FrameRate.parse("24"))


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("4.71! 9.62", [4.71, 9.62]),
        ("4,71! 9,62", [4.71, 9.62]),
        ("door=4,71? 9,62!", [4.71, 9.62]),
        ("4,71 9", [4.71, 9.0]),
        ("4.71,9.62", [4.71, 9.62]),
        ("4.71, 9.62", [4.71, 9.62]),
        ("1,2,3", [1.0, 2.0, 3.0]),
        ("5, 10", [5.0, 10.0]),
        ("00:00:05:12 8,5", [5.5, 8.5]),
    ],
)
def test_commas_part_hits_or_are_decimal(text, times):
    assert [hit.time_s for hit in parse_hits(text, FILM)] == pytest.approx(times)


def test_what_may_be_one_hit_or_two_is_said():
    assert [hit.time_s for hit in parse_hits("5,10", FILM)] == [5.1]
    assert "'5 10' for two" in hits_reading("5,10")
    assert hits_reading("4,71 9,62") == hits_reading("4.71") == ""


@pytest.mark.parametrize("text", ["four", "4.71!!", "1.2.3", "=4"])
def test_what_is_no_hit_is_named(text):
    with pytest.raises(UserError, match=r"hit|seconds"):
        parse_hits(text, FILM)
