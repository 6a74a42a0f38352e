"""Temperature, calibration error and thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from ferrule.ml.calibration import NEVER, fit_temperature, fit_threshold, rescaled
from ferrule.scorer.calibration import expected_calibration_error

# Of a temperature found from 4,000 drawn documents.
SAMPLING = 0.15


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype("f")


@pytest.mark.parametrize("exclusive", [True, False])
def test_the_temperature_that_spoilt_probabilities_is_found_again(exclusive: bool) -> None:
    draw = np.random.default_rng(0)
    scores = draw.normal(size=(4000, 5)) * 2
    if exclusive:
        true = softmax(scores)
        truths = np.array([draw.multinomial(1, row / row.sum()) for row in true.astype("d")], dtype="f")
        sure = softmax(scores * 3)
    else:
        truths = (draw.random(scores.shape) < 1 / (1 + np.exp(-scores))).astype("f")
        sure = (1 / (1 + np.exp(-3 * scores))).astype("f")
    found = fit_temperature(sure, truths, np.ones_like(truths), exclusive=exclusive)
    assert found == pytest.approx(3.0, rel=SAMPLING)
    mended = rescaled(sure, found, exclusive=exclusive)
    assert (mended.argmax(axis=1) == sure.argmax(axis=1)).all()
    if exclusive:
        errors = [
            expected_calibration_error(probs.max(axis=1), truths.argmax(axis=1) == probs.argmax(axis=1))
            for probs in (sure, mended)
        ]
        assert errors[1] < errors[0] / 2


def test_rows_of_zeros_stay_and_nothing_known_is_no_temperature() -> None:
    zeros = np.zeros((2, 3), dtype="f")
    for exclusive in (True, False):
        assert not rescaled(zeros, 2.0, exclusive=exclusive).any()
    assert fit_temperature(zeros, zeros, zeros, exclusive=True) == 1.0


def taken(scores: np.ndarray, truths: np.ndarray, threshold: float) -> tuple[int, int]:
    chosen = scores >= threshold
    return int((chosen & truths).sum()), int(chosen.sum())


@pytest.mark.parametrize("seed", range(20))
def test_thresholds_are_the_best_of_all_there_are(seed: int) -> None:
    draw = np.random.default_rng(seed)
    scores = draw.choice(np.linspace(0.05, 0.95, 12), size=30).astype("f")
    truths = draw.random(30) < scores
    candidates = [*np.unique(scores), NEVER]
    for beta in (0.5, 1.0, 2.0):

        def f_beta(threshold: float, beta: float = beta) -> float:
            right, n_taken = taken(scores, truths, threshold)
            return (1 + beta**2) * right / (beta**2 * truths.sum() + n_taken)

        found = fit_threshold(scores, truths, beta=beta)
        assert found is not None
        assert f_beta(found) == max(map(f_beta, candidates))
    for precision in (0.5, 0.8, 1.0):
        found = fit_threshold(scores, truths, precision=precision)
        good = [
            t
            for t in candidates[:-1]
            if taken(scores, truths, t)[0] >= precision * taken(scores, truths, t)[1]
        ]
        assert found is not None
        assert taken(scores, truths, found) == taken(scores, truths, min(good, default=NEVER))


def test_a_precision_out_of_reach_is_never_and_nothing_to_go_by_is_none() -> None:
    scores = np.array([0.9, 0.4], dtype="f")
    assert fit_threshold(scores, np.array([False, False]), precision=0.9) == NEVER
    assert fit_threshold(scores, np.array([False, False])) is None
    assert fit_threshold(scores[:0], np.zeros(0, dtype=bool), precision=0.9) is None
