"""Scores of WNUT17 and Banking77 against spoiled copies of their gold; spaCy's scorer is the oracle."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from spacy.scorer import Scorer as SpacyScorer
from spacy.scorer import get_ner_prf as spacy_get_ner_prf
from spacy.tokens import Doc as SpacyDoc
from spacy.training import Example as SpacyExample
from spacy.vocab import Vocab as SpacyVocab

import ferrule
from ferrule.scorer import (
    Scorer,
    category_confusion_counts,
    entity_confusion_counts,
    get_ner_prf,
)
from ferrule.tokens import Doc
from ferrule.training.converters import convert
from ferrule.training.example import Example
from ferrule.vocab import Vocab

ROUNDING = 1e-12  # the same counts; sums in another order
SPOILED = 0.15
Pairs = tuple[list[Example], list[SpacyExample]]


def assert_same(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        if isinstance(value, dict):
            assert_same(ours[key], value)
        else:
            assert ours[key] == pytest.approx(value, abs=ROUNDING), key


def spoiled_entities(rng: random.Random, doc: Doc) -> Iterator[tuple[int, int, str]]:
    """Some entities lost, some with another label, some a token longer or shorter, some that are none."""
    labels = ["person", "location", "group"]
    end = 0
    for ent in doc.ents:
        if rng.random() < SPOILED:
            continue
        label = rng.choice(labels) if rng.random() < SPOILED else ent.label_
        start, stop = ent.start, ent.end + (rng.random() < SPOILED and ent.end < len(doc))
        if start > end and rng.random() < SPOILED:
            yield end, end + 1, rng.choice(labels)
        if start >= end:
            yield start, stop, label
            end = stop


@pytest.fixture(scope="module")
def entities(shared_data: Path) -> Pairs:
    rng = random.Random(5)
    vocab, spacy_vocab = Vocab(), SpacyVocab()
    ours, theirs = [], []
    for doc in convert(shared_data / "wnut17" / "wnut17-test.conll.gz", vocab=vocab):
        words = [token.text for token in doc]
        gold = [(ent.start, ent.end, ent.label_) for ent in doc.ents]
        found = list(spoiled_entities(rng, doc))
        unknown = rng.random() < SPOILED  # a reference that says nothing of its entities
        for examples, of_doc, of_example, vocabulary in (
            (ours, Doc, Example, vocab),
            (theirs, SpacyDoc, SpacyExample, spacy_vocab),
        ):
            predicted, reference = of_doc(vocabulary, words=words), of_doc(vocabulary, words=words)
            predicted.set_ents([of_span(predicted, *each) for each in found])
            if not unknown:
                reference.set_ents([of_span(reference, *each) for each in gold])
            examples.append(of_example(predicted, reference))
    return ours, theirs


def of_span(doc: Any, start: int, end: int, label: str) -> Any:
    span = doc[start:end]
    span.label_ = label
    return span


def test_entities_of_wnut17_are_scored_as_by_spacy(entities: Pairs) -> None:
    ours, theirs = entities
    scores = get_ner_prf(ours)
    assert_same(scores, spacy_get_ner_prf(theirs))
    assert 0.5 < scores["ents_f"] < 0.95 and len(scores["ents_per_type"]) == 6
    assert_same(Scorer.score_spans(ours, "ents"), SpacyScorer.score_spans(theirs, "ents"))
    assert_same(Scorer().score(ours), SpacyScorer().score(theirs))


def test_confusion_of_entities_adds_up_to_their_scores(entities: Pairs) -> None:
    confusion = entity_confusion_counts(entities[0])
    for label, score in get_ner_prf(entities[0])["ents_per_type"].items():
        assert confusion.per_label()[label].to_dict() == pytest.approx(score)
    assert any(gold and found for gold, found, _ in confusion.most_confused(100))


@pytest.fixture(scope="module")
def categories(shared_data: Path) -> Pairs:
    rng = random.Random(6)
    nlp, spacy_vocab = ferrule.blank("xx"), SpacyVocab()
    path = shared_data / "banking77" / "banking77-test.csv.gz"
    ours, theirs = [], []
    for doc in islice(convert(path, vocab=nlp.vocab, make_doc=nlp.make_doc), 0, None, 4):
        labels = list(doc.cats)
        scores = [rng.random() ** 20 for _ in labels]
        if rng.random() > SPOILED:
            scores[labels.index(max(doc.cats, key=doc.cats.__getitem__))] += rng.random()
        found = {label: min(score, 1.0) for label, score in zip(labels, scores, strict=True)}
        # Some categories of some references are not annotated.
        gold = {label: value for label, value in doc.cats.items() if value or rng.random() > SPOILED / 3}
        words = [token.text for token in doc]
        for examples, of_doc, of_example, vocabulary in (
            (ours, Doc, Example, nlp.vocab),
            (theirs, SpacyDoc, SpacyExample, spacy_vocab),
        ):
            predicted, reference = of_doc(vocabulary, words=words), of_doc(vocabulary, words=words)
            predicted.cats, reference.cats = dict(found), dict(gold)
            examples.append(of_example(predicted, reference))
    return ours, theirs


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("threshold", [None, 0.3])
def test_categories_of_banking77_are_scored_as_by_spacy(
    categories: Pairs, multi_label: bool, threshold: float | None
) -> None:
    ours, theirs = categories
    labels = sorted(ours[0].predicted.cats)
    assert len(labels) == 77
    settings = {"labels": labels, "multi_label": multi_label}
    if threshold is not None:
        settings["threshold"] = threshold
    scores = Scorer.score_cats(ours, "cats", **settings)
    assert_same(scores, SpacyScorer.score_cats(theirs, "cats", **settings))
    assert 0 < scores["cats_micro_f"] < 1 and 0.5 < scores["cats_macro_auc"] < 1


def test_confusion_of_categories_adds_up_to_the_accuracy(categories: Pairs) -> None:
    known = [example for example in categories[0] if max(example.reference.cats.values()) > 0]
    confusion = category_confusion_counts(known)
    right = sum(
        example.reference.cats.get(max(example.predicted.cats, key=example.predicted.cats.get), 0)
        for example in known
    )
    assert confusion.counts.sum() == len(known) and confusion.counts.trace() == right
    assert len(confusion.table().splitlines()) == 78
