"""Real text, and pipelines that spaCy trained on it, for a few steps: every component says something."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import spacy
import spacy.tokens
from real_text import (
    BATCH,
    BOW,
    ENCODER,
    ENSEMBLE,
    LISTENER,
    N_SENTENCES,
    N_STEPS,
    RARE_WORD,
    entities,
    joined,
    questions,
    treebank,
)
from spacy.training import Example
from thinc.api import fix_random_seed


@pytest.fixture(scope="session")
def texts(shared_data: Path) -> list[str]:
    """Real text of three kinds, with what is awkward in between."""
    plain = [joined(sentence) for sentence in treebank(shared_data, "dev", 120)]
    plain += [" ".join(message["words"]) for message in entities(shared_data, "dev", 80)]
    plain += [question for question, _ in questions(shared_data, "test", 60)]
    # spaCy's n-grams fail on texts that are shorter than they are.
    return [*(text for text in plain if " " in text), f"{RARE_WORD} now", "a\n\nb", "¿Qué? 🙂 naïve"]


@pytest.fixture(scope="session")
def spacy_nlp(shared_data: Path) -> Any:
    """A spaCy pipeline of everything that both libraries have: shared and own encoders, word vectors, rules.

    Its tokenizer cuts one word by a rule of its own.
    """
    nlp = _blank()
    nlp.add_pipe("tok2vec", config={"model": ENCODER})
    nlp.add_pipe("tagger", config={"model": {"tok2vec": LISTENER}})
    nlp.add_pipe("ner", config={"model": {"tok2vec": ENCODER}})
    nlp.add_pipe("textcat", config={"model": ENSEMBLE})
    nlp.add_pipe("textcat_multilabel", config={"model": BOW})
    _train(nlp, shared_data)
    return nlp


@pytest.fixture(scope="session")
def spacy_nlp_with_more(shared_data: Path) -> Any:
    """A spaCy pipeline with components that Ferrule does not have, between and after those it has."""
    nlp = _blank()
    nlp.add_pipe("tok2vec", config={"model": ENCODER})
    nlp.add_pipe("tagger", config={"model": {"tok2vec": LISTENER}})
    nlp.add_pipe("morphologizer", config={"model": {"tok2vec": LISTENER}})
    nlp.add_pipe("parser", config={"model": {"tok2vec": LISTENER}})
    nlp.add_pipe("trainable_lemmatizer", config={"model": {"tok2vec": LISTENER}, "min_tree_freq": 1})
    nlp.add_pipe("ner", config={"model": {"tok2vec": ENCODER}})
    _train(nlp, shared_data)
    nlp.add_pipe("attribute_ruler", before="ner").add([[{"LOWER": "the"}]], {"POS": "X", "LEMMA": "THE"})
    of_the = {"label": "OF", "pattern": [{"LOWER": "of"}, {"LOWER": "the"}], "id": "of-the"}
    nlp.add_pipe("entity_ruler").add_patterns([of_the])
    nlp.add_pipe("merge_entities")
    return nlp


def _blank() -> Any:
    nlp = spacy.blank("en")
    nlp.tokenizer.add_special_case(RARE_WORD, [{"ORTH": "gimme"}, {"ORTH": "that"}])
    return nlp


def _train(nlp: Any, folder: Path) -> None:
    fix_random_seed(0)
    random.seed(0)
    parsed = [spacy.tokens.Doc(nlp.vocab, **fields) for fields in treebank(folder, "train", N_SENTENCES)]
    named = [spacy.tokens.Doc(nlp.vocab, **fields) for fields in entities(folder, "train", N_SENTENCES)]
    asked = questions(folder, "train", N_SENTENCES)
    kinds = sorted({kind for _, kind in asked})
    sorted_out = [nlp.make_doc(question) for question, _ in asked]
    for doc, (_, kind) in zip(sorted_out, asked, strict=True):
        doc.cats = {each: float(each == kind) for each in kinds}
    examples = [Example(_tokens(nlp, doc), doc) for doc in (*parsed, *named, *sorted_out)]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.005
    for _ in range(N_STEPS):
        nlp.update(random.sample(examples, BATCH), sgd=optimizer, drop=0.1)
    of_entities = examples[len(parsed) : len(parsed) + len(named)]
    with nlp.select_pipes(enable="ner"):
        for _ in range(2 * N_STEPS):
            nlp.update(random.sample(of_entities, BATCH), sgd=optimizer)


def _tokens(nlp: Any, doc: Any) -> Any:
    return spacy.tokens.Doc(nlp.vocab, [t.text for t in doc], [bool(t.whitespace_) for t in doc])
