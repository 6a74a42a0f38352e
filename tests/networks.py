"""Small networks of the usual shapes, as blocks of a config."""

from __future__ import annotations

from typing import Any

Block = dict[str, Any]


def encoder(width: int = 8, *, embed_size: int = 16, depth: int = 1, maxout_pieces: int = 2) -> Block:
    """`spacy.HashEmbedCNN.v2`, without vectors."""
    return {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "width": width,
        "depth": depth,
        "embed_size": embed_size,
        "window_size": 1,
        "maxout_pieces": maxout_pieces,
        "subword_features": True,
        "pretrained_vectors": None,
    }


def tagger(tok2vec: Block) -> Block:
    """`spacy.Tagger.v2`."""
    return {"@architectures": "spacy.Tagger.v2", "tok2vec": tok2vec}


def ner(tok2vec: Block, *, hidden_width: int = 8) -> Block:
    """The network of an entity recognizer."""
    return {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "ner",
        "extra_state_tokens": False,
        "hidden_width": hidden_width,
        "maxout_pieces": 2,
        "use_upper": True,
        "tok2vec": tok2vec,
    }


def bag_of_words(
    length: int, *, exclusive: bool, ngram_size: int = 1, no_output_layer: bool = False
) -> Block:
    """`spacy.TextCatBOW.v3`."""
    return {
        "@architectures": "spacy.TextCatBOW.v3",
        "exclusive_classes": exclusive,
        "ngram_size": ngram_size,
        "no_output_layer": no_output_layer,
        "length": length,
    }


def ensemble(tok2vec: Block, bag: Block) -> Block:
    """`spacy.TextCatEnsemble.v2`."""
    return {"@architectures": "spacy.TextCatEnsemble.v2", "tok2vec": tok2vec, "linear_model": bag}
