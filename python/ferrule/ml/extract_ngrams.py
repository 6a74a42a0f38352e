"""Counts of the n-grams of each document, as sparse features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from thinc.api import Model

from ferrule import _core
from ferrule.attrs import LOWER
from ferrule.ml.feature_extractor import all_native, column_ids, extract_rows
from ferrule.ml.rows import split_rows
from ferrule.registry import registry

__all__ = ["ExtractNgrams"]

Sparse = tuple[Any, Any, Any]


def ExtractNgrams(ngram_size: int, attr: int | str = LOWER) -> Model[list[Any], Sparse]:
    """Return a layer from documents to their n-grams: keys uint64, counts float32, n-grams a document int32.

    ngram_size: the longest n-grams, in tokens; the shorter ones come too. attr: the token attribute that
    n-grams are made of. Keys are the attribute's id for single tokens and thinc's hash (`Ops.ngrams`) for
    longer ones; each document's are sorted and distinct. There is no gradient. Keeps the behaviour of
    spaCy's ``spacy.extract_ngrams.v1``, which fails on documents shorter than the n-grams.

    >>> ExtractNgrams(2, "ORTH").attrs["ngram_size"]
    2
    """
    model: Model[list[Any], Sparse] = Model("extract_ngrams", _forward)
    model.attrs["ngram_size"] = ngram_size
    model.attrs["attr"] = column_ids([attr])[0]
    return model


registry.layers("spacy.extract_ngrams.v1")(ExtractNgrams)


def _forward(
    model: Model[list[Any], Sparse], docs: Sequence[Any], is_train: bool
) -> tuple[Sparse, Callable[[Sparse], list[Any]]]:
    if all_native(docs):
        found = _core.count_ngrams(list(docs), model.attrs["attr"], model.attrs["ngram_size"], (0, 0))
        return found, _no_gradient
    rows, lengths = extract_rows(docs, [model.attrs["attr"]])
    keys, counts = [], []
    for tokens in split_rows(np.ascontiguousarray(rows[:, 0]), lengths):
        grams = [tokens]
        # `Ops.ngrams` reads past the end of a document that is shorter than the n-gram.
        for size in range(2, min(model.attrs["ngram_size"], len(tokens)) + 1):
            grams.append(model.ops.ngrams(size, model.ops.asarray1i(tokens, dtype="uint64")))
        distinct, count = np.unique(np.concatenate(grams), return_counts=True)
        keys.append(distinct)
        counts.append(count)
    n_grams = model.ops.asarray1i([len(each) for each in keys])
    if not keys:
        return (np.zeros(0, dtype="uint64"), np.zeros(0, dtype="float32"), n_grams), _no_gradient
    all_counts = model.ops.asarray1f(np.concatenate(counts).astype("float32"))
    return (model.ops.asarray(np.concatenate(keys), dtype="uint64"), all_counts, n_grams), _no_gradient


def _no_gradient(d_grams: Sparse) -> list[Any]:
    return []
