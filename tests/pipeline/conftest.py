"""Pipelines small enough for a test, over spaCy's documents and over Ferrule's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from ferrule.registry import registry
from networks import encoder

WIDTH = 16
SMALL_ENCODER = encoder(WIDTH, embed_size=100)
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": WIDTH, "upstream": "*"}

SENTENCES = [
    (["Dogs", "bark"], ["N", "V"]),
    (["Cats", "see", "dogs", "often"], ["N", "V", "N", "ADV"]),
    (["They", "often", "bark"], ["PRON", "ADV", "V"]),
    (["It", "sees", "cats"], ["PRON", "V", "N"]),
]


class Library(NamedTuple):
    """One library's documents and examples."""

    vocab: Any
    doc: Callable[..., Any]
    example: Any

    def make(self, words: list[str], **annotations: Any) -> Any:
        """Return an example of the given words and gold annotations."""
        return self.example.from_dict(self.doc(self.vocab, words=words), annotations)


def _spacys() -> Library:
    spacy = pytest.importorskip("spacy")
    from spacy.training import Example

    return Library(spacy.blank("en").vocab, spacy.tokens.Doc, Example)


def _ours() -> Library:
    from ferrule.tokens import Doc
    from ferrule.training.example import Example
    from ferrule.vocab import Vocab

    return Library(Vocab(), Doc, Example)


LIBRARIES = {"spacy": _spacys, "ferrule": _ours}


@pytest.fixture(params=LIBRARIES.values(), ids=LIBRARIES)
def library(request: pytest.FixtureRequest) -> Library:
    """Where documents come from; a component must not care."""
    made: Library = request.param()
    return made


@pytest.fixture
def examples(library: Library) -> list[Any]:
    """A few tagged sentences that a small model learns by heart."""
    return [library.make(words, tags=tags) for words, tags in SENTENCES]


def build(config: dict[str, Any]) -> Any:
    """Return the model that `config` describes."""
    return registry.resolve({"model": config})["model"]
