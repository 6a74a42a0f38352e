"""The same documents in Ferrule and in spaCy 3.8 have the same attributes, arrays and saved forms."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from spacy.tokens import Doc as SpacyDoc
from spacy.tokens import DocBin as SpacyDocBin
from spacy.tokens import Span as SpacySpan

from ferrule.tokens import Doc, DocBin, Span
from ferrule.vocab import Vocab

pytestmark = pytest.mark.data

ARRAY = ["ORTH", "TAG", "POS", "MORPH", "LEMMA", "HEAD", "DEP", "SENT_START", "ENT_IOB", "ENT_TYPE"]
ARRAY += ["LOWER", "SHAPE", "PREFIX", "SUFFIX", "LENGTH", "SPACY", "IDX", "IS_ALPHA", "IS_PUNCT", "LIKE_NUM"]
SAVED = ["ORTH", "TAG", "POS", "MORPH", "LEMMA", "HEAD", "DEP", "SENT_START", "ENT_IOB", "ENT_TYPE", "SPACY"]
TOKEN = ["text", "tag_", "pos_", "lemma_", "dep_", "ent_iob_", "ent_type_", "idx", "i", "n_lefts", "n_rights"]
TOKEN += ["is_sent_start", "is_sent_end", "whitespace_", "shape_", "lower_", "sent_start"]
TOKEN_LISTS = ["children", "lefts", "rights", "subtree", "ancestors", "conjuncts"]

Pairs = list[tuple[Doc, SpacyDoc]]


def test_arrays_are_equal(pairs: Pairs) -> None:
    for ours, theirs in pairs:
        for name in ARRAY:
            assert ours.to_array(name).tolist() == theirs.to_array(name).tolist(), (name, theirs)


def test_token_attributes_are_equal(pairs: Pairs) -> None:
    for ours, theirs in pairs:
        for our_token, their_token in zip(ours, theirs, strict=True):
            for name in TOKEN:
                assert getattr(our_token, name) == getattr(their_token, name), (name, our_token)
            for name in TOKEN_LISTS:
                expected = [token.i for token in getattr(their_token, name)]
                assert [token.i for token in getattr(our_token, name)] == expected, (name, our_token)
            assert str(our_token.morph) == str(their_token.morph)
            assert our_token.head.i == their_token.head.i
            below = [token.i for token in their_token.subtree]  # spaCy's edges miss some where branches cross
            assert (our_token.left_edge.i, our_token.right_edge.i) == (min(below), max(below))


def test_spans_are_equal(pairs: Pairs) -> None:
    rng = np.random.default_rng(0)
    for ours, theirs in pairs:
        assert [(e.start, e.end, e.label_) for e in ours.ents] == [
            (e.start, e.end, e.label_) for e in theirs.ents
        ]
        assert [(s.start, s.end) for s in ours.sents] == [(s.start, s.end) for s in theirs.sents]
        start, end = sorted(rng.integers(0, len(ours) + 1, size=2).tolist())
        if start == end:
            continue
        our_span, their_span = ours[start:end], theirs[start:end]
        for name in (
            "text",
            "text_with_ws",
            "start_char",
            "end_char",
            "lemma_",
            "orth_",
            "n_lefts",
            "n_rights",
        ):
            assert getattr(our_span, name) == getattr(their_span, name), name
        assert our_span.root.i == their_span.root.i
        assert [t.i for t in our_span.subtree] == [t.i for t in their_span.subtree]
        assert [t.i for t in our_span.conjuncts] == [t.i for t in their_span.conjuncts]
        assert (our_span.get_lca_matrix() == their_span.get_lca_matrix()).all()


@pytest.mark.parametrize("mode", ["strict", "contract", "expand"])
def test_char_spans_are_equal(pairs: Pairs, mode: str) -> None:
    rng = np.random.default_rng(0)
    for ours, theirs in pairs:
        for start, end in rng.integers(-1, len(ours.text) + 2, size=(10, 2)).tolist():
            if start >= end:
                continue  # spaCy gives some of these an empty span
            found = ours.char_span(start, end, alignment_mode=mode)
            expected = theirs.char_span(start, end, alignment_mode=mode)
            assert (found is None) == (expected is None), (start, end)
            if found is not None:
                assert (found.start, found.end) == (expected.start, expected.end), (start, end)


def test_as_doc_is_equal(pairs: Pairs) -> None:
    rng = np.random.default_rng(0)
    for ours, theirs in pairs:
        for _ in range(3):
            start, end = sorted(rng.integers(0, len(ours) + 1, size=2).tolist())
            if start < end:
                found, expected = ours[start:end].as_doc(), theirs[start:end].as_doc()
                assert found.text == expected.text
                assert found.to_array(SAVED).tolist() == expected.to_array(SAVED).tolist(), (
                    theirs,
                    start,
                    end,
                )


def test_joined_documents_are_equal(pairs: Pairs) -> None:
    for first, second, third in zip(pairs[::3], pairs[1::3], pairs[2::3], strict=False):
        for whitespace in (True, False):
            found = Doc.from_docs([first[0], second[0], third[0]], ensure_whitespace=whitespace)
            expected = SpacyDoc.from_docs([first[1], second[1], third[1]], ensure_whitespace=whitespace)
            assert found is not None and found.text == expected.text
            assert (found.to_array(SAVED) == expected.to_array(SAVED)).all()


def decorate(doc: Any, span: Any) -> Any:
    doc.spans["parts"] = [span(doc, 0, 1, "A", kb_id="Q1", span_id="s1"), span(doc, 0, len(doc), "B")]
    doc.spans["none"] = []
    doc.cats = {"X": 0.25}
    doc.user_data["key"] = ["value", 1]
    doc.user_data["._.", "name", 0, 1] = 2
    doc.tensor = np.ones((len(doc), 3), dtype="float32")
    return doc


def assert_same_document(found: Any, expected: Any) -> None:
    assert found.text == expected.text
    assert (found.to_array(SAVED) == expected.to_array(SAVED)).all()
    assert found.cats == expected.cats
    assert found.has_unknown_spaces == expected.has_unknown_spaces
    assert list(found.spans) == list(expected.spans)
    for name, group in expected.spans.items():
        rows = [(s.start, s.end, s.label_, s.kb_id_, s.id_) for s in found.spans[name]]
        assert rows == [(s.start, s.end, s.label_, s.kb_id_, s.id_) for s in group]


def test_bytes_go_both_ways(pairs: Pairs, spacy_vocab: Any) -> None:
    for ours, theirs in pairs[:100]:
        ours, theirs = decorate(ours.copy(), Span), decorate(theirs.copy(), SpacySpan)
        theirs_here = Doc(Vocab()).from_bytes(theirs.to_bytes())
        ours_there = SpacyDoc(spacy_vocab).from_bytes(ours.to_bytes())
        for found in (theirs_here, ours_there):
            assert_same_document(found, theirs)
            assert found.user_data == theirs.user_data
            assert (found.tensor == theirs.tensor).all()


def test_docbins_go_both_ways(pairs: Pairs, spacy_vocab: Any) -> None:
    ours = [decorate(ours.copy(), Span) for ours, _ in pairs]
    theirs = [decorate(theirs.copy(), SpacySpan) for _, theirs in pairs]
    our_bytes = DocBin(docs=ours, store_user_data=True).to_bytes()
    their_bytes = SpacyDocBin(docs=theirs, store_user_data=True).to_bytes()
    theirs_here = list(DocBin().from_bytes(their_bytes).get_docs(Vocab()))
    ours_there = list(SpacyDocBin().from_bytes(our_bytes).get_docs(spacy_vocab))
    for found, reverse, expected in zip(theirs_here, ours_there, theirs, strict=True):
        assert_same_document(found, expected)
        assert_same_document(reverse, expected)
        assert set(found.user_data) == set(reverse.user_data) == set(expected.user_data)


def test_json_is_equal_and_goes_both_ways(pairs: Pairs, spacy_vocab: Any) -> None:
    for ours, theirs in pairs[:100]:
        ours, theirs = decorate(ours.copy(), Span), decorate(theirs.copy(), SpacySpan)
        assert ours.to_json() == theirs.to_json()
        assert Doc(Vocab()).from_json(theirs.to_json(), validate=True).to_json() == theirs.to_json()
        assert SpacyDoc(spacy_vocab).from_json(ours.to_json(), validate=True).text == theirs.text


@pytest.mark.skipif(not hasattr(Vocab, "to_bytes"), reason="a Vocab cannot be pickled yet")
def test_pickled_documents_come_back(pairs: Pairs) -> None:
    for ours, theirs in pairs[:20]:
        doc = decorate(ours.copy(), Span)
        loaded = pickle.loads(pickle.dumps(doc))
        assert_same_document(loaded, decorate(theirs.copy(), SpacySpan))
        assert loaded.user_data == doc.user_data
