"""The numbers of the scorer; spaCy's Scorer on the same documents is the oracle."""

from __future__ import annotations

import random

import numpy as np
import pytest
import spacy
from spacy.pipeline.dep_parser import parser_score as spacy_parser_score
from spacy.pipeline.morphologizer import morphologizer_score as spacy_morphologizer_score
from spacy.pipeline.senter import senter_score as spacy_senter_score
from spacy.pipeline.spancat import spancat_score as spacy_spancat_score
from spacy.scorer import ROCAUCScore as SpacyROCAUCScore
from spacy.scorer import Scorer as SpacyScorer
from spacy.scorer import get_ner_prf as spacy_get_ner_prf
from spacy.tokens import Doc as SpacyDoc
from spacy.tokens import Span as SpacySpan
from spacy.training import Example as SpacyExample

from ferrule.registry import registry
from ferrule.scorer import PRFScore, ROCAUCScore, Scorer, confusion_counts, get_ner_prf, registered
from ferrule.training.example import Example

VOCAB = spacy.blank("xx").vocab  # a bare Vocab() knows no lexical flags
ROUNDING = 1e-12  # the same counts; sums in another order
MORPHS = ["Case=Nom|Number=Sing", "Case=Acc", "Number=Plur", "_", ""]


def random_doc(rng: random.Random, text: str, *, parsed: bool) -> SpacyDoc:
    words: list[str] = []
    spaces: list[bool] = []
    for chunk in text.split(" "):
        cut = rng.randint(1, len(chunk)) if rng.random() < 0.3 else len(chunk)
        words += [part for part in (chunk[:cut], chunk[cut:]) if part]
        spaces += [False] * (len(words) - len(spaces))
        spaces[-1] = True
    n_words = len(words)
    annotations = {
        "tags": [rng.choice(["NN", "VB", "JJ", ""]) for _ in words],
        "pos": [rng.choice(["NOUN", "VERB", ""]) for _ in words],
        "lemmas": [rng.choice(["a", "b", ""]) for _ in words],
        "morphs": [rng.choice(MORPHS) for _ in words],
        "ents": [rng.choice(["O", "O", "O", "", "B-X", "B-Y", "U-Z"]).replace("U-", "B-") for _ in words],
    }
    if parsed:
        annotations["heads"] = [max(0, i - rng.randint(0, 2)) for i in range(n_words)]
        annotations["deps"] = [rng.choice(["nsubj", "obj", "punct"]) for _ in words]
    elif rng.random() < 0.7:
        annotations["sent_starts"] = [True, *[rng.random() < 0.3 for _ in words[1:]]]
    doc = SpacyDoc(VOCAB, words=words, spaces=spaces, **annotations)
    if rng.random() < 0.8:
        starts = [rng.randrange(n_words) for _ in range(3)]
        doc.spans["sc"] = [
            SpacySpan(doc, start, min(n_words, start + rng.randint(1, 3)), label=rng.choice("AB"))
            for start in starts
        ]
    doc.cats = {label: float(rng.random() < 0.4) for label in "abc" if rng.random() < 0.8}
    return doc


def random_pairs(n_pairs: int, *, parsed: bool):
    rng = random.Random(7)
    pairs = []
    for _ in range(n_pairs):
        text = " ".join(rng.choice(["abc", "de", "f", "\n", "née"]) for _ in range(rng.randint(1, 12)))
        x, y = random_doc(rng, text, parsed=parsed), random_doc(rng, text, parsed=parsed)
        x.cats = {label: rng.choice([0.1, 0.3, 0.5, 0.7, rng.random()]) for label in "abcd"}
        pairs.append((Example(x, y), SpacyExample(x, y)))
    return [ours for ours, _ in pairs], [theirs for _, theirs in pairs]


@pytest.fixture(scope="module")
def tagged():
    return random_pairs(120, parsed=False)


@pytest.fixture(scope="module")
def parsed():
    return random_pairs(60, parsed=True)


def assert_same(ours, theirs):
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        if isinstance(value, dict):
            assert_same(ours[key], value)
        elif isinstance(value, float):
            assert ours[key] == pytest.approx(value, abs=ROUNDING), key
        else:
            assert ours[key] == value, key


def test_tokenization_equals_spacys(tagged):
    ours, theirs = tagged
    assert_same(Scorer.score_tokenization(ours), SpacyScorer.score_tokenization(theirs))


@pytest.mark.parametrize("attr", ["tag", "pos", "lemma", "tag_", "is_alpha"])
def test_token_attributes_equal_spacys(tagged, attr):
    ours, theirs = tagged
    assert_same(Scorer.score_token_attr(ours, attr), SpacyScorer.score_token_attr(theirs, attr))


def test_a_custom_getter_and_missing_values_equal_spacys(tagged):
    ours, theirs = tagged
    settings = {"getter": lambda token, attr: token.tag_[:1], "missing_values": {"J", ""}}
    expected = SpacyScorer.score_token_attr(theirs, "coarse", **settings)
    assert_same(Scorer.score_token_attr(ours, "coarse", **settings), expected)


def test_morphology_equals_spacys(tagged):
    ours, theirs = tagged
    assert_same(registered.morphologizer_score(ours), spacy_morphologizer_score(theirs))


def test_entities_equal_spacys(tagged):
    ours, theirs = tagged
    assert_same(get_ner_prf(ours), spacy_get_ner_prf(theirs))
    for labeled in (True, False):
        expected = SpacyScorer.score_spans(theirs, "ents", labeled=labeled)
        assert_same(Scorer.score_spans(ours, "ents", labeled=labeled), expected)


def test_sentences_and_span_groups_equal_spacys(tagged):
    ours, theirs = tagged
    assert_same(registered.senter_score(ours), spacy_senter_score(theirs))
    assert_same(registered.spancat_score(ours), spacy_spancat_score(theirs, spans_key="sc"))


def test_dependencies_equal_spacys(parsed):
    ours, theirs = parsed
    assert_same(registered.parser_score(ours), spacy_parser_score(theirs))


@pytest.mark.parametrize("multi_label", [True, False])
@pytest.mark.parametrize("threshold", [None, 0.3])
def test_categories_equal_spacys(tagged, multi_label, threshold):
    ours, theirs = (
        [eg for eg in examples if eg.reference.cats] for examples in tagged
    )  # spaCy raises on an empty prediction
    settings = {"labels": ["a", "b", "c", "d"], "multi_label": multi_label, "threshold": threshold}
    expected = SpacyScorer.score_cats(theirs, "cats", **settings)
    assert_same(Scorer.score_cats(ours, "cats", **settings), expected)


def test_a_positive_label_decides_between_two(tagged):
    ours, theirs = ([eg for eg in examples if {"a", "b"} & eg.reference.cats.keys()] for examples in tagged)
    settings = {"labels": ["a", "b"], "multi_label": False, "positive_label": "b"}
    expected = SpacyScorer.score_cats(theirs, "cats", **settings)
    assert_same(Scorer.score_cats(ours, "cats", **settings), expected)
    with pytest.raises(ValueError, match="positive_label is 'z'"):
        Scorer.score_cats(ours, "cats", **{**settings, "positive_label": "z"})


def test_links_equal_spacys():
    rng = random.Random(3)
    ours, theirs = [], []
    for _ in range(60):
        docs = [SpacyDoc(VOCAB, words=list("abcdef")) for _ in range(2)]
        for doc in docs:
            doc.ents = [
                SpacySpan(doc, i, i + 1, label=rng.choice("XY"), kb_id=rng.choice(["Q1", "Q2", "NIL"]))
                for i in range(6)
                if rng.random() < 0.6
            ]
        ours.append(Example(*docs))
        theirs.append(SpacyExample(*docs))
    expected = SpacyScorer.score_links(theirs, negative_labels=["NIL"])
    assert_same(Scorer.score_links(ours, negative_labels=["NIL"]), expected)


def test_the_area_under_the_curve_equals_spacys():
    rng = random.Random(1)
    for _ in range(50):
        ours, theirs = ROCAUCScore(), SpacyROCAUCScore()
        for _ in range(rng.randint(2, 30)):
            pair = (rng.choice([0.1, 0.2, 0.5, rng.random()]), float(rng.random() < 0.5))
            ours.score_set(*pair)
            theirs.score_set(*pair)
        assert ours.is_binary() == theirs.is_binary()
        if ours.is_binary():
            assert ours.score == pytest.approx(theirs.score, abs=ROUNDING)
        else:
            with pytest.raises(ValueError, match="with and without"):
                _ = ours.score


def test_nothing_to_score_is_none_not_zero():
    doc = SpacyDoc(VOCAB, words=["a"])
    examples = [Example(doc, SpacyDoc(VOCAB, words=["a"]))]
    assert Scorer.score_token_attr(examples, "tag") == {"tag_acc": None}
    assert get_ner_prf(examples)["ents_f"] is None
    assert registered.senter_score([])["sents_f"] is None
    assert Scorer.score_tokenization([])["token_acc"] is None


def test_without_a_pipeline_everything_annotated_is_scored(tagged):
    ours, _ = tagged
    scores = Scorer().score(iter(ours))
    assert scores["tag_acc"] == Scorer.score_token_attr(ours, "tag")["tag_acc"]
    assert scores["cats_score"] > 0 and scores["ents_f"] is not None
    per_component = Scorer().score(ours, per_component=True)
    assert per_component["tagger"] == {"tag_acc": scores["tag_acc"]}


def test_a_pipeline_is_asked_component_by_component(tagged):
    ours, _ = tagged

    class Component:
        def score(self, examples, **cfg):
            return {"n": len(examples), **cfg}

    class Pipeline:
        tokenizer = object()
        pipeline = (("silent", object()), ("counter", Component()))

    assert Scorer(Pipeline(), beta=2).score(iter(ours)) == {"n": len(ours), "beta": 2}
    assert Scorer(Pipeline()).score(ours, per_component=True) == {"counter": {"n": len(ours)}}


def test_scorers_are_found_by_name(tagged):
    ours, _ = tagged
    scorer = registry.resolve({"s": {"@scorers": "spacy.textcat_multilabel_scorer.v2"}})["s"]
    assert scorer(ours, labels=["a"])["cats_score_desc"] == "macro AUC"
    assert registry.get("scorers", "spacy.ner_scorer.v1")() is get_ner_prf


def test_confusion_counts_say_which_label_was_taken_for_which():
    x = SpacyDoc(VOCAB, words=list("abcd"), tags=["A", "B", "B", ""])
    y = SpacyDoc(VOCAB, words=list("abcd"), tags=["A", "A", "B", "B"])
    confusion = confusion_counts([Example(x, y)])
    assert confusion.labels == ("A", "B", "")
    assert confusion.counts.tolist() == [[1, 1, 0], [0, 1, 1], [0, 0, 0]]
    assert confusion.most_confused() == [("A", "B", 1), ("B", "", 1)]
    assert repr(confusion.per_label()["B"]) == "PRFScore(tp=1, fp=1, fn=1)"
    assert confusion.table().splitlines()[1].split() == ["A", "100.00", "50.00", "66.67", "2"]


def test_confusion_counts_add_up_to_the_accuracy(tagged):
    ours, _ = tagged
    confusion = confusion_counts(ours)
    total = sum(confusion.per_label().values(), PRFScore())
    assert total.recall == pytest.approx(np.trace(confusion.counts) / confusion.counts.sum())
    assert confusion_counts([]).labels == ()
