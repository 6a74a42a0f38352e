"""A spaCy pipeline teaches a Ferrule student, whose tokens may be others."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from real_text import BATCH, BOW, ENCODER, ENSEMBLE
from thinc.api import fix_random_seed

import ferrule
from ferrule.interop.spacy import spacy_teachers
from ferrule.interop.spacy.projection import overlaps, project_actions
from ferrule.tokens import Doc
from ferrule.training.example import Example
from ferrule.training.teachers import load_teacher


def test_scores_are_those_of_the_pipeline_where_tokens_are_the_same(spacy_nlp: Any, texts: list[str]) -> None:
    teachers = spacy_teachers(spacy_nlp)
    assert list(teachers) == ["tagger", "ner", "textcat", "textcat_multilabel"]
    theirs = list(spacy_nlp.pipe(texts))
    vocab = ferrule.blank("en").vocab
    docs = [Doc(vocab, [t.text for t in d], [bool(t.whitespace_) for t in d]) for d in theirs]
    tags = teachers["tagger"].teacher_rows(docs)
    cats = teachers["textcat"].teacher_rows(docs)
    for doc, rows, probabilities in zip(theirs, tags.rows, cats.rows, strict=True):
        assert np.allclose(rows.sum(axis=1), 1, atol=1e-5)
        assert [tags.labels[best] for best in rows.argmax(axis=1)] == [token.tag_ for token in doc]
        assert probabilities.shape == (1, len(cats.labels))
        assert np.isclose(probabilities.sum(), 1, atol=1e-5)
    ner = teachers["ner"].teacher_rows(docs)
    n_entities = 0
    for doc, rows in zip(theirs, ner.rows, strict=True):
        names = [ner.labels[best] for best in rows.argmax(axis=1)]
        for ent in doc.ents:
            if len(ent) == 1 and names[ent.start].startswith("U-"):
                assert names[ent.start] == f"U-{ent.label_}"
                n_entities += 1
    assert n_entities > 3


def test_shares_of_tokens_that_cover_each_other() -> None:
    whole, parts = np.array([[0, 5], [6, 8]]), np.array([[0, 2], [2, 5], [6, 8]])
    assert np.allclose(overlaps(whole, parts), [[0.4, 0.6, 0], [0, 0, 1]])
    assert np.allclose(overlaps(parts, whole), [[1, 0], [1, 0], [0, 1]])
    white_space = np.array([[0, 2], [2, 4], [4, 6]])
    assert np.allclose(overlaps(white_space, np.array([[0, 2], [4, 6]])), [[1, 0], [1, 0], [0, 1]])


def test_an_entity_of_one_token_becomes_one_of_three() -> None:
    names = ["B-GPE", "I-GPE", "L-GPE", "U-GPE", "B-PER", "I-PER", "L-PER", "U-PER", "O"]
    scores = np.full((2, len(names)), -20.0, dtype=np.float32)
    scores[0, names.index("U-GPE")] = 2.0
    scores[0, names.index("U-PER")] = 1.0
    scores[1, names.index("O")] = 5.0
    theirs, ours = np.array([[0, 8], [9, 12]]), np.array([[0, 3], [3, 4], [4, 8], [9, 12]])
    projected = project_actions(scores, names, [(0, 8)], ours, theirs)
    assert [names[best] for best in projected.argmax(axis=1)] == ["B-GPE", "I-GPE", "L-GPE", "O"]
    probabilities = np.exp(projected)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-4)
    assert np.isclose(probabilities[1, names.index("I-PER")], 1 / (1 + np.e), atol=1e-4)


def student(teachers: dict[str, Any]) -> Any:
    nlp = ferrule.blank("en")
    nlp.tokenizer.infix_finditer = None  # so that "well-known" is one word here and three there
    nlp.add_pipe("tagger", config={"model": {"tok2vec": ENCODER}})
    nlp.add_pipe("ner", config={"model": {"tok2vec": ENCODER}})
    nlp.add_pipe("textcat", config={"model": ENSEMBLE})
    nlp.add_pipe("textcat_multilabel", config={"model": BOW})
    plain = [Example(nlp.make_doc("Two words"), nlp.make_doc("Two words"))]
    for name in nlp.pipe_names:
        nlp.get_pipe(name).initialize(lambda: plain, nlp=nlp, labels=teachers[name].label_data)
    return nlp


def test_a_student_with_other_tokens_comes_to_agree(spacy_nlp: Any, texts: list[str]) -> None:
    fix_random_seed(0)
    random.seed(0)
    teachers = spacy_teachers(spacy_nlp)
    nlp = student(teachers)
    docs = [nlp.make_doc(text) for text in texts]
    theirs = list(spacy_nlp.pipe(texts))
    assert any(len(one) != len(other) for one, other in zip(docs, theirs, strict=True))

    def agreement() -> float:
        found = list(nlp.pipe(texts))
        pairs = [
            (token.tag_, there.tag_)
            for doc, other in zip(found, theirs, strict=True)
            for token in doc
            for there in other
            if (token.idx, token.text) == (there.idx, there.text)
        ]
        return sum(one == other for one, other in pairs) / len(pairs)

    before = agreement()
    examples = [Example(nlp.make_doc(text), nlp.make_doc(text)) for text in texts]
    optimizer = nlp.create_optimizer()
    optimizer.learn_rate = 0.005
    history = []
    for _ in range(25):
        history.append(nlp.distill(teachers, random.sample(examples, BATCH), sgd=optimizer, losses={}))
    for name in ("tagger", "ner", "textcat", "textcat_multilabel"):
        early, late = (sum(losses[name] for losses in part) for part in (history[:3], history[-3:]))
        assert late < early, name
    assert agreement() > max(before, 0.5)


def test_the_command_line_names_a_spacy_teacher(spacy_nlp: Any, tmp_path: Path) -> None:
    spacy_nlp.to_disk(tmp_path / "theirs")
    teacher = load_teacher(f"spacy:{tmp_path / 'theirs'}")
    assert teacher.gives_rows("ner")
    assert teacher.label_data("tagger") == spacy_nlp.get_pipe("tagger").labels
    rows = teacher.teach(["tagger"], [ferrule.blank("en")("Two words")])["tagger"].rows
    assert rows[0].shape == (2, len(spacy_nlp.get_pipe("tagger").labels))
    assert teacher.fingerprint == load_teacher(f"spacy:{tmp_path / 'theirs'}").fingerprint


def test_what_cannot_teach_is_refused() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    with pytest.raises(ValueError, match="'sentencizer' cannot teach"):
        spacy_teachers(nlp, ["sentencizer"])
    with pytest.raises(TypeError, match="expected a spaCy pipeline"):
        spacy_teachers(ferrule.blank("en"))  # type: ignore[arg-type]
