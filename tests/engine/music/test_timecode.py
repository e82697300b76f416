"""Timecode: exact rates, drop frame, round trips."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.music import FRAME_RATES, FrameRate, MusicError, Timecode, TimecodeClock
from engine.music.picture_start import PictureStart
from engine.music.timecode import TIMECODE_RATES, carried_rate, stated_rate, timecode_rate

rates = st.sampled_from(list(FRAME_RATES.values()))


@given(rates, st.integers(0, 24 * 3600 * 60 - 1))
def test_labels_round_trip(rate, frames):
    code = Timecode(frames % (24 * 3600 * rate.nominal), rate)
    assert Timecode.parse(str(code), rate) == code
    assert Timecode(-code.frames, rate).fields() == code.fields()


@given(rates, st.integers(-200_000, 5_000_000))
def test_before_midnight_is_the_day_before(rate, frames):
    day = Timecode.parse("24:00:00:00", rate).frames
    code = Timecode(frames - 3 * day, rate)
    assert 0 <= code.of_day.frames < day and (code.of_day.frames - frames) % day == 0
    assert str(Timecode(-2 * rate.nominal, rate).of_day).replace(";", ":") == "23:59:58:00"


@given(rates, st.integers(-200_000, 5_000_000))
def test_seconds_round_trip_exactly(rate, frames):
    code = Timecode(frames, rate)
    assert Timecode.from_seconds(code.seconds, rate) == code
    assert Timecode.from_seconds(float(code.seconds), rate) == code


@given(rates, st.integers(0, 3_000_000))
def test_labels_grow_with_frames(rate, frames):
    assert Timecode(frames, rate).fields() < Timecode(frames + 1, rate).fields()


def test_drop_frame_hour_has_107892_frames():
    rate = FRAME_RATES["29.97 DF"]
    assert str(Timecode(107_892, rate)) == "01:00:00;00"
    assert str(Timecode(1799, rate)) == "00:00:59;29"
    assert str(Timecode(1800, rate)) == "00:01:00;02"
    assert str(Timecode(17_982, rate)) == "00:10:00;00"
    assert float(Timecode(107_892, rate).seconds) == pytest.approx(3599.9964)


def test_dropped_labels_do_not_exist():
    with pytest.raises(MusicError, match="does not exist"):
        Timecode.parse("00:01:00;00", FRAME_RATES["29.97 DF"])


def test_ntsc_film_runs_3_6_seconds_long_per_hour():
    hour = Timecode.parse("01:00:00:00", FRAME_RATES["23.976"])
    assert hour.seconds == Fraction(36036, 10)


@pytest.mark.parametrize(
    ("text", "name"),
    [("23.976", "23.976"), ("23.98", "23.976"), ("24", "24"), ("25fps", "25"), ("29.97df", "29.97 DF"),
     ("29.97 drop", "29.97 DF"), ("30000/1001", "29.97"), ("59.94", "59.94"), ("12", "12")],
)  # fmt: skip
def test_reads_rates(text, name):
    assert FrameRate.parse(text).name == name


@pytest.mark.parametrize("text", ["", "fast", "0", "25 df", "1/0", "-24", "1e9"])
def test_bad_rates_are_one_sentence(text):
    with pytest.raises(MusicError):
        FrameRate.parse(text)


@pytest.mark.parametrize("text", ["1:2:3", "00:60:00:00", "00:00:00:25", "hello", "00:00:61:00"])
def test_bad_timecodes_are_one_sentence(text):
    with pytest.raises(MusicError):
        Timecode.parse(text, FRAME_RATES["25"])


def test_a_measured_rate_snaps_to_the_standard_one():
    assert FrameRate.nearest(23.97602) == FRAME_RATES["23.976"]
    assert FrameRate.nearest(24.0) == FRAME_RATES["24"]
    assert FrameRate.nearest(14.985).fps == Fraction(14.985).limit_denominator(100_000)


# clocks ----------------------------------------------------------------------------------------------------------
ALL = list(FRAME_RATES.values())


@pytest.mark.parametrize(
    ("fps", "name"),
    [(24.83, "25"), (23.8, "23.976"), (29.2, "29.97"), (15, "30"), (12.5, "25"), (12, "24"), (120, "60"), (49.6, "50"),
     (59.5, "59.94"), (24000 / 1001, "23.976"), (100, "50"), (1, "24"), (240, "60"), (90, "30"),
     (Fraction(48000, 1001), "47.952"), (47.95, "47.952"), (Fraction(120000, 1001), "59.94"), (96, "48")],
)  # fmt: skip
def test_pictures_of_any_rate_go_with_a_standard_clock(fps, name):
    assert str(timecode_rate(fps)) in FRAME_RATES
    assert str(timecode_rate(fps)) == name


@given(st.floats(0.5, 999))
def test_a_clock_never_counts_at_a_measured_mean(fps):
    assert timecode_rate(fps) in ALL
    assert carried_rate(timecode_rate(fps)) in ALL and carried_rate(timecode_rate(fps)).nominal <= 30


@pytest.mark.parametrize("rate", ALL, ids=str)
def test_standard_rates_are_their_own_clocks(rate):
    """Pictures faster than 60 go with the half of their rate unless the project's is stated."""
    wanted = rate if rate.fps <= 60 else FrameRate(rate.fps / 2, rate.drop)
    assert timecode_rate(rate.fps, drop=rate.drop) == wanted and TimecodeClock(rate).rate == rate
    assert stated_rate(str(rate)) == rate


@pytest.mark.parametrize("rate", ALL, ids=str)
def test_what_carries_a_clock_runs_beside_it_without_drift(rate):
    """MIDI timecode at the rate itself, its half or its quarter; drop-frame labels of both name the same second."""
    carried = carried_rate(rate)
    assert rate.fps / carried.fps in (1, 2, 4) and carried.drop == rate.drop and carried in TIMECODE_RATES
    for hours in (0, 1, 23):
        label = f"{hours:02d}:10:00{';' if rate.drop else ':'}00"
        assert TimecodeClock(rate).seconds_at(label) == TimecodeClock(carried).seconds_at(label)


def test_a_clock_at_no_standard_rate_is_none():
    with pytest.raises(MusicError, match="does not run"):
        TimecodeClock(FrameRate(Fraction(2483, 100)))


@given(rates, rates, st.integers(0, 20 * 3600 * 30))
def test_a_label_is_never_read_on_another_clock(first, second, frames):
    label = TimecodeClock(first).label_at(frames / first.fps)
    if first.fps == second.fps:
        assert TimecodeClock(second).seconds_at(label) == label.seconds
    else:
        with pytest.raises(MusicError, match="no label"):
            TimecodeClock(second).seconds_at(label)


@given(rates, st.integers(0, 23 * 3600 * 24), st.integers(0, 5 * 3600 * 24))
def test_labels_and_seconds_of_a_clock_agree_from_any_start(rate, first, frames):
    clock = TimecodeClock(rate, first)
    assert clock.label_at(0).frames == first
    assert clock.seconds_at(clock.label_at(frames / rate.fps)) == frames / rate.fps
    if not rate.drop:
        assert clock.seconds_at(str(clock.label_at(frames / rate.fps))) == frames / rate.fps


def test_a_semicolon_says_drop_frame_where_nobody_stated_the_rate_and_is_refused_where_it_cannot_be():
    ntsc, film, stated = FRAME_RATES["29.97"], TimecodeClock(FRAME_RATES["29.97"]), FRAME_RATES["29.97 DF"]
    assert film.seconds_at("01:00:00;00") == Fraction(107_892 * 1001, 30_000)
    assert film.seconds_at("01:00:00:00") == Fraction(108_000 * 1001, 30_000)
    assert TimecodeClock(stated).seconds_at("01:00:00:00") == TimecodeClock(stated).seconds_at("01:00:00;00")
    for clock in (TimecodeClock(ntsc, stated=True), TimecodeClock(FRAME_RATES["25"]), TimecodeClock(FRAME_RATES["24"])):
        with pytest.raises(MusicError, match="drop"):
            clock.parse("01:00:00;00")


@given(rates, st.integers(0, 20 * 3600 * 120))
def test_every_label_that_a_clock_shows_can_be_where_the_picture_starts(rate, frames):
    """01:01:00;02 stands on a clock at 29.97 drop frame, though not on one at 59.94."""
    label = str(TimecodeClock(rate).label_at(frames / rate.fps))
    assert PictureStart.parse(label).label == label
    PictureStart(label=label).check(TimecodeClock(rate, stated=True))


@pytest.mark.parametrize("label", ["00:01:00;00", "00:01:00;01", "01:00:00:120", "01:60:00:00"])
def test_a_label_that_no_clock_shows_is_refused_at_once(label):
    with pytest.raises(MusicError):
        PictureStart.parse(label)
