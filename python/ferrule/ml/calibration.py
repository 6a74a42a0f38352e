"""How far probabilities can be trusted, and the temperature and thresholds that make them more useful."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ferrule.golden_section import lowest

__all__ = [
    "NEVER",
    "fit_temperature",
    "fit_threshold",
    "rescaled",
]

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

NEVER = 1.01
"""A threshold that no probability reaches."""

_SMALLEST = 1e-30
# Temperatures are looked for between exp(-4) and exp(4).
_LOG_RANGE = 4.0
# To 1e-8 of that range.
_N_SECTIONS = 40


def rescaled(probs: Floats, temperature: float, *, exclusive: bool) -> Floats:
    """Return the probabilities of scores divided by `temperature`: above 1 less sure, below 1 surer.

    probs: float32 (n_docs, n_labels). exclusive: rows sum to 1, as from a softmax, otherwise each number is
    by itself, as from a logistic. Which label is highest stays as it is; rows of zeros stay zeros.

    >>> probs = np.array([[0.2, 0.8]], dtype="float32")
    >>> rescaled(probs, 0.5, exclusive=True).astype(float).round(3).tolist()
    [[0.059, 0.941]]
    """
    if temperature == 1.0:
        return probs
    wide = probs.astype(np.float64)
    logs = np.log(np.maximum(wide, _SMALLEST)) / temperature
    if exclusive:
        powers = np.exp(logs - logs.max(axis=1, keepdims=True, initial=-np.inf))
        scaled = powers / powers.sum(axis=1, keepdims=True)
    else:
        scaled = 1.0 / (1.0 + np.exp(np.log(np.maximum(1.0 - wide, _SMALLEST)) / temperature - logs))
    empty = ~wide.any(axis=1)
    scaled[empty] = 0.0
    return scaled.astype(np.float32)


def fit_temperature(probs: Floats, truths: Floats, known: Floats, *, exclusive: bool) -> float:
    """Return the temperature with the least cross-entropy on documents that were not trained on.

    probs, truths, known: float32 (n_docs, n_labels); a cell counts where `known` is not 0. Guo et al. 2017,
    "On Calibration of Modern Neural Networks". Without anything known, 1.0.
    """
    if not known.any():
        return 1.0

    def cross_entropy(log_temperature: float) -> float:
        scaled = rescaled(probs, math.exp(log_temperature), exclusive=exclusive).astype(np.float64)
        nats = truths * np.log(np.maximum(scaled, _SMALLEST))
        if not exclusive:
            nats += (1.0 - truths) * np.log(np.maximum(1.0 - scaled, _SMALLEST))
        return -float((nats * known).sum())

    return math.exp(lowest(cross_entropy, -_LOG_RANGE, _LOG_RANGE, _N_SECTIONS))


def fit_threshold(
    scores: Floats,
    truths: Bools,
    *,
    n_true: int | None = None,
    precision: float | None = None,
    beta: float = 1.0,
) -> float | None:
    """Return the threshold for one label that keeps `precision`, or has the best F-beta.

    scores, truths: (n_docs,), of the documents that could get the label; a document gets it where its score
    is the threshold or more. n_true: how many documents truly have the label, where some of them could not
    get it.
    precision: the lowest threshold from which on at least this share is right; `NEVER` if there is none.

    None where nothing can be said: no document could get the label or, for F-beta, none has it.

    >>> scores = np.array([0.2, 0.4, 0.8], dtype="float32")
    >>> round(fit_threshold(scores, np.array([False, True, True]), precision=1.0), 3)
    0.3
    """
    order = np.argsort(-scores, kind="stable")
    ordered, right = scores[order].astype(np.float64), truths[order]
    n_true = int(truths.sum()) if n_true is None else n_true
    if not len(ordered) or (precision is None and not n_true):
        return None
    true_positives = np.cumsum(right)
    n_taken = np.arange(1, len(ordered) + 1)
    # Equal scores are taken together.
    ends = np.flatnonzero(np.append(ordered[1:] < ordered[:-1], True))
    if precision is not None:
        good = ends[true_positives[ends] / n_taken[ends] >= precision]
        if not len(good):
            return NEVER
        last = good[-1]
    else:
        weight = beta * beta
        f_beta = (1 + weight) * true_positives[ends] / (weight * n_true + n_taken[ends])
        last = ends[int(np.argmax(f_beta))]
    below = ordered[last + 1] if last + 1 < len(ordered) else 0.0
    return float((ordered[last] + below) / 2)
