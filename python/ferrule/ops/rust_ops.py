"""The backend itself: products, softmax, maxout, rows of tables, dropout masks."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import thinc.api
from thinc.api import NumpyOps

from ferrule import _core, kernels

from .activations import ActivationOps
from .arrays import Array, int32, is_float32, is_matrix, is_plain
from .sequences import SequenceOps


@thinc.api.registry.ops("RustOps")
class RustOps(ActivationOps, SequenceOps):
    """thinc's `NumpyOps` with the slow operations in Rust, in several threads for large products.

    The same signatures and numbers (up to float32 rounding). What is not C-contiguous float32 goes to
    `NumpyOps` or NumPy itself, float64 products included, which `NumpyOps` with blis refuses.
    """

    name = "ferrule"
    xp = np

    def gemm(self, x: Any, y: Any, *, out: Any = None, trans1: bool = False, trans2: bool = False) -> Array:
        """Return ``x @ y``, each factor transposed if asked; into `out` if there is one.

        Raises ValueError for arrays that have not two axes, or do not fit together.
        """
        for which, array in (("x", x), ("y", y)):
            if array.ndim != 2:
                raise ValueError(f"gemm: {which} has {array.ndim} axes; expected 2. Reshape it to a matrix.")
        if not (is_float32(x) and is_float32(y)):
            return cast(Array, super(NumpyOps, self).gemm(x, y, out=out, trans1=trans1, trans2=trans2))
        return self._product(x, y, None, out, trans1, trans2)

    def affine(self, X: Any, W: Any, b: Any) -> Array:
        """Return ``X @ W.T + b``."""
        if X.ndim != 2 or W.ndim != 2 or b.ndim != 1 or not all(map(is_float32, (X, W, b))):
            return cast(Array, super().affine(X, W, b))
        return self._product(X, W, np.ascontiguousarray(b), None, False, True)

    def _product(self, x: Any, y: Any, bias: Any, out: Any, trans1: bool, trans2: bool) -> Array:
        x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
        shape = (x.shape[1] if trans1 else x.shape[0], y.shape[0] if trans2 else y.shape[1])
        if out is not None and out.shape != shape:
            raise ValueError(f"gemm: out has shape {out.shape}; expected {shape}.")
        direct = is_plain(out) and not (np.may_share_memory(out, x) or np.may_share_memory(out, y))
        result = out if direct else np.empty(shape, dtype=np.float32)
        _core.gemm(x, y, bias, result, trans1, trans2)
        if out is not None and not direct:
            out[...] = result
            return cast(Array, out)
        return cast(Array, result)

    def softmax(self, x: Any, *, inplace: bool = False, axis: int = -1, temperature: float = 1.0) -> Array:
        """Return the softmax over `axis` of ``x / temperature``; a new array, as in `NumpyOps`."""
        if x.dtype != np.float32 or x.ndim == 0 or axis not in (-1, x.ndim - 1) or not temperature > 0:
            return cast(Array, super().softmax(x, inplace=inplace, axis=axis, temperature=temperature))
        return kernels.softmax(x, temperature=temperature)

    def backprop_softmax(self, Y: Any, dY: Any, *, axis: int = -1, temperature: float = 1.0) -> Array:
        """Return the gradient of the logits, given the softmax `Y` and its gradient."""
        plain = Y.dtype == dY.dtype == np.float32 and Y.shape == dY.shape and Y.ndim > 0
        if not plain or axis not in (-1, Y.ndim - 1) or not temperature > 0:
            return cast(Array, super().backprop_softmax(Y, dY, axis=axis, temperature=temperature))
        return kernels.backprop_softmax(Y, dY, temperature=temperature)

    def gather_add(self, table: Any, indices: Any) -> Array:
        """Return the sum of the rows of `table` that each row of `indices` names.

        Raises IndexError for a row that the table does not have (`NumpyOps` reads beyond it).
        """
        if not is_plain(table) or table.ndim != 2 or indices.ndim != 2 or indices.dtype.kind not in "iu":
            return cast(Array, super().gather_add(table, indices))
        if indices.dtype.kind == "i" and indices.size and indices.min() < 0:
            raise IndexError(f"gather_add: indices has {indices.min()}; expected 0 to {len(table) - 1}.")
        out = np.empty((len(indices), table.shape[1]), dtype=np.float32)
        _core.gather_add(table, np.ascontiguousarray(indices, dtype=np.uint32), out)
        return out

    def scatter_add(self, table: Any, indices: Any, values: Any) -> None:
        """Add each row of `values` to the row of `table` that its index names, in place.

        Raises IndexError for a row that the table does not have, before anything is added (`NumpyOps` writes
        beyond it).
        """
        plain = is_plain(table) and table.ndim == values.ndim == 2 and indices.ndim == 1
        if not plain or indices.dtype.kind not in "iu" or not is_float32(values):
            super().scatter_add(table, indices, values)
            return
        if indices.dtype.kind == "i" and indices.size and indices.min() < 0:
            raise IndexError(f"scatter_add: indices has {indices.min()}; expected 0 to {len(table) - 1}.")
        own = np.array if np.may_share_memory(table, values) else np.ascontiguousarray
        _core.scatter_add(table, np.ascontiguousarray(indices, dtype=np.uint32), own(values))

    def maxout(self, X: Any) -> tuple[Array, Array]:
        """Return the largest piece of each output, and which it is: the first of equal ones."""
        if not is_float32(X) or X.ndim != 3 or not X.shape[2]:
            return cast(tuple[Array, Array], super().maxout(X))
        out, which = np.empty(X.shape[:2], dtype=np.float32), np.empty(X.shape[:2], dtype=np.int32)
        _core.maxout(np.ascontiguousarray(X), X.shape[2], out, which)
        return out, which

    def backprop_maxout(self, dY: Any, which: Any, P: int) -> Array:
        """Return the gradient of the pieces, given that of the largest ones.

        Raises IndexError for a piece that there is not (`NumpyOps` writes elsewhere).
        """
        if not is_matrix(dY) or P < 1:
            return cast(Array, super().backprop_maxout(dY, which, P))
        out = np.empty((*dY.shape, P), dtype=np.float32)
        _core.backprop_maxout(np.ascontiguousarray(dY), int32(which), P, out)
        return out

    def get_dropout_mask(self, shape: Any, drop: float | None) -> Any:
        """Return 0 for a share `drop` of the numbers and ``1 / (1 - drop)`` for the others.

        The flips are those of `NumpyOps`: one seed of NumPy gives both the same mask.
        """
        if drop is None or not 0 < drop < 1:
            return super().get_dropout_mask(shape, drop)
        flips = np.random.uniform(0.0, 1.0, shape)
        mask = np.empty(flips.shape, dtype=np.float32)
        _core.dropout_mask(flips, drop, mask)
        return mask
