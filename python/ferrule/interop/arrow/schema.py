"""The columns of a table of documents."""

from __future__ import annotations

import pyarrow as pa

__all__ = ["CATEGORY", "ENTITY", "SCHEMA", "SPAN", "TOKEN"]

TOKEN = pa.struct(
    [
        ("text", pa.string()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("space", pa.bool_()),
        ("norm", pa.string()),
        ("tag", pa.string()),
        ("tag_score", pa.float32()),
        ("pos", pa.string()),
        ("morph", pa.string()),
        ("lemma", pa.string()),
        ("head", pa.int32()),
        ("dep", pa.string()),
        ("sent_start", pa.bool_()),
        ("ent_iob", pa.string()),
    ]
)
"""A token. start, end: characters of the text. space: whether one follows. head: position in the document.

What is not annotated is null. tag_score: the probability of the tag, where the tagger kept its activations.
ent_iob: B, I or O; B outside of every entity marks a token that must be in none.
"""

_BOUNDS = [("start", pa.int32()), ("end", pa.int32()), ("start_char", pa.int32()), ("end_char", pa.int32())]
_NAMES = [("label", pa.string()), ("kb_id", pa.string()), ("id", pa.string())]

ENTITY = pa.struct([*_BOUNDS, *_NAMES, ("score", pa.float32())])
"""An entity: tokens from `start` to before `end`, the same in characters, and names.

score: its probability, where the entity recognizer kept its activations.
"""

SPAN = pa.struct([("key", pa.string()), *_BOUNDS, *_NAMES])
"""A span of the group `key`."""

CATEGORY = pa.struct([("label", pa.string()), ("score", pa.float64())])
"""A category of the document."""

SCHEMA = pa.schema(
    [
        pa.field("text", pa.string()),
        pa.field("tokens", pa.list_(TOKEN)),
        pa.field("ents", pa.list_(ENTITY)),
        pa.field("cats", pa.list_(CATEGORY)),
        pa.field("spans", pa.list_(SPAN)),
    ]
)
"""One row a document. `ents` is null where nobody looked for entities."""
