"""Our text classifiers are spaCy's: nodes, names, dims, refs, attributes, bytes and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from thinc.api import Model, fix_random_seed

from ferrule.registry import registry

from .test_trees import CONFIGS as TOKEN_CONFIGS
from .test_trees import TOLERANCE, _arch, _randomize, _signatures

spacy = pytest.importorskip("spacy")

# Gradients pass a softmax or logistic, an attention and three encoder layers on their way.
GRADIENT_TOLERANCE = 1e-4
ENCODER = TOKEN_CONFIGS["cnn"]
N_CATEGORIES = 3
TEXTS = [
    "Hello there  naïve 日本語 World's end.",
    "one two",
    "The 3rd e-mail of U.S. users\n\ncosts $5!",
    "a a",
]

CONFIGS = {
    f"{name}{' of many' if not exclusive else ''}": config
    for exclusive in (True, False)
    for name, config in {
        "bag of words": _arch(
            "spacy.TextCatBOW.v3",
            exclusive_classes=exclusive,
            ngram_size=2,
            no_output_layer=False,
            length=100,
            nO=3,
        ),
        "bag of words v2": _arch(
            "spacy.TextCatBOW.v2", exclusive_classes=exclusive, ngram_size=1, no_output_layer=False, nO=3
        ),
        "bag of words without output": _arch(
            "spacy.TextCatBOW.v3", exclusive_classes=exclusive, ngram_size=1, no_output_layer=True, nO=3
        ),
        "reduced": _arch(
            "spacy.TextCatReduce.v1",
            tok2vec=ENCODER,
            exclusive_classes=exclusive,
            use_reduce_first=True,
            use_reduce_last=True,
            use_reduce_max=True,
            use_reduce_mean=True,
            nO=3,
        ),
        "mean": _arch("spacy.TextCatCNN.v2", tok2vec=ENCODER, exclusive_classes=exclusive, nO=3),
        "attention": _arch(
            "spacy.TextCatParametricAttention.v1",
            tok2vec=ENCODER,
            exclusive_classes=exclusive,
        ),
        "ensemble": _arch(
            "spacy.TextCatEnsemble.v2",
            tok2vec=ENCODER,
            linear_model=_arch(
                "spacy.TextCatBOW.v3",
                exclusive_classes=exclusive,
                ngram_size=1,
                no_output_layer=False,
                length=64,
            ),
        ),
    }.items()
}


@pytest.fixture(scope="module")
def docs() -> list[Any]:
    # spaCy's classifiers cannot take documents without tokens.
    nlp = spacy.blank("en")
    return [nlp(text) for text in TEXTS]


@pytest.fixture(params=CONFIGS)
def pair(request: pytest.FixtureRequest) -> tuple[Model[Any, Any], Model[Any, Any]]:
    """spaCy's tree and ours, before initialization."""
    config = {"model": CONFIGS[request.param]}
    return spacy.registry.resolve(config)["model"], registry.resolve(config)["model"]


Pair = tuple[Model[Any, Any], Model[Any, Any]]


def _initialize(model: Model[Any, Any], docs: list[Any]) -> None:
    fix_random_seed(3)
    model.initialize(X=docs, Y=np.zeros((len(docs), N_CATEGORIES), dtype="float32"))


def test_tree_is_spacys_before_and_after_initialization(pair: Pair, docs: list[Any]) -> None:
    spacys, ours = pair
    assert _signatures(ours) == _signatures(spacys)
    _initialize(spacys, docs)
    _initialize(ours, docs)
    assert _signatures(ours) == _signatures(spacys)
    if "para-attn" not in ours.name:  # where the layers draw their weights in another order
        assert ours.to_bytes() == spacys.to_bytes()


def test_bytes_load_both_ways_with_the_same_numbers(pair: Pair, docs: list[Any]) -> None:
    spacys, ours = pair
    _initialize(spacys, docs)
    _randomize(spacys)
    ours.from_bytes(spacys.to_bytes())
    expected = spacys.predict(docs)
    assert_allclose(ours.predict(docs), expected, atol=TOLERANCE)
    assert ours.to_bytes() == spacys.to_bytes()


def test_a_training_step_gives_spacys_gradients(pair: Pair, docs: list[Any]) -> None:
    spacys, ours = pair
    _initialize(spacys, docs)
    _randomize(spacys)
    ours.from_bytes(spacys.to_bytes())
    d_scores = np.random.default_rng(2).normal(size=(len(docs), N_CATEGORIES)).astype("float32")
    for model in (spacys, ours):
        _, backprop = model.begin_update(docs)
        backprop(d_scores.copy())
    for spacy_node, our_node in zip(spacys.walk(), ours.walk(), strict=True):
        for param in our_node.grad_names:
            expected = spacy_node.get_grad(param)
            scale = max(1.0, float(np.abs(expected).max()))
            assert_allclose(our_node.get_grad(param) / scale, expected / scale, atol=GRADIENT_TOLERANCE)


def test_a_resized_classifier_keeps_the_old_categories_apart(pair: Pair, docs: list[Any]) -> None:
    _, ours = pair
    _initialize(ours, docs)
    _randomize(ours)
    before = ours.predict(docs)
    resized = ours.attrs["resize_output"](ours, N_CATEGORIES + 2)
    after = resized.predict(docs)
    assert after.shape == (len(docs), N_CATEGORIES + 2)
    # A new category of low probability takes a little from those it excludes.
    assert_allclose(after[:, :N_CATEGORIES], before, atol=0.02)
    assert (after.argmax(axis=1) == before.argmax(axis=1)).all()
    _, backprop = resized.begin_update(docs)
    backprop(np.ones_like(after))
