"""A `TrainablePipe` subclass runs unchanged inside spaCy's own `Language`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import catalogue
import pytest
import spacy
import spacy.language
from spacy.training import Example
from word_length_tagger import WordLengthTagger, length_model

WORDS = ["a", "bee", "an", "elephant", "to", "be", "or", "another", "giraffe", "of"]
TAGS = ["LONG" if len(word) > 3 else "SHORT" for word in WORDS]


@pytest.fixture
def factory() -> Iterator[str]:
    spacy.language.Language.factory("ferrule_word_length", func=make_word_length)
    yield "ferrule_word_length"
    catalogue.REGISTRY.pop(("spacy", "internal_factories", "ferrule_word_length"), None)


def make_word_length(nlp: Any, name: str) -> WordLengthTagger:
    return WordLengthTagger(nlp.vocab, length_model(), name)


def test_factory_initialize_update_pipe_save_and_load(factory: str, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe(factory)
    doc = spacy.tokens.Doc(nlp.vocab, words=WORDS)
    examples = [Example.from_dict(doc, {"tags": TAGS})]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.05
    losses: dict[str, float] = {}
    first = nlp.update(examples, sgd=optimizer)[factory]
    for _ in range(300):
        losses = nlp.update(examples, sgd=optimizer)
    assert losses[factory] < first / 10

    texts = ["an elephant", "of a giraffe"] * 5
    tags = [[token.tag_ for token in doc] for doc in nlp.pipe(texts, batch_size=3)]
    assert tags == [["SHORT", "LONG"], ["SHORT", "SHORT", "LONG"]] * 5
    assert nlp.get_pipe(factory) is pipe

    nlp.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    assert loaded.get_pipe(factory).labels == ("SHORT", "LONG")
    assert [[token.tag_ for token in doc] for doc in loaded.pipe(texts)] == tags
    again = spacy.blank("en")
    again.add_pipe(factory)
    again.from_bytes(nlp.to_bytes())
    assert [[token.tag_ for token in doc] for doc in again.pipe(texts)] == tags


def test_one_bad_document_costs_one_document_there_too(factory: str) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe(factory)
    nlp.initialize()
    seen = []
    pipe = nlp.get_pipe(factory)
    plain = pipe.predict

    def predict(docs: Any) -> Any:
        if any(doc.text == "bad" for doc in docs):
            raise ValueError("a bad document")
        return plain(docs)

    pipe.predict = predict
    nlp.set_error_handler(lambda name, component, docs, error: seen.append([doc.text for doc in docs]))
    out = [doc.text for doc in nlp.pipe(["one", "two", "bad", "three", "bad", "four"], batch_size=6)]
    assert out == ["one", "two", "three", "four"]
    assert seen == [["bad"], ["bad"]]
