"""Keeping what a model said in the documents it said it about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

__all__ = ["keep_scores"]


def keep_scores(docs: Sequence[Any], scores: Any, name: str) -> None:
    """Put each document's share of `scores` into ``doc.activations[name]["scores"]``, as a copy.

    That is its row of an array, or its entry of a list of arrays, with one for each document. Scores of any
    other form are left to the component, and so are documents that have no activations, such as spaCy 3.8's.
    """
    is_list = isinstance(scores, list) and all(isinstance(rows, numpy.ndarray) for rows in scores)
    if not is_list and not (isinstance(scores, numpy.ndarray) and scores.ndim > 0):
        return
    if len(scores) != len(docs):
        return
    for doc, rows in zip(docs, scores, strict=True):
        if hasattr(doc, "activations"):
            doc.activations[name] = {"scores": numpy.array(rows, ndmin=1)}
