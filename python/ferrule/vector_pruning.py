"""Smaller tables of word vectors: fewer rows, shared by the words nearest to them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ferrule.attrs import ORTH
from ferrule.strings import StringStore
from ferrule.vectors import Vectors

__all__ = ["deduplicated", "pruned"]


def pruned(
    vectors: Vectors, strings: StringStore, prob: Callable[[int], float], nr_row: int, batch_size: int
) -> tuple[Vectors, dict[str, tuple[str, float]]]:
    """A table of `nr_row` rows, and what `Vocab.prune_vectors` returns. prob: of a word, by its key."""
    _must_be_default(vectors, "prune_vectors")
    if nr_row < 1 or batch_size < 1:
        raise ValueError(
            f"Vocab.prune_vectors: expected to keep 1 row or more, in batches of 1 or more, found "
            f"nr_row={nr_row}, batch_size={batch_size}."
        )
    ranked = sorted((-prob(key), row, key) for key, row in vectors.key2row.items())
    rows, keys = [row for _, row, _ in ranked], [key for _, _, key in ranked]
    kept = Vectors(
        strings=strings,
        data=np.ascontiguousarray(vectors.data[rows[:nr_row]]),
        keys=keys[:nr_row],
        name=vectors.name,
        attr=_attribute(vectors),
    )
    nearest, nearest_rows, scores = kept.most_similar(vectors.data[rows[nr_row:]], batch_size=batch_size)
    remapped = {}
    for at, key in enumerate(keys[nr_row:]):
        kept.add(key, row=int(nearest_rows[at][0]))
        remapped[strings[key]] = (strings[int(nearest[at][0])], float(scores[at][0]))
    return kept, remapped


def deduplicated(vectors: Vectors, strings: StringStore) -> Vectors:
    """The same vectors with each row once; the given ones if they are so."""
    _must_be_default(vectors, "deduplicate_vectors")
    if not vectors.key2row:
        return vectors
    filled = np.asarray(sorted(set(vectors.key2row.values())))
    data, new_rows = np.unique(vectors.data[filled], axis=0, return_inverse=True)
    if data.shape == vectors.data.shape:
        return vectors
    new_row = dict(zip(filled.tolist(), new_rows.ravel().tolist(), strict=True))
    unique = Vectors(strings=strings, data=data, name=vectors.name, attr=_attribute(vectors))
    for key, row in vectors.key2row.items():
        unique.add(key, row=new_row[row])
    return unique


def _attribute(vectors: Vectors) -> int:
    return ORTH if vectors.attr is None else vectors.attr


def _must_be_default(vectors: Vectors, what: str) -> None:
    if vectors.mode != "default":
        raise ValueError(
            f"Vocab.{what}: expected vectors in mode 'default', found {vectors.mode!r}, whose rows "
            "belong to no words."
        )
