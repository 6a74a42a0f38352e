"""Calibration error, temperature and thresholds against what can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ferrule.scorer.calibration import (
    best_offsets,
    best_temperature,
    best_threshold,
    calibration_error_by_chance,
    calibration_error_interval,
    debiased_calibration_error,
    expected_calibration_error,
    log_loss,
    shifted,
)


def test_an_error_is_the_weighted_difference_of_bins() -> None:
    probabilities = [0.95, 0.91, 0.55, 0.55, 0.55, 0.55]
    correct = [True, True, True, True, True, False]
    # Two predictions of mean 0.93, all right; four of 0.55, three right.
    expected = (2 * abs(0.93 - 1.0) + 4 * abs(0.55 - 0.75)) / 6
    assert expected_calibration_error(probabilities, correct) == pytest.approx(expected)
    assert expected_calibration_error([1.0, 0.0], [True, False]) == 0.0
    assert expected_calibration_error([], []) == 0.0


def test_draws_from_the_probabilities_themselves_have_little_error() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.random(100_000)
    correct = rng.random(100_000) < probabilities
    assert expected_calibration_error(probabilities, correct) < 0.01
    assert expected_calibration_error(np.sqrt(probabilities), correct) > 0.1


def test_chance_is_taken_off_the_mean_square_of_bins() -> None:
    probabilities = [0.92, 0.92, 0.92, 0.55, 0.55, 0.55, 0.55, 0.31]
    correct = [False, False, False, True, True, True, False, True]
    # Three of 0.92, all wrong; four of 0.55, three right; the only one of its bin says nothing.
    squares = 3 * 0.92**2 + 4 * ((0.55 - 0.75) ** 2 - 0.75 * 0.25 / 3)
    assert debiased_calibration_error(probabilities, correct) == pytest.approx((squares / 7) ** 0.5)
    assert debiased_calibration_error([], []) == debiased_calibration_error([0.3], [True]) == 0.0


def test_of_true_probabilities_the_debiased_square_is_none_on_average() -> None:
    rng = np.random.default_rng(7)
    plain, debiased = [], []
    for _ in range(200):
        probabilities = rng.random(300)
        correct = rng.random(300) < probabilities
        plain.append(expected_calibration_error(probabilities, correct))
        debiased.append(debiased_calibration_error(probabilities, correct))
    # Half of the squares are below zero, which counts as none.
    assert np.mean(plain) > 0.05
    assert np.median(debiased) < 0.03
    assert debiased_calibration_error(np.sqrt(rng.random(100_000)), rng.random(100_000) < 0.5) > 0.1


def test_bins_of_equal_mass_have_equally_many_predictions() -> None:
    probabilities, correct = [0.1, 0.11, 0.12, 0.9], [False, True, False, True]
    # Two of mean 0.105, one right; two of mean 0.51, one right.
    expected = (2 * abs(0.105 - 0.5) + 2 * abs(0.51 - 0.5)) / 4
    found = expected_calibration_error(probabilities, correct, n_bins=2, equal_mass=True)
    assert found == pytest.approx(expected)


def test_chance_alone_explains_the_error_of_true_probabilities_and_no_larger_one() -> None:
    rng = np.random.default_rng(3)
    probabilities = rng.random(400)
    correct = rng.random(400) < probabilities
    error = expected_calibration_error(probabilities, correct)
    assert error < 2 * calibration_error_by_chance(probabilities) < 0.12
    low, high = calibration_error_interval(probabilities, correct)
    assert 0.0 < low < high < 0.15
    assert calibration_error_interval(np.sqrt(probabilities), correct)[0] > 0.08


def test_offsets_undo_a_shift_of_each_group_and_few_predictions_decide_nothing() -> None:
    rng = np.random.default_rng(4)
    probabilities, groups = rng.random(60_000), rng.integers(0, 3, 60_000)
    shifts = np.array([-1.0, 0.0, 0.7])
    correct = rng.random(60_000) < shifted(probabilities, shifts[groups])
    found = best_offsets(probabilities, correct, groups, 4)
    assert np.allclose(found[:3], shifts, atol=0.05)
    # A group without predictions has the offset of all.
    assert found[3] == pytest.approx(shifts.mean(), abs=0.05)
    (alone, other) = best_offsets([0.9, 0.9], [False, False], [0, 0], 2)
    assert -5.0 < alone < other < 0.0


def test_the_temperature_undoes_a_scaling() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=50_000) * 2
    correct = rng.random(50_000) < 1 / (1 + np.exp(-logits))
    found = best_temperature(lambda t: log_loss(1 / (1 + np.exp(-3 * logits / t)), correct))
    assert found == pytest.approx(3.0, rel=0.03)


def test_a_threshold_has_the_highest_f_score_of_all_cuts() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        probabilities = rng.integers(1, 9, 20) / 10
        correct = rng.random(20) < probabilities
        n_gold = int(correct.sum()) + 3

        def f_score(threshold: float, probs=probabilities, right=correct, n_gold=n_gold) -> float:
            kept = probs >= threshold
            return 2 * (right & kept).sum() / (n_gold + kept.sum())

        found = best_threshold(probabilities, correct, n_gold)
        best = max(f_score(cut) for cut in np.arange(0.0, 0.9, 0.05))
        assert f_score(found) == pytest.approx(best)


def test_a_precision_can_be_asked_for() -> None:
    probabilities, correct = [0.9, 0.8, 0.6, 0.4], [True, True, False, True]
    assert best_threshold(probabilities, correct, 3, min_precision=0.7) == 0.0
    assert best_threshold(probabilities, correct, 3, min_precision=0.9) == pytest.approx(0.7)
    # Not to be reached: the highest there is.
    assert best_threshold([0.9, 0.8], [False, True], 1, min_precision=0.9) == 0.0
    assert best_threshold([], [], 3) == 0.0


@pytest.mark.parametrize(
    ("probabilities", "correct"), [([0.5], [True, False]), ([1.5], [True]), ([-0.1], [True])]
)
def test_what_are_no_probabilities_is_refused(probabilities: list[float], correct: list[bool]) -> None:
    with pytest.raises(ValueError, match="calibration"):
        expected_calibration_error(probabilities, correct)
