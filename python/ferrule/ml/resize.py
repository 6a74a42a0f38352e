"""Giving a trained output layer more, fewer or other labels without touching what it knows of the rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from thinc.api import Model
from thinc.types import Floats1d, Floats2d

__all__ = [
    "NEW_ACTIVATED_OUTPUT_GAP",
    "NEW_OUTPUT_GAP",
    "first_outputs",
    "output_node",
    "rebuild_layer",
    "resize_layer",
    "resize_output",
    "resizer",
    "select_outputs",
    "wake_outputs",
]

# How far the starting bias of a new output lies below the smallest one trained so far. Under a softmax
# layer, whose backward pass is that of the cross-entropy, it can lie so low that a new label takes less of
# the old ones' probabilities than float32 shows, and is still learnt in some hundred steps.
NEW_OUTPUT_GAP = 20.0
# Where the gradient passes an activation function, one that is far down gets none and would stay there.
# Where outputs do not compete it starts here; where they do, the first step lifts it to here: `wake_outputs`.
NEW_ACTIVATED_OUTPUT_GAP = 4.0
# An output whose bias is so far below the highest one was never learnt: no step of training takes it there.
_ASLEEP = 0.75 * NEW_OUTPUT_GAP


def resize_output(model: Model[Any, Any], new_nO: int, *, gap: float = NEW_OUTPUT_GAP) -> Model[Any, Any]:
    """Change the number of outputs of `model` to `new_nO` in place, and return it.

    `model` has a ref ``output_layer``, and it or a layer in it has parameters ``W``, (nO, nI) or those
    rows one after the other, and ``b`` (nO,). The rows of the outputs that stay are kept bit for bit;
    outputs past `new_nO` go. A new one starts with no weights and a bias below all others, so that it is
    not predicted before it is learnt.

    gap: how far below the smallest bias of those learnt so far a new one starts.

    Raises ValueError when `new_nO` is below one.
    """
    if new_nO < 1:
        raise ValueError(f"resize_output: a model needs one output or more, but was given {new_nO}.")
    old = output_node(model).maybe_get_dim("nO")
    if old != new_nO:
        select = model.attrs.get("select_outputs", select_outputs)
        select(model, first_outputs(old or 0, new_nO), gap=gap)
    return model


def resizer(under_softmax: bool) -> Callable[[Model[Any, Any], int], Model[Any, Any]]:
    """Return `resize_output` with the gap for outputs that compete under a softmax, or do not."""
    return partial(resize_output, gap=NEW_OUTPUT_GAP if under_softmax else NEW_ACTIVATED_OUTPUT_GAP)


def resize_layer(layer: Model[Any, Any], new_nO: int) -> Model[Any, Any]:
    """Do the same to a single output layer, in place, and return it."""
    old = layer.maybe_get_dim("nO")
    if old != new_nO:
        rebuild_layer(layer, first_outputs(old or 0, new_nO), above=[])
    return layer


def wake_outputs(model: Model[Any, Any]) -> None:
    """Lift outputs of `model` that have not been learnt yet to where a gradient reaches them.

    For output layers under a softmax that is a layer of its own, called when the weights were stepped: a new
    label takes nothing from the old ones' scores until then, not a bit.
    """
    layer = output_node(model)
    if not layer.has_param("b"):
        return
    bias = layer.get_param("b")
    asleep = _asleep(bias)
    if asleep.any():
        bias[asleep] = bias[~asleep].min() - NEW_ACTIVATED_OUTPUT_GAP
        layer.set_param("b", bias)


def _asleep(bias: Floats1d) -> Any:
    return bias < bias.max(initial=-math.inf) - _ASLEEP


def output_node(model: Model[Any, Any]) -> Model[Any, Any]:
    """Return the node with the weights of the ref ``output_layer``: it, or the first layer in it with any.

    Raises ValueError when none has parameters ``W`` and ``b``.
    """
    output_layer = model.get_ref("output_layer")
    for node in output_layer.walk():
        if {"W", "b"} <= set(node.param_names):
            return node
    raise ValueError(
        f"{model.name}: no layer of its output_layer has weights W and b, so it cannot be resized."
    )


def first_outputs(old: int, new_nO: int) -> list[tuple[int, ...]]:
    """Return the `sources` (see `select_outputs`) that keep the first outputs and add new ones at the end.

    >>> first_outputs(2, 3)
    [(0,), (1,), ()]
    """
    kept = min(old, new_nO)
    return [*((index,) for index in range(kept)), *[()] * (new_nO - kept)]


def select_outputs(
    model: Model[Any, Any], sources: Sequence[tuple[int, ...]], *, gap: float = NEW_OUTPUT_GAP
) -> None:
    """Rebuild the output layer of `model` in place: output `i` is made of the old outputs ``sources[i]``.

    One old output is taken over bit for bit. None at all makes a new output (see `resize_output`). Of
    several, the new one gets the mean weights, and the mean bias plus the logarithm of their number:
    the nearest linear stand-in for the sum of their probabilities. Gradients gathered so far are dropped.
    """
    layer = output_node(model)
    above = [node for node in model.walk() if any(inner is layer for inner in node.walk())]
    rebuild_layer(layer, sources, above, gap=gap)


def rebuild_layer(
    layer: Model[Any, Any],
    sources: Sequence[tuple[int, ...]],
    above: list[Model[Any, Any]],
    *,
    gap: float = NEW_OUTPUT_GAP,
) -> None:
    """Rebuild the weights of `layer` alone, and set ``nO`` of the nodes `above` it; see `select_outputs`."""
    if layer.has_param("W") and layer.has_param("b"):
        weights, bias = _selected(layer, sources, gap)
    else:
        weights = bias = None
    # A thinc node refuses another dimension as long as it has parameters.
    for name in ("W", "b"):
        layer.set_param(name, None)
        layer._params._grads.pop((layer.id, name), None)
    for node in (layer, *above):
        if node.has_dim("nO") is not False:
            node.set_dim("nO", len(sources), force=True)
    if weights is not None:
        layer.set_param("W", weights)
        layer.set_param("b", bias)


def _selected(
    layer: Model[Any, Any], sources: Sequence[tuple[int, ...]], gap: float
) -> tuple[Floats1d | Floats2d, Floats1d]:
    saved, bias = layer.get_param("W"), layer.get_param("b")
    weights = saved.reshape(len(bias), -1)
    new_weights = layer.ops.alloc2f(len(sources), weights.shape[1])
    new_bias = layer.ops.alloc1f(len(sources))
    lowest = float(bias[~_asleep(bias)].min()) - gap if bias.size else 0.0
    for index, source in enumerate(sources):
        if not source:
            new_bias[index] = lowest
        elif len(source) == 1:
            new_weights[index] = weights[source[0]]
            new_bias[index] = bias[source[0]]
        else:
            new_weights[index] = weights[list(source)].mean(axis=0)
            new_bias[index] = bias[list(source)].mean() + math.log(len(source))
    return new_weights if saved.ndim == 2 else new_weights.reshape(-1), new_bias
