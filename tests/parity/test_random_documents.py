"""Documents of random words and partial annotation: spaCy and Ferrule answer the same calls alike."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from parity.everyday import library

SEEDS = range(40)
WORDS = ["a", "b", "New", "York", "the", ".", "é", "\n", "  ", "cats", "I", "'s", "12", "http://x.com", "Dr."]
COLUMNS = [
    "ORTH",
    "SPACY",
    "TAG",
    "POS",
    "MORPH",
    "LEMMA",
    "DEP",
    "HEAD",
    "SENT_START",
    "ENT_IOB",
    "ENT_TYPE",
]
ATTRIBUTES = [*COLUMNS, "NORM", "ENT_KB_ID", "ENT_ID", "IS_ALPHA", "LIKE_NUM", "LENGTH"]
SPAN = "text orth_ lemma_ start_char end_char ents sent sents root conjuncts lefts rights n_rights subtree"
TOKEN = (
    "text whitespace_ idx norm_ lemma_ pos_ tag_ dep_ ent_type_ ent_iob_ is_sent_start is_sent_end n_lefts "
    "children subtree head left_edge ancestors conjuncts sent morph"
)


def arguments(rng: random.Random) -> tuple[list[str], dict[str, Any]]:
    """Words, and what else `Doc()` takes; trees are without crossing branches."""
    words = rng.choices(WORDS, k=rng.randrange(9))
    given: dict[str, Any] = {}

    def maybe(name: str, values: list[Any]) -> None:
        if rng.random() < 0.6:
            given[name] = rng.choices(values, k=len(words))

    maybe("spaces", [True, False])
    maybe("tags", ["NN", "VB", "."])
    maybe("pos", ["NOUN", "VERB", "X"])
    maybe("morphs", ["Case=Nom", "Number=Sing|Case=Acc", ""])
    maybe("lemmas", ["be", "cat"])
    maybe("ents", ["B-GPE", "B-ORG", "O", "O", None])
    if words and rng.random() < 0.5:
        roots = sorted({0, rng.randrange(len(words))})
        given["heads"] = [max(root for root in roots if root <= i) for i in range(len(words))]
        given["deps"] = ["ROOT" if i in roots else rng.choice(["conj", "dobj"]) for i in range(len(words))]
    elif rng.random() < 0.5:
        given["sent_starts"] = rng.choices([True, False, False, None], k=len(words))
    return words, given


def plain(value: Any) -> Any:
    """What a value says, whichever library made it."""
    kind = type(value).__name__
    if kind == "Token":
        return kind, value.i
    if kind == "Span":
        return kind, value.start, value.end, value.label_, value.kb_id_, value.id_
    if kind == "Doc":
        rows = value.to_array([name for name in COLUMNS if name != "SENT_START"]).tolist()
        groups = {key: plain(list(group)) for key, group in value.spans.items()}
        return kind, value.text, rows, groups, value.has_unknown_spaces, plain(list(value.ents))
    if kind == "MorphAnalysis":
        return str(value)
    if isinstance(value, np.ndarray):
        return value.shape, value.tolist()
    if isinstance(value, dict):
        return sorted((key, plain(entry)) for key, entry in value.items())
    return [plain(each) for each in value] if hasattr(value, "__iter__") and kind != "str" else value


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return plain(call())
    except Exception as error:
        return type(error)


def calls(lib: Any, doc: Any, rng: random.Random) -> dict[str, Callable[[], Any]]:
    """Calls with random arguments, by a name; the same for both libraries when the generators are in step."""
    n = len(doc)
    start = rng.randrange(n + 1)
    end = rng.randrange(start, n + 1)
    char = rng.randrange(1, 20)
    mode = rng.choice(["strict", "contract", "expand"])
    label = rng.choice(["GPE", ""])
    span = doc[start:end]
    found = {
        "copy": doc.copy,
        "to_json": doc.to_json,
        "sents": lambda: doc.sents,
        "char_span": lambda: doc.char_span(char, char + rng.randrange(4), alignment_mode=mode),
        "an empty char_span": lambda: doc.char_span(char, char),
        "bytes": lambda: lib.Doc(doc.vocab).from_bytes(doc.to_bytes()),
        "as_doc": lambda: span.as_doc(copy_user_data=True),
        "span.to_array": lambda: span.to_array([lib.attrs.ORTH]),
        "from_docs": lambda: lib.Doc.from_docs([doc, doc], ensure_whitespace=mode == "strict"),
        "a group": lambda: lib.SpanGroup(doc, spans=[span, doc[0:n]]).has_overlap,
    }
    for attribute in ATTRIBUTES:
        for complete in (False, True):
            found[f"has_annotation {attribute} {complete}"] = lambda attribute=attribute, complete=complete: (
                doc.has_annotation(attribute, require_complete=complete)
            )
    for name in SPAN.split():
        found[f"span.{name}"] = lambda name=name: getattr(span, name)
    for name in TOKEN.split():
        found[f"token.{name}"] = lambda name=name: [
            outcome(lambda token=token: getattr(token, name)) for token in doc
        ]

    def entities() -> Any:
        other = doc.copy()
        other.set_ents([lib.Span(other, start, end, label=label, kb_id="Q1")], default="missing")
        return other

    def merged() -> Any:
        other = doc.copy()
        other.spans.clear()  # spaCy loses count of spans that end behind a merge
        with other.retokenize() as retokenizer:
            retokenizer.merge(other[start:end], attrs={"ENT_IOB": 3, "ENT_TYPE": "ORG", "LEMMA": "l"})
        return other

    return {**found, "set_ents": entities, "merge": merged}


@pytest.mark.parametrize("seed", SEEDS)
def test_random_documents_answer_alike(seed: int) -> None:
    words, given = arguments(random.Random(seed))
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("spacy", "ferrule"):
            lib = library(name)
            doc = lib.Doc(lib.nlp.vocab, words=words, **given)
            if words:
                doc.spans["k"] = [lib.Span(doc, 0, 1, label="A"), lib.Span(doc, 0, len(words))]
            todo = calls(lib, doc, random.Random(seed))
            found[name] = {call: outcome(do) for call, do in todo.items()}
    for call, expected in found["spacy"].items():
        ours = found["ferrule"][call]
        if isinstance(expected, type) and isinstance(ours, type):
            assert issubclass(ours, expected), call
        else:
            assert ours == expected, (call, words, given)


@pytest.mark.parametrize("name", ["spacy", "ferrule"])
def test_pieces_of_a_split_begin_no_sentence_where_nobody_set_any(name: str) -> None:
    lib = library(name)
    doc = lib.Doc(lib.nlp.vocab, words=["x", "NewYork"])
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[1], ["New", "York"], heads=[doc[0], doc[0]])
    assert not doc.has_annotation("SENT_START")


@pytest.mark.parametrize("name", ["spacy", "ferrule"])
def test_a_computed_extension_cannot_be_set_by_a_merge(name: str) -> None:
    lib = library(name)
    lib.Token.set_extension("position", getter=lambda token: token.i, force=True)
    doc = lib.Doc(lib.nlp.vocab, words=["a", "b"])
    with pytest.raises(ValueError, match="position"), doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2], attrs={"_": {"position": 1}})
    lib.Token.remove_extension("position")


def test_empty_spans_are_copied_with_their_document() -> None:
    lib = library("ferrule")
    doc = lib.Doc(lib.nlp.vocab, words=["a", "b"])
    doc.spans["k"] = [lib.Span(doc, at, at) for at in range(3)]
    copied = doc.copy()
    assert [span.start for span in copied.spans["k"]] == [0, 1, 2]
