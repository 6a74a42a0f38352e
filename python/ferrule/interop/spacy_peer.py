"""spaCy beside Ferrule: the same folder loaded by the other library, to compare with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["SpacyPeer", "find_spacy_peer"]


@dataclass(frozen=True)
class SpacyPeer:
    """What spaCy is needed for in a comparison: its version, a loader of the folder, its classes."""

    version: str
    load: Callable[[], Any]
    doc_class: type
    example_class: type


def find_spacy_peer(folder: Path) -> SpacyPeer | str:
    """spaCy with the pipeline of `folder`; or, as text, why not: not installed, or it cannot load it."""
    try:
        import spacy
        from spacy.tokens import Doc
        from spacy.training import Example
    except ImportError:
        return "not installed"
    try:
        spacy.load(folder)
    except Exception as error:  # whatever another library says of this folder
        return f"cannot load this folder: {error}"
    return SpacyPeer(spacy.__version__, lambda: spacy.load(folder), Doc, Example)
