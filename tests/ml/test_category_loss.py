"""Losses of categories: what reaches the scores under each activation."""

from __future__ import annotations

import numpy as np
import pytest
from thinc.api import Linear, Logistic, Softmax, chain, softmax_activation

from ferrule.ml.category_loss import activation_of, category_loss, smoothed

# Two roundings of float32 on numbers up to one.
TOLERANCE = 1e-6
TRUTHS = np.eye(4, dtype="f")[[0, 3, 1]]


@pytest.mark.parametrize("last", ["softmax layer", "softmax", "logistic"])
def test_the_gradient_of_the_cross_entropy_reaches_the_scores_as_probability_minus_truth(last: str) -> None:
    layers = {
        "softmax layer": Softmax(4, 5),
        "softmax": chain(Linear(4, 5), softmax_activation()),
        "logistic": chain(Linear(4, 5), Logistic()),
    }
    model = layers[last].initialize()
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(3, 5)).astype("f")
    for node in model.walk():
        if node.has_param("W"):
            node.set_param("W", draw.normal(size=(4, 5)).astype("f"))
    assert activation_of(model) == last
    probs, backprop = model.begin_update(inputs)
    weights = np.array([[1.0], [0.5], [0.0]], dtype="f") * np.ones_like(probs)
    loss, d_probs = category_loss(
        probs, TRUTHS, weights, kind="cross_entropy", activation=activation_of(model)
    )
    backprop(d_probs)
    node = next(node for node in model.walk() if node.has_grad("b"))
    expected = ((probs - TRUTHS) * weights).sum(axis=0)
    np.testing.assert_allclose(node.get_grad("b"), expected, atol=TOLERANCE)
    every = TRUTHS * np.log(probs)
    if last == "logistic":
        every = every + (1 - TRUTHS) * np.log(1 - probs)
    assert loss == pytest.approx(-(every * weights).sum(), rel=1e-5)


def test_smoothing_keeps_the_sum_of_exclusive_truths() -> None:
    soft = smoothed(TRUTHS, 0.3, exclusive=True)
    np.testing.assert_allclose(soft.sum(axis=1), 1.0, atol=TOLERANCE)
    np.testing.assert_allclose(soft.max(axis=1), 0.7, atol=TOLERANCE)
    each = smoothed(TRUTHS, 0.1, exclusive=False)
    np.testing.assert_allclose(np.unique(each), [0.1, 0.9], atol=TOLERANCE)


def test_probabilities_that_underflowed_have_a_finite_loss_and_gradient() -> None:
    probs = np.array([[0.0, 1.0]], dtype="f")
    for activation in ("softmax", "logistic"):
        loss, d_probs = category_loss(
            probs, 1 - probs, np.ones_like(probs), kind="cross_entropy", activation=activation
        )
        assert np.isfinite(loss) and np.isfinite(d_probs).all()
