"""Gradients of a few columns of a large table of weights, and the optimizer step that moves only those.

The weights are thinc's `SparseLinear`'s: float32 (n_outputs * length,), one output after the other. A batch
touches some hundred of `length` columns; its gradient is kept as rows (n_columns, n_outputs).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import numpy.typing as npt

from ferrule import _core

__all__ = ["SparseGradient", "are_wanted", "wanted"]

Columns = npt.NDArray[np.uint32]
Rows = npt.NDArray[np.float32]

_wanted: ContextVar[bool] = ContextVar("sparse_gradients_wanted", default=False)


@contextmanager
def wanted() -> Iterator[None]:
    """Within the block, layers may leave a `SparseGradient` in place of an array.

    Only who steps the weights with Ferrule's optimizer, or makes gradients dense first, can use them.
    """
    token = _wanted.set(True)
    try:
        yield
    finally:
        _wanted.reset(token)


def are_wanted() -> bool:
    """Whether a layer may leave a `SparseGradient`."""
    return _wanted.get()


class SparseGradient:
    """The sum of the gradients added so far; without any it is zero.

    length: columns of the whole table; n_outputs: numbers in a column.

    >>> gradient = SparseGradient(4, 2)
    >>> gradient.add(np.array([1, 3], dtype=np.uint32), np.ones((2, 2), dtype=np.float32))
    >>> gradient.dense().tolist()
    [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]
    """

    def __init__(self, length: int, n_outputs: int) -> None:
        self.length = length
        self.n_outputs = n_outputs
        self._parts: tuple[tuple[Columns, Rows], ...] = ()

    @property
    def shape(self) -> tuple[int]:
        """That of the dense gradient."""
        return (self.length * self.n_outputs,)

    def add(self, columns: Columns, rows: Rows) -> None:
        """Add the gradient `rows`, float32 (n_columns, n_outputs), of `columns`, distinct and rising."""
        self._parts = (*self._parts, (columns, rows))

    def __imul__(self, factor: float) -> SparseGradient:
        self._parts = tuple((columns, rows * np.float32(factor)) for columns, rows in self._parts)
        return self

    def clear(self) -> None:
        """Make it zero."""
        self._parts = ()

    def copy(self) -> SparseGradient:
        """Return another with the same numbers; rows are never changed, so both share them."""
        other = SparseGradient(self.length, self.n_outputs)
        other._parts = self._parts
        return other

    def summed(self) -> tuple[Columns, Rows]:
        """Return the touched columns, uint32, distinct and rising, and their rows."""
        if len(self._parts) == 1:
            return self._parts[0]
        if not self._parts:
            return np.zeros(0, dtype=np.uint32), np.zeros((0, self.n_outputs), dtype=np.float32)
        columns = np.unique(np.concatenate([columns for columns, _ in self._parts]))
        rows = np.zeros((len(columns), self.n_outputs), dtype=np.float32)
        for some, values in self._parts:
            rows[np.searchsorted(columns, some)] += values
        return columns, rows

    def dense(self) -> npt.NDArray[np.float32]:
        """Return the whole gradient, float32 (n_outputs * length,)."""
        whole = np.zeros(self.shape, dtype=np.float32)
        columns, rows = self.summed()
        _core.sparse_scatter(whole, columns, rows)
        return whole

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return self.dense().astype(dtype or np.float32, copy=False)

    def saved_weights(self, weights: Rows) -> tuple[Columns, Rows]:
        """Return the touched columns and copies of their weights, for `_core.sparse_scatter` to put back."""
        columns = self.summed()[0]
        return columns, _core.sparse_gather(weights, columns, self.n_outputs)
