"""Augmented examples keep their annotations."""

from __future__ import annotations

import random

import pytest
import spacy
from spacy.tokens import Doc as SpacyDoc
from spacy.training import Example as SpacyExample
from spacy.training.augment import create_combined_augmenter as spacy_create_combined_augmenter

import ferrule
from ferrule.registry import registry
from ferrule.tokens import Doc, Span
from ferrule.training import augment
from ferrule.training.example import Example
from ferrule.vocab import Vocab


class Pipeline:
    vocab = Vocab()

    def make_doc(self, text: str) -> Doc:
        words = text.split()
        return Doc(self.vocab, words=words, spaces=[True] * (len(words) - 1) + [False] if words else [])


NLP = Pipeline()


def example() -> Example:
    reference = Doc(
        NLP.vocab,
        words=['"', "Bob", "Smith", '"', "Ran", "."],
        spaces=[False, True, False, True, False, False],
        tags=["``", "NNP", "NNP", "''", "VBD", "."],
        heads=[2, 2, 4, 2, 4, 4],
        deps=["punct", "compound", "nsubj", "punct", "ROOT", "punct"],
        ents=["O", "B-PER", "I-PER", "O", "", "O"],
    )
    reference.cats = {"x": 1.0}
    reference.spans["sc"] = [Span(reference, 4, 5, label="EVENT")]
    return Example(NLP.make_doc(reference.text), reference)


def test_no_augmentation_gives_the_example_itself():
    given = example()
    assert list(augment.dont_augment(NLP, given)) == [given]


def test_a_lower_cased_copy_has_the_same_annotations():
    given = example()
    assert list(augment.create_lower_casing_augmenter(level=0.0)(NLP, given)) == [given]
    (lowered,) = augment.create_lower_casing_augmenter(level=1.0)(NLP, given)
    assert lowered.reference.text == given.reference.text.lower()
    before, after = given.to_dict(), lowered.to_dict()
    assert before["doc_annotation"] == after["doc_annotation"]
    for field in ("TAG", "HEAD", "DEP", "SENT_START"):
        assert before["token_annotation"][field] == after["token_annotation"][field]
    assert [token.ent_iob for token in lowered.reference] == [token.ent_iob for token in given.reference]


def test_a_word_that_changes_its_length_moves_the_offsets():
    doc = Doc(NLP.vocab, words=["İİ", "Bob"], spaces=[True, False], ents=["O", "B-PER"])
    doc.spans["sc"] = [Span(doc, 1, 2, label="X")]
    lowered = augment.make_lowercase_variant(NLP, Example(doc, doc))
    assert [ent.text for ent in lowered.reference.ents] == ["bob"]
    assert [span.text for span in lowered.reference.spans["sc"]] == ["bob"]


def test_what_is_not_annotated_stays_so():
    doc = Doc(NLP.vocab, words=["Bob", "Ran"])
    lowered = augment.make_lowercase_variant(NLP, Example(doc, doc)).reference
    for attr in ("TAG", "DEP", "SENT_START", "ENT_IOB"):
        assert not lowered.has_annotation(attr)


def test_sentence_starts_stay_known_and_unknown():
    doc = Doc(NLP.vocab, words=["Bob", "Ran", "Far"], sent_starts=[True, False, None])
    lowered = augment.make_lowercase_variant(NLP, Example(doc, doc)).reference
    assert [token.is_sent_start for token in lowered] == [True, False, None]


def test_paired_and_single_variants_replace_forms_of_their_tags():
    variants = {
        "single": [{"tags": ["."], "variants": ["…", "…"]}, {"tags": ["VBD"], "variants": ["Jumped"]}],
        "paired": [{"tags": ["``", "''"], "variants": [['"', '"'], ["“", "”"]]}],
    }
    seen = set()
    for seed in range(20):
        random.seed(seed)
        (copy,) = augment.orth_variants_augmenter(NLP, example(), variants, level=1.0)
        seen.add(copy.reference.text)
        assert [ent.text for ent in copy.reference.ents] == ["Bob Smith"]
        assert copy.reference[0].tag_ == "``"
    assert seen == {'"Bob Smith" Ran.', "“Bob Smith” Ran."}


def test_seeded_augmentation_is_spacys():
    settings = {
        "lower_level": 0.5,
        "orth_level": 0.5,
        "orth_variants": {"single": [{"tags": ["."], "variants": [".", "…"]}]},
        "whitespace_level": 0.7,
        "whitespace_per_token": 0.5,
        "whitespace_variants": [" ", "\n"],
    }
    words, spaces = ["Bob", "Smith", "ran", "."], [True, True, False, False]
    tags = ["NNP", "NNP", "VBD", "."]

    def texts(nlp, augmenter, doc_class, example_class):
        random.seed(4)
        for _ in range(30):
            doc = doc_class(nlp.vocab, words=words, spaces=spaces, tags=tags)
            for changed in augmenter(nlp, example_class(doc, doc)):
                yield changed.reference.text, [token.tag_ for token in changed.reference]

    theirs = spacy_create_combined_augmenter(**settings)
    expected = list(texts(spacy.blank("xx"), theirs, SpacyDoc, SpacyExample))
    ours = augment.create_combined_augmenter(**settings)
    assert list(texts(ferrule.blank("xx"), ours, Doc, Example)) == expected
    assert len({text for text, _ in expected}) > 5


def test_no_level_no_copies():
    augmenter = registry.resolve(
        {
            "a": {
                "@augmenters": "spacy.combined_augmenter.v1",
                "lower_level": 0.0,
                "orth_level": 0.0,
                "orth_variants": None,
                "whitespace_level": 0.0,
                "whitespace_per_token": 0.0,
                "whitespace_variants": None,
            }
        }
    )["a"]
    assert len(list(augmenter(NLP, example()))) == 1


@pytest.mark.parametrize("position", range(7))
def test_added_whitespace_moves_what_comes_after_it(position):
    given = example()
    changed = augment.make_whitespace_variant(NLP, given, "\n", position)
    if position == 2:  # inside "Bob Smith"
        assert changed is given
        return
    reference = changed.reference
    assert [token.text for token in reference][position] == "\n"
    assert [token.tag_ for token in reference][position] == "_SP"
    assert [ent.text for ent in reference.ents] == ["Bob Smith"]
    assert [span.text for span in reference.spans["sc"]] == ["Ran"]
    kept = [token for token in reference if token.i != position]
    assert [token.head.text for token in kept] == [token.head.text for token in given.reference]
    assert reference.cats == {"x": 1.0}


def test_combined_augmentation_adds_whitespace_tokens():
    random.seed(0)
    (changed,) = list(
        augment.combined_augmenter(
            NLP,
            example(),
            lower_level=1.0,
            whitespace_level=1.0,
            whitespace_per_token=0.5,
            whitespace_variants=["\t"],
        )
    )
    assert changed.reference.text.count("\t") >= 1
    assert changed.reference.text == changed.reference.text.lower()


def test_a_share_outside_zero_to_one_is_refused():
    with pytest.raises(ValueError, match="level is a share"):
        augment.create_lower_casing_augmenter(level=5)
