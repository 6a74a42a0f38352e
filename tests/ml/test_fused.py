"""The fused encoder gives thinc's numbers, on spaCy's own trees and documents."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import numpy as np
import pytest
from finite_differences import check_gradients
from thinc.api import Adam, chain, fix_random_seed, set_dropout_rate, with_array
from thinc.layers import Relu

from ferrule import _core
from ferrule.ml.encoder_parts import find_parts, plain_forward
from ferrule.ml.fused import FusedForward, fuse, unfuse

spacy = pytest.importorskip("spacy")
from spacy.ml.models.tok2vec import (  # noqa: E402
    MaxoutWindowEncoder,
    MultiHashEmbed,
    build_hash_embed_cnn_tok2vec,
    build_Tok2Vec_model,
)
from spacy.tokens import Doc  # noqa: E402

# float32 sums of 288 products in another order, through four layers.
FORWARD = {"rtol": 1e-4, "atol": 5e-5}
# Gradients sum over all tokens of the batch.
BACKWARD = {"rtol": 1e-3, "atol": 2e-3}
LENGTHS = [1, 2, 3, 0, 17, 5, 4, 40, 1, 9, 150, 16, 0, 8]


def make_docs(lengths=LENGTHS, seed=0):
    vocab = spacy.blank("en").vocab
    rng = np.random.default_rng(seed)
    words = [f"w{i}Ord{i % 7}" for i in range(300)]
    return [Doc(vocab, [words[j] for j in rng.zipf(1.3, size=n) % 300]) for n in lengths]


def make_tree(*, width=96, depth=4, window=1, pieces=3, subwords=True, seed=0):
    # Of unknown weights, one in 25 has a maxout whose pieces tie but for rounding: then another one wins.
    fix_random_seed(seed)
    model = build_hash_embed_cnn_tok2vec(
        width=width,
        depth=depth,
        embed_size=500,
        window_size=window,
        maxout_pieces=pieces,
        subword_features=subwords,
        pretrained_vectors=None,
    )
    model.initialize()
    rng = np.random.default_rng(seed)
    for node in model.walk():
        for name in node.param_names:
            param = node.get_param(name)
            # Biases, gains and shifts away from their 0 and 1, which hide mistakes.
            node.set_param(name, (param + rng.normal(size=param.shape) * 0.1).astype("float32"))
    return model


def both(model):
    plain, fused = model.copy(), model.copy()
    assert fuse(fused) == 1
    return plain, fused


def grads_of(model):
    nodes = model.walk(order="dfs_pre")
    return {
        (i, name): n.get_grad(name) for i, n in enumerate(nodes) for name in n.param_names if n.has_grad(name)
    }


SHAPES = [
    {},
    {"width": 64, "depth": 2},
    {"width": 100, "depth": 3},
    {"width": 20, "depth": 1, "pieces": 2},
    {"window": 2, "depth": 2, "width": 48},
    {"pieces": 1, "width": 33, "depth": 2},
    {"subwords": False, "width": 48, "depth": 2},
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_predicts_what_thinc_predicts(shape):
    plain, fused = both(make_tree(**shape))
    docs = make_docs()
    for expected, found in zip(plain.predict(docs), fused.predict(docs), strict=True):
        np.testing.assert_allclose(found, expected, **FORWARD)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gradients_are_those_of_thinc(shape):
    plain, fused = both(make_tree(**shape))
    docs = make_docs()
    rng = np.random.default_rng(1)
    width = plain.get_dim("nO")
    d_outputs = [rng.normal(size=(len(doc), width)).astype("float32") for doc in docs]
    # Twice, so that gradients are added and not overwritten.
    for _ in range(2):
        expected, backprop = plain.begin_update(docs)
        backprop([d.copy() for d in d_outputs])
        found, fused_backprop = fused.begin_update(docs)
        fused_backprop([d.copy() for d in d_outputs])
    np.testing.assert_allclose(np.concatenate(found), np.concatenate(expected), **FORWARD)
    expected_grads, found_grads = grads_of(plain), grads_of(fused)
    assert expected_grads.keys() == found_grads.keys() and len(found_grads) > 5
    for key, grad in expected_grads.items():
        np.testing.assert_allclose(found_grads[key], grad, **BACKWARD, err_msg=str(key))


def test_same_bits_for_every_batch_and_number_of_threads():
    fused = both(make_tree())[1]
    docs = make_docs()
    before = _core.get_num_threads()
    try:
        results = []
        for n_threads in (1, 2, 3):
            _core.set_num_threads(n_threads)
            results.append(np.concatenate(fused.predict(docs)))
            results.append(np.concatenate([fused.predict([doc])[0] for doc in docs]))
            results.append(np.concatenate(fused.predict(docs[:5]) + fused.predict(docs[5:])))
    finally:
        _core.set_num_threads(before)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_gradients_have_the_same_bits_for_every_number_of_threads():
    model = make_tree()
    set_dropout_rate(model, 0.2)
    docs = make_docs(LENGTHS * 3)
    before = _core.get_num_threads()
    results = []
    try:
        for n_threads in (1, 2, 5):
            _core.set_num_threads(n_threads)
            fused = both(model)[1]
            fix_random_seed(3)
            outputs, backprop = fused.begin_update(docs)
            backprop([np.ones_like(output) for output in outputs])
            results.append({"Y": np.concatenate(outputs), **grads_of(fused)})
    finally:
        _core.set_num_threads(before)
    for result in results[1:]:
        for key, value in result.items():
            np.testing.assert_array_equal(value, results[0][key], err_msg=str(key))


def test_dropout_drops_its_share_and_keeps_the_mean():
    fused = both(make_tree(depth=1))[1]
    # Only after the mix and after the layer; a table's mask is one row for the whole batch.
    for node in fused.walk():
        if node.name == "dropout":
            node.attrs["dropout_rate"] = 0.5
    docs = make_docs([200] * 10)
    fix_random_seed(0)
    dropped = np.concatenate([np.concatenate(fused.begin_update(docs)[0]) for _ in range(20)])
    # Both the residual and the layer's own output are gone in a quarter of the cells.
    assert 0.24 < (dropped == 0).mean() < 0.26
    plain = np.concatenate([np.concatenate(plain_dropout(fused, docs)) for _ in range(20)])
    np.testing.assert_allclose(dropped.std(), plain.std(), rtol=0.02)
    np.testing.assert_allclose(dropped.mean(axis=0), plain.mean(axis=0), atol=0.15)


def plain_dropout(fused, docs):
    return plain_forward(fused, docs, True)[0]


def test_gradient_with_dropout_is_that_of_finite_differences():
    fused = both(make_tree(width=8, depth=2))[1]
    set_dropout_rate(fused, 0.3)
    assert check_gradients(fused, make_docs([3, 5, 1])) > 20


def test_follows_weights_that_change():
    plain, fused = both(make_tree())
    docs = make_docs()
    fused.predict(docs)
    for model in (plain, fused):
        rng = np.random.default_rng(9)
        optimizer = Adam(0.01)
        for _ in range(3):
            outputs, backprop = model.begin_update(docs)
            backprop([rng.normal(size=y.shape).astype("float32") for y in outputs])
            model.finish_update(optimizer)
    np.testing.assert_allclose(
        np.concatenate(fused.predict(docs)), np.concatenate(plain_forward(fused, docs, False)[0]), **FORWARD
    )
    with fused.use_params({(n.id, p): n.get_param(p) * 0.5 for n in fused.walk() for p in n.param_names}):
        within = np.concatenate(fused.predict(docs))
        np.testing.assert_allclose(within, np.concatenate(plain_forward(fused, docs, False)[0]), **FORWARD)
    after = np.concatenate(fused.predict(docs))
    assert not np.allclose(within, after)


def test_bytes_and_copies_stay_those_of_the_tree():
    plain, fused = both(make_tree())
    assert fused.to_bytes() == plain.to_bytes()
    docs = make_docs()
    expected = np.concatenate(fused.predict(docs))
    again = make_tree(seed=4)
    fuse(again)
    again.predict(docs)
    again.from_bytes(plain.to_bytes())
    np.testing.assert_array_equal(np.concatenate(again.predict(docs)), expected)
    np.testing.assert_array_equal(np.concatenate(fused.copy().predict(docs)), expected)
    np.testing.assert_array_equal(np.concatenate(copy.deepcopy(fused).predict(docs)), expected)
    assert isinstance(pickle.loads(pickle.dumps(fused._func)), FusedForward)


def test_unfuse_takes_everything_back():
    model = make_tree()
    fuse(model)
    assert unfuse(model) == 1 and unfuse(model) == 0
    assert model._func is plain_forward


def test_fuses_inside_a_larger_tree():
    model = chain(make_tree(), with_array(Relu(5, 96)))
    model.initialize()
    docs = make_docs()
    expected = np.concatenate(model.predict(docs))
    assert fuse(model) == 1
    np.testing.assert_allclose(np.concatenate(model.predict(docs)), expected, **FORWARD)


@pytest.mark.parametrize("lengths", [[], [0], [0, 0]])
def test_documents_without_tokens_give_empty_rows(lengths):
    _, fused = both(make_tree())
    docs = make_docs(lengths)
    found, backprop = fused.begin_update(docs)
    assert [y.shape for y in found] == [(0, 96)] * len(lengths)
    assert [y.shape for y in fused.predict(docs)] == [(0, 96)] * len(lengths)
    assert backprop(found) == []


def unknown_trees():
    embed = MultiHashEmbed(width=96, attrs=["NORM"], rows=[50], include_static_vectors=False)
    encode = MaxoutWindowEncoder(width=96, window_size=1, maxout_pieces=3, depth=2)
    yield "four pieces", make_tree(pieces=4)
    other_pad = build_Tok2Vec_model(embed.copy(), encode.copy())
    other_pad.layers[1].attrs["pad"] = 1
    yield "another padding", other_pad
    yield "another layer", build_Tok2Vec_model(embed.copy(), with_array(Relu(96, 96)))
    yield "embedding alone", embed
    strange = make_tree()
    maxout = next(node for node in strange.walk() if node.name == "maxout")
    maxout._func = lambda model, X, is_train: (X, lambda dY: dY)
    yield "a changed layer", strange


@pytest.mark.parametrize("model", [pytest.param(m, id=name) for name, m in unknown_trees()])
def test_other_trees_are_left_alone(model):
    assert find_parts(model) is None
    assert fuse(model) == 0


def test_a_tree_that_changes_after_fusing_runs_as_it_is():
    model = make_tree(depth=2)
    fuse(model)
    docs = make_docs()
    model.predict(docs)
    blocks = model.layers[1].layers[0]
    blocks.layers.append(Relu(96, 96).initialize())
    expected = np.concatenate(plain_forward(model, docs, False)[0])
    np.testing.assert_array_equal(np.concatenate(model.predict(docs)), expected)


def test_weights_that_rust_cannot_read_take_the_plain_path():
    model = make_tree()
    fuse(model)
    docs = make_docs()
    maxout = next(node for node in model.walk() if node.name == "maxout")
    maxout.set_param("W", np.asfortranarray(maxout.get_param("W")))
    np.testing.assert_allclose(
        np.concatenate(model.predict(docs)), np.concatenate(plain_forward(model, docs, False)[0]), rtol=0
    )


def test_rust_refuses_what_does_not_fit():
    parts = find_parts(make_tree())
    params = parts.params()
    plan = _core.EncoderPlan(params)
    rows = np.zeros((2, 4), dtype=np.uint64)
    with pytest.raises(ValueError, match="sum of the lengths"):
        plan.predict(rows, None, np.array([1], dtype=np.uint32))
    with pytest.raises(IndexError, match="types"):
        plan.predict(rows, np.array([2], dtype=np.uint32), np.array([1], dtype=np.uint32))
    with pytest.raises(ValueError, match="columns"):
        plan.predict(rows[:, :2].copy(), None, np.array([2], dtype=np.uint32))
    with pytest.raises(ValueError, match="maxout weights"):
        _core.EncoderPlan(dataclasses.replace(params, window=2))


def test_arrays_in_another_order_are_refused_and_never_misread():
    model = make_tree()
    params = find_parts(model).params()
    params = dataclasses.replace(params, mix=(np.asfortranarray(params.mix[0]), *params.mix[1:]))
    with pytest.raises(ValueError, match="W is not C-contiguous"):
        _core.EncoderPlan(params)


def test_weights_in_another_order_run_through_thinc():
    plain, fused = both(make_tree())
    for model in (plain, fused):
        mix = next(node for node in model.walk() if node.name == "maxout")
        mix.set_param("W", np.asfortranarray(mix.get_param("W")))
    docs = make_docs()
    for expected, found in zip(plain.predict(docs), fused.predict(docs), strict=True):
        np.testing.assert_allclose(found, expected, **FORWARD)
