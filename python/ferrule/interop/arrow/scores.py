"""How sure a pipeline was of what it wrote, from the activations it kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["entity_score", "keep_scores", "tag_scores"]

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


def entity_score(doc: Any, ent: Any) -> float | None:
    """The product of the probabilities of the actions taken in an entity; None where they are not known."""
    kept = (getattr(doc, "_activations", None) or {}).get(RECOGNIZER, {})
    rows, taken = kept.get("probabilities"), kept.get("label_ids")
    if rows is None or taken is None or not len(rows) == len(taken) == len(doc):
        return None
    actions = taken[ent.start : ent.end]
    if (actions < 0).any() or (actions >= rows.shape[1]).any():
        return None  # an entity that was there before the recognizer came
    return float(np.prod(rows[np.arange(ent.start, ent.end), actions]))
