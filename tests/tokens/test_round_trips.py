"""What is written is read back: any words, any annotation, every format."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ferrule import _core
from ferrule.attrs import ENT_TYPE, LOWER, NORM, ORTH, SHAPE, SPACY, TAG
from ferrule.tokens import Doc, DocBin, Span
from ferrule.vocab import Vocab

ALL = [
    "ORTH",
    "NORM",
    "TAG",
    "POS",
    "MORPH",
    "LEMMA",
    "HEAD",
    "DEP",
    "SENT_START",
    "ENT_IOB",
    "ENT_TYPE",
    "SPACY",
]
VOCAB = Vocab()

word = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
label = st.one_of(st.none(), st.sampled_from(["A", "B", "Ünïcode", "x y"]))


@st.composite
def arguments(draw: st.DrawFn) -> dict[str, Any]:
    words = draw(st.lists(word, max_size=8))
    n_tokens = len(words)

    def column(entry: st.SearchStrategy[Any]) -> Any:
        return draw(st.one_of(st.none(), st.lists(entry, min_size=n_tokens, max_size=n_tokens)))

    given_columns = {
        "words": words,
        "spaces": column(st.booleans()),
        "tags": column(label),
        "lemmas": column(label),
        "pos": column(st.sampled_from(["", "NOUN", "X"])),
        "morphs": column(st.sampled_from([None, "", "A=b", "C=d|A=b,a"])),
        "ents": column(st.sampled_from(["O", "", "B-X", "I-X", "B-Y", None])),
        "sent_starts": column(st.sampled_from([True, False, None])),
    }
    if draw(st.booleans()) and n_tokens:
        order = draw(st.permutations(range(n_tokens)))
        heads = [0] * n_tokens
        for rank, i in enumerate(order):
            heads[i] = order[draw(st.integers(0, rank))]
        given_columns |= {"heads": heads, "deps": [draw(label) for _ in words]}
    return given_columns


def make(one: dict[str, Any]) -> Doc:
    return Doc(VOCAB, **one)


def assert_same(found: Doc, doc: Doc) -> None:
    assert found.text == doc.text
    assert found.has_unknown_spaces == doc.has_unknown_spaces
    assert [token.text for token in found] == [token.text for token in doc]
    assert found.to_array(ALL).tolist() == doc.to_array(ALL).tolist()


@given(arguments())
@settings(max_examples=150, deadline=None)
def test_bytes_docbin_array_and_copy_bring_the_document_back(one: dict[str, Any]) -> None:
    doc = make(one)
    assert_same(Doc(VOCAB).from_bytes(doc.to_bytes()), doc)
    assert_same(next(DocBin().from_bytes(DocBin(docs=[doc]).to_bytes()).get_docs(VOCAB)), doc)
    assert_same(doc.copy(), doc)
    if len(doc):
        bare = Doc(VOCAB, words=one["words"], spaces=one["spaces"])
        assert_same(bare.from_array(ALL, doc.to_array(ALL)), doc)


@given(arguments(), st.dictionaries(st.sampled_from("abc"), st.floats(0, 1), max_size=2))
@settings(max_examples=60, deadline=None)
def test_json_and_pickle_bring_the_document_back(one: dict[str, Any], cats: dict[str, float]) -> None:
    doc = make(one)
    doc.cats = cats
    if len(doc):
        doc.spans["group"] = [doc[:1], Span(doc, 0, len(doc), "whole")]
    pickled = pickle.loads(pickle.dumps(doc))
    assert_same(pickled, doc)
    loaded = Doc(VOCAB).from_json(json.loads(json.dumps(doc.to_json())))
    assert loaded.text == doc.text
    for found in (pickled, loaded):
        assert found.cats == cats
        spans = {key: [(s.start, s.end, s.label_) for s in group] for key, group in found.spans.items()}
        assert spans == {key: [(s.start, s.end, s.label_) for s in group] for key, group in doc.spans.items()}
        assert [str(token.morph) for token in found] == [str(token.morph) for token in doc]
        if doc.has_annotation("DEP"):
            assert [token.head.i for token in found] == [token.head.i for token in doc]
        for name in ("TAG", "POS", "LEMMA", "DEP", "ENT_TYPE"):
            if doc.has_annotation(name) and len(doc):
                assert found.to_array(name).tolist() == doc.to_array(name).tolist(), name


@given(arguments())
@settings(max_examples=100, deadline=None)
def test_the_text_is_the_words_and_their_spaces(one: dict[str, Any]) -> None:
    doc = make(one)
    spaces = one["spaces"] if one["spaces"] is not None else [True] * len(doc)
    expected = "".join(w + " " * space for w, space in zip(one["words"], spaces, strict=True))
    assert doc.text == expected == "".join(token.text_with_ws for token in doc)
    for token in doc:
        assert doc.text[token.idx : token.idx + len(token)] == token.text


@given(st.lists(arguments(), max_size=4))
@settings(max_examples=60, deadline=None)
def test_joined_documents_are_cut_apart_again(several: list[dict[str, Any]]) -> None:
    docs = [make(one) for one in several]
    joined = Doc.from_docs(docs, ensure_whitespace=False)
    if joined is None:
        assert not docs
        return
    assert joined.text == "".join(doc.text for doc in docs)
    start = 0
    for doc in docs:
        part = joined[start : start + len(doc)].as_doc()
        names = ["ORTH", "TAG", "POS", "MORPH", "LEMMA", "SPACY", "HEAD", "DEP"]
        assert part.to_array(names).tolist() == doc.to_array(names).tolist()
        start += len(doc)


@given(st.lists(arguments(), max_size=4))
@settings(max_examples=60, deadline=None)
def test_word_types_spread_over_tokens_are_the_features(several: list[dict[str, Any]]) -> None:
    docs = [make(one) for one in several]
    for i, doc in enumerate(docs):
        if len(doc):
            doc[0].norm_ = f"own norm {i % 2}"
    for names in ([ORTH, NORM, SHAPE], [NORM], [LOWER, TAG, SPACY], [ENT_TYPE]):
        features, lengths = _core.extract_features(docs, names)
        types, rows, same_lengths = _core.word_types(docs, names)
        assert lengths.tolist() == same_lengths.tolist() == [len(doc) for doc in docs]
        assert (rows[types] == features).all()
        expected = [doc.to_array(names).reshape(len(doc), -1) for doc in docs if len(doc)]
        if expected:
            assert (np.concatenate(expected) == features).all()
