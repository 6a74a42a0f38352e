"""`spacy.CharacterEmbed.v2`: bytes of each token beside one hashed attribute, mixed by one maxout layer."""

from __future__ import annotations

from typing import Any

from thinc.api import HashEmbed, Maxout, Model, chain, concatenate, list2ragged, ragged2list, with_array
from thinc.types import Floats2d, Ragged

from ferrule.attrs import intify_attr
from ferrule.ml.char_embed import CharEmbed
from ferrule.ml.feature_extractor import FeatureExtractor
from ferrule.ml.static_vectors import StaticVectors, StaticVectorsV1
from ferrule.registry import registry

__all__ = ["CharacterEmbed"]

# spaCy's seed for the one hash table of this tree.
SEED = 5


@registry.architectures("spacy.CharacterEmbed.v2")
def CharacterEmbed(
    width: int,
    rows: int,
    nM: int,
    nC: int,
    include_static_vectors: bool,
    feature: int | str = "LOWER",
) -> Model[list[Any], list[Floats2d]]:
    """Return a layer from documents to float32 (n_tokens, width) each.

    nC: bytes taken from each token; nM: numbers a byte; rows: size of the hash table of `feature`.
    include_static_vectors: mix in the vocabulary's word vectors as one more column.

    Raises ValueError when `feature` is no token attribute.

    >>> CharacterEmbed(96, 1000, 64, 8, False).layers[0].layers[0].name
    'charembed>>list2ragged'
    """
    vectors = StaticVectors(width, dropout=0.0) if include_static_vectors else None
    return _build(width, rows, nM, nC, feature, vectors)


@registry.architectures("spacy.CharacterEmbed.v1")
def CharacterEmbedV1(
    width: int,
    rows: int,
    nM: int,
    nC: int,
    include_static_vectors: bool,
    feature: int | str = "LOWER",
) -> Model[list[Any], list[Floats2d]]:
    """Return the same layer with version 1 of the static vectors."""
    vectors = StaticVectorsV1(width, dropout=0.0) if include_static_vectors else None
    return _build(width, rows, nM, nC, feature, vectors)


def _build(
    width: int, rows: int, nM: int, nC: int, feature: int | str, vectors: Model[list[Any], Ragged] | None
) -> Model[list[Any], list[Floats2d]]:
    feature_id = intify_attr(feature)
    if feature_id is None:
        raise ValueError(
            f"CharacterEmbed: feature {feature!r} is not a token attribute. Use one such as 'LOWER'."
        )
    table = HashEmbed(nO=width, nV=rows, column=0, seed=SEED)
    columns = [
        chain(CharEmbed(nM=nM, nC=nC), list2ragged()),
        chain(FeatureExtractor([feature_id]), list2ragged(), with_array(table)),
    ]
    mixed_width = nM * nC + width
    if vectors is not None:
        columns.append(vectors)
        mixed_width += width
    mix = with_array(Maxout(width, mixed_width, nP=3, dropout=0.0, normalize=True))
    return chain(concatenate(*columns), mix, ragged2list())
