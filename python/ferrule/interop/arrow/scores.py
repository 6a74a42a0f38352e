"""How sure a pipeline was of what it wrote, from the activations it kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["entity_scores", "keep_scores", "tag_scores"]

TAGGER, RECOGNIZER = "tagger", "ner"
"""The components whose activations are read, by name."""


def keep_scores(nlp: Any) -> None:
    """Let the tagger and the entity recognizer of a pipeline keep the probabilities of what they decide."""
    for name in (TAGGER, RECOGNIZER):
        if nlp.has_pipe(name) and hasattr(nlp.get_pipe(name), "save_activations"):
            nlp.get_pipe(name).save_activations = True


def tag_scores(docs: Sequence[Any]) -> npt.NDArray[np.float32]:
    """The probability of each token's tag: float32 (n_tokens,), NaN where it is not known."""
    parts = [np.zeros(0, dtype=np.float32)]
    for doc in docs:
        kept = getattr(doc, "_activations", None) or {}
        rows = kept.get(TAGGER, {}).get("probabilities")
        known = rows is not None and len(rows) == len(doc) and len(doc)
        parts.append(rows.max(axis=1) if known else np.full(len(doc), np.nan, dtype=np.float32))
    return np.concatenate(parts).astype(np.float32)


def entity_scores(doc: Any) -> list[float | None]:
    """The probability of each of ``doc.ents``, as the entity recognizer kept them; None where it did not."""
    kept = (getattr(doc, "_activations", None) or {}).get(RECOGNIZER, {}).get("entity_scores")
    n_entities = len(doc.ents)
    # Entities that were there before the recognizer came have none.
    return [None] * n_entities if kept is None or len(kept) != n_entities else kept.tolist()
