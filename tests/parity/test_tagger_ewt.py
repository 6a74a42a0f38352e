"""A tagger trained in spaCy on a real corpus tags the same here, over Ferrule's own documents."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from thinc.api import Adam, fix_random_seed

from ferrule.pipeline.tagger import Tagger
from ferrule.registry import registry
from ferrule.tokens import Doc
from ferrule.vocab import Vocab

from .test_tagger_training import CONFIG

spacy = pytest.importorskip("spacy")
pytestmark = pytest.mark.data

N_TRAINING_SENTENCES = 400
SCORE_TOLERANCE = 1e-4

Sentence = tuple[list[str], list[str]]


def _sentences(file: Path) -> list[Sentence]:
    sentences: list[Sentence] = []
    with gzip.open(file, "rt", encoding="utf8") as lines:
        for block in lines.read().split("\n\n"):
            rows = [line.split("\t") for line in block.splitlines() if line[:1].isdigit()]
            rows = [row for row in rows if row[0].isdigit()]
            if rows:
                sentences.append(([row[1] for row in rows], [row[4] for row in rows]))
    return sentences


def _trained_in_spacy(nlp: Any, sentences: list[Sentence]) -> Any:
    from spacy.training import Example

    examples = [
        Example.from_dict(spacy.tokens.Doc(nlp.vocab, words=words), {"tags": tags})
        for words, tags in sentences
    ]
    fix_random_seed(0)
    tagger = spacy.pipeline.Tagger(nlp.vocab, spacy.registry.resolve({"model": CONFIG})["model"])
    tagger.initialize(lambda: examples)
    optimizer = Adam(0.005)
    for start in range(0, len(examples), 40):
        tagger.update(examples[start : start + 40], sgd=optimizer)
    return tagger


def test_spacys_bytes_tag_the_development_set_alike(shared_data: Path) -> None:
    corpus = shared_data / "ud_ewt"
    nlp = spacy.blank("en")
    training = _sentences(corpus / "en_ewt-ud-train.conllu.gz")[:N_TRAINING_SENTENCES]
    spacys = _trained_in_spacy(nlp, training)
    ours = Tagger(_vocab_like(nlp), registry.resolve({"model": CONFIG})["model"])
    ours.from_bytes(spacys.to_bytes(exclude=["vocab"]), exclude=["vocab"])

    development = [words for words, _ in _sentences(corpus / "en_ewt-ud-dev.conllu.gz")]
    spacy_docs = [spacy.tokens.Doc(nlp.vocab, words=words) for words in development]
    our_docs = [Doc(ours.vocab, words=words) for words in development]
    spacy_scores = np.concatenate(spacys.model.predict(spacy_docs))
    our_scores = np.concatenate(ours.model.predict(our_docs))
    np.testing.assert_allclose(our_scores, spacy_scores, atol=SCORE_TOLERANCE)

    for doc in ours.pipe(our_docs):
        assert doc.has_annotation("TAG")
    for doc in spacys.pipe(spacy_docs):
        assert doc.has_annotation("TAG")
    our_tags = [token.tag_ for doc in our_docs for token in doc]
    spacy_tags = [token.tag_ for doc in spacy_docs for token in doc]
    # Where two labels score within the tolerance of each other either may win.
    best = np.sort(spacy_scores, axis=1)
    clear = best[:, -1] - best[:, -2] > 2 * SCORE_TOLERANCE
    assert clear.mean() > 0.99
    assert [tag for tag, sure in zip(our_tags, clear, strict=True) if sure] == [
        tag for tag, sure in zip(spacy_tags, clear, strict=True) if sure
    ]
    assert len(set(our_tags)) > 20


def _vocab_like(nlp: Any) -> Vocab:
    """A vocabulary of our own that norms words as spaCy's English does."""
    import ferrule

    return ferrule.blank("en").vocab
