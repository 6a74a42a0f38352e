"""`ferrule.HashEmbedCNN.v1` and `ferrule.MaxoutWindowEncoder.v1`: spaCy's, without rows beyond documents.

spaCy puts rows of zeros between documents, and those rows pass through every block like tokens: a fifth of
all rows where sentences have 14 words. Here a window that reaches beyond its document reads zeros at every
block, so that there are no such rows. Settings and shapes of weights are those of spaCy's architectures, but
weights are not interchangeable: to the other, those at the ends of documents mean something else.
"""

from __future__ import annotations

from typing import Any

from thinc.api import Maxout, Model, chain, clone, expand_window, residual, with_array
from thinc.types import Floats2d

from ferrule.ml.hash_embed_cnn import embedding_columns
from ferrule.ml.multi_hash_embed import MultiHashEmbed
from ferrule.ml.tok2vec import Tok2Vec
from ferrule.ml.window_encoder import check_depth, window_width
from ferrule.ml.within_documents import within_documents
from ferrule.registry import registry

__all__ = ["FerruleHashEmbedCNN", "FerruleMaxoutWindowEncoder"]


@registry.architectures("ferrule.MaxoutWindowEncoder.v1")
def FerruleMaxoutWindowEncoder(
    width: int, window_size: int, maxout_pieces: int, depth: int
) -> Model[list[Floats2d], list[Floats2d]]:
    """Return a layer from float32 (n_tokens, width) to the same shape, for each document of a batch.

    A token sees ``window_size * depth`` tokens on either side, and zeros beyond the ends of its document.

    Raises ValueError when `depth` is below one.

    >>> FerruleMaxoutWindowEncoder(96, window_size=1, maxout_pieces=3, depth=4).get_dim("nO")
    96
    """
    check_depth(depth)
    transform: Model[Any, Any] = Maxout(
        nO=width, nI=window_width(width, window_size), nP=maxout_pieces, dropout=0.0, normalize=True
    )
    block: Model[Any, Any] = residual(chain(expand_window(window_size=window_size), with_array(transform)))
    blocks = clone(block, depth)
    blocks.set_dim("nO", width)
    return within_documents(blocks)


@registry.architectures("ferrule.HashEmbedCNN.v1")
def FerruleHashEmbedCNN(
    *,
    width: int,
    depth: int,
    embed_size: int,
    window_size: int,
    maxout_pieces: int,
    subword_features: bool,
    pretrained_vectors: bool | None,
) -> Model[list[Any], list[Floats2d]]:
    """Return a layer from documents to float32 (n_tokens, width) each; the settings are those of spaCy's.

    >>> FerruleHashEmbedCNN(width=96, depth=4, embed_size=2000, window_size=1, maxout_pieces=3,
    ...                     subword_features=True, pretrained_vectors=None).get_dim("nO")
    96
    """
    attrs, rows = embedding_columns(embed_size, subword_features)
    return Tok2Vec(
        embed=MultiHashEmbed(width, attrs, rows, include_static_vectors=bool(pretrained_vectors)),
        encode=FerruleMaxoutWindowEncoder(width, window_size, maxout_pieces, depth),
    )
