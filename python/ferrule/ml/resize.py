"""Giving a trained output layer more, fewer or other labels without touching what it knows of the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from thinc.api import Model
from thinc.types import Floats1d, Floats2d

__all__ = ["resize_output", "select_outputs"]

# How far the starting bias of a new label lies below the smallest one trained so far. Low enough to
# leave the decisions among the old labels alone, near enough to be learnt in some hundred steps.
NEW_LABEL_BIAS_GAP = 5.0


def resize_output(model: Model[Any, Any], new_nO: int) -> Model[Any, Any]:
    """Change the number of outputs of `model` to `new_nO` in place, and return it.

    `model` has a ref ``output_layer`` with parameters ``W`` (nO, nI) and ``b`` (nO,). The rows of the
    outputs that stay are kept bit for bit; outputs past `new_nO` go. A new one starts with no weights
    and a bias below all others, so that it is not predicted before it is learnt.

    Raises ValueError when `new_nO` is below one.
    """
    if new_nO < 1:
        raise ValueError(f"resize_output: a model needs one output or more, but was given {new_nO}.")
    old = model.get_ref("output_layer").maybe_get_dim("nO")
    if old != new_nO:
        kept = min(old or 0, new_nO)
        select_outputs(model, [(index,) for index in range(kept)] + [()] * (new_nO - kept))
    return model


def select_outputs(model: Model[Any, Any], sources: Sequence[tuple[int, ...]]) -> None:
    """Rebuild the output layer of `model` in place: output `i` is made of the old outputs ``sources[i]``.

    One old output is taken over bit for bit. None at all makes a new output (see `resize_output`). Of
    several, the new one gets the mean weights, and the mean bias plus the logarithm of their number:
    the nearest linear stand-in for the sum of their probabilities. Gradients gathered so far are dropped.
    """
    output_layer = model.get_ref("output_layer")
    if output_layer.has_param("W") and output_layer.has_param("b"):
        weights, bias = _selected(output_layer, sources)
    else:
        weights = bias = None
    # A thinc node refuses another dimension as long as it has parameters.
    for name in ("W", "b"):
        output_layer.set_param(name, None)
        output_layer._params._grads.pop((output_layer.id, name), None)
    for node in model.walk():
        if node.has_dim("nO") is not False and any(inner is output_layer for inner in node.walk()):
            node.set_dim("nO", len(sources), force=True)
    if weights is not None:
        output_layer.set_param("W", weights)
        output_layer.set_param("b", bias)


def _selected(layer: Model[Any, Any], sources: Sequence[tuple[int, ...]]) -> tuple[Floats2d, Floats1d]:
    weights, bias = layer.get_param("W"), layer.get_param("b")
    new_weights = layer.ops.alloc2f(len(sources), weights.shape[1])
    new_bias = layer.ops.alloc1f(len(sources))
    lowest = float(bias.min()) - NEW_LABEL_BIAS_GAP if bias.size else 0.0
    for index, source in enumerate(sources):
        if not source:
            new_bias[index] = lowest
        elif len(source) == 1:
            new_weights[index] = weights[source[0]]
            new_bias[index] = bias[source[0]]
        else:
            new_weights[index] = weights[list(source)].mean(axis=0)
            new_bias[index] = bias[list(source)].mean() + math.log(len(source))
    return new_weights, new_bias
