"""Functions that users put in place of a document's properties; the same are given to spaCy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from spacy.tokens import Doc as SpacyDoc
from spacy.vocab import Vocab as SpacyVocab

from ferrule.tokens import Doc, Span
from ferrule.vocab import Vocab

WORDS = ["The", "big", "dog", "saw", "a", "cat"]


def both() -> list[Any]:
    return [Doc(Vocab(), words=WORDS), SpacyDoc(SpacyVocab(), words=WORDS)]


def spans(found: Any) -> list[tuple[int, int]]:
    return [(span.start, span.end) for span in found]


@pytest.mark.parametrize("doc", both(), ids=["ferrule", "spacy"])
def test_document_hooks_stand_in(doc: Any) -> None:
    doc.user_hooks.update(
        vector=lambda doc: np.ones(2, dtype="float32"),
        has_vector=lambda doc: True,
        vector_norm=lambda doc: 7.0,
        similarity=lambda doc, other: 0.25,
        sents=lambda doc: iter([doc[0:3], doc[3:6]]),
    )
    assert doc.vector.tolist() == [1, 1] and doc.has_vector and doc.vector_norm == 7.0
    assert doc.similarity(doc) == 0.25
    assert spans(doc.sents) == [(0, 3), (3, 6)]


@pytest.mark.parametrize("doc", both(), ids=["ferrule", "spacy"])
def test_span_hooks_stand_in(doc: Any) -> None:
    doc.user_span_hooks.update(
        vector=lambda span: np.full(2, span.start, dtype="float32"),
        has_vector=lambda span: True,
        similarity=lambda span, other: 0.75,
        sentiment=lambda span: -1.0,
        root=lambda span: span.doc[span.end - 1],
        sent=lambda span: span.doc[0:2],
    )
    span = doc[1:3]
    assert span.vector.tolist() == [1, 1] and span.has_vector
    assert span.similarity(doc) == 0.75 and span.sentiment == -1.0
    assert span.root.i == 2 and spans([span.sent]) == [(0, 2)]


@pytest.mark.parametrize("doc", both(), ids=["ferrule", "spacy"])
def test_token_hooks_stand_in(doc: Any) -> None:
    doc.user_token_hooks.update(
        vector=lambda token: np.full(2, token.i, dtype="float32"),
        has_vector=lambda token: token.i == 1,
        vector_norm=lambda token: 4.0,
        similarity=lambda token, other: 0.1,
        sentiment=lambda token: 2.0,
    )
    assert doc[1].vector.tolist() == [1, 1] and doc[1].has_vector and not doc[2].has_vector
    assert doc[1].vector_norm == 4.0 and doc[1].similarity(doc) == 0.1 and doc[1].sentiment == 2.0


def test_the_norm_of_a_span_has_a_hook() -> None:
    doc = Doc(Vocab(), words=WORDS)
    doc.user_span_hooks["vector_norm"] = lambda span: 3.0  # spaCy calls the hook of `vector` here
    assert doc[1:3].vector_norm == 3.0


def test_a_copy_has_the_hooks_and_its_own_dict_of_them() -> None:
    doc = Doc(Vocab(), words=WORDS)
    doc.user_hooks["vector_norm"] = lambda doc: 0.5
    copy = doc.copy()
    assert copy.vector_norm == 0.5
    del copy.user_hooks["vector_norm"]
    assert doc.vector_norm == 0.5


@pytest.mark.parametrize("doc", both(), ids=["ferrule", "spacy"])
def test_noun_chunks_come_from_the_languages_rules(doc: Any) -> None:
    doc.noun_chunks_iterator = lambda doclike: iter([(0, 3, doclike.vocab.strings.add("NP")), (4, 6, 0)])
    chunks = list(doc.noun_chunks)
    assert spans(chunks) == [(0, 3), (4, 6)] and chunks[0].label_ == "NP"


def test_without_rules_noun_chunks_are_refused_with_the_language() -> None:
    with pytest.raises(NotImplementedError, match="no rules for noun chunks"):
        _ = Doc(Vocab(), words=WORDS).noun_chunks


def test_a_span_has_the_chunks_inside_it() -> None:
    doc = Doc(Vocab(), words=WORDS)
    doc.noun_chunks_iterator = lambda doclike: [(0, 3, 0), (4, 6, 0)]
    assert spans(Span(doc, 2, 6).noun_chunks) == [(4, 6)]
