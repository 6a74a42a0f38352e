"""The default entity recognizer on WNUT17: predicting and training, beside spaCy 3.8.

`stock` is spaCy as installed, `tuned` spaCy with every ops object at `use_blis = False`. All have the same
weights and the same documents, each library its own `Doc`s, and do the whole of the component's work:
`predict` and `set_annotations`, or `update` with the optimizer's step. Set `OPENBLAS_NUM_THREADS` for
spaCy's threads, `FERRULE_NUM_THREADS` for ours.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from thinc.api import NumpyOps, fix_random_seed

import ferrule
from ferrule.optimizer import Adam
from ferrule.training.example import Example
from pairing import fastest

spacy = pytest.importorskip("spacy")
import thinc.optimizers  # noqa: E402
from spacy.training import Example as SpacyExample  # noqa: E402

WNUT17 = Path(__file__).resolve().parents[2] / "shared" / "data" / "wnut17"
BATCH = 128
DOCS_A_STEP = 64
N_STEPS = 8
DROPOUT = 0.1
PREDICT_ROUNDS, TRAIN_ROUNDS = 5, 3
# Examples that each pipeline learns from first, so that it finds some entities.
WARM_UP_STEPS = 30

Report = Callable[[str, dict[str, float], str], None]
Sentence = tuple[list[str], list[str]]


def sentences(part: str) -> list[Sentence]:
    if not WNUT17.exists():
        pytest.skip(f"{WNUT17} is not there")
    text = gzip.decompress((WNUT17 / f"wnut17-{part}.conll.gz").read_bytes()).decode("utf8")
    blocks = [block.splitlines() for block in text.split("\n\n") if block.strip()]
    rows = [[line.split("\t") for line in block if line.strip()] for block in blocks]
    return [([row[0] for row in block], [row[1] for row in block]) for block in rows]


def examples_of(library: Any, vocab: Any, data: list[Sentence]) -> list[Any]:
    doc = library.tokens.Doc
    kind = SpacyExample if library is spacy else Example
    return [kind(doc(vocab, words=words), doc(vocab, words=words, ents=tags)) for words, tags in data]


@pytest.fixture(scope="module")
def pipelines() -> dict[str, Any]:
    """`stock`, trained for a few steps, and the others with its bytes."""
    fix_random_seed(0)
    made = {"stock": spacy.blank("en"), "tuned": spacy.blank("en"), "ferrule": ferrule.blank("en")}
    for nlp in made.values():
        nlp.add_pipe("ner")
    examples = examples_of(spacy, made["stock"].vocab, sentences("train"))
    optimizer = made["stock"].initialize(lambda: examples)
    optimizer.learn_rate = 0.003
    for step in range(WARM_UP_STEPS):
        made["stock"].update(examples[step * 50 : step * 50 + 50], sgd=optimizer)
    saved = made["stock"].get_pipe("ner").to_bytes(exclude=["vocab"])
    for name in ("tuned", "ferrule"):
        made[name].get_pipe("ner").from_bytes(saved, exclude=["vocab"])
    for node in made["tuned"].get_pipe("ner").model.walk():
        node.ops = NumpyOps(use_blis=False)
    return made


def test_predict(pipelines: dict[str, Any], report: Report, benchmark: Any) -> None:
    data = sentences("test")

    def new_docs(name: str) -> list[Any]:
        doc = ferrule.tokens.Doc if name == "ferrule" else spacy.tokens.Doc
        return [doc(pipelines[name].vocab, words=words) for words, _ in data]

    def annotate(name: str, docs: list[Any]) -> list[Any]:
        ner = pipelines[name].get_pipe("ner")
        for start in range(0, len(docs), BATCH):
            batch = docs[start : start + BATCH]
            ner.set_annotations(batch, ner.predict(batch))
        return docs

    found = {
        name: [[(e.start, e.end, e.label_) for e in doc.ents] for doc in annotate(name, new_docs(name))]
        for name in ("stock", "ferrule")
    }
    assert found["ferrule"] == found["stock"]
    # Entities that are set are kept, so each call needs documents of its own, made before the clock starts.
    waiting = {name: [new_docs(name) for _ in range(PREDICT_ROUNDS + 1)] for name in pipelines}
    contestants = {name: lambda name=name: annotate(name, waiting[name].pop()) for name in pipelines}
    n_words = sum(len(words) for words, _ in data)
    report(f"predict {n_words} words", fastest(contestants, rounds=PREDICT_ROUNDS), "ferrule")
    benchmark.pedantic(annotate, setup=lambda: (("ferrule", new_docs("ferrule")), {}), rounds=3)


def test_train(pipelines: dict[str, Any], report: Report, benchmark: Any) -> None:
    data = sentences("train")[: DOCS_A_STEP * N_STEPS]
    settings = {"L2": 0.01, "grad_clip": 1.0, "use_averages": False}
    optimizers = {
        name: (Adam if name == "ferrule" else thinc.optimizers.Adam)(0.001, **settings) for name in pipelines
    }
    examples = {
        name: examples_of(ferrule if name == "ferrule" else spacy, nlp.vocab, data)
        for name, nlp in pipelines.items()
    }

    def train(name: str) -> dict[str, float]:
        ner, losses = pipelines[name].get_pipe("ner"), {}
        for start in range(0, len(data), DOCS_A_STEP):
            batch = examples[name][start : start + DOCS_A_STEP]
            ner.update(batch, drop=DROPOUT, sgd=optimizers[name], losses=losses)
        return losses

    before = train("ferrule")["ner"]
    contestants = {name: lambda name=name: train(name) for name in pipelines}
    n_words = sum(len(words) for words, _ in data)
    report(f"train {n_words} words", fastest(contestants, rounds=TRAIN_ROUNDS), "ferrule")
    assert train("ferrule")["ner"] < before
    benchmark.pedantic(contestants["ferrule"], rounds=3)
