"""A session whose film has another tempo follows a real Ardour: its tempo is taken as Ardour means it, bar|beat is
Ardour's, and notes lie where they were composed in Ardour's bars.

A short part of tests/bench/ardour_matrix.py, whose table stands in docs/sync.md.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ardourlab import StartError, why_not
from tests.bench.ardour_matrix import Case, Matrix

reason = why_not()
pytestmark = [
    pytest.mark.ardour,
    pytest.mark.jack,
    pytest.mark.slow,
    pytest.mark.skipif(reason is not None, reason=str(reason)),
]
HUNDREDTH = 0.005  # of a beat: bar|beat shows hundredths
NOTES_S = 0.001


def test_bars_and_notes_are_ardours(tmp_path: Path) -> None:
    case = Case("mtc", 97.3, 127.0, "7/8", starts=(9, 1))
    matrix = Matrix(case, tmp_path, play_s=4.0)
    try:
        with matrix.up():
            rows = [matrix.start(bar) for bar in case.starts]
            ends = [matrix.session.tempo_map.bpm_at(1e4)]
    except StartError as error:
        pytest.skip(str(error))
    assert ends == [case.map.bpm_at(1e4)]
    for row in rows:
        assert row.learned_s is not None, row
        assert row.bars_off == 0 and row.beats_off < HUNDREDTH, row
        assert len(row.errors_s) > 20, row
        if not row.lost:  # a lost period moves Ardour's own time against JACK's
            assert abs(row.median_s) < NOTES_S and row.spread_s < NOTES_S, row
