"""The softmax layer on top of an encoder, in Rust over the whole batch: thinc's weights and numbers."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from thinc.api import Model, NumpyOps
from thinc.types import Floats2d

from ferrule.ml.fused_function import FusedFunction
from ferrule.ml.rows import join_rows, split_rows
from ferrule.ops import RustOps

__all__ = ["FusedHead", "is_softmax_head", "plain_head"]

Backprop = Callable[[Sequence[Floats2d]], Any]

plain_head = importlib.import_module("thinc.layers.with_array").forward
_softmax = importlib.import_module("thinc.layers.softmax").forward
_OPS = RustOps()


def is_softmax_head(node: Model[Any, Any]) -> bool:
    """Whether `node` is ``with_array(Softmax)`` on the CPU, without rows between documents."""
    return (
        node._func is plain_head
        and isinstance(node.ops, NumpyOps)
        and node.attrs.get("pad") == 0
        and len(node.layers) == 1
        and node.layers[0]._func is _softmax
    )


class FusedHead(FusedFunction):
    """The forward function of ``with_array(Softmax)`` after `ferrule.ml.fused.fuse`.

    Takes and gives float32 (n_tokens, width) for each document, which are views into one block: where the
    rows come from a fused encoder nothing is copied. Predicting without ``softmax_normalize``, it stops at
    the scores before the softmax.
    """

    plain = plain_head

    def __call__(self, model: Model[Any, Any], X: Any, is_train: bool) -> tuple[Any, Backprop]:
        layer = model.layers[0]
        temperature = layer.attrs["softmax_temperature"]
        usual = isinstance(X, list) and X and layer._func is _softmax and temperature > 0
        if not usual or not all(map(_is_float32, X)):
            return cast(tuple[Any, Backprop], plain_head(model, X, is_train))
        lengths = [len(rows) for rows in X]
        block = join_rows(X)
        weights = layer.get_param("W")
        scores = _OPS.affine(block, weights, layer.get_param("b"))
        if not (is_train or layer.attrs["softmax_normalize"]):
            return split_rows(scores, lengths), _no_backprop
        probs = _OPS.softmax(scores, temperature=temperature)

        def backprop(d_probs: Sequence[Floats2d]) -> list[Floats2d]:
            # As in thinc: the loss has gone back through the softmax already.
            d_scores = join_rows(d_probs)
            if d_scores.shape != probs.shape:
                raise ValueError(
                    f"softmax head: the gradient has shape {d_scores.shape}; expected {probs.shape}, that of "
                    f"the probabilities."
                )
            if temperature != 1.0:
                d_scores = d_scores / np.float32(temperature)
            layer.inc_grad("b", d_scores.sum(axis=0))
            layer.inc_grad("W", _OPS.gemm(d_scores, block, trans1=True))
            return cast(list[Floats2d], split_rows(_OPS.gemm(d_scores, weights), lengths))

        return split_rows(probs, lengths), backprop


def _is_float32(rows: Any) -> bool:
    return type(rows) is np.ndarray and rows.dtype == np.float32 and rows.ndim == 2


def _no_backprop(d_outputs: Sequence[Floats2d]) -> list[Any]:
    raise ValueError(
        "softmax head: no gradient can be taken of scores without a softmax. Call begin_update, or set the "
        "layer's attribute softmax_normalize."
    )
