"""Loss of rows of class probabilities, against one gold class a row or against a teacher's probabilities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ferrule import kernels

__all__ = ["MISSING", "gold_class_loss", "teacher_loss"]

# Marks a row whose gold class is unknown: it has no loss and no gradient.
MISSING = -1

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

# Keeps the logarithm of a probability that underflowed to zero finite.
SMALLEST = np.float32(1e-30)


def gold_class_loss(
    probs: Floats, classes: Ints, *, negative: Bools | None = None, label_smoothing: float = 0.0
) -> tuple[float, Floats]:
    """Return the cross-entropy, summed over the batch in nats, and its gradient for the softmax's scores.

    probs: (n_rows, n_classes), rows sum to 1; it stays as it is.
    classes: (n_rows,), the gold class of each row, `MISSING` where there is none.
    negative: (n_rows,), True where `classes` says what the row is *not*. Only that class has a
    gradient then, its probability, as in thinc.
    label_smoothing: share of the gold probability given to the other classes, evenly.

    The gradient is that of thinc's ``CategoricalCrossentropy(normalize=False)``. Its loss is the sum of
    the squared gradient instead, a number without a unit, which is not kept.

    >>> probs = np.array([[0.5, 0.5], [0.25, 0.75]], dtype="float32")
    >>> loss, d_scores = gold_class_loss(probs, np.array([0, MISSING], dtype="int32"))
    >>> round(loss, 4), d_scores.tolist()
    (0.6931, [[-0.5, 0.5], [0.0, 0.0]])
    """
    rows = np.flatnonzero(classes != MISSING)
    gold = classes[rows]
    loss = 0.0
    if negative is not None and negative.any():
        denied = negative[rows]
        loss = -float(_log(1.0 - probs[rows[denied], gold[denied]]).sum(dtype=np.float64))
        rows, gold = rows[~denied], gold[~denied]
    share = label_smoothing / max(probs.shape[1] - 1, 1)
    if share:
        loss -= share * float(_log(probs[rows]).sum(dtype=np.float64))
    loss -= (1.0 - label_smoothing - share) * float(_log(probs[rows, gold]).sum(dtype=np.float64))
    if not np.isfinite(loss):
        # Nothing is learnt from such a batch, and the kernel refuses numbers that are no probabilities.
        return loss, np.full_like(probs, np.nan)
    _, d_scores = kernels.categorical_crossentropy(
        probs, classes, missing_label=MISSING, negative=negative, label_smoothing=label_smoothing
    )
    return loss, d_scores


def teacher_loss(
    teacher_probs: Floats, student_probs: Floats, *, temperature: float = 1.0
) -> tuple[float, Floats]:
    """Return KL(teacher ‖ student), summed over the batch in nats, and its gradient for the student's scores.

    Both (n_rows, n_classes), rows sum to 1; they stay as they are. temperature: both distributions are
    flattened by it first, and loss and gradient scaled by its square (Hinton, Vinyals and Dean 2015),
    so that the share of this loss does not depend on it.

    Raises ValueError when the shapes differ or `temperature` is not above zero.

    >>> probs = np.array([[0.5, 0.5]], dtype="float32")
    >>> loss, d_scores = teacher_loss(probs, probs)
    >>> loss, d_scores.tolist()
    (0.0, [[0.0, 0.0]])
    """
    if teacher_probs.shape != student_probs.shape:
        raise ValueError(
            f"teacher_loss: the teacher has scores of shape {teacher_probs.shape}, the student of shape "
            f"{student_probs.shape}; both need one row for each token and one column for each label."
        )
    if not temperature > 0.0:
        raise ValueError(f"teacher_loss: temperature must be above 0, but is {temperature}.")
    teacher, student = _flatten(teacher_probs, temperature), _flatten(student_probs, temperature)
    divergence = (teacher * (_log(teacher) - _log(student))).sum(dtype=np.float64)
    return float(divergence) * temperature**2, (student - teacher) * np.float32(temperature)


def _flatten(probs: Floats, temperature: float) -> Floats:
    if temperature == 1.0:
        return probs
    # p^(1/T), normalized, is the softmax of scores / T; the largest logarithm goes first to keep it in range.
    log_probs = _log(probs) / np.float32(temperature)
    powers = np.exp(log_probs - log_probs.max(axis=1, keepdims=True, initial=-np.inf))
    return powers / powers.sum(axis=1, keepdims=True)


def _log(probs: Floats) -> Floats:
    return np.log(np.maximum(probs, SMALLEST))
