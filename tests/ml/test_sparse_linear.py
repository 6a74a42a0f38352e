"""The sparse linear layer beside thinc's, and steps of touched columns beside dense ones."""

from __future__ import annotations

import numpy as np
import pytest
from thinc.api import SparseLinear_v2
from thinc.optimizers import Adam as ThincAdam

from ferrule.ml.sparse_linear import SparseLinear
from ferrule.optimizer import SGD, Adam
from ferrule.sparse_gradient import SparseGradient, wanted

# float32 sums of up to twelve products in the same order.
TOLERANCE = 1e-6
# Moments as powers instead of repeated products, and twenty steps of Adam.
STEP_TOLERANCE = 1e-5
N_OUTPUTS = 5


def batch(seed: int, n_keys: int = 40):
    draw = np.random.default_rng(seed)
    lengths = np.array([12, 0, 1, n_keys - 13], dtype=np.int32)
    keys = draw.integers(0, 2**64, n_keys, dtype=np.uint64)
    keys[5] = keys[6]
    return keys, draw.normal(size=n_keys).astype("f"), lengths


def layers(length: int):
    ours, thincs = (
        SparseLinear(N_OUTPUTS, length).initialize(),
        SparseLinear_v2(N_OUTPUTS, length).initialize(),
    )
    weights = np.random.default_rng(1).normal(size=N_OUTPUTS * length).astype("f")
    for layer in (ours, thincs):
        layer.set_param("W", weights.copy())
        layer.set_param("b", np.arange(N_OUTPUTS, dtype="f"))
    return ours, thincs


@pytest.mark.parametrize("length", [1, 7, 64, 1000, 2**18])
def test_scores_and_gradients_are_thincs(length: int) -> None:
    ours, thincs = layers(length)
    features = batch(0)
    d_scores = np.random.default_rng(2).normal(size=(4, N_OUTPUTS)).astype("f")
    found, backprop = ours.begin_update(features)
    expected, thincs_backprop = thincs.begin_update(features)
    np.testing.assert_allclose(found, expected, atol=10 * TOLERANCE)
    with wanted():
        backprop(d_scores)
    thincs_backprop(d_scores)
    gradient = ours.get_grad("W")
    assert isinstance(gradient, SparseGradient)
    np.testing.assert_allclose(gradient.dense(), thincs.get_grad("W"), atol=10 * TOLERANCE)
    np.testing.assert_allclose(ours.get_grad("b"), thincs.get_grad("b"), atol=TOLERANCE)
    assert ours.to_bytes() == thincs.to_bytes()


def test_gradients_add_up_and_are_dense_where_nobody_wants_them_sparse() -> None:
    ours, dense = layers(64)[0], layers(64)[0]
    for seed in (3, 4):
        features, d_scores = batch(seed), np.full((4, N_OUTPUTS), 0.5, dtype="f")
        with wanted():
            ours.begin_update(features)[1](d_scores)
        dense.begin_update(features)[1](d_scores)
    assert isinstance(dense.get_grad("W"), np.ndarray)
    np.testing.assert_allclose(ours.get_grad("W").dense(), dense.get_grad("W"), atol=TOLERANCE)


def steps(sgd, reference, *, length: int, seeds: list[int]) -> tuple[np.ndarray, np.ndarray]:
    ours, thincs = layers(length)
    for seed in seeds:
        features = batch(seed)
        d_scores = np.random.default_rng(seed).normal(size=(4, N_OUTPUTS)).astype("f")
        with wanted():
            ours.begin_update(features)[1](d_scores)
        thincs.begin_update(features)[1](d_scores)
        ours.finish_update(sgd)
        thincs.finish_update(reference)
    return ours.get_param("W"), thincs.get_param("W")


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adam_is_the_dense_one_where_each_step_touches_the_same_columns(decay: float) -> None:
    settings = {"L2": decay, "grad_clip": 1.0, "use_averages": False}
    ours, thincs = layers(16)
    sgd, reference = Adam(0.01, **settings), ThincAdam(0.01, **settings)
    features = batch(0, n_keys=200)  # 400 hashes: every one of 16 columns
    for seed in range(20):
        d_scores = np.random.default_rng(seed).normal(size=(4, N_OUTPUTS)).astype("f")
        with wanted():
            ours.begin_update(features)[1](d_scores)
        assert len(ours.get_grad("W").summed()[0]) == 16
        thincs.begin_update(features)[1](d_scores)
        ours.finish_update(sgd)
        thincs.finish_update(reference)
    np.testing.assert_allclose(ours.get_param("W"), thincs.get_param("W"), atol=STEP_TOLERANCE)


def test_gradient_descent_is_the_dense_one_whatever_is_touched() -> None:
    from thinc.optimizers import SGD as ThincSGD

    settings = {"grad_clip": 1.0, "use_averages": False}
    found, expected = steps(SGD(0.1, **settings), ThincSGD(0.1, **settings), length=512, seeds=[1, 2, 1, 3])
    np.testing.assert_allclose(found, expected, atol=STEP_TOLERANCE)


def test_untouched_columns_stay_as_they_are() -> None:
    ours = layers(512)[0]
    before = ours.get_param("W").copy()
    with wanted():
        ours.begin_update(batch(1))[1](np.ones((4, N_OUTPUTS), dtype="f"))
    touched = ours.get_grad("W").summed()[0]
    ours.finish_update(Adam(0.01, use_averages=False))
    changed = np.flatnonzero((ours.get_param("W") != before).reshape(N_OUTPUTS, -1).any(axis=0))
    assert changed.tolist() == touched.tolist()


def test_averages_take_the_dense_step() -> None:
    found, expected = steps(Adam(0.01), ThincAdam(0.01), length=64, seeds=[1, 2])
    np.testing.assert_allclose(found, expected, atol=STEP_TOLERANCE)


def test_features_that_do_not_fit_are_refused() -> None:
    keys, values, lengths = batch(0)
    with pytest.raises(ValueError, match="lengths"):
        layers(64)[0].predict((keys, values, lengths + 1))


def test_kept_rows_have_the_bits_of_the_table_and_the_table_is_right_when_asked_for() -> None:
    models = {"together": layers(512)[0], "one by one": layers(512)[0], "asked for": layers(512)[0]}
    for name, model in models.items():
        sgd = Adam(0.01, grad_clip=1.0, L2=0.01, use_averages=False)
        for seed in (1, 2, 1, 3):
            d_scores = np.random.default_rng(seed).normal(size=(4, N_OUTPUTS)).astype("f")
            with wanted():
                model.begin_update(batch(seed))[1](d_scores)
            if name == "one by one":
                model.finish_update(sgd)
                continue
            assert sgd.step_together([model])
            if name == "asked for":
                model.get_param("W")
    expected = models["one by one"].to_bytes()
    for model in models.values():
        assert model.to_bytes() == expected
        assert model.copy().to_bytes() == expected


def test_numbers_written_into_the_table_count_and_an_own_table_too() -> None:
    model = layers(512)[0]
    sgd = Adam(0.01, use_averages=False)

    def step() -> np.ndarray:
        with wanted():
            scores, backprop = model.begin_update(batch(1))
            backprop(np.ones((4, N_OUTPUTS), dtype="f"))
        assert sgd.step_together([model])
        return scores

    step()
    for clear in (
        lambda: model.get_param("W").fill(0.0),
        lambda: model.set_param("W", np.zeros(N_OUTPUTS * 512, dtype="f")),
    ):
        clear()
        bias = model.get_param("b").copy()
        np.testing.assert_array_equal(step(), np.tile(bias, (4, 1)))


def test_a_copy_of_a_layer_in_training_steps_its_own_weights() -> None:
    model = layers(512)[0]
    with wanted():
        model.begin_update(batch(1))[1](np.ones((4, N_OUTPUTS), dtype="f"))
    other = model.copy()
    before = model.to_bytes()
    other.finish_update(Adam(0.01, use_averages=False))
    assert model.to_bytes() == before
    assert other.to_bytes() != before
