"""Lexical attribute ids of the tokens of a batch: the rows every embedding starts from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from thinc.api import Model
from thinc.types import Ints2d

from ferrule import _core
from ferrule.attrs import intify_attr
from ferrule.ml.rows import split_rows
from ferrule.registry import registry

__all__ = ["FeatureExtractor", "all_native", "column_ids", "extract_rows", "extract_types"]

# The class that native documents derive from.
NativeDoc: Any = getattr(_core, "DocCore", ())
UInt64Rows = npt.NDArray[np.uint64]
Lengths = npt.NDArray[np.int32]


def FeatureExtractor(columns: Sequence[str | int]) -> Model[list[Any], list[Ints2d]]:
    """Return a layer from documents (or spans) to one uint64 array (n_tokens, n_columns) each.

    columns: token attributes, by name (``"NORM"``) or id.

    The arrays of a batch of native documents are views into one C-contiguous block. There is no
    gradient. Keeps the behaviour of spaCy's ``spacy.FeatureExtractor.v1``.

    >>> FeatureExtractor(["NORM", "SHAPE"]).attrs["columns"]
    ['NORM', 'SHAPE']
    """
    return Model("extract_features", _forward, attrs={"columns": columns})


registry.layers("spacy.FeatureExtractor.v1")(FeatureExtractor)


def _forward(
    model: Model[list[Any], list[Ints2d]], docs: Sequence[Any], is_train: bool
) -> tuple[list[Ints2d], Callable[[list[Ints2d]], list[Any]]]:
    attr_ids = column_ids(model.attrs["columns"])
    if model.ops.xp is np:
        rows, lengths = extract_rows(docs, attr_ids)
        features = cast(list[Ints2d], split_rows(rows, lengths))
    else:
        features = [model.ops.asarray2i(_array_of(doc, attr_ids), dtype="uint64") for doc in docs]

    def backprop(d_features: list[Ints2d]) -> list[Any]:
        return []

    return features, backprop


def column_ids(columns: Sequence[str | int]) -> list[int]:
    """Return the attribute ids of `columns`; raises ValueError for a name that is no token attribute.

    >>> column_ids(["ORTH", 66])
    [65, 66]
    """
    ids = []
    for column in columns:
        attr_id = intify_attr(column)
        if not attr_id:
            raise ValueError(
                f"FeatureExtractor: column {column!r} is not a token attribute. "
                "Use names such as 'ORTH', 'NORM', 'PREFIX', 'SUFFIX' or 'SHAPE'."
            )
        ids.append(int(attr_id))
    return ids


def extract_rows(docs: Sequence[Any], attr_ids: Sequence[int]) -> tuple[UInt64Rows, Lengths]:
    """Return the attributes of all tokens: uint64 (n_tokens, n_attrs) in C order, and int32 document lengths.

    One Rust call for a batch of native documents; for other documents and for spans their public
    ``to_array`` is asked, with the same numbers.
    """
    if all_native(docs):
        return _core.extract_features(list(docs), list(attr_ids))
    arrays = [_array_of(doc, attr_ids) for doc in docs]
    lengths = np.array([len(array) for array in arrays], dtype=np.int32)
    if not arrays:
        return np.zeros((0, len(attr_ids)), dtype=np.uint64), lengths
    # `concatenate` keeps the memory order of arrays that happen to be transposed; rows must be in C order.
    return np.ascontiguousarray(np.concatenate(arrays)), lengths


def extract_types(
    docs: Sequence[Any], attr_ids: Sequence[int]
) -> tuple[UInt64Rows, npt.NDArray[np.uint32] | None, Lengths]:
    """Return attributes, uint64 (n_rows, n_attrs), the row of each token, and int32 document lengths.

    Of native documents each word type has one row. Of others each token has, and its place is None.
    """
    if all_native(docs):
        types, rows, lengths = _core.word_types(list(docs), list(attr_ids))
        return rows, types, lengths
    rows, lengths = extract_rows(docs, attr_ids)
    return rows, None, lengths


def all_native(docs: Sequence[Any]) -> bool:
    """Whether there are documents and all are Ferrule's own, which Rust can read and write as a batch."""
    return bool(docs) and all(issubclass(kind, NativeDoc) for kind in set(map(type, docs)))


def _array_of(doc: Any, attr_ids: Sequence[int]) -> UInt64Rows:
    # One column comes back one-dimensional from `to_array`.
    array = np.asarray(doc.to_array(list(attr_ids)), dtype=np.uint64)
    return array.reshape(len(doc), len(attr_ids))
