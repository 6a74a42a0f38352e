"""Shorter ways to predict: the numbers of the layers they stand for, and only where they stand for them."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from thinc.api import Linear, Logistic, Model, chain, fix_random_seed

import ferrule
from ferrule.ml.shortcuts import NOT_TAKEN, on_rust, shorten
from ferrule.ops import RustOps
from ferrule.registry import registry
from networks import bag_of_words, encoder, ensemble

# float32 sums in another order.
TOLERANCE = 1e-5
ENCODER = encoder(16, embed_size=50, depth=2, maxout_pieces=3)
CONFIGS = {
    "words": bag_of_words(500, exclusive=True, ngram_size=2),
    "words, many": bag_of_words(500, exclusive=False, ngram_size=2),
    "words, scores": bag_of_words(500, exclusive=True, ngram_size=2, no_output_layer=True),
    "ngrams": {"@architectures": "ferrule.TextCatNgrams.v1", "exclusive_classes": True, "length": 500},
    "ensemble": ensemble(ENCODER, bag_of_words(500, exclusive=True, ngram_size=2)),
    "attention": {
        "@architectures": "spacy.TextCatParametricAttention.v1",
        "tok2vec": ENCODER,
        "exclusive_classes": False,
    },
}


@pytest.fixture(params=CONFIGS)
def model(request: pytest.FixtureRequest, docs: list[Any]) -> Model[Any, Any]:
    fix_random_seed(0)
    model = registry.resolve({"model": CONFIGS[request.param]})["model"]
    model.initialize(X=docs[:3], Y=np.zeros((3, 4), dtype="f"))
    draw = np.random.default_rng(1)
    for node in model.walk():
        for name in node.param_names:
            node.set_param(name, draw.normal(size=node.get_param(name).shape).astype("f"))
    return model


@pytest.fixture
def docs() -> list[Any]:
    nlp = ferrule.blank("en")
    draw = np.random.default_rng(0)
    return [
        nlp.make_doc(" ".join(draw.choice(["card", "lost", "my", "Ünïcode", "!"], size=n)))
        for n in draw.integers(1, 9, 100)
    ]


def test_predictions_are_what_training_sees(model: Model[Any, Any], docs: list[Any]) -> None:
    seen, _ = model.begin_update(docs)
    np.testing.assert_allclose(model.predict(docs), seen, atol=TOLERANCE)
    np.testing.assert_allclose(model.copy().predict(docs), seen, atol=TOLERANCE)


def test_copies_predict_the_same_bits(model: Model[Any, Any], docs: list[Any]) -> None:
    expected = model.predict(docs)
    for copied in (model.copy(), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(copied.predict(docs), expected)


def test_thincs_copies_run_on_rust_although_they_drop_ops() -> None:
    model = chain(Linear(2, 3), Logistic()).initialize()
    on_rust(model)
    copied = model.copy()
    assert not any(isinstance(node.ops, RustOps) for node in copied.layers)
    copied.predict(np.ones((2, 3), dtype="f"))
    assert all(isinstance(node.ops, RustOps) for node in copied.walk())


def test_threads_and_batches_change_no_bit(model: Model[Any, Any], docs: list[Any]) -> None:
    before = ferrule.get_num_threads()
    try:
        found = {}
        for n_threads in (1, 3):
            ferrule.set_num_threads(n_threads)
            found[n_threads] = model.predict(docs)
    finally:
        ferrule.set_num_threads(before)
    np.testing.assert_array_equal(found[1], found[3])


def _doubled(model: Model[Any, Any], X: Any, is_train: bool) -> Any:
    return 2 * X, lambda d_output: 2 * d_output


def _layers(model: Model[Any, Any]) -> list[Model[Any, Any]]:
    return [model.layers[0]]


def _negative(parts: Any, X: Any) -> Any:
    return NOT_TAKEN if X == 0 else -X


def test_a_shortcut_is_left_for_training_other_layers_and_input_it_is_not_for() -> None:
    inner = Model("inner", _doubled)
    outer = Model("outer", lambda model, X, is_train: model.layers[0](X, is_train), layers=[inner])
    shorten(outer, _layers, _negative)
    assert outer.predict(1) == -1
    assert outer.predict(0) == 0
    assert outer.begin_update(1)[0] == 2
    with pytest.raises(ValueError, match="begin_update"):
        outer(1, is_train=False)[1](1)
    inner._func = lambda model, X, is_train: (3 * X, None)
    assert outer.predict(1) == 3
