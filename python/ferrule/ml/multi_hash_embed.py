"""`spacy.MultiHashEmbed.v2`: several attributes of a token, each embedded by hashing, mixed by a maxout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thinc.api import HashEmbed, Maxout, Model, chain, concatenate, list2ragged, ragged2list, with_array
from thinc.types import Floats2d, Ragged

from ferrule.ml.feature_extractor import FeatureExtractor
from ferrule.ml.static_vectors import StaticVectors, StaticVectorsV1
from ferrule.registry import registry

__all__ = ["MultiHashEmbed"]

# spaCy numbers the hash seeds of the attributes upward from here; weights are bound to them.
FIRST_SEED = 8


@registry.architectures("spacy.MultiHashEmbed.v2")
def MultiHashEmbed(
    width: int,
    attrs: Sequence[str | int],
    rows: Sequence[int],
    include_static_vectors: bool,
) -> Model[list[Any], list[Floats2d]]:
    """Return a layer from documents to float32 (n_tokens, width) each.

    attrs: token attributes (``"NORM"``, ``"PREFIX"``, …); rows: size of the hash table of each.
    include_static_vectors: mix in the vocabulary's word vectors as one more column.

    Raises ValueError when `attrs` and `rows` differ in length or are empty.

    >>> MultiHashEmbed(96, ["NORM", "SHAPE"], [5000, 2500], False).layers[0].attrs["columns"]
    ['NORM', 'SHAPE']
    """
    return _build(width, attrs, rows, StaticVectors(width, dropout=0.0) if include_static_vectors else None)


@registry.architectures("spacy.MultiHashEmbed.v1")
def MultiHashEmbedV1(
    width: int,
    attrs: Sequence[str | int],
    rows: Sequence[int],
    include_static_vectors: bool,
) -> Model[list[Any], list[Floats2d]]:
    """Return the same layer with version 1 of the static vectors."""
    return _build(width, attrs, rows, StaticVectorsV1(width, dropout=0.0) if include_static_vectors else None)


def _build(
    width: int, attrs: Sequence[str | int], rows: Sequence[int], vectors: Model[list[Any], Ragged] | None
) -> Model[list[Any], list[Floats2d]]:
    if len(attrs) != len(rows):
        raise ValueError(
            f"MultiHashEmbed: attrs and rows need one entry for each attribute, but attrs has {len(attrs)} "
            f"({list(attrs)}) and rows has {len(rows)} ({list(rows)})."
        )
    if not attrs:
        raise ValueError("MultiHashEmbed: attrs is empty; give at least one token attribute, e.g. ['NORM'].")
    tables = [
        HashEmbed(width, n_rows, column=column, seed=FIRST_SEED + column, dropout=0.0)
        for column, n_rows in enumerate(rows)
    ]
    hashed = [FeatureExtractor(attrs), list2ragged(), with_array(_side_by_side(tables))]
    n_columns = len(tables) + (vectors is not None)
    mix = with_array(Maxout(width, width * n_columns, nP=3, dropout=0.0, normalize=True))
    if vectors is not None:
        columns = concatenate(chain(*hashed), vectors)
        return chain(columns, mix, ragged2list())
    return chain(*hashed, mix, ragged2list())


def _side_by_side(layers: list[Model[Any, Any]]) -> Model[Any, Any]:
    return concatenate(*layers) if len(layers) > 1 else layers[0]
