"""The networks that components have when a config names none: those of spaCy 3.8."""

from __future__ import annotations

from typing import Any

__all__ = [
    "DEFAULT_MULTILABEL_MODEL",
    "DEFAULT_NER_MODEL",
    "DEFAULT_TAGGER_MODEL",
    "DEFAULT_TEXTCAT_MODEL",
    "DEFAULT_TOK2VEC_MODEL",
]

DEFAULT_TOK2VEC_MODEL: dict[str, Any] = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "pretrained_vectors": None,
    "width": 96,
    "depth": 4,
    "embed_size": 2000,
    "window_size": 1,
    "maxout_pieces": 3,
    "subword_features": True,
}

DEFAULT_TAGGER_MODEL: dict[str, Any] = {
    "@architectures": "spacy.Tagger.v2",
    "tok2vec": DEFAULT_TOK2VEC_MODEL,
}

DEFAULT_NER_MODEL: dict[str, Any] = {
    "@architectures": "spacy.TransitionBasedParser.v2",
    "state_type": "ner",
    "extra_state_tokens": False,
    "hidden_width": 64,
    "maxout_pieces": 2,
    "use_upper": True,
    "tok2vec": DEFAULT_TOK2VEC_MODEL,
}

_BAG_OF_WORDS: dict[str, Any] = {
    "@architectures": "spacy.TextCatBOW.v3",
    "exclusive_classes": True,
    "length": 262144,
    "ngram_size": 1,
    "no_output_layer": False,
}

DEFAULT_TEXTCAT_MODEL: dict[str, Any] = {
    "@architectures": "spacy.TextCatEnsemble.v2",
    "tok2vec": {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            "width": 64,
            "rows": [2000, 2000, 500, 1000, 500],
            "attrs": ["NORM", "LOWER", "PREFIX", "SUFFIX", "SHAPE"],
            "include_static_vectors": False,
        },
        "encode": {
            "@architectures": "spacy.MaxoutWindowEncoder.v2",
            "width": 64,
            "window_size": 1,
            "maxout_pieces": 3,
            "depth": 2,
        },
    },
    "linear_model": _BAG_OF_WORDS,
}

DEFAULT_MULTILABEL_MODEL: dict[str, Any] = {
    **DEFAULT_TEXTCAT_MODEL,
    "linear_model": {**_BAG_OF_WORDS, "exclusive_classes": False},
}
