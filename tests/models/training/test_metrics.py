"""Metrics on cases computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.training import metrics

C, CM, AM, G7 = 1, 5, 122, 1 + 7 * 13 + 10
END, PAD = 157, 158


def scores(rows: list[dict[int, float]]) -> np.ndarray:
    """(T, 159) log probabilities, -9 elsewhere."""
    out = np.full((len(rows), 159), -9.0)
    for step, row in enumerate(rows):
        for chord, value in row.items():
            out[step, chord] = value
    return out


def test_ranks_and_ties() -> None:
    table = np.array([[3.0, 1.0, 2.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert metrics.ranks(table, np.array([2, 1, 2])).tolist() == [2, 2, 3]


def test_chord_metrics_by_hand() -> None:
    """Four targets C, Am, Am, END and one PAD: the net is right at 1 and 4, second at 2, fourth at 3."""
    log_probs = scores(
        [
            {C: -0.1},
            {C: -0.5, AM: -1.0},
            {C: -0.5, G7: -0.6, CM: -0.7, AM: -2.0},
            {END: -0.3},
            {C: -0.1},
        ]
    )
    inputs = np.array([C, C, AM, AM, END])
    targets = np.array([C, AM, AM, END, PAD])
    found = metrics.chord_metrics(log_probs, inputs, targets)
    assert found["hits1"] == 0.5
    assert found["hits3"] == 0.75
    assert found["hits5"] == 1.0
    assert found["nll"] == pytest.approx((0.1 + 1.0 + 2.0 + 0.3) / 4)
    assert found["hits1_chords"] == pytest.approx(1 / 3)
    # The only change is C -> Am: second as it stands, first once the chord before is taken out.
    assert found["hits1_changes_open"] == 0.0
    assert found["hits1_changes"] == 1.0


def test_a_song_without_changes_has_no_figure_for_them() -> None:
    found = metrics.chord_metrics(scores([{C: -0.1}] * 3), np.array([C] * 3), np.array([C] * 3))
    assert math.isnan(found["hits1_changes"])


def test_matching_loss_by_hand() -> None:
    """Zero logits cost log 2 per class whatever the targets."""
    targets = np.array([C, AM, END, PAD])
    assert metrics.matching_loss(np.zeros((4, 159)), targets, np.array([0, 1, 2, 3])) == pytest.approx(math.log(2))
    # Sure of the relaxing set (maj, maj6, maj7 on 12 roots) and against all else: nearly nothing.
    logits = np.where(np.isin((np.arange(159) - 1) % 13, [0, 8, 12]), 20.0, -20.0)[None]
    logits[0, [0, 157, 158]] = -20.0
    assert metrics.matching_loss(logits, np.array([C]), np.array([4])) < 1e-6


def test_affect_agreement_counts_what_it_says() -> None:
    chords = np.array([C, AM, 0, C, G7, 1 + 6])  # C, Am, silence, C, G7, Caug
    emotion = np.array([0, 0, 0, 5, 2, 0])  # exciting x3, neutral, tense, exciting
    # rated: C yes, Am no, G7 yes, Caug no; silence and the neutral second are out
    assert metrics.affect_agreement(chords, emotion) == 0.5
    assert math.isnan(metrics.affect_agreement(np.zeros(3, dtype=int), np.zeros(3, dtype=int)))


def test_diatonic_entropy_and_changes() -> None:
    assert metrics.diatonic_rate(np.array([C, AM, 1 + 13, 0])) == pytest.approx(2 / 3)
    assert metrics.chord_entropy(np.array([1, 1, 2, 2])) == pytest.approx(math.log(2))
    assert metrics.chord_entropy(np.array([1, 1])) == 0
    assert metrics.change_rate(np.array([1, 1, 2, 1])) == pytest.approx(2 / 3)


def test_confusions() -> None:
    by_root = metrics.confusion(np.array([C, AM]), np.array([CM, C]), "root")
    assert by_root[1, 1] == 1 and by_root[1, 10] == 1 and by_root.sum() == 2
    by_quality = metrics.confusion(np.array([C, AM]), np.array([CM, C]), "quality")
    assert by_quality[5, 1] == 1 and by_quality[1, 5] == 1
    felt = metrics.affect_confusion(np.array([C, C, AM]), np.array([0, 0, 3]))
    assert felt[0, 1] == 2 and felt[3, 5] == 1


def test_regression_metrics_by_hand() -> None:
    predicted, truth = np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 3.0])
    assert metrics.rmse(predicted, truth) == pytest.approx(math.sqrt(4 / 3))
    assert metrics.rmse_padded(predicted, truth) == pytest.approx(math.sqrt(4 / 300))
    assert metrics.pearson(predicted, 2 * predicted + 1) == pytest.approx(1)
    assert metrics.pearson(predicted, -predicted) == pytest.approx(-1)
    assert math.isnan(metrics.pearson(predicted, np.ones(3)))
    assert metrics.density_histogram(np.array([0, 5, 6, 15.4, 16, 30])).tolist() == pytest.approx(
        [2 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6]
    )


def test_intervals() -> None:
    found = metrics.summarise([0.0, 1.0] * 50)
    assert found.mean == 0.5 and found.videos == 100
    assert found.low == pytest.approx(0.40, abs=0.02) and found.high == pytest.approx(0.60, abs=0.02)
    assert metrics.summarise([1.0, float("nan"), 3.0]).videos == 2
    constant = metrics.paired([2.0, 3.0, 4.0], [1.0, 2.0, 3.0])
    assert (constant.mean, constant.low, constant.high) == (1.0, 1.0, 1.0)
