"""Folders go both ways: trained and saved in one library, loaded and saved in the other, loaded again."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import spacy.tokens
from annotation import assert_same
from real_text import BOW, ENCODER, ENSEMBLE, LISTENER, N_STEPS, RARE_WORD, entities, questions, treebank
from thinc.api import fix_random_seed

import ferrule
from ferrule.errors import UnknownNameError
from ferrule.language import Language
from ferrule.tokens import Doc
from ferrule.training.example import Example


def test_trained_in_spacy_loaded_here_saved_and_loaded_there(
    spacy_nlp: Any, texts: list[str], tmp_path: Path
) -> None:
    spacy_nlp.to_disk(tmp_path / "theirs")
    expected = list(spacy_nlp.pipe(texts))
    assert sum(len(doc.ents) for doc in expected) > 10  # there is something to compare
    here = ferrule.load(tmp_path / "theirs")
    assert_same(here.pipe(texts), expected)
    here.to_disk(tmp_path / "ours")
    assert_same(spacy.load(tmp_path / "ours").pipe(texts), expected)
    for name in here.pipe_names:
        assert here.get_pipe(name).model.to_bytes() == spacy_nlp.get_pipe(name).model.to_bytes(), name


def _trained_here(folder: Path) -> Language:
    fix_random_seed(0)
    random.seed(0)
    nlp = ferrule.blank("en")
    nlp.tokenizer.add_special_case(RARE_WORD, [{"ORTH": "gimme"}, {"ORTH": "that"}])
    words = sorted({word for fields in treebank(folder, "train", 60) for word in fields["words"]})
    values = np.random.default_rng(0).normal(size=(len(words), 16)).astype("float32")
    for word, vector in zip(words, values, strict=True):
        nlp.vocab.set_vector(word, vector)
    with_vectors = {
        "@architectures": "spacy.HashEmbedCNN.v2",
        **{"pretrained_vectors": True, "width": 32, "depth": 2, "embed_size": 500},
        **{"window_size": 1, "maxout_pieces": 3, "subword_features": True},
    }
    nlp.add_pipe("tok2vec", config={"model": ENCODER})
    nlp.add_pipe("tagger", config={"model": {"tok2vec": LISTENER}})
    nlp.add_pipe("ner", config={"model": {"tok2vec": LISTENER}})
    nlp.add_pipe(
        "tagger", name="fine_tagger", config={"model": {"tok2vec": with_vectors}, "overwrite": False}
    )
    nlp.add_pipe("textcat", config={"model": ENSEMBLE})
    nlp.add_pipe("textcat_multilabel", config={"model": BOW})
    gold = [Doc(nlp.vocab, **fields) for fields in treebank(folder, "train", 60)]
    gold += [Doc(nlp.vocab, **fields) for fields in entities(folder, "train", 150)]
    asked = questions(folder, "train", 60)
    kinds = sorted({kind for _, kind in asked})
    for question, kind in asked:
        doc = nlp.make_doc(question)
        doc.cats = {each: float(each == kind) for each in kinds}
        gold.append(doc)
    examples = [
        Example(Doc(nlp.vocab, [t.text for t in d], [bool(t.whitespace_) for t in d]), d) for d in gold
    ]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.005
    for _ in range(N_STEPS):
        nlp.update(random.sample(examples, 32), sgd=optimizer)
    with nlp.select_pipes(enable=["tok2vec", "ner"]):
        for _ in range(3 * N_STEPS):
            nlp.update(random.sample(examples[60:210], 32), sgd=optimizer)
    return nlp


def test_trained_here_loaded_there_saved_and_loaded_here(
    shared_data: Path, texts: list[str], tmp_path: Path
) -> None:
    nlp = _trained_here(shared_data)
    expected = list(nlp.pipe(texts))
    assert sum(len(doc.ents) for doc in expected) > 10
    assert [token.text for token in nlp(f"{RARE_WORD}!")] == ["gimme", "that", "!"]
    nlp.to_disk(tmp_path / "ours")
    there = spacy.load(tmp_path / "ours")
    assert_same(there.pipe(texts), expected)
    assert there.vocab.vectors.shape == nlp.vocab.vectors.shape
    there.to_disk(tmp_path / "theirs")
    assert_same(ferrule.load(tmp_path / "theirs").pipe(texts), expected)


def test_components_that_ferrule_lacks_are_named_with_both_ways_out(
    spacy_nlp_with_more: Any, tmp_path: Path
) -> None:
    spacy_nlp_with_more.to_disk(tmp_path / "theirs")
    with pytest.raises(UnknownNameError) as raised:
        ferrule.load(tmp_path / "theirs")
    message = str(raised.value)
    for name in ("morphologizer", "parser", "trainable_lemmatizer", "attribute_ruler", "merge_entities"):
        assert f"'{name}'" in message
    assert "exclude=[" in message
    assert 'foreign="spacy"' in message
    with pytest.raises(ValueError, match="expected 'spacy' or None"):
        ferrule.load(tmp_path / "theirs", foreign="stanza")


def test_components_that_ferrule_lacks_can_be_left_out(
    spacy_nlp_with_more: Any, texts: list[str], tmp_path: Path
) -> None:
    spacy_nlp_with_more.to_disk(tmp_path / "theirs")
    kept = ["tok2vec", "tagger", "ner"]
    others = [name for name in spacy_nlp_with_more.pipe_names if name not in kept]
    nlp = ferrule.load(tmp_path / "theirs", exclude=others)
    assert nlp.pipe_names == kept
    with spacy_nlp_with_more.select_pipes(enable=kept):
        assert_same(nlp.pipe(texts), spacy_nlp_with_more.pipe(texts))
