"""A layer over ragged rows, run on lists of rows: what is inside knows where each document ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from thinc.api import Model
from thinc.types import Floats2d, Ragged

__all__ = ["forward", "within_documents"]

Rows: TypeAlias = list[Floats2d]


def within_documents(layer: Model[Ragged, Ragged]) -> Model[Rows, Rows]:
    """Return `layer` as a layer from float32 (n_tokens, width) for each document to the same shapes.

    A batch without any row passes as it is: thinc's ragged arrays do not know its width.
    """
    dims = {name: layer.maybe_get_dim(name) for name in layer.dim_names}
    return Model(f"within_documents({layer.name})", forward, init=init, layers=[layer], dims=dims)


def forward(model: Model[Rows, Rows], X: Rows, is_train: bool) -> tuple[Rows, Callable[[Rows], Rows]]:
    """The rows of each document, and the way back."""
    if not any(map(len, X)):
        return X, lambda d_rows: d_rows
    lengths = _lengths(X)
    out, backprop_layer = model.layers[0](_ragged(model, X), is_train)

    def backprop(d_rows: Rows) -> Rows:
        d_input = backprop_layer(_ragged(model, d_rows))
        return model.ops.unflatten(d_input.dataXd, lengths)

    return model.ops.unflatten(out.dataXd, lengths), backprop


def init(model: Model[Rows, Rows], X: Rows | None = None, Y: Rows | None = None) -> None:
    """Initialize the layer with the rows that it will see."""
    some = X is not None and any(map(len, X))
    model.layers[0].initialize(X=_ragged(model, X) if X is not None and some else None)


def _ragged(model: Model[Any, Any], rows: Rows) -> Ragged:
    return Ragged(model.ops.flatten(rows), _lengths(rows))


def _lengths(rows: Rows) -> Any:
    return np.asarray([len(one) for one in rows], dtype="i")
