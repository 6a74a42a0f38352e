"""`spacy.TextCatParametricAttention.v1`: token vectors, weighed by a learnt query, under a classifier."""

from __future__ import annotations

from typing import Any

from thinc.api import (
    Dropout,
    Gelu,
    LayerNorm,
    Linear,
    Logistic,
    Maxout,
    Model,
    ParametricAttention_v2,
    Softmax,
    chain,
    list2ragged,
    reduce_sum,
    residual,
)
from thinc.types import Floats2d, Ragged

from ferrule.ml.resize import resizer
from ferrule.registry import registry

__all__ = ["TextCatParametricAttention", "attended_sum", "classifier"]


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
    weighed = chain(chain(tok2vec, list2ragged()), attention)
    transform = residual(chain(chain(nonlinear, norm), Dropout(0.0)))
    return chain(chain(weighed, reduce_sum()), transform)


def classifier(exclusive_classes: bool, nO: int | None, nI: int | None = None) -> Model[Floats2d, Floats2d]:
    """Return the last layer: a softmax, or a linear layer with a logistic for each category."""
    if exclusive_classes:
        return Softmax(nO=nO, nI=nI)
    return chain(Linear(nO=nO, nI=nI), Logistic())
