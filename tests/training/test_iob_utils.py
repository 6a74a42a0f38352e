"""Tags, offsets and spans into each other; spaCy's own functions are the oracle for well-formed input."""

from __future__ import annotations

import random
import warnings

import pytest
import spacy.training as spacy_training
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc as SpacyDoc
from spacy.training.iob_utils import tags_to_entities as spacy_tags_to_entities
from spacy.vocab import Vocab as SpacyVocab

from ferrule.training import iob_utils

VOCAB = SpacyVocab()

iob_tags = st.lists(st.sampled_from(["O", "O", "B-A", "I-A", "B-B", "I-B"]), max_size=12)
entity_lengths = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["A", "B-C"])), max_size=6)


def biluo_of(lengths: list[tuple[int, str]]) -> list[str]:
    tags: list[str] = []
    for length, label in lengths:
        if length == 0:
            tags.append("O")
        elif length == 1:
            tags.append(f"U-{label}")
        else:
            tags += [f"B-{label}", *[f"I-{label}"] * (length - 2), f"L-{label}"]
    return tags


@given(iob_tags)
def test_iob_to_biluo_equals_spacys(tags):
    assert iob_utils.iob_to_biluo(tags) == spacy_training.iob_to_biluo(tags)


@given(entity_lengths)
def test_biluo_goes_to_iob_and_back(lengths):
    biluo = biluo_of(lengths)
    iob = iob_utils.biluo_to_iob(biluo)
    assert iob == spacy_training.biluo_to_iob(biluo)
    assert iob_utils.iob_to_biluo(iob) == biluo
    assert iob_utils.iob_to_biluo(biluo) == biluo
    assert iob_utils.tags_to_entities(biluo) == spacy_tags_to_entities(biluo)


def test_iobes_is_read_as_biluo():
    assert iob_utils.iob_to_biluo(["B-X", "E-X", "S-Y", "O"]) == ["B-X", "L-X", "U-Y", "O"]


def test_missing_tags_stay_missing():
    assert iob_utils.iob_to_biluo(["I-X", "-", None, "I-X"]) == ["U-X", "-", None, "U-X"]
    assert iob_utils.biluo_to_iob(["-", None, "U-X"]) == ["-", None, "B-X"]
    assert iob_utils.tags_to_entities(["-", "O", None]) == [("", 0, 0), ("", 2, 2)]


@pytest.mark.parametrize("tags", [["O", '"', "B-LOC"], ["B"], ["B-"], [""], ["Q-X"]])
def test_ill_formed_iob_is_refused_with_its_position(tags):
    with pytest.raises(ValueError, match=r"token \d has"):
        iob_utils.iob_to_biluo(tags)


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (["I-X"], "no B- tag begins"),
        (["L-X"], "no B- tag begins"),
        (["B-X", "B-X", "L-X"], "not closed before token 1"),
        (["B-X", "O"], "not closed before token 1"),
        (["B-X", "-", "L-X"], "not closed before token 1"),
        (["O", "B-X"], "still open at the end"),
        (["B-X", "I-Y", "L-X"], "token 1 has 'I-Y'.*one label"),
        (["B-X", "L-Y"], "token 1 has 'L-Y'.*one label"),
        (["X"], "expected O, -"),
    ],
)
def test_ill_formed_biluo_is_refused(tags, message):
    with pytest.raises(ValueError, match=message):
        iob_utils.tags_to_entities(tags)


def random_doc(rng: random.Random) -> SpacyDoc:
    words = [rng.choice(["a", "bcd", "ef", "\n", "née"]) for _ in range(rng.randint(1, 9))]
    return SpacyDoc(VOCAB, words=words, spaces=[rng.random() < 0.6 for _ in words])


@pytest.mark.parametrize("missing", ["O", "-", None])
def test_offsets_to_biluo_equals_spacys_on_random_offsets(missing):
    rng = random.Random(0)
    refused = 0
    for _ in range(400):
        doc = random_doc(rng)
        cuts = sorted(rng.sample(range(len(doc.text) + 1), k=min(4, len(doc.text) + 1) // 2 * 2))
        labels = ["X", "Y"]
        if rng.random() < 0.3:  # one: spaCy's answer for a token two of them share depends on the order
            labels, cuts = [""], cuts[:2]
        entities = [
            (start, end, rng.choice(labels)) for start, end in zip(cuts[::2], cuts[1::2], strict=True)
        ]
        if rng.random() < 0.1:
            entities += entities[:1]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                expected = spacy_training.offsets_to_biluo_tags(doc, entities, missing=missing)
            except ValueError:
                refused += 1
                with pytest.raises(ValueError, match="overlap"):
                    iob_utils.offsets_to_biluo_tags(doc, entities, missing=missing)
            else:
                assert iob_utils.offsets_to_biluo_tags(doc, entities, missing=missing) == expected, entities
    assert refused


def test_misaligned_entities_are_named_in_a_warning():
    doc = SpacyDoc(VOCAB, words=["I", "like", "London"])
    with pytest.warns(UserWarning, match=r"'ondon'.*token boundaries|token boundaries.*'ondon'"):
        assert iob_utils.offsets_to_biluo_tags(doc, [(8, 13, "GPE")]) == ["O", "O", "-"]


def test_spans_and_offsets_equal_spacys():
    doc = SpacyDoc(VOCAB, words=["I", "like", "New", "York", "City", "."], spaces=[1, 1, 1, 1, 0, 0])
    tags = ["O", "-", "B-X", "L-X", "U-Y", None]
    assert iob_utils.biluo_tags_to_offsets(doc, tags) == spacy_training.biluo_tags_to_offsets(doc, tags)
    spans, expected = iob_utils.biluo_tags_to_spans(doc, tags), spacy_training.biluo_tags_to_spans(doc, tags)
    assert [(s.start, s.end, s.label_) for s in spans] == [(s.start, s.end, s.label_) for s in expected]
    with pytest.raises(ValueError, match="2 tags for 6 tokens"):
        iob_utils.biluo_tags_to_spans(doc, ["O", "O"])


def test_doc_to_biluo_tags_equals_spacys():
    doc = SpacyDoc(VOCAB, words=list("abcdef"), ents=["B-X", "I-X", "O", "", "B-Y", "B-Y"])
    assert iob_utils.doc_to_biluo_tags(doc) == spacy_training.iob_utils.doc_to_biluo_tags(doc)
    assert iob_utils.doc_to_partial_biluo_tags(doc) == ["B-X", "L-X", "O", "-", "U-Y", "U-Y"]


def test_labels_may_hold_hyphens():
    assert iob_utils.split_bilu_label("B-work-of-art") == ("B", "work-of-art")
    assert iob_utils.remove_bilu_prefix("L-work-of-art") == "work-of-art"
    with pytest.raises(ValueError, match="found 'PERSON'"):
        iob_utils.split_bilu_label("PERSON")
