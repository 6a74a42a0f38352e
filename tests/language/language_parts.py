"""Settings of small models that tests share."""

from __future__ import annotations

from typing import Any

SMALL_TAGGER: dict[str, Any] = {
    "@architectures": "spacy.Tagger.v2",
    "tok2vec": {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "width": 16,
        "depth": 1,
        "embed_size": 64,
        "window_size": 1,
        "maxout_pieces": 2,
        "subword_features": True,
        "pretrained_vectors": None,
    },
}
SMALL_TOK2VEC = SMALL_TAGGER["tok2vec"]
LISTENING_TAGGER = {
    "@architectures": "spacy.Tagger.v2",
    "tok2vec": {"@architectures": "spacy.Tok2VecListener.v1", "width": 16},
}
