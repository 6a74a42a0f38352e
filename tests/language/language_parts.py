"""Settings of small models that tests share."""

from __future__ import annotations

from networks import encoder, tagger

SMALL_TOK2VEC = encoder(16, embed_size=64)
SMALL_TAGGER = tagger(SMALL_TOK2VEC)
LISTENING_TAGGER = tagger({"@architectures": "spacy.Tok2VecListener.v1", "width": 16})
