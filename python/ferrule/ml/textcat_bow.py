"""`spacy.TextCatBOW.v3`: a linear model over counts of words and n-grams."""

from __future__ import annotations

from typing import Any, TypeAlias

from thinc.api import (
    Logistic,
    Model,
    chain,
    resizable,
    softmax_activation,
    with_cpu,
)
from thinc.layers import SparseLinear as OldSparseLinear
from thinc.types import Floats2d

from ferrule.ml.bag_of_ngrams import predict_at_once
from ferrule.ml.extract_ngrams import ExtractNgrams
from ferrule.ml.resize import resize_layer, resizer, wake_outputs
from ferrule.ml.sparse_linear import SparseLinear
from ferrule.registry import registry

__all__ = ["TextCatBOW"]

TextCatModel: TypeAlias = Model[list[Any], Floats2d]
# The length that versions before the third always had.
OLD_LENGTH = 2**18


@registry.architectures("spacy.TextCatBOW.v3")
def TextCatBOW(
    exclusive_classes: bool,
    ngram_size: int,
    no_output_layer: bool,
    length: int = 262144,
    nO: int | None = None,
) -> TextCatModel:
    """Return a layer from documents to float32 (n_docs, nO).

    exclusive_classes: one category a document, whose probabilities sum to 1; otherwise each category is a
    question of its own. ngram_size: the longest n-grams; no_output_layer: give the scores before softmax
    or logistic. length: rows of the hash table, rounded up to a power of two.

    Raises ValueError when `length` is below 1.
    """
    if length < 1:
        raise ValueError(f"TextCatBOW: length must be 1 or more, but is {length}; 262144 is usual.")
    weights = SparseLinear(nO=nO, length=2 ** (length - 1).bit_length())
    model = _build(weights, exclusive_classes, ngram_size, no_output_layer)
    predict_at_once(model)
    return model


@registry.architectures("spacy.TextCatBOW.v2")
def TextCatBOWV2(
    exclusive_classes: bool, ngram_size: int, no_output_layer: bool, nO: int | None = None
) -> TextCatModel:
    """Return the same with the hash function of old and a table of 262144 rows."""
    return _build(OldSparseLinear(nO=nO, length=OLD_LENGTH), exclusive_classes, ngram_size, no_output_layer)


def _build(
    weights: Model[Any, Floats2d], exclusive_classes: bool, ngram_size: int, no_output_layer: bool
) -> TextCatModel:
    counts = ExtractNgrams(ngram_size, attr="ORTH")
    scores = with_cpu(chain(counts, resizable(weights, resize_layer=resize_layer)), counts.ops)
    if no_output_layer:
        model = scores
    else:
        activation = softmax_activation() if exclusive_classes else Logistic()
        model = chain(scores, with_cpu(activation, counts.ops))
    model.set_ref("output_layer", weights)
    model.attrs["multi_label"] = not exclusive_classes
    if weights.has_dim("nO"):
        model.set_dim("nO", weights.get_dim("nO"))
    competing = exclusive_classes and not no_output_layer
    model.attrs["resize_output"] = resizer(competing)
    if competing:
        model.attrs["wake_outputs"] = wake_outputs
    return model
