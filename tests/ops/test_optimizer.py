"""Ferrule's optimizers step exactly where thinc's do."""

from __future__ import annotations

import numpy as np
import pytest
import thinc.optimizers as thinc_optimizers
from thinc.api import Linear, Maxout, chain, warmup_linear

from ferrule import _core
from ferrule.optimizer import SGD, Adam, Optimizer, RAdam
from ferrule.registry import registry

# float32 weights around 1, some roundings a step apart over the number of steps below.
CLOSE = {"rtol": 2e-5, "atol": 2e-6}
N_STEPS = 12

SETTINGS = [
    {},
    {"use_averages": False},
    {"grad_clip": 0.0},
    {"grad_clip": 0.01},
    {"L2": 0.1},
    {"L2": 0.1, "L2_is_weight_decay": False},
    {"L2": 0.1, "L2_is_weight_decay": False, "grad_clip": 0.5},
]


def run(optimizer, shape, *, lr_scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=shape).astype("float32")
    for _ in range(N_STEPS):
        gradient = (rng.normal(size=shape) * 10.0 ** rng.integers(-3, 2)).astype("float32")
        weights, gradient = optimizer((1, "W"), weights, gradient, lr_scale=lr_scale)
        assert not gradient.any()
        optimizer.step_schedules()
    return weights


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("name", ["Adam", "RAdam", "SGD"])
@pytest.mark.parametrize("shape", [(1,), (7,), (16,), (33, 3), (50, 3, 61), (200_000,)], ids=str)
def test_steps_are_those_of_thinc(name, settings, shape):
    ours, theirs = ({"Adam": Adam, "RAdam": RAdam, "SGD": SGD}[name], getattr(thinc_optimizers, name))
    mine, expected = ours(0.01, **settings), theirs(0.01, **settings)
    found, wanted = run(mine, shape, lr_scale=0.7), run(expected, shape, lr_scale=0.7)
    np.testing.assert_allclose(found, wanted, **CLOSE)
    for moments in ("mom1", "mom2", "averages"):
        a, b = getattr(mine, moments), getattr(expected, moments)
        assert (a is None) == (b is None)
        for key in b or ():
            np.testing.assert_allclose(a[key], b[key], **CLOSE)
    assert dict(mine.nr_update) == dict(expected.nr_update)


def test_long_runs_of_radam_reach_the_rectified_steps():
    mine, expected = RAdam(0.01, beta2=0.9), thinc_optimizers.RAdam(0.01, beta2=0.9)
    np.testing.assert_allclose(run(mine, (40,)), run(expected, (40,)), **CLOSE)


def test_schedules_work():
    mine = Adam(warmup_linear(0.1, 3, 10))
    expected = thinc_optimizers.Adam(warmup_linear(0.1, 3, 10))
    np.testing.assert_allclose(run(mine, (40,)), run(expected, (40,)), **CLOSE)


def test_same_bits_for_every_number_of_threads():
    before = _core.get_num_threads()
    try:
        results = []
        for n_threads in (1, 2, 3):
            _core.set_num_threads(n_threads)
            results.append(run(Adam(0.01, L2=0.1), (300_001,)))
    finally:
        _core.set_num_threads(before)
    np.testing.assert_array_equal(results[1], results[0])
    np.testing.assert_array_equal(results[2], results[0])


@pytest.mark.parametrize(
    "make", [lambda a: a.astype("float64"), np.asfortranarray], ids=["float64", "Fortran"]
)
def test_other_arrays_take_thincs_path(make):
    rng = np.random.default_rng(0)
    weights, gradient = rng.normal(size=(2, 6, 5)).astype("float32")
    mine, expected = SGD(0.1, grad_clip=0.0), thinc_optimizers.SGD(0.1, grad_clip=0.0)
    found = mine((0, "W"), make(weights.copy()), make(gradient.copy()))[0]
    wanted = expected((0, "W"), make(weights.copy()), make(gradient.copy()))[0]
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


def test_a_gradient_of_another_shape_changes_nothing():
    optimizer = Adam(0.1)
    weights = np.ones((2, 3), dtype="float32")
    with pytest.raises(ValueError, match=r"shape \(3, 2\)"):
        optimizer((0, "W"), weights, np.ones((3, 2), dtype="float32"))
    assert (weights == 1).all() and not optimizer.nr_update[(0, "W")]


@pytest.mark.parametrize("name", ["Adam.v1", "RAdam.v1", "SGD.v1"])
def test_the_registry_gives_these(name):
    made = registry.resolve({"optimizer": {"@optimizers": name, "learn_rate": 0.5}})["optimizer"]
    assert type(made) is Optimizer and made.learn_rate == 0.5


def learned(seed=0):
    """A model with gradients."""
    model = chain(Maxout(4, 3, normalize=True), Linear(2)).initialize(
        np.ones((1, 3), dtype="float32"), np.ones((1, 2), dtype="float32")
    )
    rng = np.random.default_rng(seed)
    _, backprop = model.begin_update(rng.normal(size=(5, 3)).astype("float32"))
    backprop(rng.normal(size=(5, 2)).astype("float32"))
    return model


def weights_of(model):
    return [node.get_param(name).copy() for node in model.walk() for name in node.param_names]


def test_steps_together_are_steps_one_by_one():
    model = learned()
    alone, together = Adam(0.01), Adam(0.01)
    other = model.copy()
    model.finish_update(alone)
    assert together.step_together([other])
    for found, expected in zip(weights_of(other), weights_of(model), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert sorted(together.nr_update.values()) == sorted(alone.nr_update.values())
    assert not any(node.get_grad(name).any() for node in other.walk() for name in node.grad_names)


def test_no_step_is_taken_where_one_might_fail():
    model, optimizer = learned(), Adam(0.01)
    last = model.layers[-1]
    before = weights_of(model)
    optimizer.mom1[last.id, "W"] = np.zeros(3, dtype="float32")  # as after a change of the labels
    assert not optimizer.step_together([model])
    assert not Adam(0.01).step_together([model, model])
    for found, expected in zip(weights_of(model), before, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert not optimizer.nr_update
