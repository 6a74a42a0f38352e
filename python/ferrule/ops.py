"""The thinc backend "ferrule": `NumpyOps` with matrix products, softmax and activations in Rust.

>>> from thinc.api import get_ops, use_ops
>>> import ferrule.ops
>>> get_ops("ferrule").name
'ferrule'
>>> with use_ops("ferrule"):
...     pass  # models made here run on it

Importing this module makes the name known and changes nothing else. An installed Ferrule is found by thinc
without the import.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import thinc.api
from thinc.api import NumpyOps

from ferrule import _core, kernels

__all__ = ["RustOps"]

Array = npt.NDArray[Any]


@thinc.api.registry.ops("RustOps")
class RustOps(NumpyOps):
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
        if not (_is_float32(x) and _is_float32(y)):
            return cast(Array, super(NumpyOps, self).gemm(x, y, out=out, trans1=trans1, trans2=trans2))
        return self._product(x, y, None, out, trans1, trans2)

    def affine(self, X: Any, W: Any, b: Any) -> Array:
        """Return ``X @ W.T + b``."""
        if X.ndim != 2 or W.ndim != 2 or b.ndim != 1 or not all(map(_is_float32, (X, W, b))):
            return cast(Array, super().affine(X, W, b))
        return self._product(X, W, np.ascontiguousarray(b), None, False, True)

    def _product(self, x: Any, y: Any, bias: Any, out: Any, trans1: bool, trans2: bool) -> Array:
        x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
        shape = (x.shape[1] if trans1 else x.shape[0], y.shape[0] if trans2 else y.shape[1])
        if out is not None and out.shape != shape:
            raise ValueError(f"gemm: out has shape {out.shape}; expected {shape}.")
        direct = _is_plain(out) and not (np.may_share_memory(out, x) or np.may_share_memory(out, y))
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
        if not _is_plain(table) or table.ndim != 2 or indices.ndim != 2 or indices.dtype.kind not in "iu":
            return cast(Array, super().gather_add(table, indices))
        if indices.dtype.kind == "i" and indices.size and indices.min() < 0:
            raise IndexError(f"gather_add: indices has {indices.min()}; expected 0 to {len(table) - 1}.")
        out = np.empty((len(indices), table.shape[1]), dtype=np.float32)
        _core.gather_add(table, np.ascontiguousarray(indices, dtype=np.uint32), out)
        return out

    def sigmoid(self, X: Any, *, inplace: bool = False) -> Any:
        """Return ``1 / (1 + exp(-X))``, of X clipped to ±20."""
        return _activate("sigmoid", X, inplace, super().sigmoid)

    def swish(self, X: Any, inplace: bool = False) -> Any:
        """Return ``X * sigmoid(X)``."""
        return _activate("swish", X, inplace, super().swish)

    def backprop_swish(self, dY: Any, X: Any, Y: Any, inplace: bool = False) -> Any:
        """Return the gradient of X, given that of its Swish `Y`."""
        if not _fit(dY, X):
            return super().backprop_swish(dY, X, Y, inplace=inplace)
        return _backprop("swish", dY, X, inplace)

    def gelu(self, X: Any, inplace: bool = False) -> Any:
        """Return X times the normal distribution's share below X."""
        return _activate("gelu", X, inplace, super().gelu)

    def backprop_gelu(self, dY: Any, X: Any, inplace: bool = False) -> Any:
        """Return the gradient of X, given that of its GELU."""
        return (
            _backprop("gelu", dY, X, inplace)
            if _fit(dY, X)
            else super().backprop_gelu(dY, X, inplace=inplace)
        )

    def mish(self, X: Any, threshold: float = 20.0, inplace: bool = False) -> Any:
        """Return ``X * tanh(log(1 + exp(X)))``, and X itself from `threshold` on."""
        if threshold != 20.0:
            return super().mish(X, threshold=threshold, inplace=inplace)
        return _activate("mish", X, inplace, super().mish)

    def backprop_mish(self, dY: Any, X: Any, threshold: float = 20.0, inplace: bool = False) -> Any:
        """Return the gradient of X, given that of its Mish."""
        if threshold != 20.0 or not _fit(dY, X):
            return super().backprop_mish(dY, X, threshold=threshold, inplace=inplace)
        return _backprop("mish", dY, X, inplace)


def _is_float32(array: Any) -> bool:
    return type(array) is np.ndarray and array.dtype == np.float32


def _is_plain(array: Any) -> bool:
    return _is_float32(array) and bool(array.flags.c_contiguous) and bool(array.flags.writeable)


def _fit(dY: Any, X: Any) -> bool:
    return _is_plain(dY) and _is_float32(X) and bool(X.flags.c_contiguous) and dY.shape == X.shape


def _activate(name: str, X: Any, inplace: bool, otherwise: Any) -> Any:
    if not _is_plain(X):
        return otherwise(X, inplace=inplace)
    out = np.empty_like(X)
    _core.activate(name, X, out)
    if inplace:
        X[...] = out
        return X
    return out


def _backprop(name: str, dY: Any, X: Any, inplace: bool) -> Any:
    out = np.empty_like(dY)
    _core.backprop_activation(name, dY, X, out)
    if inplace:
        dY[...] = out
        return dY
    return out
