"""What hangs on a document comes back from every format that keeps it: span groups, categories, user data."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ferrule.tokens import Doc, DocBin, Span, SpanGroup
from ferrule.vocab import Vocab

N_TOKENS = 5
name = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
label = st.sampled_from(["", "A", "Ünï", "x y"])
span = st.tuples(st.integers(0, N_TOKENS), st.integers(0, N_TOKENS), label, label, label)
value = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | name,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(name, inner, max_size=2),
    max_leaves=4,
)
group = st.tuples(name, st.dictionaries(name, value, max_size=2), st.lists(span, max_size=3))


def make(groups: dict[str, Any], cats: dict[str, float], user_data: dict[str, Any], width: int) -> Doc:
    doc = Doc(Vocab(), words=list("abcde"), spaces=[True, False, True, False, False])
    for key, (own_name, attrs, spans) in groups.items():
        made = [
            Span(doc, min(start, end), max(start, end), label=label, kb_id=kb_id, span_id=span_id)
            for start, end, label, kb_id, span_id in spans
        ]
        doc.spans[key] = SpanGroup(doc, name=own_name, attrs=attrs, spans=made)
    doc.cats, doc.user_data = cats, dict(user_data)
    doc.ents = [Span(doc, 1, 3, label="E", kb_id="Q1", span_id="id")]
    if width:
        doc.tensor = np.arange(N_TOKENS * width, dtype="f").reshape(N_TOKENS, width)
    return doc


def spans_of(group: Any) -> Any:
    return [(s.start, s.end, s.label_, s.kb_id_, s.id_) for s in group]


def tuples(value: Any) -> Any:
    """The value with tuples for lists, which is how a DocBin gives user data back, spaCy's too."""
    if isinstance(value, dict):
        return {key: tuples(entry) for key, entry in value.items()}
    return tuple(map(tuples, value)) if isinstance(value, list) else value


def groups_of(doc: Doc) -> Any:
    return {key: (group.name, group.attrs, spans_of(group)) for key, group in doc.spans.items()}


@given(
    st.dictionaries(name, group, max_size=3),
    st.dictionaries(name, st.floats(0, 1), max_size=2),
    st.dictionaries(name, value, max_size=2),
    st.integers(0, 2),
)
@settings(deadline=None, max_examples=60)
def test_whatever_hangs_on_a_document_comes_back(
    groups: dict[str, Any], cats: dict[str, float], user_data: dict[str, Any], width: int
) -> None:
    doc = make(groups, cats, user_data, width)
    doc_bin = DocBin(docs=[doc], store_user_data=True)
    found = {
        "bytes": Doc(Vocab()).from_bytes(doc.to_bytes()),
        "dict": Doc(Vocab()).from_dict(doc.to_dict()),
        "pickle": pickle.loads(pickle.dumps(doc)),
        "copy": doc.copy(),
        "DocBin": next(DocBin().from_bytes(doc_bin.to_bytes()).get_docs(Vocab())),
    }
    for form, again in found.items():
        assert groups_of(again) == groups_of(doc), form
        expected = tuples(user_data) if form == "DocBin" else user_data
        assert (again.cats, again.user_data) == (cats, expected), form
        assert spans_of(again.ents) == spans_of(doc.ents), form
        if form != "DocBin":  # which leaves tensors out, as spaCy's does
            assert again.tensor.tolist() == doc.tensor.tolist(), form


@given(st.dictionaries(name, group, max_size=3))
@settings(deadline=None, max_examples=60)
def test_span_groups_come_back_from_bytes_of_their_own(groups: dict[str, Any]) -> None:
    doc = make(groups, {}, {}, 0)
    bare = Doc(doc.vocab, words=list("abcde"), spaces=[True, False, True, False, False])
    bare.spans.from_bytes(doc.spans.to_bytes())
    assert groups_of(bare) == groups_of(doc)
    for group in doc.spans.values():
        again = SpanGroup(bare).from_bytes(group.to_bytes())
        assert (again.name, again.attrs, spans_of(again)) == (group.name, group.attrs, spans_of(group))
