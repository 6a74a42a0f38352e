"""Layer normalization and dropout, forward and backward, in float32."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ferrule import _core

from .batch import Floats


def layer_norm(x: Floats, gain: Floats, shift: Floats) -> tuple[Floats, tuple[Floats, Floats]]:
    """Rows brought to mean 0 and variance 1, times `gain`, plus `shift`, as thinc's `LayerNorm` does it.

    x: floats (..., width). gain, shift: floats (width,). The variance is that of the whole row plus 1e-8.
    Returns `(y, kept)`: y is float32 of x's shape; `kept` is what :func:`backprop_layer_norm` needs. Raises
    TypeError for arrays that are not floats, ValueError for shapes that do not fit.

    >>> y, _ = layer_norm(np.array([[1.0, 3.0]]), np.ones(2), np.zeros(2))
    >>> y
    array([[-1.,  1.]], dtype=float32)
    """
    rows = _rows(x, "layer_norm: x")
    normalized, y = np.empty_like(rows), np.empty_like(rows)
    scales = np.empty(len(rows), dtype=np.float32)
    _core.layer_norm(rows, _line(gain, "gain"), _line(shift, "shift"), normalized, scales, y)
    return y.reshape(x.shape), (normalized, scales)


def backprop_layer_norm(
    d_y: Floats, kept: tuple[Floats, Floats], gain: Floats
) -> tuple[Floats, Floats, Floats]:
    """The gradients of the rows, the gain and the shift of :func:`layer_norm`.

    d_y: floats (..., width). kept: from :func:`layer_norm`. gain: as there. Returns `(d_x, d_gain, d_shift)`,
    float32. Raises as :func:`layer_norm`.

    >>> y, kept = layer_norm(np.array([[1.0, 3.0]]), np.ones(2), np.zeros(2))
    >>> backprop_layer_norm(np.ones((1, 2)), kept, np.ones(2))[2]
    array([1., 1.], dtype=float32)
    """
    d_x = np.array(_rows(d_y, "backprop_layer_norm: d_y"))
    d_gain, d_shift = np.zeros((2, d_x.shape[1]), dtype=np.float32)
    normalized, scales = kept
    _core.backprop_layer_norm(d_x, normalized, scales, _line(gain, "gain"), d_gain, d_shift)
    return d_x.reshape(d_y.shape), d_gain, d_shift


def dropout(x: Floats, rate: float, *, seed: int) -> Floats:
    """`x` with a share `rate` of its numbers 0 and the others times `1 / (1 - rate)`.

    x: floats (..., width). rate: from 0 to 1. seed: from 0 to 2**64 - 1; one seed drops the same numbers of
    arrays of one shape, so the gradient is `dropout(d_y, rate, seed=seed)`: no mask is kept.
    Returns float32 of x's shape.
    Raises TypeError for arrays that are not floats, ValueError for a rate out of range.

    >>> y = dropout(np.ones((4, 100)), 0.25, seed=1)
    >>> sorted(set(y.ravel().tolist()))
    [0.0, 1.3333333730697632]
    """
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"dropout: rate is {rate}; expected a share from 0 to 1.")
    rows = _rows(x, "dropout: x")
    out = np.empty_like(rows)
    _core.dropout_rows(rows, rate, seed, out)
    return out.reshape(x.shape)


def _floats(array: Floats, what: str) -> NDArray[np.float32]:
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        found = getattr(array, "dtype", type(array).__name__)
        raise TypeError(f"{what} is {found}; expected a NumPy array of floats.")
    return np.ascontiguousarray(array, dtype=np.float32)


def _rows(array: Floats, what: str) -> NDArray[np.float32]:
    floats = _floats(array, what)
    if not array.ndim:
        raise ValueError(f"{what} has no axis; expected at least one, the last being a row.")
    # Not -1, which NumPy cannot work out for rows of width 0.
    return floats.reshape(int(np.prod(array.shape[:-1])), array.shape[-1])


def _line(array: Floats, what: str) -> NDArray[np.float32]:
    floats = _floats(array, what)
    if array.ndim != 1:
        raise ValueError(f"{what} has {array.ndim} axes; expected one, a number for each column.")
    return floats
