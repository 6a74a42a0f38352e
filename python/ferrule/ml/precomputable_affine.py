"""The lower layer of a transition model: what a token adds to a state, for each place it can have there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from thinc.api import Model, normal_init
from thinc.types import Floats2d

__all__ = ["PrecomputableAffine"]

# How the first weights are found: random tokens in random states, until the outputs have mean 0, variance 1.
_N_SAMPLES = 5000
_N_STATES = 1000
_TOLERANCE = 0.01
_MAX_STEPS = 10


def PrecomputableAffine(
    nO: int | None, nI: int | None, nF: int, nP: int, dropout: float = 0.1
) -> Model[Floats2d, Any]:
    """Return a layer from tokens (n_tokens, nI) to float32 (n_tokens + 1, nF, nO, nP), the padding row first.

    A state shows nF tokens. It is the sum of the rows of its tokens, each at its place, and the bias
    ``b`` (nO, nP), which the caller adds. Parameters ``W`` (nF, nO, nP, nI) and ``pad`` (1, nF, nO, nP) are
    spaCy's; so is `dropout`, which is saved and has no effect. Gradients are taken by
    `ferrule.ml.transition`, in Rust; calling the layer alone only predicts.
    """
    return Model(
        "precomputable_affine",
        _forward,
        init=_init,
        dims={"nO": nO, "nI": nI, "nF": nF, "nP": nP},
        params={"W": None, "b": None, "pad": None},
        attrs={"dropout_rate": dropout},
    )


def _forward(
    model: Model[Floats2d, Any], X: Floats2d, is_train: bool
) -> tuple[Any, Callable[[Any], Floats2d]]:
    weights, padding = model.get_param("W"), model.get_param("pad")
    rows = model.ops.gemm(X, weights.reshape((-1, weights.shape[-1])), trans2=True)
    features = model.ops.xp.concatenate([padding, rows.reshape((-1, *padding.shape[1:]))])

    def backprop(d_features: Any) -> Floats2d:
        raise NotImplementedError(
            "precomputable_affine: has no gradient of its own; train it inside a TransitionBasedParser."
        )

    return features, backprop


def _init(model: Model[Floats2d, Any], X: Any = None, Y: Any = None) -> None:
    """Draw the first weights, in the order and from the distributions of spaCy's layer of that name."""
    if model.has_param("W") and model.get_param("W").any():
        return
    n_features, n_hidden, n_pieces, width = (model.get_dim(name) for name in ("nF", "nO", "nP", "nI"))
    ops = model.ops
    shape = (n_features, n_hidden, n_pieces, width)
    weights = normal_init(ops, shape, mean=float(np.sqrt(1.0 / n_features * width)))
    model.set_param("W", weights)
    model.set_param("b", ops.alloc2f(n_hidden, n_pieces))
    model.set_param("pad", normal_init(ops, (1, *shape[:3]), mean=1.0))
    places = np.random.uniform(0, _N_STATES, (_N_SAMPLES, n_features)).astype("int32").reshape(-1)
    tokens = ops.asarray2f(np.random.normal(size=_N_SAMPLES * width).reshape(_N_SAMPLES, width))
    for _ in range(_MAX_STEPS):
        hidden = _sampled_states(model, tokens[:-1], places)
        variance, mean = hidden.var(), hidden.mean()
        if abs(variance - 1.0) >= _TOLERANCE:
            model.set_param("W", model.get_param("W") / ops.xp.sqrt(variance))
        elif abs(mean) >= _TOLERANCE:
            model.set_param("b", model.get_param("b") - mean)
        else:
            return


def _sampled_states(model: Model[Floats2d, Any], tokens: Floats2d, places: Any) -> Any:
    """Hidden rows of random states: each row of the layer's output is added to the state `places` names."""
    features = model.predict(tokens)
    sums = model.ops.alloc2f(_N_SAMPLES, features.shape[2] * features.shape[3])
    model.ops.scatter_add(sums, model.ops.asarray1i(places), features.reshape((-1, sums.shape[1])))
    states = sums.reshape((_N_SAMPLES, *features.shape[2:])) + model.get_param("b")
    return states.max(axis=-1) if features.shape[3] >= 2 else states * (states >= 0)
