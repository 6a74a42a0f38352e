"""Losses of categories, as gradients for a model's output, whichever activation stands last in it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from thinc.api import Model

__all__ = ["LOSSES", "Activation", "activation_of", "category_loss", "smoothed", "through"]

Floats = npt.NDArray[np.float32]
# What the model's backward pass takes: the gradient of a softmax layer's scores (thinc's `Softmax`), or of
# what came out of an activation.
Activation = Literal["softmax layer", "softmax", "logistic", "none"]
LOSSES = ("squared_error", "cross_entropy")

_BY_NAME: dict[str, Activation] = {
    "softmax": "softmax layer",
    "softmax_activation": "softmax",
    "logistic": "logistic",
    "sigmoid_activation": "logistic",
}
# Keeps logarithm and quotient of a probability that underflowed finite. float32 has none smaller than 1e-38.
SMALLEST = np.float32(1e-30)
# Of p * (1 - p), where float32 knows no number between p and 1.
SMALLEST_SLOPE = np.float32(1e-7)


def activation_of(model: Model[Any, Any]) -> Activation:
    """Return which activation the tree `model` ends with.

    >>> from ferrule.ml import TextCatBOW
    >>> activation_of(TextCatBOW(True, 1, False)), activation_of(TextCatBOW(True, 1, True))
    ('softmax', 'none')
    """
    node = model
    while node.name not in _BY_NAME and node.layers:
        node = node.layers[-1]
    return _BY_NAME.get(node.name, "none")


def smoothed(truths: Floats, label_smoothing: float, *, exclusive: bool) -> Floats:
    """Return `truths`, float32 (n_docs, n_labels) of 0 and 1, with a share taken from what is true.

    exclusive: the other categories of a document share it evenly; otherwise "not this one" gets it.

    >>> smoothed(np.array([[1.0, 0.0, 0.0]], dtype="float32"), 0.5, exclusive=True).tolist()
    [[0.5, 0.25, 0.25]]
    """
    if not label_smoothing:
        return truths
    n_others = max(truths.shape[1] - 1, 1) if exclusive else 1
    share = np.float32(label_smoothing / n_others)
    return share + truths * np.float32(1.0 - label_smoothing - share)


def category_loss(
    probs: Floats, truths: Floats, weights: Floats, *, kind: str, activation: Activation
) -> tuple[float, Floats]:
    """Return the loss, and its gradient for the model's output.

    probs, truths, weights: float32 (n_docs, n_labels); they stay as they are. weights: how much each
    counts, 0 where the truth is unknown; under a softmax the weights of a row must be the same.
    kind: ``"squared_error"``, spaCy's: the mean over all cells, and ``(probs - truths) * weights`` as the
    gradient, which under a softmax or logistic teaches little where the model is sure, also when it is
    wrong; or ``"cross_entropy"``: the sum over the batch in nats, and the gradient that reaches the scores
    as ``(probs - truths) * weights``.

    >>> probs, truths = np.array([[0.25, 0.75]], dtype="float32"), np.array([[1.0, 0.0]], dtype="float32")
    >>> settings = {"kind": "cross_entropy", "activation": "softmax"}
    >>> loss, d_probs = category_loss(probs, truths, np.ones_like(probs), **settings)
    >>> round(loss, 4), d_probs.tolist()
    (1.3863, [[-3.0, 1.0]])
    """
    difference = (probs - truths) * weights
    if kind == "squared_error":
        loss = float(np.square(difference).mean()) if difference.size else 0.0
        return loss, difference
    logs = truths * np.log(np.maximum(probs, SMALLEST))
    if activation == "logistic":
        logs += (1.0 - truths) * np.log(np.maximum(1.0 - probs, SMALLEST))
    return -float((logs * weights).sum(dtype=np.float64)), through(activation, probs, difference)


def through(activation: Activation, probs: Floats, d_scores: Floats) -> Floats:
    """Return the gradient for `probs` that reaches the scores under the activation as `d_scores`.

    Under a softmax the rows of `d_scores` must sum to 0. All float32 (n_docs, n_labels).
    """
    if activation == "softmax":
        return d_scores / np.maximum(probs, SMALLEST)
    if activation == "logistic":
        return d_scores / np.maximum(probs * (1.0 - probs), SMALLEST_SLOPE)
    return d_scores
