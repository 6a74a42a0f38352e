"""`spacy.TextCatParametricAttention.v1`: token vectors, weighed by a learnt query, under a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from thinc.api import (
    Dropout,
    Gelu,
    LayerNorm,
    Linear,
    Logistic,
    Maxout,
    Model,
    NumpyOps,
    ParametricAttention_v2,
    Softmax,
    chain,
    list2ragged,
    reduce_sum,
    residual,
)
from thinc.types import Floats2d, Ragged

from ferrule import _core
from ferrule.ml.resize import resizer
from ferrule.ml.rows import join_rows
from ferrule.ml.shortcuts import NOT_TAKEN, on_rust, shorten
from ferrule.registry import registry

__all__ = ["TextCatParametricAttention", "attended_sum", "classifier"]

Node: TypeAlias = Model[Any, Any]


@registry.architectures("spacy.TextCatParametricAttention.v1")
def TextCatParametricAttention(
    tok2vec: Model[list[Any], list[Floats2d]], exclusive_classes: bool, nO: int | None = None
) -> Model[list[Any], Floats2d]:
    """Return a layer from documents to float32 (n_docs, nO).

    exclusive_classes: one category a document; otherwise each is a question of its own. Each token's vector
    passes a gelu layer, whose product with a learnt vector says how much it counts in the sum.
    """
    width = tok2vec.maybe_get_dim("nO")
    key_transform = Gelu(nI=width, nO=width)
    attention = ParametricAttention_v2(nO=width, key_transform=key_transform)
    nonlinear, norm = Maxout(nI=width, nO=width), LayerNorm(nI=width)
    summed = attended_sum(tok2vec, attention, nonlinear, norm)
    summed.set_ref("tok2vec", tok2vec)
    summed.set_ref("attention_layer", attention)
    summed.set_ref("key_transform", key_transform)
    summed.set_ref("nonlinear_layer", nonlinear)
    summed.set_ref("norm_layer", norm)
    output_layer = classifier(exclusive_classes, nO)
    model = chain(summed, output_layer)
    model.set_ref("output_layer", output_layer)
    model.attrs["resize_output"] = resizer(exclusive_classes)
    model.attrs["multi_label"] = not exclusive_classes
    if nO is not None:
        model.set_dim("nO", nO)
    return model


def attended_sum(
    tok2vec: Model[list[Any], list[Floats2d]],
    attention: Model[Ragged, Ragged],
    nonlinear: Model[Floats2d, Floats2d],
    norm: Model[Floats2d, Floats2d],
) -> Model[list[Any], Floats2d]:
    """Return a layer from documents to float32 (n_docs, width): a transformed, weighed sum of tokens."""
    sums = chain(chain(chain(tok2vec, list2ragged()), attention), reduce_sum())
    transform = residual(chain(chain(nonlinear, norm), Dropout(0.0)))
    for layer in (attention, transform):
        on_rust(layer)
    shorten(sums, _attention_parts, _attend)
    return chain(sums, transform)


def _attention_parts(sums: Node) -> Sequence[Node]:
    weighed, summed = sums.layers
    vectors, attention = weighed.layers
    return [attention, weighed, vectors, vectors.layers[1], summed]


def _attend(parts: Sequence[Node], docs: Any) -> Any:
    """The weighed sum of each document's rows, without an array of the weighed rows."""
    attention, _, vectors, *_ = parts
    if not isinstance(attention.ops, NumpyOps) or not attention.has_param("Q"):
        return NOT_TAKEN
    rows = vectors.layers[0].predict(docs)
    if not rows:
        return NOT_TAKEN
    values = np.asarray(join_rows(rows), dtype=np.float32)
    keys = attention.layers[0].predict(values) if attention.layers else values
    sums = np.empty((len(rows), values.shape[1]), dtype=np.float32)
    lengths = np.fromiter(map(len, rows), dtype=np.int32, count=len(rows))
    _core.attended_sums(keys, values, attention.get_param("Q"), lengths, sums)
    return sums


def classifier(exclusive_classes: bool, nO: int | None, nI: int | None = None) -> Model[Floats2d, Floats2d]:
    """Return the last layer: a softmax, or a linear layer with a logistic for each category."""
    layer = Softmax(nO=nO, nI=nI) if exclusive_classes else chain(Linear(nO=nO, nI=nI), Logistic())
    on_rust(layer)
    return layer
