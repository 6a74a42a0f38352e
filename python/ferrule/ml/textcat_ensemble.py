"""`spacy.TextCatEnsemble.v2`: a linear model of n-grams beside a neural one, and a classifier over both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thinc.api import LayerNorm, Maxout, Model, ParametricAttention, chain, concatenate
from thinc.types import Floats2d

from ferrule.ml.resize import (
    NEW_ACTIVATED_OUTPUT_GAP,
    NEW_OUTPUT_GAP,
    output_node,
    rebuild_layer,
    resizer,
    select_outputs,
)
from ferrule.ml.textcat_attention import attended_sum, classifier
from ferrule.registry import registry

__all__ = ["TextCatEnsemble"]


@registry.architectures("spacy.TextCatEnsemble.v2")
def TextCatEnsemble(
    tok2vec: Model[list[Any], list[Floats2d]],
    linear_model: Model[list[Any], Floats2d],
    nO: int | None = None,
) -> Model[list[Any], Floats2d]:
    """Return a layer from documents to float32 (n_docs, nO).

    tok2vec: documents to token vectors, for the neural half; linear_model: documents to a score a category,
    as `TextCatBOW` makes it, whose ``attrs["multi_label"]`` says whether categories exclude each other.
    """
    exclusive_classes = not linear_model.attrs["multi_label"]
    width = tok2vec.maybe_get_dim("nO")
    attention = ParametricAttention(width)
    maxout, norm = Maxout(nO=width, nI=width), LayerNorm(nI=width)
    neural_model = attended_sum(tok2vec, attention, maxout, norm)
    output = classifier(exclusive_classes, nO, nI=None if nO is None else 2 * nO)
    model = chain(concatenate(linear_model, neural_model), output)
    model.set_ref("tok2vec", tok2vec)
    model.set_ref("output_layer", linear_model.get_ref("output_layer"))
    model.set_ref("attention_layer", attention)
    model.set_ref("maxout_layer", maxout)
    model.set_ref("norm_layer", norm)
    model.attrs["multi_label"] = not exclusive_classes
    if nO is not None:
        model.set_dim("nO", nO)
    model.attrs["resize_output"] = resizer(exclusive_classes)
    model.attrs["select_outputs"] = _select_outputs
    if "wake_outputs" in linear_model.attrs:
        model.attrs["wake_outputs"] = _wake_linear_half
    return model


def _wake_linear_half(model: Model[Any, Any]) -> None:
    linear_model = model.layers[0].layers[0]
    linear_model.attrs["wake_outputs"](linear_model)


def _select_outputs(
    model: Model[Any, Any], sources: Sequence[tuple[int, ...]], *, gap: float = NEW_OUTPUT_GAP
) -> None:
    """Change the categories of both: of the linear half, and of the classifier that reads its scores."""
    halves, output = model.layers
    linear_model = halves.layers[0]
    n_old = output_node(model).maybe_get_dim("nO") or 0
    competing = "wake_outputs" in linear_model.attrs
    select_outputs(linear_model, sources, gap=NEW_OUTPUT_GAP if competing else NEW_ACTIVATED_OUTPUT_GAP)
    last = next(node for node in output.walk() if {"W", "b"} <= set(node.param_names))
    if last.has_param("W"):
        _move_inputs(last, sources, n_old)
    elif last.has_dim("nI"):
        last.set_dim("nI", last.get_dim("nI") - n_old + len(sources), force=True)
    rebuild_layer(last, sources, above=[output, model], gap=gap)


def _move_inputs(layer: Model[Any, Any], sources: Sequence[tuple[int, ...]], n_old: int) -> None:
    """Let the weights of `layer` for the linear half's scores follow these to their new places."""
    weights, bias = layer.get_param("W"), layer.get_param("b")
    moved = layer.ops.alloc2f(len(weights), len(sources) + weights.shape[1] - n_old)
    for index, source in enumerate(sources):
        if source:
            moved[:, index] = weights[:, list(source)].mean(axis=1)
    moved[:, len(sources) :] = weights[:, n_old:]
    layer.set_param("W", None)
    layer.set_param("b", None)
    for node in layer.walk():
        node.set_dim("nI", moved.shape[1], force=True)
    layer.set_param("W", moved)
    layer.set_param("b", bias)
