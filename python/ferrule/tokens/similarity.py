"""Cosine similarity of anything that has a vector."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

__all__ = ["cosine_similarity"]


def cosine_similarity(one: Any, other: Any) -> float:
    """Cosine of `one.vector` and `other.vector`; 0.0, with a warning, where either is all zeros.

    The same words are 1.0 whether they have vectors or not; as in spaCy, not so a token and a span of it.
    Both are Docs, Spans, Tokens or Lexemes. Anything without `vector` is a TypeError.
    """
    if not hasattr(other, "vector"):
        raise TypeError(f"similarity: expected a Doc, Span, Token or Lexeme, found {type(other).__name__}")
    if _same_words(one, other):
        return 1.0
    left, right = np.asarray(one.vector), np.asarray(other.vector)
    if left.shape != right.shape:
        raise ValueError(
            f"similarity: vectors of shapes {left.shape} and {right.shape}; "
            "both must come from one vocabulary"
        )
    scale = float(np.linalg.norm(left)) * float(np.linalg.norm(right))
    if scale == 0.0:
        warnings.warn(
            "similarity: one of the two has no vector, so the similarity is 0.0", UserWarning, stacklevel=3
        )
        return 0.0
    return float(np.dot(left, right) / scale)


def _same_words(one: Any, other: Any) -> bool:
    """Whether two have the same words; a token or lexeme is asked only about its like."""
    if hasattr(other, "orth"):
        words = [one] if hasattr(one, "orth") else one
        return len(words) == 1 and bool(words[0].orth == other.orth)
    if hasattr(one, "orth") or len(one) != len(other):
        return False
    return [token.orth for token in one] == [token.orth for token in other]
