"""The softmax head in Rust gives thinc's numbers: scores, probabilities and gradients."""

from __future__ import annotations

import numpy as np
import pytest
from thinc.api import Softmax_v2, with_array

from ferrule.ml.fused import fuse, unfuse
from ferrule.ml.fused_head import FusedHead
from ferrule.ml.rows import split_rows

# float32 sums of 24 products in another order.
CLOSE = {"rtol": 1e-5, "atol": 1e-5}
LENGTHS = [3, 0, 1, 40, 7]
WIDTH, N_LABELS = 24, 19


def heads(**settings):
    """The same head twice: thinc's and the fused one."""
    rng = np.random.default_rng(0)
    plain = with_array(Softmax_v2(N_LABELS, WIDTH, **settings)).initialize()
    for name in ("W", "b"):
        shape = plain.layers[0].get_param(name).shape
        plain.layers[0].set_param(name, rng.normal(size=shape).astype("float32"))
    fused = plain.copy()
    assert fuse(fused) == 1
    assert isinstance(fused._func, FusedHead)
    return plain, fused


def batch(width=WIDTH, seed=1):
    block = np.random.default_rng(seed).normal(size=(sum(LENGTHS), width)).astype("float32")
    return split_rows(block, LENGTHS)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_predicts_what_thinc_predicts(normalize, temperature):
    plain, fused = heads(normalize_outputs=normalize, temperature=temperature)
    expected, found = plain.predict(batch()), fused.predict(batch())
    assert [rows.shape for rows in found] == [(n, N_LABELS) for n in LENGTHS]
    np.testing.assert_allclose(np.concatenate(found), np.concatenate(expected), **CLOSE)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_gradients_are_those_of_thinc(temperature):
    results = []
    for head in heads(normalize_outputs=False, temperature=temperature):
        for _ in range(2):  # twice, so that gradients are added and not overwritten
            probs, backprop = head.begin_update(batch())
            d_rows = backprop(batch(N_LABELS, seed=2))
        layer = head.layers[0]
        results.append([*probs, *d_rows, layer.get_grad("W"), layer.get_grad("b")])
    for expected, found in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_other_input_runs_through_thinc():
    plain, fused = heads()
    block = np.concatenate(batch())
    np.testing.assert_allclose(fused.predict(block), plain.predict(block), **CLOSE)
    assert unfuse(fused) == 1 and fused._func is plain._func


def test_a_gradient_of_a_wrong_shape_is_refused_and_adds_nothing():
    _, fused = heads()
    _, backprop = fused.begin_update(batch())
    with pytest.raises(ValueError, match="gradient has shape"):
        backprop(batch(N_LABELS + 1))
    assert not fused.layers[0].has_grad("W")


def test_no_gradient_of_scores():
    _, fused = heads(normalize_outputs=False)
    _, backprop = fused(batch(), is_train=False)
    with pytest.raises(ValueError, match="begin_update"):
        backprop(batch(N_LABELS))
