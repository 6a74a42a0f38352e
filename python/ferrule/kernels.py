"""Softmax and losses over NumPy arrays, in Rust.

The last axis of an array is a row; the axes before it count rows. An array of one axis is one row.

**Types.** float32 is computed in float32 by vector code, float16 through float32, float64 and longer in
float64 by plain loops. The result has the type of the scores. Other types are refused. Any memory layout is
accepted; an array that is not C-contiguous, or that shares memory with `out`, is copied first. Arguments are
never changed, except `out`.

**out** is written and returned; it may be the scores themselves, strided, or of another float type. No cell
outside it changes.

**Threads.** `n_threads` is the most to use: 1 for the calling thread alone, None for what
`ferrule.set_num_threads` says. Small arrays stay in the calling thread. The GIL is released. The result has
the same bits for any number of threads.

**Losses** are `(loss, gradient)`: a float in nats, and an array like the scores. `reduction="sum"` adds the
rows' losses, `"mean"` divides by the total weight of the rows that take part; the gradient is that of the
number returned. A row that is masked, missing or of weight 0 gives no loss and a gradient of zeros, whatever
it holds. With no row at all the loss is 0. A loss takes one array, or a list of arrays of a document each
("ragged"); then targets, labels and masks are lists too, and the gradient is a list.

**NaN and infinities.** A row with NaN or inf among its logits has NaN probabilities; -inf beside finite
numbers has probability 0. Other rows are not affected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core

__all__ = [
    "argmax",
    "backprop_log_softmax",
    "backprop_softmax",
    "binary_cross_entropy",
    "categorical_crossentropy",
    "cross_entropy",
    "kl_divergence",
    "log_softmax",
    "logsumexp",
    "softmax",
    "squared_error",
]

Floats: TypeAlias = NDArray[Any]
"""An array of floats."""
Ragged: TypeAlias = "Floats | Sequence[Floats]"
"""One array, or one a document."""
Reduction: TypeAlias = Literal["sum", "mean"]


def softmax(
    x: Floats, *, temperature: float = 1.0, out: Floats | None = None, n_threads: int | None = None
) -> Floats:
    """The probabilities of logits: `exp(x / temperature)`, divided by its sum over the row.

    x: floats (..., width). Returns the same shape and type; rows sum to 1.
    Raises TypeError for arrays that are not floats, ValueError for shapes that differ and for a temperature
    that is not positive and finite. Keeps the numbers of thinc's `Ops.softmax`.

    >>> softmax(np.zeros((2, 4), dtype="float32"))
    array([[0.25, 0.25, 0.25, 0.25],
           [0.25, 0.25, 0.25, 0.25]], dtype=float32)
    """
    return _core.softmax(x, temperature, out, n_threads)


def log_softmax(
    x: Floats, *, temperature: float = 1.0, out: Floats | None = None, n_threads: int | None = None
) -> Floats:
    """The log-probabilities of logits, in nats: `x / temperature - logsumexp(x / temperature)`.

    x: floats (..., width). Returns the same shape and type. Raises as :func:`softmax`.

    >>> log_softmax(np.zeros((1, 2))).round(4)
    array([[-0.6931, -0.6931]])
    """
    return _core.log_softmax(x, temperature, out, n_threads)


def backprop_softmax(
    y: Floats,
    d_y: Floats,
    *,
    temperature: float = 1.0,
    out: Floats | None = None,
    n_threads: int | None = None,
) -> Floats:
    """The gradient of the logits, from the probabilities `y` and their gradient `d_y`.

    y, d_y: floats (..., width). Returns the shape and type of `y`. Raises as :func:`softmax`.

    >>> backprop_softmax(np.array([0.5, 0.5]), np.array([1.0, 0.0]))
    array([ 0.25, -0.25])
    """
    return _core.backprop_softmax(y, d_y, temperature, out, n_threads)


def backprop_log_softmax(
    y: Floats,
    d_y: Floats,
    *,
    temperature: float = 1.0,
    out: Floats | None = None,
    n_threads: int | None = None,
) -> Floats:
    """The gradient of the logits, from the log-probabilities `y` and their gradient `d_y`.

    y, d_y: floats (..., width). Returns the shape and type of `y`. Raises as :func:`softmax`.

    >>> backprop_log_softmax(np.log([0.5, 0.5]), np.array([1.0, 0.0]))
    array([ 0.5, -0.5])
    """
    return _core.backprop_log_softmax(y, d_y, temperature, out, n_threads)


def logsumexp(x: Floats, *, out: Floats | None = None, n_threads: int | None = None) -> Floats:
    """`ln Σ exp(x)` of each row, in nats.

    x: floats (..., width). Returns the axes before the last, in the type of `x`; -inf for a row that is empty
    or all -inf, inf for a row with an inf and no NaN. Raises as :func:`softmax`.

    >>> logsumexp(np.zeros((2, 4))).round(4)
    array([1.3863, 1.3863])
    """
    return _core.logsumexp(x, out, n_threads)


def argmax(
    x: Floats, *, out: NDArray[np.int64] | None = None, n_threads: int | None = None
) -> NDArray[np.int64]:
    """The first index of each row's largest number, or of its first NaN, as `numpy.argmax` has it.

    x: floats (..., width). Returns int64, the axes before the last. Raises ValueError for rows of width 0.

    >>> argmax(np.array([[1.0, 3.0, 3.0], [2.0, 0.0, 1.0]]))
    array([1, 0])
    """
    return cast("NDArray[np.int64]", _core.argmax(x, out, n_threads))


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

    >>> loss, d_logits = cross_entropy(np.zeros((2, 4)), [3, -1])
    >>> round(loss, 4), d_logits[0]
    (1.3863, array([ 0.25,  0.25,  0.25, -0.75]))
    """
    batch = _Batch("cross_entropy", logits, out)
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
    batch = _Batch("binary_cross_entropy", logits, out)
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
    batch = _Batch("squared_error", guesses, out)
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


def kl_divergence(
    student: Ragged,
    teacher: Ragged,
    *,
    temperature: float = 1.0,
    direction: Literal["forward", "reverse"] = "forward",
    labels: Any = None,
    gold: float = 0.0,
    missing_label: int = -1,
    row_weights: Any = None,
    mask: Any = None,
    reduction: Reduction = "mean",
    out: Floats | None = None,
    n_threads: int | None = None,
) -> tuple[float, Any]:
    """How far a student's distribution is from a teacher's, in nats, and the gradient for the student.

    student, teacher: logits, floats (..., width), both divided by `temperature`. No factor of `temperature **
    2` is put in; multiply both results by it to keep gradients of one size over temperatures (Hinton et al.
    2015).
    direction: "forward" is KL(teacher ‖ student), "reverse" KL(student ‖ teacher).
    labels, gold: the loss becomes `(1 - gold) * KL + gold * cross_entropy(student, labels)`; rows whose label
        is `missing_label` learn from the teacher alone.
    row_weights: floats (...), not negative. mask: bools (...), False leaves the row out.

    Returns `(loss, d_student)`; the teacher is not changed. Raises IndexError for a label out of range,
    TypeError for arrays of a wrong type, ValueError for shapes that differ or settings out of range.

    >>> loss, d_student = kl_divergence(np.array([[0.0, 0.0]]), np.log([[0.75, 0.25]]))
    >>> round(loss, 4), d_student.round(4)
    (0.1308, array([[-0.25,  0.25]]))
    """
    batch = _Batch("kl_divergence", student, out)
    teacher_scores = batch.join(teacher, "teacher")
    if teacher_scores.shape[-1:] != batch.scores.shape[-1:]:
        raise ValueError(
            f"kl_divergence: teacher has {_width(teacher_scores)} columns, "
            f"student has {_width(batch.scores)}; both need one per label."
        )
    weights = batch.row_weights(row_weights, mask)
    if labels is None:
        if gold:
            raise ValueError(f"kl_divergence: gold is {gold} but there are no labels; give both or neither.")
        loss, gradient = _core.kl_divergence(
            batch.scores, teacher_scores, temperature, direction, weights, reduction, out, n_threads
        )
    else:
        label_array = batch.one_a_row(batch.join(labels, "labels"), "labels")
        loss, gradient = _core.distillation(
            batch.scores,
            teacher_scores,
            label_array,
            gold,
            temperature,
            direction,
            missing_label,
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

    >>> categorical_crossentropy(np.array([[0.25, 0.75]]), [1])
    (0.125, array([[ 0.25, -0.25]]))
    """
    batch = _Batch("categorical_crossentropy", probs, out)
    label_array = batch.one_a_row(batch.join(labels, "labels"), "labels")
    negatives = None if negative is None else batch.one_a_row(batch.join(negative, "negative"), "negative")
    loss, gradient = _core.probability_difference(
        batch.scores, label_array, missing_label, negatives, label_smoothing, divisor, out, n_threads
    )
    return loss, batch.split(gradient)


def _width(array: Floats) -> int:
    return array.shape[-1] if array.ndim else 0


class _Batch:
    """Scores of one array or of a list of them, and what must match them row by row."""

    def __init__(self, name: str, scores: Ragged, out: Floats | None) -> None:
        self.name = name
        self.lengths: list[int] | None = None
        if isinstance(scores, (list, tuple)):
            if out is not None:
                raise ValueError(f"{name}: out goes with one array of scores, not with a list; leave it out.")
            self.lengths = [len(array) for array in scores]
            if not scores:
                scores = [np.zeros((0, 0), dtype="float32")]
            self.scores: Floats = np.concatenate(scores)
        else:
            self.scores = cast("Floats", scores)
            if not isinstance(scores, np.ndarray):
                raise TypeError(
                    f"{name}: scores are a {type(scores).__name__}; expected a NumPy array, or a list of "
                    "arrays. Convert them with numpy.asarray."
                )

    def join(self, values: Any, what: str) -> Floats:
        """One array of what belongs to the scores; lists are checked document by document."""
        if self.lengths is None:
            return np.asarray(values)
        if isinstance(values, np.ndarray) or len(values) != len(self.lengths):
            raise ValueError(
                f"{self.name}: {what} must be a list of {len(self.lengths)} arrays, one for each array of "
                f"scores; found {type(values).__name__} of {len(values)}."
            )
        arrays = [np.asarray(value) for value in values]
        for i, (array, length) in enumerate(zip(arrays, self.lengths, strict=True)):
            if len(array) != length:
                raise ValueError(
                    f"{self.name}: {what}[{i}] has {len(array)} rows, the scores there have {length}; "
                    "both need one a token."
                )
        return np.concatenate(arrays) if arrays else np.zeros((0, 0), dtype="float32")

    def one_a_row(self, array: Floats, what: str) -> Floats:
        """The array, flat, if it has one number for each row."""
        expected = self.scores.shape[:-1]
        if array.size == 0 and self.scores.shape[0:1] == (0,):
            return np.zeros(expected, dtype="bool" if what == "negative" else "int64").ravel()
        if array.shape != expected:
            raise ValueError(f"{self.name}: {what} have shape {array.shape}; expected {expected}, one a row.")
        return array.ravel()

    def row_weights(self, weights: Any, mask: Any) -> Floats | None:
        """The weights, 0 where the mask is False; None if neither is given."""
        if weights is None and mask is None:
            return None
        expected = self.scores.shape[:-1]
        total = np.ones(expected, dtype=self.scores.dtype)
        if weights is not None:
            total = np.asarray(self.join(weights, "row_weights"), dtype=self.scores.dtype)
        if mask is not None:
            keep = self.join(mask, "mask")
            if keep.dtype.kind != "b":
                raise TypeError(f"{self.name}: mask has dtype {keep.dtype}; expected bool.")
            if keep.shape != expected:
                raise ValueError(f"{self.name}: mask has shape {keep.shape}; expected {expected}, one a row.")
            total = np.where(keep, total, np.zeros((), dtype=total.dtype))
        return self.one_a_row(total, "row_weights")

    def only_known(self, known: Any, targets: Floats, unknown: tuple[float, float]) -> tuple[Floats, Floats]:
        """Scores and targets, `unknown` in both where `known` is False; themselves if it is None."""
        if known is None:
            return self.scores, targets
        keep = self.join(known, "known")
        if keep.dtype.kind != "b":
            raise TypeError(f"{self.name}: known has dtype {keep.dtype}; expected bool.")
        for what, shape in (("known", keep.shape), ("targets", targets.shape)):
            if shape != self.scores.shape:
                raise ValueError(
                    f"{self.name}: {what} has shape {shape}; expected {self.scores.shape}, one a number."
                )
        score, target = unknown
        return (
            np.where(keep, self.scores, self.scores.dtype.type(score)),
            np.where(keep, targets, targets.dtype.type(target)),
        )

    def split(self, gradient: Floats) -> Floats | list[Floats]:
        """The gradient as the scores came: one array, or views of it."""
        if self.lengths is None:
            return gradient
        starts = np.cumsum([0, *self.lengths])
        return [gradient[start : start + length] for start, length in zip(starts, self.lengths, strict=False)]
