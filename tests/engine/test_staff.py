"""Where notes stand on five lines."""

import pytest

from engine.leadsheet import bars_from, draw_bars
from engine.music import Chord, Key, TempoMap
from engine.staff import GAP, draw_tune, octaves_of, step_of


@pytest.mark.parametrize(("name", "step", "accidental"), [
    ("C4", 28, ""), ("E4", 30, ""), ("Bb3", 27, "b"), ("F#5", 38, "#"), ("Cb5", 35, "b"), ("C-1", -7, ""),
])  # fmt: skip
def test_names_are_steps_of_the_scale(name, step, accidental):
    assert step_of(name) == (step, accidental)


def test_a_tune_is_written_in_the_octave_where_it_lies_on_the_lines():
    middle = [(0.0, "G4", 1.0), (1.0, "B4", 1.0), (2.0, "D5", 1.0)]
    assert octaves_of([middle]) == 0 and octaves_of([]) == 0
    assert octaves_of([[(0.0, "G6", 1.0), (1.0, "F6", 1.0)]]) in (1, 2)
    assert octaves_of([[(0.0, "G2", 1.0)]]) == -2 or octaves_of([[(0.0, "G2", 1.0)]]) == -1


class Axes:
    """Keeps what is drawn."""

    def __init__(self):
        self.lines, self.heads, self.texts = [], [], []

    def plot(self, xs, ys, **how):
        self.lines.append((tuple(xs), tuple(ys)))

    def add_patch(self, patch):
        self.heads.append(patch)

    def text(self, x, y, text, **how):
        self.texts.append(text)


def test_heads_lie_on_their_lines_with_ledgers_and_accidentals():
    axes = Axes()
    draw_tune(axes, [(0.0, "E4", 4.0), (1.0, "F5", 1.0), (2.0, "Bb5", 0.5), (3.0, "C4", 1.0)], 0.0, 4.0, 0.0, 0)
    ys = [head.center[1] / GAP for head in axes.heads]
    assert ys == pytest.approx([0, 4, 5.5, -1]), "lowest line, top line, over the first ledger line, first one below"
    assert axes.texts == ["♭"]
    ledgers = [line for line in axes.lines if line[1][0] == line[1][1] and abs(line[0][1] - line[0][0] - 0.052) < 1e-9]
    assert sorted(round(line[1][0] / GAP, 3) for line in ledgers) == [-1.0, 5.0]
    assert [head.get_facecolor()[:3] == (1.0, 1.0, 1.0) for head in axes.heads] == [True, False, False, False]
    xs = [head.center[0] for head in axes.heads]
    assert xs == sorted(xs) and xs[0] > 0 and xs[-1] < 1


def test_a_sheet_of_every_value_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    tune = [(0, 70, 4), (4, 72, 3), (7, 74, 1), (8, 75, 0.5), (8.5, 77, 1.5), (10, 60, 0.25), (10.25, 61, 0.1)]
    bars = bars_from([(Chord.parse("Eb"), 0.0)], tune, TempoMap.constant(96), Key.parse("Eb"))
    for name in ("a.png", "a.svg", "a.pdf"):
        draw_bars(bars, "A tune", TempoMap.constant(96), tmp_path / name)
        assert (tmp_path / name).stat().st_size > 1000
