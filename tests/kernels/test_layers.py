"""`ferrule.kernels`: layer normalization and dropout."""

from __future__ import annotations

import numpy as np
import pytest
from thinc.api import LayerNorm

from ferrule import kernels

# float32 arithmetic over rows of some tens.
CLOSE = {"rtol": 2e-5, "atol": 2e-5}


def numbers(*shape: int, seed: int = 0, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("width", [2, 7, 16, 17, 96, 129])
def test_layer_norm_and_its_gradients_are_thincs(width: int) -> None:
    x, d_y, gain, shift = numbers(9, width), numbers(9, width, seed=1), numbers(width), numbers(width, seed=2)
    model = LayerNorm(width).initialize()
    model.set_param("G", gain)
    model.set_param("b", shift)
    expected, backprop = model.begin_update(x)
    y, kept = kernels.layer_norm(x, gain, shift)
    np.testing.assert_allclose(y, expected, **CLOSE)
    given = d_y.copy()
    d_x, d_gain, d_shift = kernels.backprop_layer_norm(given, kept, gain)
    np.testing.assert_array_equal(given, d_y)
    np.testing.assert_allclose(d_x, backprop(d_y), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(d_gain, model.get_grad("G"), **CLOSE)
    np.testing.assert_allclose(d_shift, model.get_grad("b"), **CLOSE)


def test_layer_norm_takes_any_layout_and_axes() -> None:
    wide = numbers(6, 20, dtype="float64")
    x, line = wide[::2, ::2].reshape(3, 2, 5), numbers(5)
    y, kept = kernels.layer_norm(x, line, line)
    assert y.shape == x.shape and y.dtype == np.float32
    np.testing.assert_array_equal(y, kernels.layer_norm(np.ascontiguousarray(x), line, line)[0])
    assert kernels.backprop_layer_norm(x, kept, line)[0].shape == x.shape
    assert kernels.layer_norm(np.zeros((0, 5)), line, line)[0].shape == (0, 5)


def test_dropout_drops_its_share_and_the_gradient_the_same_numbers() -> None:
    x = np.ones((500, 64), dtype="float32")
    y = kernels.dropout(x, 0.3, seed=7)
    assert abs((y == 0).mean() - 0.3) < 0.01
    np.testing.assert_allclose(y[y != 0], 1 / 0.7, rtol=1e-6)
    d_y = numbers(500, 64)
    np.testing.assert_array_equal(kernels.dropout(d_y, 0.3, seed=7) == 0, y == 0)
    assert not np.array_equal(kernels.dropout(x, 0.3, seed=8), y)
    np.testing.assert_array_equal(kernels.dropout(x, 0.0, seed=7), x)
    assert (kernels.dropout(x, 1.0, seed=7) == 0).all()
    assert kernels.dropout(np.zeros((5, 0)), 0.5, seed=1).shape == (5, 0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: kernels.dropout(numbers(3), 1.5, seed=0), ValueError, "from 0 to 1"),
        (lambda: kernels.dropout(np.arange(3), 0.5, seed=0), TypeError, "int64; expected"),
        (lambda: kernels.dropout(np.array(1.0), 0.5, seed=0), ValueError, "no axis"),
        (lambda: kernels.layer_norm(numbers(2, 3), numbers(4), numbers(3)), ValueError, "gain: expected 3"),
        (lambda: kernels.layer_norm(numbers(2, 3), numbers(1, 3), numbers(3)), ValueError, "2 axes"),
        (lambda: kernels.layer_norm([[1.0]], numbers(1), numbers(1)), TypeError, "x is list"),
    ],
)
def test_what_makes_no_sense_is_refused(call, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
