"""Every function of `ferrule.kernels`: any float type and layout, `out` in every form, NaN and infinities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ferrule import kernels

N_ROWS, WIDTH = 9, 21
LABELS = np.arange(N_ROWS) % WIDTH
LABELS[4] = 99
# float32 arithmetic of a row of some tens; float16 keeps eleven bits.
TOLERANCE = {"float16": 5e-3, "float32": 5e-6, "float64": 1e-12, "longdouble": 1e-12}

# Each takes scores, something of their shape, and `out`; all of them return one array, losses the gradient.
ROWS: dict[str, Callable[..., Any]] = {
    "softmax": lambda x, y, **more: kernels.softmax(x, temperature=2.0, **more),
    "log_softmax": lambda x, y, **more: kernels.log_softmax(x, **more),
    "backprop_softmax": lambda x, y, **more: kernels.backprop_softmax(y, x, **more),
    "backprop_log_softmax": lambda x, y, **more: kernels.backprop_log_softmax(y, x, **more),
}
LOSSES: dict[str, Callable[..., Any]] = {
    "labels": lambda x, y, **more: kernels.cross_entropy(x, LABELS, missing_label=99, **more),
    "smooth": lambda x, y, **more: kernels.cross_entropy(
        x, LABELS, missing_label=99, label_smoothing=0.1, **more
    ),
    "negative": lambda x, y, **more: kernels.cross_entropy(
        x, LABELS, missing_label=99, negative=LABELS % 2 == 0, **more
    ),
    "soft": lambda x, y, **more: kernels.cross_entropy(x, y, **more),
    "binary": lambda x, y, **more: kernels.binary_cross_entropy(x, y, **more),
    "squared": lambda x, y, **more: kernels.squared_error(x, y, **more),
    "forward": lambda x, y, **more: kernels.kl_divergence(x, y, temperature=2.0, **more),
    "reverse": lambda x, y, **more: kernels.kl_divergence(x, y, direction="reverse", **more),
    "mixed": lambda x, y, **more: kernels.kl_divergence(
        x, y, labels=LABELS, missing_label=99, gold=0.4, **more
    ),
}
CALLS = {**ROWS, **{name: lambda *a, _f=f, **m: _f(*a, **m)[1] for name, f in LOSSES.items()}}


def scores(dtype: str = "float32") -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((N_ROWS, WIDTH)) * 3).astype(dtype)
    return x, kernels.softmax(rng.standard_normal((N_ROWS, WIDTH))).astype(dtype)


def laid_out(x: np.ndarray) -> list[np.ndarray]:
    strided = np.full((2 * N_ROWS, 3 * WIDTH), np.nan, dtype=x.dtype)[::2, ::3]
    strided[:] = x
    misaligned = np.frombuffer(b"\0" + x.tobytes(), dtype=np.uint8)[1:].view(x.dtype).reshape(x.shape)
    flipped = np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]
    return [np.asfortranarray(x), strided, flipped, misaligned, x.astype(x.dtype.newbyteorder())]


@pytest.mark.parametrize("name", CALLS)
def test_types_are_kept_and_agree(name: str) -> None:
    x, y = scores("float64")
    exact = CALLS[name](x, y)
    for dtype, tolerance in TOLERANCE.items():
        found = CALLS[name](x.astype(dtype), y.astype(dtype))
        assert found.dtype == np.dtype(dtype)
        np.testing.assert_allclose(found.astype("float64"), exact, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CALLS)
def test_layouts_do_not_matter_and_arguments_stay(name: str, dtype: str) -> None:
    x, y = scores(dtype)
    expected = CALLS[name](x, y)
    for other, second in zip(laid_out(x), laid_out(y), strict=True):
        np.testing.assert_array_equal(CALLS[name](other, second), expected)
        np.testing.assert_array_equal(other, x)
        np.testing.assert_array_equal(second, y)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CALLS)
def test_out_is_filled_and_nothing_beside_it(name: str, dtype: str) -> None:
    x, y = scores(dtype)
    expected = CALLS[name](x, y)
    around = np.full((N_ROWS + 2, WIDTH + 2), 7, dtype=dtype)
    for whole in (around, around[1:-1, 1:-1], np.full((2 * N_ROWS, 2 * WIDTH), 7, dtype="float64")):
        out = whole[: 2 * N_ROWS : 2, ::2] if len(whole) > N_ROWS + 2 else whole[:N_ROWS, :WIDTH]
        assert CALLS[name](x, y, out=out) is out
        np.testing.assert_allclose(out, expected, rtol=1e-6, atol=1e-7)
        out[...] = 7
        assert (whole == 7).all() and (around == 7).all()


@pytest.mark.parametrize("name", CALLS)
def test_out_may_be_any_of_the_arguments(name: str) -> None:
    x, y = scores()
    expected = CALLS[name](x, y)
    for which in (0, 1):
        given = [x.copy(), y.copy()]
        CALLS[name](*given, out=given[which])
        np.testing.assert_array_equal(given[which], expected)
    # One row further in the same memory.
    memory = np.zeros((N_ROWS + 1, WIDTH), dtype="float32")
    memory[:-1] = x
    np.testing.assert_array_equal(CALLS[name](memory[:-1], y, out=memory[1:]), expected)


@pytest.mark.parametrize("call", [kernels.logsumexp, kernels.argmax])
def test_one_number_a_row_goes_to_out(call: Callable[..., Any]) -> None:
    x, _ = scores()
    expected = call(x)
    whole = np.full(2 * N_ROWS, 7, dtype=expected.dtype)
    assert call(x, out=whole[::2]).base is whole
    np.testing.assert_array_equal(whole[::2], expected)
    assert (whole[1::2] == 7).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", CALLS)
def test_a_special_number_stays_in_its_row(name: str, special: float, dtype: str) -> None:
    x, y = scores(dtype)
    expected = CALLS[name](x, y)
    x[3, 5] = special
    others = np.arange(N_ROWS) != 3
    with np.errstate(invalid="ignore"):
        found = CALLS[name](x, y)
    np.testing.assert_array_equal(found[others], expected[others])
    if name in ("softmax", "labels", "forward"):
        assert np.isnan(found[3]).all() == (special != -np.inf)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LOSSES)
def test_rows_left_out_may_hold_anything(name: str, dtype: str) -> None:
    x, y = scores(dtype)
    mask = np.arange(N_ROWS) % 3 != 0
    loss, d_x = LOSSES[name](x, y, mask=mask)
    x[0], x[3], x[6], y[6] = np.nan, np.inf, -np.inf, np.nan
    spoilt, d_spoilt = LOSSES[name](x, y, mask=mask)
    assert spoilt == loss
    np.testing.assert_array_equal(d_spoilt, d_x)
    assert (d_x[~mask] == 0).all()
    nothing, d_nothing = LOSSES[name](x, y, mask=np.zeros(N_ROWS, dtype=bool))
    assert nothing == 0.0 and (d_nothing == 0).all()


def test_the_mixed_loss_is_the_mix_of_its_parts() -> None:
    x, y = scores("float64")
    for reduction in ("sum", "mean"):
        soft, d_soft = kernels.kl_divergence(x, y, temperature=3.0, reduction=reduction)
        hard, d_hard = kernels.cross_entropy(x, LABELS, missing_label=99, reduction=reduction)
        both, d_both = kernels.kl_divergence(
            x, y, temperature=3.0, labels=LABELS, missing_label=99, gold=0.25, reduction=reduction
        )
        assert both == pytest.approx(0.75 * soft + 0.25 * hard, rel=1e-12)
        np.testing.assert_allclose(d_both, 0.75 * d_soft + 0.25 * d_hard, atol=1e-14)
