"""Counts of the n-grams of each document, as sparse features."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from thinc.api import Model, NumpyOps

from ferrule import _core
from ferrule.attrs import LOWER
from ferrule.ml.feature_extractor import all_native, column_ids, extract_rows
from ferrule.registry import registry

__all__ = ["ExtractNgrams", "Ngrams", "ngrams_dropped", "ngrams_of", "without_dropped"]

Sparse = tuple[Any, Any, Any]
Ngrams = tuple[int, int, tuple[int, int], bool]
_OPS = NumpyOps()

_dropout: ContextVar[float] = ContextVar("ngram_dropout", default=0.0)


@contextmanager
def ngrams_dropped(rate: float) -> Iterator[None]:
    """Within the block, layers that give n-grams leave out this share of them while they train.

    It is no attribute of the layer, as thinc's dropout rates are, because spaCy's layer has none, and the
    bytes of both are the same.
    """
    token = _dropout.set(rate)
    try:
        yield
    finally:
        _dropout.reset(token)


def without_dropped(features: Sparse, is_train: bool) -> Sparse:
    """Return `features` with values of 0 for n-grams that are left out, and larger ones for the others.

    The generator is NumPy's global one, which `fix_random_seed` seeds.
    """
    rate = _dropout.get() if is_train else 0.0
    if not rate:
        return features
    keys, values, lengths = features
    kept = np.random.random_sample(len(values)) >= rate
    return keys, values * (kept / (1.0 - rate)).astype(np.float32), lengths


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


def ngrams_of(layer: Model[Any, Sparse]) -> Ngrams:
    """Return what `layer` counts, as `_core.count_ngrams` takes it.

    Its attributes: ``ngram_size`` and ``attr``; and of n-grams of characters ``characters``, the shortest and
    the longest, whose counts are evened out.
    """
    attrs = layer.attrs
    shortest, longest = attrs.get("characters", (0, 0))
    return attrs["attr"], attrs["ngram_size"], (shortest, longest), "characters" in attrs


def _forward(
    model: Model[list[Any], Sparse], docs: Sequence[Any], is_train: bool
) -> tuple[Sparse, Callable[[Sparse], list[Any]]]:
    if all_native(docs):
        found = _core.count_ngrams(list(docs), ngrams_of(model))
        return without_dropped(found, is_train), _no_gradient
    rows, lengths = extract_rows(docs, [model.attrs["attr"]])
    keys, counts, n_grams = _count(np.ascontiguousarray(rows[:, 0]), lengths, model.attrs["ngram_size"])
    found = (
        model.ops.asarray(keys, dtype="uint64"),
        model.ops.asarray1f(counts, dtype="float32"),
        model.ops.asarray1i(n_grams, dtype="int32"),
    )
    return without_dropped(found, is_train), _no_gradient


def _count(tokens: Any, lengths: Any, ngram_size: int) -> Sparse:
    """The n-grams of all documents at once; `tokens` are those of the first document, then of the next."""
    doc_of_token = np.repeat(np.arange(len(lengths)), lengths)
    keys, docs = [tokens], [doc_of_token]
    for size in range(2, min(ngram_size, len(tokens)) + 1):
        grams = np.asarray(_OPS.ngrams(size, tokens))
        starts, ends = doc_of_token[: len(grams)], doc_of_token[size - 1 :]
        inside = starts == ends  # those that begin in one document and end in another are none
        keys.append(grams[inside])
        docs.append(starts[inside])
    all_keys, all_docs = np.concatenate(keys), np.concatenate(docs)
    order = np.lexsort((all_keys, all_docs))
    all_keys, all_docs = all_keys[order], all_docs[order]
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (all_keys[1:] != all_keys[:-1]) | (all_docs[1:] != all_docs[:-1])
    firsts = np.flatnonzero(is_new)
    counts = np.diff(firsts, append=len(order))
    return all_keys[firsts], counts, np.bincount(all_docs[firsts], minlength=len(lengths))


def _no_gradient(d_grams: Sparse) -> list[Any]:
    return []
