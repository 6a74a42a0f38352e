"""What was taken for what, and a row a label."""

from __future__ import annotations

import pytest

from ferrule.tokens import Doc, Span
from ferrule.training import Example
from ferrule.training.counted_corpus import CountedCorpus
from ferrule.training.evaluation import breakdown
from ferrule.vocab import Vocab


@pytest.fixture
def examples() -> list[Example]:
    vocab = Vocab()
    gold = Doc(vocab, words=["Anna", "left", "Ely", "."], tags=["NNP", "VBD", "NNP", "."])
    gold.ents = [Span(gold, 0, 1, label="PER"), Span(gold, 2, 3, label="LOC")]
    gold.cats = {"A": 1.0, "B": 0.0}
    predicted = Doc(vocab, words=["Anna", "left", "Ely", "."], tags=["NNP", "NN", "NN", "."])
    predicted.ents = [Span(predicted, 0, 1, label="ORG"), Span(predicted, 1, 2, label="LOC")]
    predicted.cats = {"A": 0.4, "B": 0.6}
    return [Example(predicted, gold)]


def test_each_label_says_how_good_it_is_and_what_it_was_taken_for(examples: list[Example]) -> None:
    _, labels = breakdown(examples)
    rows = {row["label"]: row for row in labels["tags"]}
    assert rows["NNP"]["r"] == 0.5
    assert rows["NNP"]["p"] == 1.0
    assert rows["NNP"]["n"] == 2
    assert rows["NNP"]["taken_for"] == {"NN": 1}
    assert rows["VBD"]["taken_for"] == {"NN": 1}
    assert labels["categories"][0] == {
        "label": "A",
        "p": 0.0,
        "r": 0.0,
        "f": 0.0,
        "n": 1,
        "taken_for": {"B": 1},
    }


def test_entities_are_compared_where_they_are(examples: list[Example]) -> None:
    matrices, labels = breakdown(examples)
    rows = {row["label"]: row for row in labels["entities"]}
    assert rows["PER"]["taken_for"] == {"ORG": 1}
    assert rows["LOC"]["taken_for"] == {"(none)": 1}
    assert rows["LOC"]["p"] == 0.0
    names, counts = matrices["entities"]["labels"], matrices["entities"]["counts"]
    assert counts[names.index("(none)")][names.index("LOC")] == 1


def test_kinds_that_are_not_there_are_left_out() -> None:
    plain = Doc(Vocab(), words=["Anna"])
    assert breakdown([Example(plain, plain.copy())]) == ({}, {})


def test_what_the_pipeline_does_not_predict_is_left_out(examples: list[Example]) -> None:
    (example,) = examples
    plain = Doc(example.predicted.vocab, words=[token.text for token in example.predicted])
    assert breakdown([Example(plain, example.reference)]) == ({}, {})
    plain.set_ents([], default="outside")
    assert set(breakdown([Example(plain, example.reference)])[1]) == {"entities"}


def test_a_corpus_is_counted_once(examples: list[Example]) -> None:
    corpus = CountedCorpus(lambda nlp: examples)
    assert corpus.facts() == {}
    for _ in range(2):
        assert list(corpus(None)) == examples
    counted = {
        "documents": 1,
        "words": 4,
        "words with tags": 4,
        "entities": 2,
        "documents with categories": 1,
    }
    assert corpus.facts() == counted
