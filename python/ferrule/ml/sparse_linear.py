"""thinc's `SparseLinear.v2` with its arithmetic in Rust: the same node, parameters, bytes and numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from thinc.api import Model, SparseLinear_v2
from thinc.types import Floats2d

from ferrule import _core
from ferrule.kept_weights import KeptWeights
from ferrule.sparse_gradient import SparseGradient, are_wanted

__all__ = ["SparseLinear"]

Sparse = tuple[Any, Any, Any]


def SparseLinear(nO: int | None = None, length: int = 262144) -> Model[Sparse, Floats2d]:
    """Return a linear layer over hashed features: keys uint64, values float32, features a document int32.

    Each key counts for two of the `length` columns, so that two keys seldom share both. Gives float32
    (n_docs, nO). Its gradient is a `SparseGradient` where such are wanted, otherwise dense as thinc's.

    >>> SparseLinear(3, 1024).name
    'sparse_linear'
    """
    model = SparseLinear_v2(nO=nO, length=length)
    model._func = _forward
    return model


def _forward(
    model: Model[Sparse, Floats2d], features: Sparse, is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], Sparse]]:
    keys, values, lengths = (np.ascontiguousarray(array) for array in features)
    n_outputs, length = model.get_dim("nO"), model.get_dim("length")
    columns, positions = _core.sparse_columns(keys, length)
    bias = model.get_param("b")
    # Also to predict: what a column's weights cost to fetch, they cost once.
    kept = KeptWeights.of(model)
    scores: Any
    if kept is not None:
        scores = kept.scores(bias, columns, positions, values, lengths)
    else:
        rows = _core.sparse_gather(model.get_param("W"), columns, n_outputs)
        scores = _core.sparse_scores(rows, bias, positions, values, lengths)

    def backprop(d_scores: Floats2d) -> Sparse:
        d_scores = np.ascontiguousarray(d_scores, dtype=np.float32)
        d_rows = _core.sparse_gradient(d_scores, len(columns), positions, values, lengths)
        model.inc_grad("b", d_scores.sum(axis=0))
        _add(model, columns, d_rows)
        return features

    return scores, backprop


def _add(model: Model[Sparse, Floats2d], columns: Any, d_rows: Any) -> None:
    gradient: Any = model.get_grad("W") if model.has_grad("W") else None
    if gradient is None and are_wanted() and model._params.proxy is None:
        gradient = SparseGradient(model.get_dim("length"), model.get_dim("nO"))
        model.set_grad("W", gradient)
    if isinstance(gradient, SparseGradient):
        gradient.add(columns, d_rows)
        return
    sparse = SparseGradient(model.get_dim("length"), model.get_dim("nO"))
    sparse.add(columns, d_rows)
    model.inc_grad("W", sparse.dense())
