"""Confidence intervals by resampling documents."""

from __future__ import annotations

import numpy as np
import pytest

from ferrule.scorer import bootstrap_counts, bootstrap_scores


def test_the_interval_of_a_share_has_the_width_theory_says():
    rng = np.random.default_rng(0)
    hits = (rng.random(2000) < 0.8).astype(int)
    counts = np.stack([hits, 1 - hits, np.zeros_like(hits)], axis=1)
    interval = bootstrap_counts(counts)["p"]
    standard_error = np.sqrt(0.8 * 0.2 / 2000)
    assert interval.low < interval.score < interval.high
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * standard_error, rel=0.15)


def test_a_seed_gives_the_same_interval():
    counts = np.random.default_rng(1).integers(0, 9, size=(40, 3))
    assert bootstrap_counts(counts, seed=3) == bootstrap_counts(counts, seed=3)
    assert bootstrap_counts(counts, seed=3) != bootstrap_counts(counts, seed=4)


def test_any_score_can_be_resampled():
    def mean(values):
        return {"mean": sum(values) / len(values), "name": "mean", "none": None}

    intervals = bootstrap_scores([1.0, 2.0, 3.0, 4.0], mean, n_resamples=300)
    assert set(intervals) == {"mean"}
    assert 1.0 <= intervals["mean"].low < 2.5 < intervals["mean"].high <= 4.0


def test_equal_documents_leave_no_doubt():
    assert bootstrap_counts([[3, 1, 0]] * 5)["p"] == (0.75, 0.75, 0.75)


@pytest.mark.parametrize(
    ("counts", "settings", "message"),
    [
        ([], {}, r"must be \(n_documents, 3\)"),
        ([[1, 2]], {}, r"found \(1, 2\)"),
        (np.zeros((0, 3)), {}, "one document"),
        ([[1, 2, 3]], {"level": 95}, "between 0 and 1"),
        ([[1, 2, 3]], {"n_resamples": 0}, "one resample"),
    ],
)
def test_bad_counts_are_refused(counts, settings, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_counts(counts, **settings)
