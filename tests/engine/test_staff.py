"""Where notes stand on five lines."""

import pytest

from engine.leadsheet import bars_from, draw_bars
from engine.music import Chord, Key, TempoMap, TimeSignature
from engine.staff import GAP, draw_rests, draw_tune, octaves_of, step_of, tied


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
        self.lines, self.heads, self.texts, self.blocks = [], [], [], []

    def plot(self, xs, ys, **how):
        self.lines.append((tuple(xs), tuple(ys)))

    def add_patch(self, patch):
        self.heads.append(patch)

    def text(self, x, y, text, **how):
        self.texts.append(text)

    def fill_between(self, xs, low, high, **how):
        self.blocks.append((xs[0], low / GAP, high / GAP))


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


def test_what_lasts_over_a_bars_line_is_tied_and_nothing_is_a_rest_there():
    tunes = [((2.0, "G4", 4.0),), (), ((3.0, "A4", 9.0),), ((1.0, "B4", 1.0),)]
    (first, _), (second, ties), third, (fourth, more) = tied(tunes, [4.0, 4.0, 4.0, 4.0])
    assert first == [(2.0, "G4", 4.0)] and second == [(0.0, "G4", 2.0)] and ties == {0}
    assert third == ([(3.0, "A4", 9.0)], frozenset())
    assert fourth == [(0.0, "A4", 1.0), (1.0, "B4", 1.0)] and more == {0}, "until the next note begins"
    axes = Axes()
    draw_tune(axes, second, 0.0, 4.0, 0.0, 0, ties)
    assert len(axes.heads) == 1 and any(len(xs) == 3 for xs, _ in axes.lines), "a head and a tie"


@pytest.mark.parametrize(("tune", "blocks", "dots"), [
    ((), [(2.5, 3.0)], 0),                                                 # a whole bar hangs
    (((0.0, "G4", 2.0),), [(2.0, 2.5)], 0),                                # a half lies
    (((0.0, "G4", 0.5), (1.0, "A4", 3.0)), [], 1),                         # an eighth
    (((0.0, "G4", 0.25), (0.5, "A4", 3.5)), [], 2),                        # a sixteenth has two dots
    (((0.0, "G4", 4.0),), [], 0), (((0.0, "G4", 9.0),), [], 0),
])  # fmt: skip
def test_silence_has_rests(tune, blocks, dots):
    axes = Axes()
    draw_rests(axes, tune, 0.0, 4.0, 0.0)
    assert [each[1:] for each in axes.blocks] == [pytest.approx(each) for each in blocks]
    assert sum(len(xs) == 1 for xs, _ in axes.lines) == dots


def test_a_change_of_meter_begins_a_line_with_its_signature(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    from engine import leadsheet

    found = []
    monkeypatch.setattr(
        leadsheet, "draw_meter", lambda axes, start, bottom, *meter: found.append((round(bottom), meter))
    )
    meters = TempoMap.of([(0, 96)], [(0, TimeSignature.parse("4/4")), (8, TimeSignature.parse("7/8"))])
    bars = bars_from([(Chord.parse("C"), 0.0)], [(each, 70, 1) for each in range(15)], meters)
    draw_bars(bars, "A tune", meters, tmp_path / "a.svg")
    assert found == [(-1, (4, 4)), (-2, (7, 8))]


def test_a_sheet_of_every_value_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    tune = [(0, 70, 4), (4, 72, 3), (7, 74, 1), (8, 75, 0.5), (8.5, 77, 1.5), (10, 60, 0.25), (10.25, 61, 0.1)]
    bars = bars_from([(Chord.parse("Eb"), 0.0)], tune, TempoMap.constant(96), Key.parse("Eb"))
    for name in ("a.png", "a.svg", "a.pdf"):
        draw_bars(bars, "A tune", TempoMap.constant(96), tmp_path / name)
        assert (tmp_path / name).stat().st_size > 1000
