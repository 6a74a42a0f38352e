"""spaCy's default tagger and its token encoder: predicting, training, texts to tags, one short document.

`stock` is spaCy as installed. `tuned` is spaCy with every ops object at `use_blis = False`, so that its
products go to OpenBLAS: the honest comparison. All run in turn, with the same words and weights, each on the
documents of its library; `ferrule on spaCy's documents` is what `accelerate` does.
Set `OPENBLAS_NUM_THREADS` for spaCy's threads, `FERRULE_NUM_THREADS` for ours.

`fast` is the same network as `ferrule.HashEmbedCNN.v1`: its windows read zeros beyond a document at
every layer, where spaCy has rows that pass through all of them. Its numbers are others, its work is less.

`int8` has the window layers above the first in bytes (`nlp.quantize`), `int8 fast` those of Ferrule's own.

`a product as large` is the time that the multiply-adds of training would take in one large product, so its
ratio is the share of the peak that is reached, counted without what clever arithmetic saves.

`cold` forgets between rounds what is kept of word types; the plain line has seen the words before, as in a
running service.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import thinc.optimizers
from thinc.api import Model, NumpyOps, set_dropout_rate

import ferrule
from ferrule import _core
from ferrule.ml import FerruleHashEmbedCNN
from ferrule.ml.fused import FusedForward, fuse
from ferrule.ml.quantization import quantize_tree
from ferrule.ops import RustOps
from ferrule.optimizer import Adam
from ferrule.pipeline.default_models import DEFAULT_TOK2VEC_MODEL
from pairing import fastest

spacy = pytest.importorskip("spacy")
from spacy.ml.models.tok2vec import build_hash_embed_cnn_tok2vec  # noqa: E402
from spacy.tokens import Doc  # noqa: E402

EWT = Path(__file__).resolve().parents[2] / "shared" / "data" / "ud_ewt" / "en_ewt-ud-test.conllu.gz"
# float32 sums of 288 products in another order, through four layers.
TOLERANCE = 1e-4
# Of the length of the gradient. Where two pieces of a maxout tie but for rounding, another one may win, and
# all that passed through it moves: rare, but a batch of 64 documents has 400,000 of them. Without: 1e-6.
GRADIENT_TOLERANCE = 1e-2
# Mean difference of a number that went through three levels in bytes, in standard deviations.
BYTES_TOLERANCE = 0.05
DROPOUT = 0.1
PAUSE = 0.3
TURN = 0.5
Report = Callable[[str, dict[str, float], str], None]


@pytest.fixture(scope="module")
def docs() -> list[Doc]:
    """The sentences of the English Web Treebank's test part (25,094 words)."""
    if not EWT.exists():
        pytest.skip(f"{EWT} is not there")
    vocab = spacy.blank("en").vocab
    sentences: list[list[str]] = [[]]
    with gzip.open(EWT, "rt", encoding="utf8") as lines:
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            if len(fields) > 1 and fields[0].isdigit():
                sentences[-1].append(fields[1])
            elif fields == [""]:
                sentences.append([])
    return [Doc(vocab, words) for words in sentences if words]


@pytest.fixture(scope="module")
def own_docs(docs) -> list[ferrule.Doc]:
    """The same sentences as Ferrule's documents."""
    vocab = ferrule.blank("en").vocab
    return [ferrule.Doc(vocab, words=[token.text for token in doc]) for doc in docs]


# Who reads Ferrule's documents.
OURS = ("ferrule", "fast")
NETWORK = {name: value for name, value in DEFAULT_TOK2VEC_MODEL.items() if name != "@architectures"}


@pytest.fixture(scope="module")
def models() -> dict[str, Model]:
    """The same weights three times, and Ferrule's own network."""
    model = build_hash_embed_cnn_tok2vec(**NETWORK).initialize()
    made = {"ferrule": model.copy(), "stock": model.copy(), "tuned": model.copy()}
    made["fast"] = FerruleHashEmbedCNN(**NETWORK).initialize()
    for node in made["tuned"].walk():
        node.ops = NumpyOps(use_blis=False)
    assert fuse(made["ferrule"]) == 1
    return made


def batches(docs: list[Doc], size: int) -> list[list[Doc]]:
    return [docs[start : start + size] for start in range(0, len(docs), size)]


def test_predict(docs, own_docs, models, report: Report, benchmark) -> None:
    expected = np.concatenate(models["stock"].predict(docs[:200]))
    for read in (docs, own_docs):
        found = np.concatenate(models["ferrule"].predict(read[:200]))
        np.testing.assert_allclose(found, expected, atol=TOLERANCE)
    n_words = sum(map(len, docs))

    def predict(name: str) -> None:
        for batch in batches(own_docs if name in OURS else docs, 128):
            models[name].predict(batch)

    def predict_cold(name: str) -> None:
        forward = models[name]._func
        assert isinstance(forward, FusedForward)
        forward.forget()
        predict(name)

    def predict_others() -> None:
        for batch in batches(docs, 128):
            models["ferrule"].predict(batch)

    contestants = {name: lambda name=name: predict(name) for name in models}
    others = "ferrule on spaCy's documents"
    contestants[others] = predict_others
    contestants["cold"] = lambda: predict_cold("ferrule")
    contestants["fast, cold"] = lambda: predict_cold("fast")
    times = fastest(contestants, rounds=5, pause=PAUSE, at_least=TURN)
    peers = {name: times[name] for name in ("stock", "tuned")}
    for name in ("ferrule", "cold", "fast", "fast, cold", others):
        report(f"predict {n_words} words, {name}", {name: times[name], **peers}, name)
    benchmark.pedantic(contestants["ferrule"], rounds=3)


def test_predict_in_bytes(docs, own_docs, models, report: Report, benchmark) -> None:
    own = own_docs
    n_words = sum(map(len, docs))
    ours = {
        "float32": models["ferrule"],
        "int8": models["ferrule"].copy(),
        "int8 fast": models["fast"].copy(),
    }
    for name in ("int8", "int8 fast"):
        assert quantize_tree(ours[name], own[:256]) == 1
    exact = np.concatenate(ours["float32"].predict(own))
    off = np.abs(np.concatenate(ours["int8"].predict(own)) - exact).mean() / exact.std()
    assert 0 < off < BYTES_TOLERANCE

    def predict(model: Model, documents: list[Any]) -> None:
        for batch in batches(documents, 128):
            model.predict(batch)

    contestants = {name: lambda model=model: predict(model, own) for name, model in ours.items()}
    for name in ("stock", "tuned"):
        contestants[name] = lambda model=models[name]: predict(model, docs)
    times = fastest(contestants, rounds=7, pause=PAUSE, at_least=TURN)
    for name in ours:
        peers = {other: times[other] for other in ("stock", "tuned", "float32") if other != name}
        report(f"predict {n_words} words, own docs, {name}", {name: times[name], **peers}, name)
    # Rows of three levels above the first, half of them multiplied four times: windows go two by two.
    n_rows = sum(3 * len(doc) + 6 for doc in docs)
    most = byte_peak()
    for name, rows in (("int8", n_rows), ("int8 fast", 3 * n_words)):
        needed = rows * 2 * 96 * 288 / most * ferrule.get_num_threads() ** -1
        report(f"{name} at {most * 2e-9:.0f} GOP/s, the byte peak", {name: times[name], "peak": needed}, name)
    benchmark.pedantic(contestants["int8"], rounds=3)


def byte_peak() -> float:
    """Multiply-adds of bytes a second that one thread does in registers."""
    rounds, best = 200_000, 0.0
    for _ in range(20):
        start = time.perf_counter()
        n_operations = _core._byte_multiply_adds(rounds)
        best = max(best, n_operations / 2 / (time.perf_counter() - start))
    return best


def plain_multiply_adds(some: list[list[Doc]]) -> float:
    """What training has to multiply, however it is done, without rows beyond documents.

    Window layers for each word, the mix for each word type of a batch; backward the winning pieces only.
    """
    width, pieces, depth, tables = 96, 3, 4, 4
    words = sum(len(doc) for batch in some for doc in batch)
    types = sum(len({token.orth for doc in batch for token in doc}) for batch in some)
    forward = depth * width * pieces * 3 * width * words + width * pieces * tables * width * types
    return forward * (1 + 2 / pieces)


def seconds_per_multiply_add(size: int = 1024) -> float:
    """In one large float32 product, OpenBLAS's or ours, whichever is faster: near the peak of its threads."""
    a = np.random.default_rng(0).random((size, size), dtype=np.float32)
    ops = RustOps()
    return min(fastest({"openblas": lambda: a @ a, "ferrule": lambda: ops.gemm(a, a)}).values()) / size**3


def test_train(docs, own_docs, models, report: Report, benchmark) -> None:
    some, own = batches(docs[:640], 64), batches(own_docs[:640], 64)
    n_words = sum(len(doc) for batch in some for doc in batch)
    copies = {name: model.copy() for name, model in models.items()}
    for node in copies["tuned"].walk():
        node.ops = NumpyOps(use_blis=False)
    settings = {"L2": 0.01, "grad_clip": 1.0, "use_averages": False}
    optimizers = {
        "ferrule": Adam(0.001, **settings),
        "fast": Adam(0.001, **settings),
        "stock": thinc.optimizers.Adam(0.001, **settings),
        "tuned": thinc.optimizers.Adam(0.001, **settings),
    }

    def train(name: str) -> None:
        model = copies[name]
        for batch in own if name in OURS else some:
            outputs, backprop = model.begin_update(batch)
            backprop([output * 0.01 for output in outputs])
            model.finish_update(optimizers[name])

    # Without dropout, whose masks differ, the gradients are the same.
    gradients = {}
    for name, model in copies.items():
        outputs, backprop = model.begin_update((own if name in OURS else some)[0])
        backprop([output * 0.01 for output in outputs])
        gradients[name] = np.concatenate([n.get_grad("W").ravel() for n in model.walk() if n.has_grad("W")])
    difference = np.linalg.norm(gradients["ferrule"] - gradients["stock"])
    assert difference < GRADIENT_TOLERANCE * np.linalg.norm(gradients["stock"])
    for model in copies.values():
        set_dropout_rate(model, DROPOUT)
    contestants = {name: lambda name=name: train(name) for name in copies}
    times = fastest(contestants, rounds=3, pause=PAUSE, at_least=TURN)
    peers = {name: times[name] for name in ("stock", "tuned")}
    peers["a product as large"] = plain_multiply_adds(some) * seconds_per_multiply_add()
    for name in ("ferrule", "fast"):
        report(f"train {n_words} words, {name}", {name: times[name], **peers}, name)
    benchmark.pedantic(contestants["ferrule"], rounds=3)


def test_parts_of_a_training_step(own_docs, models, report: Report, benchmark) -> None:
    """Where the time of a step goes; `perf record` of this test says where inside."""
    some = batches(own_docs[:640], 64)
    for name in OURS:
        model = models[name].copy()
        set_dropout_rate(model, DROPOUT)
        optimizer = Adam(0.001, L2=0.01, grad_clip=1.0, use_averages=False)
        fewest = {"forward": float("inf"), "backward": float("inf"), "step": float("inf")}
        end = time.perf_counter() + 4 * TURN
        while time.perf_counter() < end:
            taken = dict.fromkeys(fewest, 0.0)
            for batch in some:
                start = time.perf_counter()
                outputs, backprop = model.begin_update(batch)
                taken["forward"] += time.perf_counter() - start
                gradient = [output * 0.01 for output in outputs]
                start = time.perf_counter()
                backprop(gradient)
                taken["backward"] += time.perf_counter() - start
                start = time.perf_counter()
                model.finish_update(optimizer)
                taken["step"] += time.perf_counter() - start
            fewest = {part: min(fewest[part], seconds / len(some)) for part, seconds in taken.items()}
        whole = {"whole": sum(fewest.values()), **fewest}
        report(f"a training step's parts, {name}", whole, "whole")
    benchmark.pedantic(lambda: models["ferrule"].begin_update(some[0]), rounds=3)


@pytest.mark.parametrize("n_words", [16, 20])
def test_one_short_document(docs, own_docs, models, n_words: int, report: Report, benchmark) -> None:
    at = next(index for index, doc in enumerate(docs) if len(doc) == n_words)
    one = {name: [(own_docs if name in OURS else docs)[at]] for name in models}
    contestants = {name: lambda name=name: models[name].predict(one[name]) for name in models}
    # In turn, with caches full of another library's weights; and again and again, as in a service.
    cold = fastest(contestants, rounds=101)
    warm = fastest(contestants, rounds=5, pause=PAUSE, at_least=TURN / 5)
    for state, times in (("in turn", cold), ("warm", warm)):
        peers = {name: times[name] for name in ("stock", "tuned")}
        for name in ("ferrule", "fast"):
            title = f"predict one document of {n_words} words, {state}, {name}"
            report(title, {name: times[name], **peers}, name)
    benchmark.pedantic(contestants["ferrule"], rounds=50)


@pytest.fixture(scope="module")
def pipelines() -> dict[str, Any]:
    """English with the default tagger and 50 labels; the same weights three times."""
    made = {"stock": spacy.blank("en"), "tuned": spacy.blank("en"), "ferrule": ferrule.blank("en")}
    for nlp in made.values():
        tagger = nlp.add_pipe("tagger")
        for number in range(50):
            tagger.add_label(f"TAG{number:02}")
        tagger.model.initialize(X=[nlp.make_doc("a text")], Y=[np.zeros((2, 50), dtype="float32")])
        tagger.model.from_bytes(made["stock"].get_pipe("tagger").model.to_bytes())
    for node in made["tuned"].get_pipe("tagger").model.walk():
        node.ops = NumpyOps(use_blis=False)
    return made


def test_texts_to_annotated_documents(docs, pipelines, report: Report, benchmark) -> None:
    texts = [" ".join(token.text for token in doc) for doc in docs]
    tags = {
        name: [[token.tag for token in doc] for doc in nlp.pipe(texts[:300])]
        for name, nlp in pipelines.items()
    }
    different = sum(ours != theirs for ours, theirs in zip(tags["ferrule"], tags["stock"], strict=True))
    # Of untrained weights two labels may score alike but for rounding.
    assert different <= 3

    def annotate(nlp: Any) -> None:
        for _ in nlp.pipe(texts, batch_size=128):
            pass

    contestants = {name: lambda nlp=nlp: annotate(nlp) for name, nlp in pipelines.items()}
    times = fastest(contestants, rounds=3, pause=PAUSE, at_least=TURN)
    report(f"texts of {sum(map(len, docs))} words to annotated docs", times, "ferrule")
    benchmark.pedantic(contestants["ferrule"], rounds=3)


def test_one_short_text(docs, pipelines, report: Report, benchmark) -> None:
    text = next(" ".join(token.text for token in doc) for doc in docs if len(doc) == 20)
    contestants = {name: lambda nlp=nlp: nlp(text) for name, nlp in pipelines.items()}
    report("one text of 20 words to an annotated doc", fastest(contestants, rounds=101), "ferrule")
    benchmark.pedantic(contestants["ferrule"], rounds=50)
