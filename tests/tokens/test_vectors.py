"""Vectors, norms and similarities; spaCy's on the same vectors are the oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from spacy.tokens import Doc as SpacyDoc
from spacy.vocab import Vocab as SpacyVocab

from ferrule.tokens import Doc
from ferrule.vocab import Vocab

ROUNDING = 1e-6  # float32 sums in another order
WORDS = ["good", "dog", "bad", "cat", "unknown", "good", "zero"]
WIDTH = 5

# spaCy says so by a warning; both sides do.
pytestmark = pytest.mark.filterwarnings("ignore:.*(similarity|W007|W008).*")


def with_vectors(vocab: Any) -> Any:
    rng = np.random.default_rng(0)
    for word in ("good", "dog", "bad", "cat"):
        vocab.set_vector(word, rng.normal(size=WIDTH).astype("float32"))
    vocab.set_vector("zero", np.zeros(WIDTH, dtype="float32"))
    return vocab


@pytest.fixture
def docs() -> tuple[Doc, SpacyDoc]:
    return Doc(with_vectors(Vocab()), words=WORDS), SpacyDoc(with_vectors(SpacyVocab()), words=WORDS)


def views(doc: Any) -> list[Any]:
    """The document, some spans (an empty one and one without vectors too), and the tokens."""
    return [doc, doc[0:3], doc[2:5], doc[4:5], doc[3:3], doc[4:7], *doc]


def test_vectors_and_norms_are_equal(docs: tuple[Doc, SpacyDoc]) -> None:
    for ours, theirs in zip(*map(views, docs), strict=True):
        assert ours.has_vector == theirs.has_vector, theirs
        assert ours.vector.dtype == np.float32 and ours.vector.shape == (WIDTH,)
        assert np.allclose(ours.vector, theirs.vector, atol=ROUNDING)
        assert ours.vector_norm == pytest.approx(float(theirs.vector_norm), abs=ROUNDING)


def test_similarities_of_any_two_are_equal(docs: tuple[Doc, SpacyDoc]) -> None:
    ours, theirs = map(views, docs)
    for our_one, their_one in zip(ours, theirs, strict=True):
        if not len(their_one):
            continue  # spaCy raises for an empty span
        for our_other, their_other in zip(ours, theirs, strict=True):
            if len(their_other):
                expected = float(their_one.similarity(their_other))
                assert our_one.similarity(our_other) == pytest.approx(expected, abs=ROUNDING)


def test_lexemes_compare_with_documents(docs: tuple[Doc, SpacyDoc]) -> None:
    ours, theirs = docs
    expected = float(theirs.similarity(theirs.vocab["dog"]))
    assert ours.similarity(ours.vocab["dog"]) == pytest.approx(expected, abs=ROUNDING)


def test_words_without_a_vector_are_out_of_vocabulary(docs: tuple[Doc, SpacyDoc]) -> None:
    ours, theirs = docs
    assert [token.is_oov for token in ours] == [token.is_oov for token in theirs]


def test_without_vectors_the_tensor_speaks() -> None:
    rows = np.arange(6, dtype="float32").reshape(3, 2)
    ours, theirs = Doc(Vocab(), words=["a", "b", "c"]), SpacyDoc(SpacyVocab(), words=["a", "b", "c"])
    for doc in (ours, theirs):
        doc.tensor = rows
    for our_view, their_view in ((ours, theirs), (ours[1:3], theirs[1:3]), (ours[0], theirs[0])):
        assert our_view.has_vector == their_view.has_vector
        assert np.allclose(our_view.vector, their_view.vector)
        assert our_view.tensor.tolist() == their_view.tensor.tolist()


def test_no_vector_at_all_is_similar_to_nothing() -> None:
    doc = Doc(Vocab(), words=["a", "b"])
    assert doc.similarity(doc.copy()) == 1.0 == doc[0].similarity(doc.vocab["a"])
    assert not doc.has_vector and not doc[0].has_vector
    with pytest.warns(UserWarning, match="no vector"):
        assert doc[0].similarity(doc[1]) == 0.0
    with pytest.raises(TypeError, match="Doc, Span, Token or Lexeme"):
        doc.similarity("text")
