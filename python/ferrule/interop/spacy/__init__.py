"""Ferrule and spaCy 3.8, both ways: documents, live pipelines made faster, components, teachers.

Needs spaCy: ``pip install "ferrule[spacy]"``. Saved pipelines need nothing from here: `ferrule.load` reads
spaCy's folders and `spacy.load` those of Ferrule.
"""

from __future__ import annotations

from ferrule.interop.spacy.acceleration import Acceleration, Swap, accelerate
from ferrule.interop.spacy.documents import from_spacy, to_spacy
from ferrule.interop.spacy.teacher import SpacyTeacher, spacy_teachers

__all__ = [
    "Acceleration",
    "SpacyTeacher",
    "Swap",
    "accelerate",
    "from_spacy",
    "spacy_teachers",
    "to_spacy",
]
