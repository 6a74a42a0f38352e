"""Cross-entropy of labels, or of a number a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from ferrule import _core

from .batch import Batch, Floats, Ragged, Reduction


def cross_entropy(
    logits: Ragged,
    targets: ArrayLike | Sequence[ArrayLike],
    *,
    missing_label: int = -1,
    negative: Any = None,
    label_smoothing: float = 0.0,
    class_weights: Floats | None = None,
    row_weights: Any = None,
    mask: Any = None,
    reduction: Reduction = "mean",
    out: Floats | None = None,
    n_threads: int | None = None,
) -> tuple[float, Any]:
    """Cross-entropy of the softmax of logits, in nats, and its gradient.

    logits: floats (..., width).
    targets: integers (...), a label a row; or floats like the logits, a number a class (usually
        probabilities).
    missing_label: rows with this label take no part.
    negative: bools (...), with labels only: the label is known to be wrong; the row's loss is `-ln(1 - p)`.
    label_smoothing: with labels only: the label's target is `1 - s`, and `s / (width - 1)` that of each other
        class, as in thinc's `to_categorical`.
    class_weights: floats (width,), not negative. With labels and `"mean"` they count in the total weight, as
        in torch.
    row_weights: floats (...), not negative. mask: bools (...), False leaves the row out.

    Returns `(loss, d_logits)`. Raises IndexError for a label out of range, TypeError for arrays of a wrong
    type, ValueError for shapes that differ, and for weights or a smoothing out of range.

    >>> import numpy as np
    >>> loss, d_logits = cross_entropy(np.zeros((2, 4)), [3, -1])
    >>> round(loss, 4), d_logits[0]
    (1.3863, array([ 0.25,  0.25,  0.25, -0.75]))
    """
    batch = Batch("cross_entropy", logits, out)
    target_array = batch.join(targets, "targets")
    weights = batch.row_weights(row_weights, mask)
    if target_array.dtype.kind == "f":
        if negative is not None or label_smoothing:
            raise ValueError(
                "cross_entropy: negative and label_smoothing go with integer labels; the targets are floats. "
                "Give labels, or put both into the targets."
            )
        loss, gradient = _core.soft_cross_entropy(
            batch.scores, target_array, class_weights, weights, reduction, out, n_threads
        )
    else:
        labels = batch.one_a_row(target_array, "targets")
        negatives = (
            None if negative is None else batch.one_a_row(batch.join(negative, "negative"), "negative")
        )
        loss, gradient = _core.cross_entropy(
            batch.scores,
            labels,
            missing_label,
            negatives,
            label_smoothing,
            class_weights,
            weights,
            reduction,
            out,
            n_threads,
        )
    return loss, batch.split(gradient)


def categorical_crossentropy(
    probs: Ragged,
    labels: Any,
    *,
    missing_label: int = -1,
    negative: Any = None,
    label_smoothing: float = 0.0,
    divisor: float = 1.0,
    out: Floats | None = None,
    n_threads: int | None = None,
) -> tuple[float, Any]:
    """The loss and gradient of thinc's `CategoricalCrossentropy`, exactly: **not a cross-entropy in nats**.

    The gradient is `(probs - target) / divisor`, the one of the logits before a softmax layer whose backward
    pass is the identity; the loss is the sum of its squares. thinc's `normalize=True` is
    `divisor=len(probs)`, that of `SequenceCategoricalCrossentropy` the number of documents.

    probs: floats (..., width) from 0 to 1, the output of a softmax. labels: integers (...).
    missing_label, negative, label_smoothing: as in :func:`cross_entropy`; a negative label has a gradient at
        itself only, as in thinc.

    Returns `(loss, d_probs)`. Raises IndexError for a label out of range, TypeError for arrays of a wrong
    type, ValueError for shapes that differ and for numbers that are no probabilities.

    >>> import numpy as np
    >>> categorical_crossentropy(np.array([[0.25, 0.75]]), [1])
    (0.125, array([[ 0.25, -0.25]]))
    """
    batch = Batch("categorical_crossentropy", probs, out)
    label_array = batch.one_a_row(batch.join(labels, "labels"), "labels")
    negatives = None if negative is None else batch.one_a_row(batch.join(negative, "negative"), "negative")
    loss, gradient = _core.probability_difference(
        batch.scores, label_array, missing_label, negatives, label_smoothing, divisor, out, n_threads
    )
    return loss, batch.split(gradient)
