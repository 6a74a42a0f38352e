"""Softmax and its relatives, row by row."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from ferrule import _core

from .batch import Floats


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
