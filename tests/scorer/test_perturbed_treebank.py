"""Scores of a treebank against a spoiled copy of it, on Ferrule's documents; spaCy's scorer is the oracle."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.pipeline.dep_parser import parser_score as spacy_parser_score
from spacy.pipeline.morphologizer import morphologizer_score as spacy_morphologizer_score
from spacy.scorer import Scorer as SpacyScorer
from spacy.scorer import get_ner_prf as spacy_get_ner_prf
from spacy.tokens import Doc as SpacyDoc
from spacy.training import Example as SpacyExample

from ferrule.scorer import Scorer, get_ner_prf, registered
from ferrule.tokens import Doc
from ferrule.training.converters import convert
from ferrule.training.example import Example
from ferrule.vocab import Vocab

ROUNDING = 1e-12  # the same counts; sums in another order
SPOILED = 0.1  # of the tokens, in each annotation
N_DOCS = 150  # of 5 sentences
Pairs = tuple[list[Example], list[SpacyExample]]


def annotation_of(doc: Doc) -> dict[str, list[Any]]:
    names = random.Random(len(doc)).sample(range(len(doc)), k=len(doc) // 8)
    return {
        "words": [token.text for token in doc],
        "spaces": [bool(token.whitespace_) for token in doc],
        "tags": [token.tag_ for token in doc],
        "pos": [token.pos_ for token in doc],
        "morphs": [str(token.morph) for token in doc],
        "lemmas": [token.lemma_ for token in doc],
        "heads": [token.head.i for token in doc],
        "deps": [token.dep_ for token in doc],
        "ents": ["B-NAME" if i in names else "O" for i in range(len(doc))],
    }


def spoiled(rng: random.Random, gold: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Labels exchanged, heads moved to the root of their sentence, and some tokens cut in two."""
    found = {name: list(values) for name, values in gold.items()}
    n_words = len(found["words"])
    for name in ("tags", "pos", "morphs", "lemmas", "deps", "ents"):
        for i in range(n_words):
            if rng.random() < SPOILED:
                found[name][i] = rng.choice(gold[name])
    for i, head in enumerate(gold["heads"]):
        if rng.random() < SPOILED and gold["heads"][head] != i:
            found["heads"][i] = gold["heads"][head]
    for i in reversed(range(n_words)):
        if len(gold["words"][i]) > 1 and rng.random() < SPOILED / 2:
            cut_in_two(found, i)
    return found


def cut_in_two(doc: dict[str, list[Any]], i: int) -> None:
    word = doc["words"][i]
    doc["heads"] = [head + (head > i) for head in doc["heads"]]
    for name, values in doc.items():
        values.insert(i, values[i])
        if name == "words":
            values[i : i + 2] = [word[:1], word[1:]]
        elif name == "spaces":
            values[i] = False
        elif name == "heads":
            values[i + 1] = i


@pytest.fixture(scope="module")
def pairs(shared_data: Path) -> Pairs:
    rng = random.Random(11)
    vocab, spacy_vocab = Vocab(), spacy.blank("xx").vocab
    ours, theirs = [], []
    path = shared_data / "ud_ewt" / "en_ewt-ud-test.conllu.gz"
    for _, doc in zip(range(N_DOCS), convert(path, vocab=vocab, n_sents=5), strict=False):
        gold = annotation_of(doc)
        found = spoiled(rng, gold)
        ours.append(Example(Doc(vocab, **found), Doc(vocab, **gold)))
        theirs.append(SpacyExample(SpacyDoc(spacy_vocab, **found), SpacyDoc(spacy_vocab, **gold)))
    return ours, theirs


def assert_same(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        if isinstance(value, dict):
            assert_same(ours[key], value)
        else:
            assert ours[key] == pytest.approx(value, abs=ROUNDING), key


def test_tokens_are_scored_as_by_spacy(pairs: Pairs) -> None:
    ours, theirs = pairs
    scores = Scorer.score_tokenization(ours)
    assert_same(scores, SpacyScorer.score_tokenization(theirs))
    assert 0.8 < scores["token_f"] < 1


@pytest.mark.parametrize("attr", ["tag", "pos", "lemma"])
def test_token_attributes_are_scored_as_by_spacy(pairs: Pairs, attr: str) -> None:
    ours, theirs = pairs
    scores = Scorer.score_token_attr(ours, attr)
    assert_same(scores, SpacyScorer.score_token_attr(theirs, attr))
    assert 0.8 < scores[f"{attr}_acc"] < 1


def test_morphology_is_scored_as_by_spacy(pairs: Pairs) -> None:
    ours, theirs = pairs
    assert_same(registered.morphologizer_score(ours), spacy_morphologizer_score(theirs))


def test_dependencies_are_scored_as_by_spacy(pairs: Pairs) -> None:
    ours, theirs = pairs
    scores = registered.parser_score(ours)
    assert_same(scores, spacy_parser_score(theirs))
    assert 0.5 < scores["dep_las"] < scores["dep_uas"] < 1


def test_entities_are_scored_as_by_spacy(pairs: Pairs) -> None:
    ours, theirs = pairs
    assert_same(get_ner_prf(ours), spacy_get_ner_prf(theirs))
    assert_same(Scorer.score_spans(ours, "ents"), SpacyScorer.score_spans(theirs, "ents"))
