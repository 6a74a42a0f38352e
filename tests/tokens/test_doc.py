"""Documents: construction, text, slices, sentences, entities."""

from __future__ import annotations

import numpy as np
import pytest

from ferrule.tokens import Doc, Span
from ferrule.vocab import Vocab


@pytest.fixture
def vocab() -> Vocab:
    return Vocab()


WORDS = ["I", "like", "New", "York", "."]
SPACES = [True, True, True, False, False]


@pytest.fixture
def doc(vocab: Vocab) -> Doc:
    return Doc(
        vocab,
        words=WORDS,
        spaces=SPACES,
        tags=["PRP", "VBP", "NNP", "NNP", "."],
        pos=["PRON", "VERB", "PROPN", "PROPN", "PUNCT"],
        morphs=["Person=1|Case=Nom", None, "", "Number=Sing", "_"],
        lemmas=["I", "like", "New", "York", "."],
        heads=[1, 1, 3, 1, 1],
        deps=["nsubj", "ROOT", "compound", "dobj", "punct"],
        ents=["O", "O", "B-GPE", "I-GPE", "O"],
    )


def test_text_is_words_and_spaces(doc: Doc) -> None:
    assert doc.text == "I like New York."
    assert [token.idx for token in doc] == [0, 2, 7, 11, 15]
    assert [token.text_with_ws for token in doc] == ["I ", "like ", "New ", "York", "."]


def test_unknown_spaces_are_presumed_and_marked(vocab: Vocab) -> None:
    doc = Doc(vocab, words=["a", "b"])
    assert doc.text == "a b "
    assert doc.has_unknown_spaces
    assert not Doc(vocab, words=["a"], spaces=[False]).has_unknown_spaces


def test_token_attributes_come_back(doc: Doc) -> None:
    assert [token.tag_ for token in doc] == ["PRP", "VBP", "NNP", "NNP", "."]
    assert [token.pos_ for token in doc] == ["PRON", "VERB", "PROPN", "PROPN", "PUNCT"]
    assert [str(token.morph) for token in doc] == ["Case=Nom|Person=1", "", "", "Number=Sing", ""]
    assert [token.has_morph() for token in doc] == [True, False, True, True, True]
    assert [token.head.i for token in doc] == [1, 1, 3, 1, 1]


def test_positions_and_slices(doc: Doc) -> None:
    assert doc[-1].text == "." and doc[0].text == "I"
    assert doc[2:4].text == "New York" and doc[-2:].text == "York." and len(doc[3:1]) == 0
    for position in (5, -6):
        with pytest.raises(IndexError):
            doc[position]
    with pytest.raises(ValueError, match="step"):
        doc[::2]
    with pytest.raises(TypeError):
        doc["x"]  # type: ignore[call-overload]


def test_the_tree_is_walked_in_order(doc: Doc) -> None:
    like = doc[1]
    assert [child.i for child in like.children] == [0, 3, 4]
    assert [child.i for child in like.lefts] == [0] and like.n_rights == 2
    assert [token.i for token in doc[3].subtree] == [2, 3]
    assert [token.i for token in doc[2].ancestors] == [3, 1]
    assert like.is_ancestor(doc[2]) and doc[2:4].root.i == 3
    assert like.left_edge.i == 0 and like.right_edge.i == 4


def test_heads_decide_the_sentences(vocab: Vocab) -> None:
    doc = Doc(vocab, words=list("abcd"), heads=[0, 0, 2, 2], deps=["d"] * 4, sent_starts=[1, 0, 0, 1])
    assert [len(sent) for sent in doc.sents] == [2, 2]
    with pytest.raises(ValueError, match="parse"):
        doc[1].is_sent_start = True


@pytest.mark.parametrize("heads", [[1, 0, 2], [1, 2, 0], [0, 0, 7], [0, 0, -1]])
def test_heads_that_are_no_trees_are_refused(vocab: Vocab, heads: list[int]) -> None:
    with pytest.raises(ValueError, match=r"head|HEAD"):
        Doc(vocab, words=list("abc"), heads=heads, deps=["d"] * 3)


def test_a_head_cannot_be_moved_into_a_cycle(doc: Doc) -> None:
    with pytest.raises(ValueError, match="below"):
        doc[1].head = doc[0]
    assert doc[1].head.i == 1


def test_sentences_without_boundaries_are_an_error(vocab: Vocab) -> None:
    with pytest.raises(ValueError, match="boundaries"):
        next(Doc(vocab, words=["a", "b"]).sents)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"words": ["a", "b"], "spaces": [True]}, "2 words but 1 spaces"),
        ({"words": ["a"], "tags": ["x", "y"]}, "2 tags for 1 words"),
        ({"words": ["a", ""]}, r"words\[1\] is empty"),
        ({"words": ["a"], "pos": ["NOPE"]}, "NOPE"),
        ({"words": ["a"], "heads": [0]}, "deps"),
        ({"words": ["a"], "ents": ["L-X"]}, r"ents\[0\]"),
        ({"words": ["a"], "morphs": ["Case"]}, "Field=Value"),
        ({"words": ["\ud800"]}, "surrogate"),
        ({"spaces": [True]}, "without words"),
        ({"tags": ["x"]}, "without words"),
    ],
)
def test_bad_construction_says_what_is_wrong(vocab: Vocab, arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Doc(vocab, **arguments)


def test_what_is_no_string_is_a_type_error(vocab: Vocab) -> None:
    with pytest.raises(TypeError, match=r"words\[1\]"):
        Doc(vocab, words=["a", 1.5])  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"tags\[0\]"):
        Doc(vocab, words=["a"], tags=[3])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        Doc(None, words=["a"])  # type: ignore[arg-type]


def test_entities_are_set_blocked_missing_and_outside(vocab: Vocab) -> None:
    doc = Doc(vocab, words=list("abcdef"))
    doc.set_ents(
        [Span(doc, 0, 2, "X", kb_id="Q1", span_id="e1")],
        blocked=[doc[2:3]],
        missing=[doc[3:4]],
        default="outside",
    )
    assert [token.ent_iob_ for token in doc] == ["B", "I", "B", "", "O", "O"]
    (ent,) = doc.ents
    assert (ent.label_, ent.kb_id_, ent.id_, doc[0].ent_id_) == ("X", "Q1", "e1", "e1")
    with pytest.raises(ValueError, match="more than one span"):
        doc.set_ents([Span(doc, 0, 2, "X"), Span(doc, 1, 3, "Y")])
    assert len(doc.ents) == 1


def test_arrays_come_back(doc: Doc) -> None:
    attrs = ["TAG", "POS", "MORPH", "LEMMA", "HEAD", "DEP", "ENT_IOB", "ENT_TYPE"]
    other = Doc(doc.vocab, words=WORDS, spaces=SPACES).from_array(attrs, doc.to_array(attrs))
    assert (other.to_array([*attrs, "SENT_START"]) == doc.to_array([*attrs, "SENT_START"])).all()
    assert doc.to_array("TAG").shape == (5,) and doc.to_array(["TAG"]).shape == (5,)


@pytest.mark.parametrize(
    ("attrs", "array"),
    [
        (["HEAD"], np.array([[9], [0], [0], [0], [0]], dtype="uint64")),
        (["HEAD", "DEP"], np.array([[1, 5], [-1, 5], [0, 5], [0, 5], [0, 5]])),
        (["ENT_IOB"], np.full((5, 1), 7, dtype="uint64")),
        (["SENT_START"], np.full((5, 1), 3, dtype="uint64")),
        (["TAG"], np.zeros((4, 1), dtype="uint64")),
        (["TAG"], np.zeros((5, 2), dtype="uint64")),
        (["TAG"], np.zeros((5, 1), dtype="float32")),
    ],
)
def test_forged_arrays_are_refused_and_change_nothing(doc: Doc, attrs: list[str], array: np.ndarray) -> None:
    before = doc.to_array(["TAG", "HEAD", "DEP", "ENT_IOB", "SENT_START"])
    with pytest.raises(ValueError):
        doc.from_array(attrs, array)
    assert (doc.to_array(["TAG", "HEAD", "DEP", "ENT_IOB", "SENT_START"]) == before).all()


def test_a_copy_is_independent(doc: Doc) -> None:
    doc.cats = {"A": 1.0}
    doc.spans["x"] = [doc[0:2]]
    other = doc.copy()
    other[0].tag_ = "CHANGED"
    other.cats["A"] = 0.0
    assert doc[0].tag_ == "PRP" and doc.cats == {"A": 1.0}
    assert other.spans["x"][0].doc is other and other.text == doc.text
