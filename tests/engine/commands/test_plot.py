"""The plot command, and the measure of whether music follows its film."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.__main__ import main
from engine.arrange import arrange
from engine.commands.picture_link import link, per_second, shuffled
from engine.commands.score_metrics import rank_correlation
from engine.music import TempoMap
from engine.process.messages import Composed, ComposeOptions, ComposeRequest


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1, 2, 3, 4], [10, 20, 25, 90], 1.0),
        ([1, 2, 3, 4], [4, 3, 2, 1], -1.0),
        ([1, 2, 2, 3], [1, 3, 2, 4], 0.9486832980505138),  # ties at their mean rank: 1, 2.5, 2.5, 4 with 1, 3, 2, 4
    ],
)
def test_spearman_by_hand(a, b, expected):
    assert rank_correlation(a, b) == pytest.approx(expected)


def test_spearman_of_what_does_not_change_is_not_a_number():
    assert np.isnan(rank_correlation([1, 1, 1, 1], [1, 2, 3, 4])) and np.isnan(rank_correlation([1, 2], [1, 2]))


@given(st.lists(st.integers(0, 9), min_size=3, max_size=30))
def test_spearman_is_symmetric_and_bounded(values):
    other = values[::-1]
    found = rank_correlation(values, other)
    assert np.isnan(found) or (
        -1.000001 <= found <= 1.000001 and found == pytest.approx(rank_correlation(other, values))
    )


def test_a_shuffled_film_has_the_same_shots_in_another_order(make_features):
    features = make_features(70.0)
    other = shuffled(features, 3)
    assert sorted(other.motion) == sorted(features.motion) and list(other.motion) != list(features.motion)
    shots = {tuple(features.motion[first : first + 7]) for first in range(0, 70, 7)}
    assert {tuple(other.motion[first : first + 7]) for first in range(0, 70, 7)} == shots
    assert list(shuffled(features, 3).motion) == list(other.motion)


def test_music_follows_its_own_film_more_than_a_shuffled_one(composer, make_features):
    features = make_features(140.0)
    asked = ComposeRequest(1, TempoMap.constant(120), options=ComposeOptions(follow_picture=100))

    def linked(seen):
        last = composer.compose(seen, asked)
        assert isinstance(last, Composed)
        return link(features, last.composition, arrange(last.composition))

    right = linked(features)
    wrong = [linked(shuffled(features, seed)) for seed in range(1, 4)]
    assert right.velocity > 0.15 and right.notes > 0.3  # motion that is white noise: the hardest to follow
    assert right.velocity > max(row.velocity for row in wrong) and right.notes > max(row.notes for row in wrong)


def test_notes_are_counted_in_their_second(composer, make_features):
    features = make_features(20.0)
    last = composer.compose(features, ComposeRequest(1, TempoMap.constant(120)))
    arrangement = arrange(last.composition)
    count, velocity = per_second(last.composition, arrangement, 20)
    inside = [note for note in arrangement.notes if note.start_beats < 40]
    assert count.sum() == len(inside)
    first = [note.velocity for note in inside if note.start_beats < 2]
    assert velocity[0] == pytest.approx(sum(first) / len(first))


def test_the_command_draws_a_picture_and_reports(clip, tmp_path, capsys, cache):
    out = tmp_path / "plot.png"
    words = ["plot", str(clip), "-o", str(out), "--shuffles", "2", "--cache-dir", cache, "--json"]
    assert main(words) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["shuffles"] == 2 and facts["seconds"] == 30
    for name in ("notes", "velocity"):
        row = facts["spearman"][name]
        assert -1 <= row["shuffled_low"] <= row["shuffled_mean"] <= row["shuffled_high"] <= 1
    header = out.read_bytes()[:24]
    assert header.startswith(b"\x89PNG") and int.from_bytes(header[16:20], "big") >= 1000
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("bars", [3, 64, 65, 100, 129])
def test_the_first_and_the_last_chord_are_always_named(bars):
    from types import SimpleNamespace

    from engine.commands.plot_drawing import _MOST_CHORD_NAMES, _draw_roll, merge_runs
    from tests.engine.commands.test_score import compose

    work = compose(" ".join(("C", "G")[bar % 2] for bar in range(bars - 1)) + " Am", seconds=2.0 * bars)
    named = []
    axis = SimpleNamespace(text=lambda at_s, height, name, **more: named.append((at_s, name)))
    for name in ("barh", "hlines", "bar", "broken_barh", "set_ylim", "set_yticks", "grid", "legend", "set_ylabel"):
        setattr(axis, name, lambda *given, **more: None)
    _draw_roll(axis, work, arrange(work))
    assert named[0] == (0.0, "C") and named[-1] == (merge_runs(work.slots)[-1].start_s, "Am")
    assert min(bars, _MOST_CHORD_NAMES) / 2 <= len(named) <= _MOST_CHORD_NAMES + 1


def test_it_refuses_in_one_sentence(clip, capsys):
    assert main(["plot", str(clip), "--takes", "25"]) == 2
    assert main(["plot", str(clip), "--shuffles", "-1"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and all(line.startswith("cuebridge: ") for line in lines)


def test_takes_on_one_sheet(clip, tmp_path, monkeypatch):
    """Each take has its heading, and no two of them are the same music."""
    from golden import stored

    from engine.commands import takes_sheet

    drawn = []
    draw = takes_sheet.draw_takes
    monkeypatch.setattr(takes_sheet, "draw_takes", lambda shown, *more: (drawn.extend(shown), draw(shown, *more)))
    out = tmp_path / "takes.png"
    with monkeypatch.context() as patch:
        words = ["plot", str(clip), "--takes", "5", "--take", "3", "-o", str(out), "--json"]
        facts = json.loads(stored.command(patch, *words, network=True))
    assert out.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and facts["file"] == str(out)
    assert [row.split(" · ")[0] for row in facts["takes"]] == list("CDEFG")
    assert len({row.split(" · ", 1)[1] for row in facts["takes"]}) >= 4
    music = [{(round(n.start_beats, 3), n.pitch, n.part) for n in take.arrangement.notes} for take in drawn]
    pairs = [(a, b) for index, a in enumerate(music) for b in music[:index]]
    assert max(len(a & b) / len(a | b) for a, b in pairs) <= 0.4
