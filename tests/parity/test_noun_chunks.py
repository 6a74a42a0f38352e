"""English noun chunks on EWT's gold parses, equal to spaCy's on the same documents."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.tokens import Doc as SpacyDoc

import ferrule
from ferrule.tokens import Doc
from ferrule.training.converters import convert

# The labels that the rules look for, and others, drawn for each token: EWT's own are of another scheme.
LABELS = ["ROOT", "appos", "attr", "dative", "dobj", "nsubj", "nsubjpass", "oprd", "pcomp", "pobj"]
OTHERS = ["det", "amod", "compound", "prep", "punct", "advmod", "cc"]
N_DOCS = 400


@pytest.fixture(scope="module")
def gold(shared_data: Path) -> list[Doc]:
    docs = convert(shared_data / "ud_ewt" / "en_ewt-ud-dev.conllu.gz", vocab=ferrule.blank("en").vocab)
    return [doc for doc, _ in zip(docs, range(N_DOCS), strict=False)]


def rebuilt(doc: Doc, doc_type: Any, vocab: Any, deps: list[str]) -> Any:
    return doc_type(
        vocab,
        words=[token.text for token in doc],
        pos=[token.pos_ for token in doc],
        heads=[token.head.i for token in doc],
        deps=deps,
    )


def labels(doc: Doc, rng: random.Random, share: float) -> list[str]:
    """Each token's own label with this probability, else one that the rules may look for."""
    drawn = [*LABELS, *["conj"] * 6, *OTHERS]
    return [token.dep_ if rng.random() < share else rng.choice(drawn) for token in doc]


def chunks(doclike: Any) -> list[tuple[int, int, str]]:
    return [(chunk.start, chunk.end, chunk.label_) for chunk in doclike.noun_chunks]


@pytest.mark.parametrize("share", [1.0, 0.5, 0.0], ids=["gold labels", "half drawn", "all drawn"])
def test_noun_chunks_are_spacys(gold: list[Doc], share: float):
    rng = random.Random(0)
    ours, theirs = ferrule.blank("en").vocab, spacy.blank("en").vocab
    n_chunks = 0
    for doc in gold:
        deps = labels(doc, rng, share)
        made, expected = rebuilt(doc, Doc, ours, deps), rebuilt(doc, SpacyDoc, theirs, deps)
        assert chunks(made) == chunks(expected), doc.text
        half = len(doc) // 2
        assert chunks(made[:half]) == chunks(expected[:half])
        n_chunks += len(chunks(made))
    assert n_chunks > N_DOCS / 2


def test_without_a_parse_they_are_refused():
    with pytest.raises(ValueError, match="dependency parse"):
        list(ferrule.blank("en")("A dog barks.").noun_chunks)
    assert list(ferrule.blank("en")("").noun_chunks) == []
    with pytest.raises(NotImplementedError, match="'xx'"):
        list(ferrule.blank("xx")("A dog barks.").noun_chunks)
