"""Pretrained word vectors, projected to the width of the network by one learnt matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thinc.api import Model, Ops, glorot_uniform_init
from thinc.types import Floats2d, Ragged
from thinc.util import partial

from ferrule.ml.feature_extractor import column_ids, extract_rows
from ferrule.registry import registry

__all__ = ["StaticVectors", "StaticVectorsV1"]


def StaticVectors(
    nO: int | None = None,
    nM: int | None = None,
    *,
    dropout: float | None = None,
    init_W: Callable[..., Any] = glorot_uniform_init,
    key_attr: str = "ORTH",
) -> Model[list[Any], Ragged]:
    """Return a layer from documents to their tokens' vectors times ``W`` (nO, nM), as a ragged batch.

    nO: width of the output; nM: width of the vector table, found at initialization when None.
    dropout: share of output columns dropped (the same ones for every token of a batch).
    key_attr: the token attribute that the table of vectors is keyed by.

    A token without a vector gets a row of zeros. The table itself (``doc.vocab.vectors``) never
    changes. Keeps the forward pass of spaCy's ``spacy.StaticVectors.v2``; in the backward pass spaCy
    adds the gradient of tokens without a vector as if they had the last one of the table, which is
    wrong and not done here.

    Raises ValueError when the vocabulary of the documents has no vectors.
    """
    return Model(
        "static_vectors",
        _forward,
        init=partial(_initialize, init_W),
        params={"W": None},
        dims={"nO": nO, "nM": nM},
        attrs={"key_attr": key_attr, "dropout_rate": dropout},
    )


def StaticVectorsV1(nO: int, *, dropout: float | None = None) -> Model[list[Any], Ragged]:
    """Return the layer of ``spacy.StaticVectors.v1``: a token without a vector gets the table's last one.

    That is a mistake of old, kept for models that were trained with it.
    """
    model = StaticVectors(nO, dropout=dropout)
    model._func = partial(_forward, zero_missing=False)
    return model


registry.layers("spacy.StaticVectors.v2")(StaticVectors)


def _forward(
    model: Model[list[Any], Ragged], docs: Sequence[Any], is_train: bool, *, zero_missing: bool = True
) -> tuple[Ragged, Callable[[Ragged], list[Any]]]:
    ops = model.ops
    keys, lengths = extract_rows(docs, column_ids([model.attrs["key_attr"]]))
    table = _vectors_of(docs, keys[:, 0], ops, width=model.get_dim("nM"), zero_missing=zero_missing)
    rows = ops.gemm(table, model.get_param("W"), trans2=True)
    mask = None
    dropout_rate = model.attrs.get("dropout_rate")
    if is_train and dropout_rate:
        mask = ops.get_dropout_mask((model.get_dim("nO"),), dropout_rate)
        rows *= mask

    def backprop(d_output: Ragged) -> list[Any]:
        d_rows = d_output.data if mask is None else d_output.data * mask
        model.inc_grad("W", ops.gemm(ops.as_contig(d_rows), table, trans1=True))
        return []

    return Ragged(rows, ops.asarray1i(lengths)), backprop


def _vectors_of(docs: Sequence[Any], keys: Any, ops: Ops, *, width: int, zero_missing: bool) -> Floats2d:
    """Return float32 (n_tokens, width), a new array; tokens without a vector have zeros."""
    if not len(keys):
        return ops.alloc2f(0, width)
    vectors = docs[0].vocab.vectors
    if not vectors.shape[0]:
        raise ValueError(
            "static_vectors: the vocabulary has no word vectors, but the model includes static vectors. "
            "Give a pipeline with vectors in [initialize.vectors], or set include_static_vectors to false."
        )
    if getattr(vectors.mode, "value", vectors.mode) == "floret":
        # A floret table hashes every key to some of its rows: no token is without a vector.
        return ops.asarray2f(vectors.get_batch([int(key) for key in keys]), dtype="float32")
    indices = ops.asarray1i(vectors.find(keys=keys))
    table = ops.asarray2f(vectors.data[indices], dtype="float32")
    if zero_missing:
        table[indices < 0] = 0.0
    return table


def _initialize(
    init_W: Callable[..., Any],
    model: Model[list[Any], Ragged],
    X: Sequence[Any] | None = None,
    Y: Any = None,
) -> None:
    if X:
        model.set_dim("nM", X[0].vocab.vectors.shape[1])
    if Y is not None:
        model.set_dim("nO", Y.data.shape[1])
    if model.has_dim("nM") and model.has_dim("nO"):
        model.set_param("W", init_W(model.ops, (model.get_dim("nO"), model.get_dim("nM"))))
