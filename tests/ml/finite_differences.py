"""Gradients of an encoder against what a small change of a weight does to its outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
from thinc.api import Model, fix_random_seed

STEP = 2e-3
# Of the greatest gradient of its array: float32 outputs, and a piece of a maxout that another one overtakes.
TOLERANCE = 0.05
WEIGHTS_OF_EACH_ARRAY = 3


def check_gradients(model: Model[Any, Any], docs: list[Any]) -> int:
    """Compare the greatest gradients of each parameter, with the same dropout each time; returns how many."""
    rng = np.random.default_rng(5)
    d_outputs = [rng.normal(size=(len(doc), model.get_dim("nO"))).astype("float32") for doc in docs]

    def loss() -> tuple[float, Any]:
        fix_random_seed(11)
        outputs, backprop = model.begin_update(docs)
        products = [y.astype("float64") * d for y, d in zip(outputs, d_outputs, strict=True)]
        return sum(float(product.sum()) for product in products), backprop

    loss()[1](d_outputs)
    n_checked = 0
    for node in model.walk():
        for name in node.param_names:
            param, grad = node.get_param(name), node.get_grad(name)
            for at in np.argsort(-np.abs(grad).ravel())[:WEIGHTS_OF_EACH_ARRAY]:
                old = param.flat[at]
                param.flat[at] = old + STEP
                above = loss()[0]
                param.flat[at] = old - STEP
                below = loss()[0]
                param.flat[at] = old
                numeric = (above - below) / (2 * STEP)
                assert abs(numeric - grad.flat[at]) < TOLERANCE * abs(grad).max() + 1e-3, (node.name, name)
                n_checked += 1
    return n_checked
