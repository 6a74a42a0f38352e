"""What a loss function gave back: checked before anything is learnt from it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy

from ferrule.errors import NonFiniteLossError
from ferrule.ml.rows import block_of

__all__ = ["LossAndGradient", "checked_loss", "mixed"]

LossAndGradient = tuple[float, Any]

_NOTHING_CHANGED = (
    "expected finite numbers; nothing was changed. Look for a learning rate that is too high or for broken "
    "numbers in the input."
)


def checked_loss(found: Any, scores: Any, owner: str) -> LossAndGradient:
    """The loss as a number and the gradient by `scores`, from what `get_loss` or the like returned.

    Where `scores` are a NumPy array, or a list of them, the gradient must be one of the same shape; another
    type of number, such as NumPy's usual float64, becomes that of the scores. Gradients of any other scores
    are the component's own business. Raises TypeError and ValueError, naming `owner`, for what does not fit,
    and NonFiniteLossError for NaN or infinity in the loss or in the gradient.

    >>> checked_loss((0.5, numpy.ones((1, 2))), numpy.zeros((1, 2), dtype="float32"), "Sorter")
    (0.5, array([[1., 1.]], dtype=float32))
    """
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise TypeError(
            f"{owner}: the loss came as {type(found).__name__}, expected a pair: (loss, gradient by the "
            "scores)"
        )
    loss, d_scores = found
    try:
        loss = float(loss)
    except (TypeError, ValueError):
        raise TypeError(f"{owner}: the loss is {loss!r}, expected a number") from None
    if not math.isfinite(loss):
        raise NonFiniteLossError(f"{owner}: the loss of this batch is {loss}, {_NOTHING_CHANGED}")
    if isinstance(scores, numpy.ndarray):
        return loss, _fitted(d_scores, scores, owner)
    if isinstance(scores, list) and all(isinstance(rows, numpy.ndarray) for rows in scores):
        if not isinstance(d_scores, list | tuple) or len(d_scores) != len(scores):
            count = f" of {len(d_scores)}" if isinstance(d_scores, list | tuple) else ""
            raise ValueError(
                f"{owner}: the gradient is {type(d_scores).__name__}{count}, expected a list of "
                f"{len(scores)} arrays, as the scores are"
            )
        # One look at all numbers, and no other list, where the gradient is one block.
        block = block_of(d_scores)
        if block is not None and block.dtype == scores[0].dtype:
            for pair in zip(d_scores, scores, strict=True):
                _check_shapes(*pair, owner)
            _check_finite(block, owner)
            return loss, d_scores
        return loss, [_fitted(*pair, owner) for pair in zip(d_scores, scores, strict=True)]
    return loss, d_scores


def mixed(taught: LossAndGradient, gold: Callable[[], LossAndGradient], gold_share: float) -> LossAndGradient:
    """`taught` and `gold` added up, the latter counting `gold_share`; gradients are arrays or lists."""
    if gold_share == 0.0:
        return taught
    gold_loss, d_gold = gold()
    loss = (1.0 - gold_share) * taught[0] + gold_share * gold_loss
    d_taught = taught[1]
    if isinstance(d_taught, list | tuple):
        mixed = [(1.0 - gold_share) * a + gold_share * b for a, b in zip(d_taught, d_gold, strict=True)]
        return loss, mixed
    return loss, (1.0 - gold_share) * d_taught + gold_share * d_gold


def _fitted(d_scores: Any, scores: numpy.ndarray, owner: str) -> numpy.ndarray:
    if not isinstance(d_scores, numpy.ndarray) or d_scores.dtype.kind not in "fiub":
        found = f"an array of {d_scores.dtype}" if hasattr(d_scores, "dtype") else type(d_scores).__name__
        raise TypeError(f"{owner}: the gradient is {found}, expected an array of {scores.dtype}")
    _check_shapes(d_scores, scores, owner)
    _check_finite(d_scores, owner)
    return d_scores.astype(scores.dtype, copy=False)


def _check_shapes(d_scores: numpy.ndarray, scores: numpy.ndarray, owner: str) -> None:
    if d_scores.shape != scores.shape:
        raise ValueError(
            f"{owner}: the gradient has the shape {d_scores.shape}, expected that of the scores, "
            f"{scores.shape}"
        )


def _check_finite(d_scores: numpy.ndarray, owner: str) -> None:
    if not numpy.isfinite(d_scores).all():
        raise NonFiniteLossError(
            f"{owner}: the gradient of this batch has NaN or infinite values, {_NOTHING_CHANGED}"
        )
