"""Activations and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
from thinc.api import NumpyOps

from ferrule import _core

from .arrays import fit, into, is_plain


class ActivationOps(NumpyOps):
    """`NumpyOps` with its activations in Rust. What is not C-contiguous float32 goes to `NumpyOps`."""

    def relu(self, X: Any, inplace: bool = False) -> Any:
        """Return `X`, and 0 where it is negative."""
        return _activate("relu", X, inplace, super().relu)

    def backprop_relu(self, dY: Any, Y: Any, inplace: bool = False) -> Any:
        """Return the gradient of X, given that of its ReLU `Y`."""
        if not fit(dY, Y):
            return super().backprop_relu(dY, Y, inplace=inplace)
        return _backprop("relu", dY, Y, inplace)

    def clipped_linear(
        self,
        X: Any,
        slope: float = 1.0,
        offset: float = 0.0,
        min_val: float = 0.0,
        max_val: float = 1.0,
        inplace: bool = False,
    ) -> Any:
        """Return ``X * slope + offset``, clipped. `relu_k`, `hard_sigmoid` and `hard_tanh` are made of it."""
        if not is_plain(X):
            return super().clipped_linear(X, slope, offset, min_val, max_val, inplace)
        out = np.empty_like(X)
        _core.clipped_linear(X, (slope, offset, min_val, max_val), out)
        return into(X, out, inplace)

    def backprop_clipped_linear(
        self,
        dY: Any,
        X: Any,
        slope: float = 1.0,
        offset: float = 0.0,
        min_val: float = 0.0,
        max_val: float = 1.0,
        inplace: bool = False,
    ) -> Any:
        """Return the gradient of X, given that of the clipped line."""
        if not fit(dY, X) or not slope:
            return super().backprop_clipped_linear(dY, X, slope, offset, min_val, max_val, inplace)
        out = np.empty_like(dY)
        _core.backprop_clipped_linear(dY, X, (slope, offset, min_val, max_val), out)
        return into(dY, out, inplace)

    def hard_swish(self, X: Any, inplace: bool = False) -> Any:
        """Return ``X * hard_sigmoid(X)``."""
        return _activate("hard_swish", X, inplace, super().hard_swish)

    def backprop_hard_swish(self, dY: Any, X: Any, inplace: bool = False) -> Any:
        """Return the gradient of X, given that of its hard Swish."""
        if not fit(dY, X):
            return super().backprop_hard_swish(dY, X, inplace=inplace)
        return _backprop("hard_swish", dY, X, inplace)

    def hard_swish_mobilenet(self, X: Any, inplace: bool = False) -> Any:
        """Return ``X * relu_k(X + 3) / 6``."""
        return _activate("hard_swish_mobilenet", X, inplace, super().hard_swish_mobilenet)

    def backprop_hard_swish_mobilenet(self, dY: Any, X: Any, inplace: bool = False) -> Any:
        """Return the gradient of X, given that of its MobileNet Swish."""
        if not fit(dY, X):
            return super().backprop_hard_swish_mobilenet(dY, X, inplace=inplace)
        return _backprop("hard_swish_mobilenet", dY, X, inplace)

    def dish(self, X: Any, inplace: bool = False) -> Any:
        """Return ``X * (X / sqrt(X ** 2 + 1) + 1) / 2``."""
        return _activate("dish", X, inplace, super().dish)

    def backprop_dish(self, dY: Any, X: Any, inplace: bool = False) -> Any:
        """Return the gradient of X, given that of its Dish."""
        if not fit(dY, X):
            return super().backprop_dish(dY, X, inplace=inplace)
        return _backprop("dish", dY, X, inplace)

    def sigmoid(self, X: Any, *, inplace: bool = False) -> Any:
        """Return ``1 / (1 + exp(-X))``, of X clipped to ±20."""
        return _activate("sigmoid", X, inplace, super().sigmoid)

    def swish(self, X: Any, inplace: bool = False) -> Any:
        """Return ``X * sigmoid(X)``."""
        return _activate("swish", X, inplace, super().swish)

    def backprop_swish(self, dY: Any, X: Any, Y: Any, inplace: bool = False) -> Any:
        """Return the gradient of X, given that of its Swish `Y`."""
        if not fit(dY, X):
            return super().backprop_swish(dY, X, Y, inplace=inplace)
        return _backprop("swish", dY, X, inplace)

    def gelu(self, X: Any, inplace: bool = False) -> Any:
        """Return X times the normal distribution's share below X."""
        return _activate("gelu", X, inplace, super().gelu)

    def backprop_gelu(self, dY: Any, X: Any, inplace: bool = False) -> Any:
        """Return the gradient of X, given that of its GELU."""
        return (
            _backprop("gelu", dY, X, inplace) if fit(dY, X) else super().backprop_gelu(dY, X, inplace=inplace)
        )

    def mish(self, X: Any, threshold: float = 20.0, inplace: bool = False) -> Any:
        """Return ``X * tanh(log(1 + exp(X)))``, and X itself from `threshold` on."""
        if threshold != 20.0:
            return super().mish(X, threshold=threshold, inplace=inplace)
        return _activate("mish", X, inplace, super().mish)

    def backprop_mish(self, dY: Any, X: Any, threshold: float = 20.0, inplace: bool = False) -> Any:
        """Return the gradient of X, given that of its Mish."""
        if threshold != 20.0 or not fit(dY, X):
            return super().backprop_mish(dY, X, threshold=threshold, inplace=inplace)
        return _backprop("mish", dY, X, inplace)


def _activate(name: str, X: Any, inplace: bool, otherwise: Any) -> Any:
    if not is_plain(X):
        return otherwise(X, inplace=inplace)
    out = np.empty_like(X)
    _core.activate(name, X, out)
    return into(X, out, inplace)


def _backprop(name: str, dY: Any, X: Any, inplace: bool) -> Any:
    out = np.empty_like(dY)
    _core.backprop_activation(name, dY, X, out)
    return into(dY, out, inplace)
