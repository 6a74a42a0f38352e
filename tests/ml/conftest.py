"""Documents of another library for the layers that must take them too."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def nlp() -> Any:
    """spaCy's blank English, whose documents the layers know by their public methods only."""
    spacy = pytest.importorskip("spacy")
    return spacy.blank("en")
