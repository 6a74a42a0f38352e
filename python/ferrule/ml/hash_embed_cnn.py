"""`spacy.HashEmbedCNN.v2`: spaCy's standard token encoder, hashed attributes under maxout convolutions."""

from __future__ import annotations

from typing import Any

from thinc.api import Model
from thinc.types import Floats2d

from ferrule.ml.maxout_window_encoder import MaxoutWindowEncoder
from ferrule.ml.multi_hash_embed import MultiHashEmbed, MultiHashEmbedV1
from ferrule.ml.tok2vec import Tok2Vec
from ferrule.registry import registry

__all__ = ["HashEmbedCNN", "embedding_columns"]


@registry.architectures("spacy.HashEmbedCNN.v2")
def HashEmbedCNN(
    *,
    width: int,
    depth: int,
    embed_size: int,
    window_size: int,
    maxout_pieces: int,
    subword_features: bool,
    pretrained_vectors: bool | None,
) -> Model[list[Any], list[Floats2d]]:
    """Return a layer from documents to float32 (n_tokens, width) each.

    depth: window blocks; embed_size: rows of the table of ``NORM``, those of the other attributes
    have half as many; window_size: tokens each block sees on either side; maxout_pieces: pieces of
    each maxout (1 to 3 is usual); subword_features: also embed ``PREFIX``, ``SUFFIX`` and ``SHAPE``;
    pretrained_vectors: also use the vocabulary's word vectors.

    >>> HashEmbedCNN(width=96, depth=4, embed_size=2000, window_size=1, maxout_pieces=3,
    ...              subword_features=True, pretrained_vectors=None).get_dim("nO")
    96
    """
    attrs, rows = embedding_columns(embed_size, subword_features)
    return Tok2Vec(
        embed=MultiHashEmbed(width, attrs, rows, include_static_vectors=bool(pretrained_vectors)),
        encode=MaxoutWindowEncoder(width, window_size, maxout_pieces, depth),
    )


@registry.architectures("spacy.HashEmbedCNN.v1")
def HashEmbedCNNV1(
    *,
    width: int,
    depth: int,
    embed_size: int,
    window_size: int,
    maxout_pieces: int,
    subword_features: bool,
    pretrained_vectors: bool | None,
) -> Model[list[Any], list[Floats2d]]:
    """Return the same layer with version 1 of the static vectors."""
    attrs, rows = embedding_columns(embed_size, subword_features)
    return Tok2Vec(
        embed=MultiHashEmbedV1(width, attrs, rows, include_static_vectors=bool(pretrained_vectors)),
        encode=MaxoutWindowEncoder(width, window_size, maxout_pieces, depth),
    )


def embedding_columns(embed_size: int, subword_features: bool) -> tuple[list[str], list[int]]:
    """Return the attributes that are embedded and the rows of each one's table.

    >>> embedding_columns(2000, subword_features=True)
    (['NORM', 'PREFIX', 'SUFFIX', 'SHAPE'], [2000, 1000, 1000, 1000])
    """
    if not subword_features:
        return ["NORM"], [embed_size]
    return ["NORM", "PREFIX", "SUFFIX", "SHAPE"], [embed_size] + [embed_size // 2] * 3
