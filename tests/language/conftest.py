"""Small components and pipelines for the tests of `Language`."""

from __future__ import annotations

from typing import Any

import pytest
from language_parts import SMALL_TAGGER

import ferrule
from ferrule.language import Language
from ferrule.testing import default_examples
from ferrule.training.example import Example


@Language.component("test_noop")
def noop(doc: Any) -> Any:
    return doc


@Language.component("test_other")
def other(doc: Any) -> Any:
    return doc


@Language.component("test_fails_on_bad")
def fails_on_bad(doc: Any) -> Any:
    if "bad" in doc.text:
        raise ValueError(f"cannot do {doc.text!r}")
    return doc


@Language.component("test_returns_three")
def returns_three(doc: Any) -> Any:
    return 3


class Settings:
    def __init__(self, nlp: Any, name: str, a: int, b: dict[str, int]) -> None:
        self.name = name
        self.a = a
        self.b = b
        self.initialized_with: Any = None

    def __call__(self, doc: Any) -> Any:
        return doc

    def initialize(self, get_examples: Any, *, nlp: Any = None, setting: str = "none") -> None:
        self.initialized_with = setting


@Language.factory(
    "test_settings",
    default_config={"a": 1, "b": {"c": 2}},
    default_score_weights={"x_acc": 1.0, "y": None},
    assigns=["token.tag"],
    requires=["doc.ents"],
)
def make_settings(nlp: Any, name: str, a: int, b: dict[str, int]) -> Settings:
    return Settings(nlp, name, a, b)


@pytest.fixture
def nlp() -> Language:
    return ferrule.blank("en")


@pytest.fixture
def tagger() -> tuple[Language, list[Example]]:
    """A pipeline with an initialised tagger, and its examples."""
    pipeline = ferrule.blank("en")
    pipeline.add_pipe("tagger", config={"model": SMALL_TAGGER})
    examples = default_examples(pipeline)
    pipeline.initialize(lambda: examples)
    return pipeline, examples
