"""Windows of rows, and sequences of rows reduced to one."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from thinc.api import NumpyOps

from ferrule import _core

from .arrays import Array, int32, is_float32, is_matrix


class SequenceOps(NumpyOps):
    """`NumpyOps` with windows and ragged reductions in Rust. What is not float32 goes to `NumpyOps`."""

    def seq2col(self, seq: Any, nW: int, *, lengths: Any = None) -> Array:
        """Return each row with the `nW` rows before and after it; zeros beyond the ends of its sequence.

        Raises ValueError for lengths that do not sum up to the rows (`NumpyOps` raises AssertionError).
        """
        if not is_float32(seq) or seq.ndim != 2 or nW < 0:
            return cast(Array, super().seq2col(seq, nW, lengths=lengths))
        out = np.empty((len(seq), (2 * nW + 1) * seq.shape[1]), dtype=np.float32)
        _core.seq2col(np.ascontiguousarray(seq), int32([len(seq)] if lengths is None else lengths), nW, out)
        return out

    def backprop_seq2col(self, dY: Any, nW: int, *, lengths: Any = None) -> Array:
        """Return the gradient of the rows, given that of their windows; raises as :meth:`seq2col`."""
        if not is_float32(dY) or dY.ndim != 2 or nW < 0:
            return cast(Array, super().backprop_seq2col(dY, nW, lengths=lengths))
        out = np.empty((len(dY), dY.shape[1] // (2 * nW + 1)), dtype=np.float32)
        lengths = int32([len(dY)] if lengths is None else lengths)
        _core.backprop_seq2col(np.ascontiguousarray(dY), lengths, nW, out)
        return out

    def reduce_sum(self, X: Any, lengths: Any) -> Array:
        """Return the sum of the rows of each sequence.

        Raises ValueError for a negative length, IndexError for lengths that go past the last row.
        """
        return _reduce("sum", X, lengths) if is_matrix(X) else cast(Array, super().reduce_sum(X, lengths))

    def backprop_reduce_sum(self, d_sums: Any, lengths: Any) -> Array:
        """Return the gradient of the rows, given that of their sums."""
        if not is_matrix(d_sums):
            return cast(Array, super().backprop_reduce_sum(d_sums, lengths))
        return _backprop_reduce("sum", d_sums, lengths)

    def reduce_mean(self, X: Any, lengths: Any) -> Array:
        """Return the mean of the rows of each sequence, 0 for none; raises as :meth:`reduce_sum`."""
        return _reduce("mean", X, lengths) if is_matrix(X) else cast(Array, super().reduce_mean(X, lengths))

    def backprop_reduce_mean(self, d_means: Any, lengths: Any) -> Array:
        """Return the gradient of the rows, given that of their means."""
        if not is_matrix(d_means):
            return cast(Array, super().backprop_reduce_mean(d_means, lengths))
        return _backprop_reduce("mean", d_means, lengths)

    def reduce_first(self, X: Any, lengths: Any) -> tuple[Array, Array]:
        """Return the first row of each sequence, and where the sequences start and end.

        Raises ValueError for a length below 1, IndexError for lengths that do not sum up to the rows.
        """
        if not is_matrix(X) or not len(lengths):
            return cast(tuple[Array, Array], super().reduce_first(X, lengths))
        starts_ends = np.zeros(len(lengths) + 1, dtype=np.int32)
        np.cumsum(lengths, out=starts_ends[1:])
        return _reduce_all("first", X, lengths, int(starts_ends[-1])), starts_ends

    def backprop_reduce_first(self, d_firsts: Any, starts_ends: Any) -> Array:
        """Return the gradient of the rows, given that of the first ones."""
        if not is_matrix(d_firsts) or len(starts_ends) < 2:
            return cast(Array, super().backprop_reduce_first(d_firsts, starts_ends))
        return _backprop_reduce("first", d_firsts, np.diff(starts_ends))

    def reduce_last(self, X: Any, lengths: Any) -> tuple[Array, Array]:
        """Return the last row of each sequence, and which rows these are; raises as :meth:`reduce_first`."""
        if not is_matrix(X) or not len(lengths):
            return cast(tuple[Array, Array], super().reduce_last(X, lengths))
        lasts = np.cumsum(lengths) - 1
        return _reduce_all("last", X, lengths, int(lasts[-1]) + 1), lasts

    def backprop_reduce_last(self, d_lasts: Any, lasts: Any) -> Array:
        """Return the gradient of the rows, given that of the last ones."""
        if not is_matrix(d_lasts) or not len(lasts):
            return cast(Array, super().backprop_reduce_last(d_lasts, lasts))
        return _backprop_reduce("last", d_lasts, np.diff(lasts, prepend=-1))

    def reduce_max(self, X: Any, lengths: Any) -> tuple[Array, Array]:
        """Return the largest number of each column of each sequence, and in which of its rows it stands.

        Raises ValueError for a length below 1, IndexError for lengths that go past the last row.
        """
        if not is_matrix(X):
            return cast(tuple[Array, Array], super().reduce_max(X, lengths))
        out = np.empty((len(lengths), X.shape[1]), dtype=np.float32)
        which = np.empty(out.shape, dtype=np.int32)
        _core.reduce_max(np.ascontiguousarray(X), int32(lengths), out, which)
        return out, which

    def backprop_reduce_max(self, d_maxes: Any, which: Any, lengths: Any) -> Array:
        """Return the gradient of the rows, given that of the largest numbers.

        Raises IndexError for a row that a sequence does not have (`NumpyOps` writes elsewhere).
        """
        if not is_matrix(d_maxes):
            return cast(Array, super().backprop_reduce_max(d_maxes, which, lengths))
        out = np.empty((_total(lengths), d_maxes.shape[1]), dtype=np.float32)
        _core.backprop_reduce_max(np.ascontiguousarray(d_maxes), int32(which), int32(lengths), out)
        return out


def _total(lengths: Any) -> int:
    """The rows of all sequences; a ValueError for a negative length, which no array can have."""
    if len(lengths) and min(lengths) < 0:
        raise ValueError(f"reduce: lengths has {min(lengths)}; expected all sequence lengths >= 0.")
    return int(np.sum(lengths, dtype=np.int64))


def _reduce(name: str, X: Any, lengths: Any) -> Array:
    out = np.empty((len(lengths), X.shape[1]), dtype=np.float32)
    _core.reduce_rows(name, np.ascontiguousarray(X), int32(lengths), out)
    return out


def _reduce_all(name: str, X: Any, lengths: Any, total: int) -> Array:
    if total < len(X) and min(lengths) > 0:
        raise IndexError(f"reduce_{name}: lengths must sum up to the number of rows, {len(X)}, not {total}.")
    return _reduce(name, X, lengths)


def _backprop_reduce(name: str, d_Y: Any, lengths: Any) -> Array:
    out = np.empty((_total(lengths), d_Y.shape[1]), dtype=np.float32)
    _core.backprop_reduce_rows(name, np.ascontiguousarray(d_Y), int32(lengths), out)
    return out
