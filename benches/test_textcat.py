"""Text classifiers on Banking77 (77 intents), training and predicting, beside spaCy 3.8.

Each library on documents of its own, tokenised before, through the calls a user makes: `nlp.update` with
batches of 64 and Adam, and `textcat.pipe`. `tuned` is spaCy with every ops object at `use_blis = False`, so
that its products go to OpenBLAS; a bag of words has none. Fix the threads of both sides:
`OPENBLAS_NUM_THREADS`, `FERRULE_NUM_THREADS`.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import thinc.optimizers
from thinc.api import NumpyOps, fix_random_seed

import ferrule
from ferrule.optimizer import Adam
from ferrule.training.example import Example
from pairing import fastest

spacy = pytest.importorskip("spacy")
from spacy.training import Example as SpacyExample  # noqa: E402

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "banking77" / "banking77-train.csv.gz"
# float32 sums in another order; through an encoder, an attention and a softmax.
TOLERANCE = 1e-4
BATCH = 64
N_TRAIN = 20 * BATCH
N_PREDICT = 2000
Report = Callable[[str, dict[str, float], str], None]

BOW = {
    "@architectures": "spacy.TextCatBOW.v3",
    "exclusive_classes": True,
    "ngram_size": 1,
    "no_output_layer": False,
    "length": 262144,
}
SETTINGS = {"bag of words": {"model": BOW}, "ensemble": {}}
# Without L2, clipping and averages Ferrule steps touched columns only; spaCy's time does not depend on it.
ADAM = {"L2": 0.0, "grad_clip": 0.0, "use_averages": False}


class Contestant:
    """One library with its pipeline, documents and examples."""

    def __init__(self, nlp: Any, kind: Any, rows: list[tuple[str, dict[str, float]]], settings: Any) -> None:
        self.nlp = nlp
        self.pipe = nlp.add_pipe("textcat", config=settings)
        self.docs = [nlp.make_doc(text) for text, _ in rows]
        self.examples = [
            kind.from_dict(doc, {"cats": cats}) for doc, (_, cats) in zip(self.docs, rows, strict=True)
        ]
        fix_random_seed(0)
        nlp.initialize(lambda: self.examples)
        self.sgd: Any = None

    def train(self, n_examples: int = N_TRAIN) -> None:
        for start in range(0, n_examples, BATCH):
            self.nlp.update(self.examples[start : start + BATCH], sgd=self.sgd)

    def predict(self) -> None:
        for _ in self.pipe.pipe(iter(self.docs[:N_PREDICT]), batch_size=256):
            pass


def rows() -> list[tuple[str, dict[str, float]]]:
    """Text and categories of the training part, in an order that mixes the intents."""
    with gzip.open(DATA, "rt", encoding="utf8") as file:
        found = [(row["text"], row["label"]) for row in csv.DictReader(file)]
    labels = sorted({label for _, label in found})
    order = np.random.default_rng(0).permutation(len(found))[: max(N_TRAIN, N_PREDICT)]
    return [(found[at][0], {label: float(label == found[at][1]) for label in labels}) for at in order]


@pytest.fixture(scope="module", params=SETTINGS)
def contestants(request: pytest.FixtureRequest) -> dict[str, Contestant]:
    """Ferrule and spaCy with the same weights."""
    if not DATA.exists():
        pytest.skip(f"{DATA} is not there")
    data, settings = rows(), SETTINGS[request.param]
    found = {
        "ferrule": Contestant(ferrule.blank("en"), Example, data, settings),
        "stock": Contestant(spacy.blank("en"), SpacyExample, data, settings),
    }
    found["ferrule"].sgd = Adam(0.001, **ADAM)
    found["stock"].sgd = thinc.optimizers.Adam(0.001, **ADAM)
    if request.param == "ensemble":
        found["tuned"] = Contestant(spacy.blank("en"), SpacyExample, data, settings)
        found["tuned"].sgd = thinc.optimizers.Adam(0.001, **ADAM)
        for node in found["tuned"].pipe.model.walk():
            node.ops = NumpyOps(use_blis=False)
    weights = found["stock"].pipe.model.to_bytes()
    for contestant in found.values():
        contestant.pipe.model.from_bytes(weights)
        contestant.name = request.param  # type: ignore[attr-defined]
    return found


def test_predict(contestants: dict[str, Contestant], report: Report, benchmark) -> None:
    ours, theirs = contestants["ferrule"], contestants["stock"]
    np.testing.assert_allclose(
        ours.pipe.predict(ours.docs[:200]), theirs.pipe.predict(theirs.docs[:200]), atol=TOLERANCE
    )
    n_words = sum(map(len, ours.docs[:N_PREDICT]))
    times = fastest({name: each.predict for name, each in contestants.items()}, rounds=9)
    report(f"{ours.name}: predict {n_words} words", times, "ferrule")
    benchmark.pedantic(ours.predict, rounds=3)


def test_train(contestants: dict[str, Contestant], report: Report, benchmark) -> None:
    ours, theirs = contestants["ferrule"], contestants["stock"]
    if ours.name == "bag of words":  # no dropout, and where moments are zero the lazy step is the dense one
        ours.train(BATCH)
        theirs.train(BATCH)
        np.testing.assert_allclose(
            ours.pipe.model.get_ref("output_layer").get_param("W"),
            theirs.pipe.model.get_ref("output_layer").get_param("W"),
            atol=TOLERANCE,
        )
    n_words = sum(map(len, ours.docs[:N_TRAIN]))
    times = fastest({name: each.train for name, each in contestants.items()}, rounds=5)
    report(f"{ours.name}: train {n_words} words", times, "ferrule")
    benchmark.pedantic(ours.train, rounds=3)
