"""`spacy.Tok2Vec.v2`: an embedding and an encoder, in a row."""

from __future__ import annotations

from typing import Any

from thinc.api import Model, chain, with_array
from thinc.types import Floats2d

from ferrule.ml.fused import fuse
from ferrule.registry import registry

__all__ = ["Tok2Vec"]


@registry.architectures("spacy.Tok2Vec.v2")
def Tok2Vec(
    embed: Model[list[Any], list[Floats2d]], encode: Model[list[Floats2d], list[Floats2d]]
) -> Model[list[Any], list[Floats2d]]:
    """Return a layer from documents to float32 (n_tokens, width) each, with refs ``embed`` and ``encode``.

    embed: documents to one row a token, without context; encode: rows to rows that know their context.
    """
    tok2vec = chain(embed, encode)
    if encode.has_dim("nO"):
        tok2vec.set_dim("nO", encode.get_dim("nO"))
    tok2vec.set_ref("embed", embed)
    tok2vec.set_ref("encode", encode)
    fuse(tok2vec)
    return tok2vec


@registry.architectures("spacy.Tok2Vec.v1")
def Tok2VecV1(
    embed: Model[list[Any], list[Floats2d]], encode: Model[Floats2d, Floats2d]
) -> Model[list[Any], list[Floats2d]]:
    """Return the same from an encoder of rows, padded by its ``attrs["receptive_field"]``."""
    padded = with_array(encode, pad=encode.attrs.get("receptive_field", 0))
    tok2vec = Tok2Vec(embed, padded)
    tok2vec.set_ref("encode", encode)
    return tok2vec
