"""`ferrule.TextCatNgrams.v1`: a linear model over n-grams of words and of the characters in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thinc.api import Logistic, Model, chain, resizable, softmax_activation
from thinc.types import Floats2d

from ferrule import _core
from ferrule.ml.bag_of_ngrams import predict_at_once
from ferrule.ml.extract_ngrams import ngrams_of, without_dropped
from ferrule.ml.feature_extractor import all_native, column_ids
from ferrule.ml.resize import resize_layer, resizer, wake_outputs
from ferrule.ml.sparse_linear import SparseLinear
from ferrule.registry import registry

__all__ = ["TextCatNgrams"]

Sparse = tuple[Any, Any, Any]


@registry.architectures("ferrule.TextCatNgrams.v1")
def TextCatNgrams(
    exclusive_classes: bool,
    ngram_size: int = 2,
    min_characters: int = 2,
    max_characters: int = 5,
    attr: str = "LOWER",
    length: int = 262144,
    nO: int | None = None,
) -> Model[list[Any], Floats2d]:
    """Return a layer from Ferrule's documents to float32 (n_docs, nO).

    exclusive_classes: one category a document, whose probabilities sum to 1; otherwise each is a question of
    its own. ngram_size: tokens in the longest n-grams. min_characters, max_characters: lengths of the n-grams
    of characters within a token, a blank at either end included; 0 and 0 for none. attr: the token attribute
    both are made of. length: rows of the hash table, rounded up to a power of two.

    A feature's value is one plus the logarithm of its count, divided by the length of the document's vector,
    so that long documents do not outweigh short ones. Raises ValueError for sizes that make no sense.

    >>> TextCatNgrams(True).name
    'extract_word_and_character_ngrams>>resizable(sparse_linear)>>softmax_activation'
    """
    if ngram_size < 1 or length < 1:
        raise ValueError(
            f"TextCatNgrams: ngram_size and length must be 1 or more, but are {ngram_size} and {length}."
        )
    if not (0 < min_characters <= max_characters or min_characters == max_characters == 0):
        raise ValueError(
            f"TextCatNgrams: min_characters and max_characters are {min_characters} and {max_characters}; "
            "expected 1 <= min_characters <= max_characters, or 0 and 0 for none."
        )
    features: Model[list[Any], Sparse] = Model(
        "extract_word_and_character_ngrams",
        _forward,
        attrs={
            "ngram_size": ngram_size,
            "characters": [min_characters, max_characters],
            "attr": column_ids([attr])[0],
        },
    )
    weights = SparseLinear(nO=nO, length=2 ** (length - 1).bit_length())
    activation = softmax_activation() if exclusive_classes else Logistic()
    model = chain(features, resizable(weights, resize_layer=resize_layer), activation)
    model.set_ref("output_layer", weights)
    model.attrs["multi_label"] = not exclusive_classes
    model.attrs["resize_output"] = resizer(exclusive_classes)
    if exclusive_classes:
        model.attrs["wake_outputs"] = wake_outputs
    predict_at_once(model)
    return model


def _forward(
    model: Model[list[Any], Sparse], docs: Sequence[Any], is_train: bool
) -> tuple[Sparse, Callable[[Sparse], list[Any]]]:
    if docs and not all_native(docs):
        raise TypeError(
            f"TextCatNgrams: expected documents of Ferrule, found {type(docs[0]).__name__}. Make them with "
            "ferrule's nlp.make_doc; for spaCy's, use spacy.TextCatBOW.v3."
        )
    found = _core.count_ngrams(list(docs), ngrams_of(model))
    return without_dropped(found, is_train), lambda d_features: []
