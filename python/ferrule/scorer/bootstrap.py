"""How sure a score is: confidence intervals by resampling documents.

Efron's percentile bootstrap: the documents are drawn with replacement, as many as there are, again and again;
the interval holds the middle share of the scores. Documents, not tokens, are drawn, because the tokens of one
document go right and wrong together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Interval", "bootstrap_counts", "bootstrap_scores"]


class Interval(NamedTuple):
    """A score on all documents, and the ends of its confidence interval."""

    score: float
    low: float
    high: float


def bootstrap_counts(
    counts: ArrayLike, *, n_resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> dict[str, Interval]:
    """Intervals of `p`, `r` and `f` (micro averages) from the counts of each document: fast.

    `counts`: int (n_documents, 3), the true positives, false positives and false negatives of each. The same
    seed gives the same intervals. Raises ValueError for another shape, no document, or a bad level.

    >>> intervals = bootstrap_counts([[9, 1, 0], [8, 2, 1], [10, 0, 0]])
    >>> intervals["p"].low <= intervals["p"].score <= intervals["p"].high
    True
    """
    per_document = np.asarray(counts, dtype=np.float64)
    if per_document.ndim != 2 or per_document.shape[1] != 3:
        raise ValueError(
            f"bootstrap_counts: counts must be (n_documents, 3) for tp, fp and fn, found {per_document.shape}"
        )
    _check(len(per_document), n_resamples, level)
    rng = np.random.default_rng(seed)
    share = np.full(len(per_document), 1 / len(per_document))
    totals = np.stack([rng.multinomial(len(per_document), share) @ per_document for _ in range(n_resamples)])
    resampled = _prf(totals)
    return {
        key: _interval(score, resampled[key], level)
        for key, (score,) in _prf(per_document.sum(axis=0, keepdims=True)).items()
    }


def bootstrap_scores(
    examples: Iterable[Any],
    score: Callable[[Sequence[Any]], Mapping[str, Any]],
    *,
    n_resamples: int = 200,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Intervals of every number that `score(examples)` returns, by scoring again and again: general, slower.

    Scores that are None or not numbers are left out; one that is None in some resamples is taken from the
    others.
    """
    examples = list(examples)
    _check(len(examples), n_resamples, level)
    rng = np.random.default_rng(seed)
    on_all = {key: value for key, value in score(examples).items() if isinstance(value, int | float)}
    drawn: dict[str, list[float]] = {key: [] for key in on_all}
    for _ in range(n_resamples):
        resampled = score([examples[i] for i in rng.integers(len(examples), size=len(examples))])
        for key, values in drawn.items():
            if isinstance(resampled.get(key), int | float):
                values.append(resampled[key])
    return {key: _interval(value, np.asarray(drawn[key] or [value]), level) for key, value in on_all.items()}


def _check(n_documents: int, n_resamples: int, level: float) -> None:
    if n_documents < 1 or n_resamples < 1:
        raise ValueError(
            f"bootstrap: needs one document and one resample at least, found {n_documents} and {n_resamples}"
        )
    if not 0 < level < 1:
        raise ValueError(f"bootstrap: level must lie between 0 and 1, such as 0.95; found {level}")


def _interval(score: float, drawn: Any, level: float) -> Interval:
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(score), float(low), float(high))


def _prf(totals: Any) -> dict[str, Any]:
    tp, fp, fn = totals.T
    return {
        "p": tp / np.maximum(tp + fp, 1),
        "r": tp / np.maximum(tp + fn, 1),
        "f": 2 * tp / np.maximum(2 * tp + fp + fn, 1),
    }
