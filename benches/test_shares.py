"""What surrounds the network, as shares of the whole: corpus to examples, features, setting annotations.

Each line says how many times as long as the part the whole takes: 20 or more is 5 % or less.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ferrule
from ferrule._core import extract_features
from ferrule.tokens import DocBin
from ferrule.training import Corpus
from ferrule.training.converters import convert
from pairing import fastest

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "ud_ewt"
FEATURES = [67, 69, 70, 68]  # NORM, PREFIX, SUFFIX, SHAPE: the default network's
DOCS_A_STEP = 64

Report = Callable[[str, dict[str, float], str], None]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not DATA.is_dir():
        pytest.skip(f"the corpus is not at {DATA}")
    path = tmp_path_factory.mktemp("ewt") / "dev.spacy"
    vocab = ferrule.blank("en").vocab
    DocBin(docs=convert(DATA / "en_ewt-ud-dev.conllu.gz", vocab=vocab)).to_disk(path)
    return path


@pytest.fixture(scope="module")
def nlp(corpus: Path) -> Any:
    nlp = ferrule.blank("en")
    nlp.add_pipe("tagger")
    nlp.initialize(lambda: Corpus(corpus)(nlp))
    return nlp


def test_corpus_to_examples(nlp: Any, corpus: Path, report: Report) -> None:
    examples = list(Corpus(corpus)(nlp))
    assert len(examples) == 2001
    optimizer = nlp.resume_training()

    def epoch() -> None:
        fresh = list(Corpus(corpus)(nlp))
        for start in range(0, len(fresh), DOCS_A_STEP):
            nlp.update(fresh[start : start + DOCS_A_STEP], sgd=optimizer)

    contestants = {"corpus to examples": lambda: list(Corpus(corpus)(nlp)), "the whole epoch": epoch}
    report("corpus to examples, training", fastest(contestants, rounds=3), "corpus to examples")


def test_features_and_annotations(nlp: Any, corpus: Path, report: Report) -> None:
    docs = [example.predicted for example in Corpus(corpus)(nlp)]
    tagger = nlp.get_pipe("tagger")
    scores = tagger.predict(docs)

    def whole() -> None:
        tagger.set_annotations(docs, tagger.predict(docs))

    for name, part in {
        "features": lambda: extract_features(docs, FEATURES),
        "set_annotations": lambda: tagger.set_annotations(docs, scores),
    }.items():
        report(f"{name}, predicting", fastest({name: part, "predict and annotate": whole}, rounds=5), name)
