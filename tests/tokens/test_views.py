"""Tokens, spans and groups as objects: equality, order, hashes, extension attributes, ended zones."""

from __future__ import annotations

import pytest

from ferrule.tokens import Doc, MorphAnalysis, Span, SpanGroup, Token
from ferrule.vocab import Vocab


@pytest.fixture
def doc() -> Doc:
    return Doc(Vocab(), words=["a", "b", "c", "d"])


def test_tokens_are_equal_by_document_and_position(doc: Doc) -> None:
    other = doc.copy()
    assert doc[0] == doc[0] and doc[0] != doc[1] and doc[0] != other[0]
    assert doc[0] < doc[1] <= doc[1] and doc[2] > doc[1]
    assert hash(doc[0]) == hash((doc, 0))
    assert doc[0] != "a" and doc[0] is not None


def test_spans_are_equal_by_document_offsets_label_and_ids(doc: Doc) -> None:
    assert doc[0:2] == doc[0:2] and hash(doc[0:2]) == hash(doc[0:2])
    assert doc[0:2] != doc.copy()[0:2]
    assert Span(doc, 0, 2, "X") != doc[0:2] != Span(doc, 0, 2, kb_id="Q") != Span(doc, 0, 2, span_id="Q")
    assert doc[0:2] < doc[0:3] < doc[1:2] and doc[0:2] <= doc[0:2]
    assert sorted([doc[1:2], doc[0:3], doc[0:2]]) == [doc[0:2], doc[0:3], doc[1:2]]


def test_spans_outside_the_document_are_refused(doc: Doc) -> None:
    for start, end in ((2, 1), (0, 5), (-1, 2)):
        with pytest.raises(IndexError):
            Span(doc, start, end)
    with pytest.raises(TypeError, match="label"):
        Span(doc, 0, 1, label=None)  # type: ignore[arg-type]


def test_attributes_of_the_word_type_cannot_be_set(doc: Doc) -> None:
    with pytest.raises(AttributeError, match="lower_"):
        doc[0].lower_ = "x"
    with pytest.raises(AttributeError):
        doc.no_such_attribute = 1  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="NOPE"):
        doc[0].pos_ = "NOPE"


def test_groups_know_their_document_overlap_and_refuse_strangers(doc: Doc) -> None:
    group = SpanGroup(doc, name="g", spans=[doc[0:2]])
    assert not group.has_overlap
    group.append(doc[1:3])
    assert group.has_overlap and [span.text for span in group] == ["a b", "b c"]
    with pytest.raises(ValueError, match="another document"):
        group.extend([doc[0:1], doc.copy()[0:1]])
    assert len(group) == 2
    more = [doc[3:4]]
    assert len(group + more) == 3 and len(group) == 2
    stranger = doc.copy()
    with pytest.raises(ValueError, match="of another document"):
        stranger.spans["g"] = group
    assert SpanGroup(doc).from_bytes(group.to_bytes())[1] == group[1]


def test_a_group_whose_document_is_gone_says_so() -> None:
    group = SpanGroup(Doc(Vocab(), words=["a"]), name="lost")
    with pytest.raises(RuntimeError, match="lost"):
        _ = group.doc


def test_extension_attributes_have_defaults_getters_setters_and_methods(doc: Doc) -> None:
    Token.set_extension("items", default=[], force=True)
    Span.set_extension("size", getter=len, force=True)
    Doc.set_extension("ends_with", method=lambda doc, text: doc[-1].text == text, force=True)
    try:
        doc[0]._.items.append(1)
        assert doc[0]._.items == [1] and doc[1]._.items == []
        assert doc[0:3]._.size == 3 and doc._.ends_with("d")
        with pytest.raises(AttributeError, match="no setter"):
            doc[0:1]._.size = 2
        with pytest.raises(AttributeError, match="no_such"):
            _ = doc._.no_such
        with pytest.raises(ValueError, match="force=True"):
            Span.set_extension("size", default=1)
        with pytest.raises(ValueError, match="exactly one"):
            Span.set_extension("two", default=1, getter=len)
    finally:
        Token.remove_extension("items")
        Span.remove_extension("size")
        Doc.remove_extension("ends_with")


def test_morphological_features_have_one_normal_form() -> None:
    vocab = Vocab()
    morph = MorphAnalysis(vocab, "B=c,a|A=z")
    assert str(morph) == "A=z|B=a,c" and morph.to_dict() == {"A": "z", "B": "a,c"}
    assert list(morph) == ["A=z", "B=a", "B=c"] and len(morph) == 3 and "B=c" in morph
    assert morph.get("B") == ["a", "c"] and morph.get("C", ["x"]) == ["x"] and morph.get("C") == []
    assert morph == MorphAnalysis(vocab, {"A": "z", "B": "c,a"}) and str(MorphAnalysis(vocab)) == ""


def test_a_document_whose_memory_zone_has_ended_says_so() -> None:
    vocab = Vocab()
    before = Doc(vocab, words=["kept"])
    with vocab.memory_zone():
        doc = Doc(vocab, words=["gone"], tags=["X"])
        assert doc.text == "gone "
    for use in (lambda: doc.text, lambda: doc[0].tag_, lambda: doc.to_array("TAG"), lambda: doc.to_bytes()):
        with pytest.raises(ValueError, match="memory zone"):
            use()
    assert before.text == "kept "
