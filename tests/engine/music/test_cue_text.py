"""Cues as they are written on a command line."""

from __future__ import annotations

from fractions import Fraction

import pytest

from engine.brief import Brief, request_for
from engine.music import Film, FrameRate, MusicError, TempoMap, TempoMark, marked
from engine.music.cue_text import parse_cue, parse_cues


def test_a_cue_is_read() -> None:
    cue = parse_cue("1m2 10 42.5 key=Am bpm=96 bar1=10.5 ending=open mode=loop progression=Am F C G")
    assert (cue.name, cue.in_s, cue.out_s, cue.key, cue.bpm, cue.bar_1_s) == ("1m2", 10.0, 42.5, "Am", 96.0, 10.5)
    assert cue.cue(3).progression.mode == "loop" and cue.cue(3).number == 3 and cue.cue(3).ending == "open"
    assert parse_cue("1m1 0 end").out_s is None


@pytest.mark.parametrize(
    "text",
    ["", "1m1", "1m1 0", "1m1 x 3", "1m1 5 3", "1m1 0 9 key=J", "1m1 0 9 bpm=9999", "1m1 0 9 foo=1", "1m1 0 9 ending=x",
     "1m1 0 9 progression=Xyz", "1m1 -3 9", "1m1 nan 9"],
)  # fmt: skip
def test_what_is_no_cue_is_said(text: str) -> None:
    with pytest.raises(MusicError):
        parse_cue(text)


def test_cues_may_not_overlap() -> None:
    with pytest.raises(MusicError, match="inside"):
        parse_cues(["a 0 10", "b 8 20"])
    with pytest.raises(MusicError, match="inside"):
        parse_cues(["a 5 end", "b 5 9"])
    with pytest.raises(MusicError, match="two cues"):
        parse_cues(["a 0 5", "a 8 20"])


def test_each_cue_has_its_bar_1_and_tempo_in_the_map() -> None:
    film = Film("f.mp4", 60.0, FrameRate(Fraction(24)))
    wish = Brief(bpm=100, cues=parse_cues(["a 2.3 20 bpm=90", "b 25.1 end"]))
    request, _ = request_for(film, (), wish)
    for at_s, bpm in ((2.3, 90), (25.1, 100)):
        beat = request.tempo_map.beats_at(at_s)
        assert float(request.tempo_map.next_bar(round(beat - 1e-3, 6))) == pytest.approx(beat, abs=2e-3)
        assert request.tempo_map.bpm_at(beat + 0.01) == bpm
    assert [cue.name for cue in request.cues] == ["a", "b"]


def test_marks_stand_where_the_picture_says() -> None:
    made = marked(TempoMap.constant(100), [TempoMark(30, 120), TempoMark(10.3, 90, True)], 5.0)
    assert [round(made.seconds_at(float(change.beat)) - 5.0, 3) for change in made.tempos[1:]] == [10.3, 30.0]
    assert marked(TempoMap.constant(100), [], 0.0) == TempoMap.constant(100)
