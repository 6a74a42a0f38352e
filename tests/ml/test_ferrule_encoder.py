"""Ferrule's own encoder: zeros beyond the ends of documents at every layer, in thinc's layers and in Rust."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from finite_differences import check_gradients
from thinc.api import Config, Model, fix_random_seed, set_dropout_rate

import ferrule
from ferrule import _core
from ferrule.language import load_from_config
from ferrule.ml import FerruleHashEmbedCNN, FerruleMaxoutWindowEncoder
from ferrule.ml.encoder_parts import find_parts, plain_forward
from ferrule.ml.fused import fuse, unfuse
from ferrule.optimizer import Adam
from ferrule.tokens import Doc
from ferrule.training.example import Example
from ferrule.vocab import Vocab

# float32 sums of 288 products in another order, through four layers.
FORWARD = {"rtol": 1e-4, "atol": 5e-5}
# Gradients sum over all tokens of the batch.
BACKWARD = {"rtol": 1e-3, "atol": 2e-3}
LENGTHS = [1, 2, 3, 0, 17, 5, 4, 40, 1, 9, 150, 16, 0, 8]
SHAPES: list[dict[str, Any]] = [
    {},
    {"width": 64, "depth": 2},
    {"width": 100, "depth": 3},
    {"width": 20, "depth": 1, "maxout_pieces": 2},
    {"window_size": 2, "depth": 2, "width": 48},
    {"window_size": 2, "depth": 1, "width": 16},
    {"maxout_pieces": 1, "width": 33, "depth": 2},
    {"subword_features": False, "width": 48, "depth": 2},
]
NETWORK = {
    "width": 96,
    "depth": 4,
    "embed_size": 500,
    "window_size": 1,
    "maxout_pieces": 3,
    "subword_features": True,
    "pretrained_vectors": None,
}


def make_docs(lengths: list[int] = LENGTHS, seed: int = 0) -> list[Doc]:
    vocab = Vocab()
    rng = np.random.default_rng(seed)
    words = [f"w{i}Ord{i % 7}" for i in range(300)]
    return [Doc(vocab, words=[words[j] for j in rng.zipf(1.3, size=n) % 300]) for n in lengths]


def away_from_the_start(model: Model[Any, Any]) -> Model[Any, Any]:
    """Initialized, with biases, gains and shifts away from their 0 and 1, which hide mistakes."""
    fix_random_seed(0)
    model.initialize()
    rng = np.random.default_rng(0)
    for node in model.walk():
        for name in node.param_names:
            param = node.get_param(name)
            node.set_param(name, (param + rng.normal(size=param.shape) * 0.1).astype("float32"))
    return model


def both(**shape: Any) -> tuple[Model[Any, Any], Model[Any, Any]]:
    """The same weights run by thinc and by Rust."""
    fused = away_from_the_start(FerruleHashEmbedCNN(**{**NETWORK, **shape}))
    plain = fused.copy()
    assert unfuse(plain) == 1 and find_parts(fused) is not None
    return plain, fused


def gradients(model: Model[Any, Any]) -> dict[tuple[int, str], Any]:
    return {
        (i, name): node.get_grad(name)
        for i, node in enumerate(model.walk(order="dfs_pre"))
        for name in node.param_names
        if node.has_grad(name)
    }


def test_a_window_beyond_its_document_reads_zeros_at_every_layer() -> None:
    model = away_from_the_start(FerruleMaxoutWindowEncoder(8, window_size=1, maxout_pieces=3, depth=3))
    rng = np.random.default_rng(1)
    rows = [rng.normal(size=(n, 8)).astype("float32") for n in (1, 5, 2)]
    params = [
        (maxout.get_param("W"), maxout.get_param("b"), norm.get_param("G"), norm.get_param("b"))
        for maxout, norm in zip(
            [node for node in model.walk() if node.name == "maxout"],
            [node for node in model.walk() if node.name == "layernorm"],
            strict=True,
        )
    ]
    for found, x in zip(model.predict(rows), rows, strict=True):
        x = x.astype("float64")
        for weights, bias, gain, shift in params:
            padded = np.pad(x, ((1, 1), (0, 0)))
            windows = np.hstack([padded[:-2], padded[1:-1], padded[2:]])
            best = (np.einsum("ti,opi->top", windows, weights) + bias).max(axis=-1)
            normal = (best - best.mean(axis=1, keepdims=True)) / np.sqrt(
                best.var(axis=1, keepdims=True) + 1e-8
            )
            x = x + normal * gain + shift
        np.testing.assert_allclose(found, x, **FORWARD)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rust_predicts_what_thinc_predicts(shape: dict[str, Any]) -> None:
    plain, fused = both(**shape)
    docs = make_docs()
    for expected, found in zip(plain.predict(docs), fused.predict(docs), strict=True):
        np.testing.assert_allclose(found, expected, **FORWARD)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gradients_are_those_of_thinc(shape: dict[str, Any]) -> None:
    plain, fused = both(**shape)
    docs = make_docs()
    rng = np.random.default_rng(1)
    d_outputs = [rng.normal(size=(len(doc), plain.get_dim("nO"))).astype("float32") for doc in docs]
    for model in (plain, fused, plain, fused):
        _, backprop = model.begin_update(docs)
        backprop([d.copy() for d in d_outputs])
    expected, found = gradients(plain), gradients(fused)
    assert expected.keys() == found.keys() and len(found) > 5
    for key, grad in expected.items():
        np.testing.assert_allclose(found[key], grad, **BACKWARD, err_msg=str(key))


def test_a_document_of_one_word_has_a_gradient_by_finite_differences() -> None:
    _, fused = both(width=8, depth=2)
    set_dropout_rate(fused, 0.3)
    assert check_gradients(fused, make_docs([1, 1, 3])) > 20


def test_same_bits_for_every_batch_and_number_of_threads() -> None:
    _, fused = both()
    set_dropout_rate(fused, 0.2)
    docs = make_docs(LENGTHS * 3)
    before = _core.get_num_threads()
    predicted, updates = [], []
    try:
        for n_threads in (1, 2, 5):
            _core.set_num_threads(n_threads)
            predicted.append(np.concatenate(fused.predict(docs)))
            predicted.append(np.concatenate([fused.predict([doc])[0] for doc in docs]))
            model = fused.copy()
            fix_random_seed(3)
            outputs, backprop = model.begin_update(docs)
            backprop([np.ones_like(output) for output in outputs])
            updates.append([np.concatenate(outputs), *gradients(model).values()])
    finally:
        _core.set_num_threads(before)
    for result in predicted[1:]:
        np.testing.assert_array_equal(result, predicted[0])
    for result in updates[1:]:
        for found, expected in zip(result, updates[0], strict=True):
            np.testing.assert_array_equal(found, expected)


def test_neighbours_in_a_batch_do_not_matter_when_thinc_runs_it_either() -> None:
    plain, _ = both()
    docs = make_docs()
    alone = [plain.predict([doc])[0] for doc in docs]
    for found, expected in zip(plain.predict(docs), alone, strict=True):
        np.testing.assert_allclose(found, expected, **FORWARD)


@pytest.mark.parametrize("lengths", [[], [0], [0, 0]])
def test_documents_without_tokens_give_empty_rows(lengths: list[int]) -> None:
    _, fused = both()
    docs = make_docs(lengths)
    found, backprop = fused.begin_update(docs)
    assert [y.shape for y in found] == [(0, 96)] * len(lengths)
    assert [y.shape for y in fused.predict(docs)] == [(0, 96)] * len(lengths)
    assert backprop(found) == []


def test_follows_weights_that_change() -> None:
    _, fused = both()
    docs = make_docs()
    before = np.concatenate(fused.predict(docs))
    outputs, backprop = fused.begin_update(docs)
    backprop([np.ones_like(y) for y in outputs])
    fused.finish_update(Adam(0.01))
    after = np.concatenate(fused.predict(docs))
    assert not np.allclose(before, after)
    np.testing.assert_allclose(after, np.concatenate(plain_forward(fused, docs, False)[0]), **FORWARD)
    halves = {(n.id, p): n.get_param(p) * 0.5 for n in fused.walk() for p in n.param_names}
    with fused.use_params(halves):
        within = np.concatenate(fused.predict(docs))
        np.testing.assert_allclose(within, np.concatenate(plain_forward(fused, docs, False)[0]), **FORWARD)
    np.testing.assert_array_equal(np.concatenate(fused.predict(docs)), after)


def test_another_transformation_inside_is_left_to_thinc() -> None:
    plain, fused = both(depth=2)
    unfuse(fused)
    maxout = next(node for node in fused.layers[1].walk() if node.name == "maxout")
    maxout._func = lambda model, X, is_train: (X, lambda dY: dY)
    assert find_parts(fused) is None and fuse(fused) == 0
    assert fuse(plain) == 1


def test_depth_must_be_one_or_more() -> None:
    with pytest.raises(ValueError, match="depth must be 1 or more"):
        FerruleMaxoutWindowEncoder(96, window_size=1, maxout_pieces=3, depth=0)


SHARED = {
    "nlp": {"lang": "en", "pipeline": ["tok2vec", "tagger"]},
    "components": {
        "tok2vec": {
            "factory": "tok2vec",
            "model": {"@architectures": "ferrule.HashEmbedCNN.v1", **NETWORK, "width": 32, "depth": 2},
        },
        "tagger": {
            "factory": "tagger",
            "model": {
                "@architectures": "spacy.Tagger.v2",
                "tok2vec": {"@architectures": "spacy.Tok2VecListener.v1", "width": 32, "upstream": "tok2vec"},
            },
        },
    },
}


def test_a_shared_encoder_learns_and_is_saved_and_loaded(tmp_path: Any) -> None:
    nlp = load_from_config(Config(SHARED))
    words = ["the", "cat", "sat", "on", "a", "mat"]
    tags = ["DT", "NN", "VB", "IN", "DT", "NN"]
    examples = [Example.from_dict(Doc(nlp.vocab, words=words[:n]), {"tags": tags[:n]}) for n in (6, 1, 3, 2)]
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples)
    losses: list[float] = []
    for _ in range(30):
        found: dict[str, float] = {}
        nlp.update(examples, sgd=optimizer, losses=found, drop=0.1)
        losses.append(found["tagger"])
    assert losses[-1] < 0.2 * losses[0]
    assert [token.tag_ for token in nlp("the cat sat on a mat")] == tags
    nlp.to_disk(tmp_path / "model")
    again = ferrule.load(tmp_path / "model")
    doc = again("the cat sat on a mat")
    assert [token.tag_ for token in doc] == tags
    np.testing.assert_array_equal(
        again.get_pipe("tok2vec").predict([doc])[0], nlp.get_pipe("tok2vec").predict([doc])[0]
    )
