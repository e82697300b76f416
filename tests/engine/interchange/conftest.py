from fractions import Fraction

import pytest

from engine.music import Film
from engine.music.timecode import FRAME_RATES


@pytest.fixture
def film_at():
    """A film of three minutes at a rate by name, its first frame at a label or without timecode."""

    def make(rate, start=None, seconds=180.0):
        from engine.music.timecode import TimecodeClock

        known = FRAME_RATES[rate]
        code = None if start is None else TimecodeClock(known).parse(start)
        plain = FRAME_RATES[rate.removesuffix(" DF")]
        return Film("reel.mov", seconds, plain, start_timecode=code)

    return make


@pytest.fixture
def frames_of():
    """Exact frame numbers of markers; a place between two frames fails."""

    def of(found, rate):
        fps = FRAME_RATES[rate].fps
        result = {}
        for marker in found.markers:
            frame = Fraction(marker.start_s) * fps
            assert frame.denominator == 1, (marker, frame)
            end = None if marker.end_s is None else marker.end_s * fps
            result[marker.name] = (int(frame), None if end is None else int(end))
        return result

    return of
