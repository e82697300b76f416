"""The player's tempo line says what the tempo map says."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bridge.player.tempo import TempoLine
from engine.music.meter import TempoMap

maps = st.lists(
    st.tuples(st.integers(1, 400), st.integers(20, 400)), min_size=0, max_size=12, unique_by=lambda item: item[0]
).map(lambda changes: TempoMap.of([(0, 120), *sorted(changes)], origin_s=Fraction(7, 3)))


@given(maps, st.floats(-20, 500))
def test_agrees_with_the_map_both_ways(tempo_map: TempoMap, value: float) -> None:
    line = TempoLine.unpack(TempoLine.of(tempo_map).pack())
    assert line.seconds_at(value) == tempo_map.seconds_at(value)
    assert line.beats_at(value) == tempo_map.beats_at(value)
    assert abs(line.bpm_at(value) - tempo_map.bpm_at(value)) < 1e-9


@given(maps, st.lists(st.floats(-20, 500), min_size=2, max_size=8))
def test_is_monotone(tempo_map: TempoMap, beats: list[float]) -> None:
    line = TempoLine.of(tempo_map)
    seconds = [line.seconds_at(beat) for beat in sorted(beats)]
    assert seconds == sorted(seconds)
