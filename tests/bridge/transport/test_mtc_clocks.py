"""MIDI timecode between clocks: all pairs of film rate and project rate, sent and received."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.transport.mtc import CODED, MtcReader, carried, full_frame, quarter_frame, rate_code
from engine.music import FRAME_RATES, FrameRate, TimecodeClock

ALL = list(FRAME_RATES.values())
MEASURED = [
    FrameRate(Fraction(48000, 1001)),
    FrameRate(Fraction(120000, 1001)),
    FrameRate(Fraction(2483, 100)),
    FrameRate(Fraction(1487, 50)),
    FrameRate(Fraction(15)),
]


@pytest.mark.parametrize("film", [None, *ALL, *MEASURED], ids=str)
@pytest.mark.parametrize("project", ALL, ids=str)
def test_what_a_project_sends_is_the_second_that_it_means(project, film):
    reader, sent = MtcReader(stated=project, film=film), carried(project)
    for second in (0, 1, 61, 3599, 3600, 36_000):
        code = TimecodeClock(sent).label_at(second)
        (found,) = reader.feed(full_frame(code), 0.0)
        assert found.position_s == pytest.approx(float(code.seconds), abs=1e-9)
        assert abs(found.position_s - second) <= float(sent.frame_s)
    assert not reader.notes  # nothing to doubt: it is what was stated


@given(st.sampled_from(ALL), st.integers(0, 23 * 3600 * 12))
def test_quarter_frames_carry_the_label_of_every_project(project, pair):
    sent = carried(project)
    code = TimecodeClock(sent).label_at(2 * pair / sent.fps)
    reader, found = MtcReader(stated=project), []
    for piece in range(8):
        found += reader.feed(quarter_frame(piece, code), piece * 0.01)
    assert found[0].position_s == pytest.approx(float(code.seconds), abs=1e-9)


@pytest.mark.parametrize("film", MEASURED, ids=str)
@pytest.mark.parametrize("coded", CODED, ids=str)
def test_a_films_measured_mean_is_never_how_timecode_is_counted(film, coded):
    reader = MtcReader(film=film)
    (found,) = reader.feed(full_frame(TimecodeClock(coded).label_at(1800)), 0.0)
    assert reader.rate in ALL and found.position_s == pytest.approx(1800, rel=1.1e-3)


def test_the_day_has_24_hours():
    code = TimecodeClock(FRAME_RATES["25"]).label_at(25 * 3600)
    assert full_frame(code)[5] & 31 == 1 and quarter_frame(6, code)[1] & 15 == 1 and rate_code(code.rate) == 1
    assert quarter_frame(7, code)[1] & 1 == 0
