"""Losses in which each number stands alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from ferrule import _core

from .batch import Batch, Floats, Ragged, Reduction


def binary_cross_entropy(
    logits: Ragged,
    targets: Ragged,
    *,
    class_weights: Floats | None = None,
    row_weights: Any = None,
    mask: Any = None,
    known: Any = None,
    reduction: Reduction = "mean",
    out: Floats | None = None,
    n_threads: int | None = None,
) -> tuple[float, Any]:
    """Binary cross-entropy of logits, each column a question of its own, in nats, and its gradient.

    logits: floats (..., width). targets: floats of that shape, usually 0 to 1.
    A row's loss is the **sum** over its columns; `"mean"` divides by rows (torch divides by rows × columns).
    known: bools like the logits; a False number takes no part, whatever it and its target hold: no loss, and
        a gradient of 0. It does not change what `"mean"` divides by.
    The other arguments and errors are those of :func:`cross_entropy`.

    >>> loss, d_logits = binary_cross_entropy(np.zeros((1, 2)), np.array([[1.0, 0.0]]))
    >>> round(loss, 4), d_logits
    (1.3863, array([[-0.5,  0.5]]))
    """
    batch = Batch("binary_cross_entropy", logits, out)
    # The guess and the target whose loss and gradient are both 0.
    scores, truths = batch.only_known(known, batch.join(targets, "targets"), (-np.inf, 0.0))
    loss, gradient = _core.binary_cross_entropy(
        scores,
        truths,
        class_weights,
        batch.row_weights(row_weights, mask),
        reduction,
        out,
        n_threads,
    )
    return loss, batch.split(gradient)


def squared_error(
    guesses: Ragged,
    targets: Ragged,
    *,
    class_weights: Floats | None = None,
    row_weights: Any = None,
    mask: Any = None,
    known: Any = None,
    reduction: Reduction = "mean",
    out: Floats | None = None,
    n_threads: int | None = None,
) -> tuple[float, Any]:
    """The squared distance of guesses from targets, and its gradient `2 (guess - target)`.

    thinc's `L2Distance` returns half this gradient. A row's loss is the sum over its columns.
    guesses, targets: floats (..., width). known: as in :func:`binary_cross_entropy`. The other
    arguments and errors are those of :func:`cross_entropy`.

    >>> squared_error(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0]]))
    (4.0, array([[0., 4.]]))
    """
    batch = Batch("squared_error", guesses, out)
    scores, truths = batch.only_known(known, batch.join(targets, "targets"), (0.0, 0.0))
    loss, gradient = _core.squared_error(
        scores,
        truths,
        class_weights,
        batch.row_weights(row_weights, mask),
        reduction,
        out,
        n_threads,
    )
    return loss, batch.split(gradient)
