"""What a JACK timebase master counts: quarter notes (Ardour) or beats of the meter (klick, JACK's own text)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("jack", reason="JACK-Client is not installed")

from bridge.transport.jack import BeatCount, JackTransport
from bridge.transport.state import TransportObservation

METERS = [(4, 4), (7, 8), (6, 8), (5, 16), (2, 2), (3, 4)]


def looks(count: BeatCount, bpm: float, meter: tuple[int, int], quarters: bool, from_s: float, seconds: float,
          period_s: float = 1024 / 48_000, stands: bool = False):  # fmt: skip
    """(second, quarter tempo, quarter beats) of each period; ticks as the master counts them."""
    stated = bpm if quarters else bpm * meter[1] / 4
    found = []
    for number in range(int(seconds / period_s) + 1):
        at_s = from_s + number * period_s
        of_meter = (from_s if stands else at_s) * bpm / 60 * meter[1] / 4
        beat = int(of_meter)
        ticks = (of_meter - beat) * (4 / meter[1] if quarters else 1.0)
        count.look(at_s, beat, ticks, stated, (float(meter[0]), float(meter[1])))
        found.append((at_s, count.bpm, count.beats))
    return found


@given(
    bpm=st.floats(40, 250),
    meter=st.sampled_from(METERS),
    quarters=st.booleans(),
    from_s=st.floats(0, 7200),
    period_s=st.sampled_from([256 / 48_000, 1024 / 48_000]),
)
def test_quarter_notes_are_told_from_beats_of_the_meter(bpm, meter, quarters, from_s, period_s) -> None:
    beat_s = 60 / bpm * 4 / meter[1]
    found = looks(BeatCount(), bpm, meter, quarters, from_s, 3.5 * beat_s, period_s)
    assert all(one is None or one == pytest.approx(bpm) for _, one, _ in found)  # never a wrong one
    at_s, told, beats = found[-1]
    assert told == pytest.approx(bpm) and beats == pytest.approx(at_s * bpm / 60, abs=1e-6)


def test_what_was_told_holds_over_stops_locates_and_changes_of_meter() -> None:
    count = BeatCount()
    looks(count, 97.3, (7, 8), True, 10.0, 2.0)
    ((_, bpm, beats),) = looks(count, 97.3, (7, 8), True, 300.0, 0.0)  # the first period after a locate
    assert bpm == 97.3 and beats == pytest.approx(300.0 * 97.3 / 60)
    assert {one for _, one, _ in looks(count, 120.0, (6, 8), True, 301.0, 0.3)} == {120.0}


@pytest.mark.parametrize("meter", METERS)
def test_bars_that_stand_while_the_frames_move_are_not_believed(meter) -> None:
    count = BeatCount()
    assert looks(count, 97.3, meter, True, 10.0, 5.0, stands=True)[-1][2] is None
    looks(count, 97.3, meter, True, 10.0, 5.0)
    assert looks(count, 97.3, meter, True, 15.1, 6.0, stands=True)[-1][2] is None


def test_each_period_is_read_as_ardour_writes_it() -> None:
    """The callback itself, over JACK's struct: 7/8 at 97.3 quarter notes, 1920 ticks a quarter, a period of 1024."""
    heard: list[TransportObservation] = []
    transport = JackTransport.__new__(JackTransport)
    frame = 0

    def query():
        of_meter = frame / 48_000 * 97.3 / 30
        beat = int(of_meter)
        return 1, SimpleNamespace(
            frame=frame, valid=0x10, beats_per_minute=97.3, beats_per_bar=7.0, beat_type=8.0, ticks_per_beat=1920.0,
            bar=beat // 7 + 1, beat=beat % 7 + 1, tick=int((of_meter - beat) * 960),
        )  # fmt: skip

    transport._hear = heard.append
    transport._client = SimpleNamespace(transport_query_struct=query)
    transport._time = SimpleNamespace(cycle=lambda: (frame, frame * 1e6 / 48_000, 0), last_offset_us=0)
    transport._next, transport._spoken_us, transport._rate = None, 0, 48_000.0
    transport._count = BeatCount()
    while frame < 10 * 48_000:
        transport._process(1024)
        frame += 1024
    last = heard[-1]
    assert 90 < len(heard) < 110  # ten a second
    assert (last.bpm, last.meter, last.rolling, last.locate) == (97.3, (7, 8), True, False)
    assert {one.bpm for one in heard} == {None, 97.3}
    assert last.position_beats == pytest.approx(last.position_s * 97.3 / 60, abs=0.001)
