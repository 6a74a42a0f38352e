"""The word vectors a new pipeline begins with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ferrule.registry import registry

__all__ = ["create_mode_vectors"]


@registry.vectors("spacy.Vectors.v1")
def create_mode_vectors() -> Callable[[Any], Any]:
    """A function that gives a vocabulary its vectors: the empty table it was made with."""
    return lambda vocab: getattr(vocab, "vectors", None)
