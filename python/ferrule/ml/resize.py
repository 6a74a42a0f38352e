"""Giving a trained output layer more or fewer labels without touching what it knows of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thinc.api import Model
from thinc.types import Floats2d

__all__ = ["resize_rows", "select_labels"]

# How far the starting bias of a new label lies below the smallest one trained so far. Low enough to
# leave the decisions among the old labels alone, near enough to be learnt in some hundred steps.
NEW_LABEL_BIAS_GAP = 5.0


def resize_rows(layer: Model[Any, Any], n_labels: int) -> None:
    """Give `layer`, with ``W`` (nO, nI) and ``b`` (nO,), room for `n_labels` outputs, in place.

    The rows of the labels that stay are kept bit for bit. A new label starts with no weights and a
    bias below all others, so it is not predicted before it is learnt. Labels past `n_labels` go.

    Raises ValueError when `n_labels` is below one.
    """
    if n_labels < 1:
        raise ValueError(f"{layer.name}: an output layer needs one label or more, but was given {n_labels}.")
    old = layer.maybe_get_dim("nO")
    if old == n_labels:
        return
    if old is None or not layer.has_param("W"):
        layer.set_dim("nO", n_labels, force=True)
        return
    select_labels(layer, [index if index < old else None for index in range(n_labels)])


def select_labels(layer: Model[Any, Any], sources: Sequence[int | None]) -> None:
    """Rebuild ``W`` and ``b`` of `layer` in place: output `i` takes over row ``sources[i]`` of before.

    sources: index of an old output, or None for a new label (see `resize_rows`). This is how labels
    are reordered, duplicated and removed. Gradients gathered so far are dropped.
    """
    weights, bias = layer.get_param("W"), layer.get_param("b")
    new_weights = layer.ops.alloc2f(len(sources), weights.shape[1])
    new_bias = layer.ops.alloc1f(len(sources))
    start = float(bias.min()) - NEW_LABEL_BIAS_GAP if bias.size else 0.0
    for index, source in enumerate(sources):
        if source is None:
            new_bias[index] = start
        else:
            new_weights[index] = weights[source]
            new_bias[index] = bias[source]
    _replace(layer, new_weights, new_bias)


def _replace(layer: Model[Any, Any], weights: Floats2d, bias: Any) -> None:
    # A thinc node refuses another dimension as long as it has parameters.
    for name in ("W", "b"):
        layer.set_param(name, None)
        layer._params._grads.pop((layer.id, name), None)
    layer.set_dim("nO", len(bias), force=True)
    layer.set_param("W", weights)
    layer.set_param("b", bias)
