"""`ferrule.kernels`: softmax, log-softmax, their gradients, logsumexp, argmax."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from thinc.api import NumpyOps

from ferrule import kernels

# float32 arithmetic of a row of some tens; float16 keeps eleven bits.
TOLERANCE = {"float16": 1e-3, "float32": 2e-6, "float64": 1e-12, "longdouble": 1e-12}
DTYPES = sorted(TOLERANCE)


def logits(shape: tuple[int, ...], dtype: str = "float32", seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(shape) * 4).astype(dtype)


def exact_softmax(x: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    scaled = x.astype("float64") / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def layouts(x: np.ndarray) -> list[np.ndarray]:
    """The same numbers, laid out in every way that is not plain."""
    strided = np.full((x.shape[0] * 2, x.shape[1] * 3), np.nan, dtype=x.dtype)[::2, ::3]
    strided[:] = x
    flipped = np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]
    misaligned = np.frombuffer(b"\0" + x.tobytes(), dtype=np.uint8)[1:].view(x.dtype).reshape(x.shape)
    swapped = x.astype(x.dtype.newbyteorder())
    return [np.asfortranarray(x), strided, flipped, misaligned, swapped]


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_keeps_type_and_value(dtype: str) -> None:
    x = logits((7, 50), dtype)
    y = kernels.softmax(x, temperature=1.5)
    assert y.dtype == x.dtype
    np.testing.assert_allclose(y, exact_softmax(x, 1.5), atol=TOLERANCE[dtype], rtol=0)
    np.testing.assert_allclose(
        np.exp(kernels.log_softmax(x)), exact_softmax(x), atol=TOLERANCE[dtype] * 4, rtol=0
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layout_does_not_matter(dtype: str) -> None:
    x = logits((6, 19), dtype)
    expected = kernels.softmax(x)
    for other in layouts(x):
        before = other.copy()
        np.testing.assert_array_equal(kernels.softmax(other), expected)
        np.testing.assert_array_equal(other, before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_out_is_written_and_nothing_beside_it(dtype: str) -> None:
    x = logits((5, 7), dtype)
    expected = kernels.softmax(x)
    for out_dtype in ("float32", "float64"):
        whole = np.full((10, 21), 9.0, dtype=out_dtype)
        out = whole[::2, 1::3]
        assert kernels.softmax(x, out=out) is out
        np.testing.assert_allclose(out, expected, atol=1e-6)
        whole[::2, 1::3] = 9.0
        assert (whole == 9.0).all()


def test_out_may_be_the_scores_or_overlap_them() -> None:
    x = logits((8, 33))
    expected = kernels.softmax(x)
    same = x.copy()
    kernels.softmax(same, out=same)
    np.testing.assert_array_equal(same, expected)
    buffer = np.empty(9 * 33, dtype="float32")
    scores = buffer[: 8 * 33].reshape(8, 33)
    scores[:] = x
    np.testing.assert_array_equal(kernels.softmax(scores, out=buffer[33:].reshape(8, 33)), expected)


def test_axes_before_the_last_count_rows() -> None:
    x = logits((2, 3, 5))
    np.testing.assert_array_equal(kernels.softmax(x), kernels.softmax(x.reshape(6, 5)).reshape(2, 3, 5))
    np.testing.assert_array_equal(kernels.softmax(x[0, 0]), kernels.softmax(x)[0, 0])
    assert kernels.logsumexp(x).shape == (2, 3)
    assert kernels.argmax(x).shape == (2, 3)
    assert kernels.argmax(x[0, 0]).shape == ()


def test_softmax_and_gradient_are_thincs() -> None:
    ops = NumpyOps()
    x, d_y = logits((9, 50)), logits((9, 50), seed=1)
    for temperature in (1.0, 2.0):
        y = kernels.softmax(x, temperature=temperature)
        np.testing.assert_allclose(y, ops.softmax(x.copy(), temperature=temperature), atol=1e-6)
        np.testing.assert_allclose(
            kernels.backprop_softmax(y, d_y, temperature=temperature),
            ops.backprop_softmax(y, d_y, temperature=temperature),
            atol=2e-6,
        )


def test_argmax_is_numpys() -> None:
    x = np.round(logits((200, 17)))
    x[3, 5] = np.nan
    x[4] = -np.inf
    np.testing.assert_array_equal(kernels.argmax(x), x.argmax(axis=-1))


def test_empty_arrays_are_fine() -> None:
    assert kernels.softmax(np.zeros((0, 5), dtype="float32")).shape == (0, 5)
    assert kernels.softmax(np.zeros((5, 0))).shape == (5, 0)
    assert (kernels.logsumexp(np.zeros((3, 0))) == -np.inf).all()


def test_threads_do_not_change_bits() -> None:
    x = logits((12_000, 60))
    np.testing.assert_array_equal(kernels.softmax(x, n_threads=1), kernels.softmax(x, n_threads=2))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: kernels.softmax([1.0]), TypeError, "is a list; expected a NumPy array"),
        (lambda: kernels.softmax(np.arange(4)), TypeError, "dtype int64; expected floats"),
        (lambda: kernels.softmax(np.array(1.0)), ValueError, "has no axis"),
        (lambda: kernels.softmax(np.ones(3), temperature=0.0), ValueError, "positive, finite temperature"),
        (lambda: kernels.softmax(np.ones(3), n_threads=0), ValueError, "n_threads is 0"),
        (lambda: kernels.softmax(np.ones(3), out=np.ones(4)), ValueError, r"shape \(4,\); expected \(3,\)"),
        (lambda: kernels.softmax(np.ones(3), out=np.ones(3, dtype=int)), TypeError, "expected floats"),
        (lambda: kernels.softmax(np.ones(3), out=np.broadcast_to(1.0, 3)), ValueError, "read-only"),
        (lambda: kernels.argmax(np.ones((2, 0))), ValueError, "at least 1"),
        (
            lambda: kernels.backprop_softmax(np.ones((2, 3)), np.ones((3, 2))),
            ValueError,
            r"expected \(2, 3\)",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(call, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(("isa", "message"), [("mmx", "no instruction set of that name"), ("scalar", "")])
def test_ferrule_isa_forces_or_is_refused(isa: str, message: str) -> None:
    code = "import ferrule._core as core; assert core.active_isa() == core.byte_isa() == 'scalar'"
    run = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "FERRULE_ISA": isa}, capture_output=True, text=True
    )
    assert (run.returncode != 0) == bool(message), run.stderr
    assert message in run.stderr
