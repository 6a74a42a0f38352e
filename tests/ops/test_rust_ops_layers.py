"""RustOps' layers are those of NumpyOps: windows, reductions, maxout, dropout and piecewise activations."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from thinc.api import NumpyOps

from ferrule import _core
from ferrule.ops import RustOps

OURS, THEIRS = RustOps(), NumpyOps()
# float32, up to seven rows added in another order.
CLOSE = {"rtol": 1e-5, "atol": 1e-6}
SIZES = [0, 1, 2, 7, 8, 9, 15, 16, 17, 33, 49, 97]
if os.environ.get("FERRULE_ISA"):  # the run of another instruction set, below
    SIZES = [1, 17, 49]
LENGTHS = np.array([3, 1, 7, 2], dtype="int32")
PIECEWISE = ["relu", "relu_k", "hard_sigmoid", "hard_tanh", "hard_swish", "hard_swish_mobilenet", "dish"]


def numbers(*shape, seed=0, scale=1.0, dtype="float32"):
    return (np.random.default_rng(seed).normal(size=shape) * scale).astype(dtype)


def same(found, expected):
    """One array or a tuple of them, equal in type, shape and numbers."""
    if not isinstance(expected, tuple):
        found, expected = (found,), (expected,)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, **CLOSE)


@pytest.mark.skipif("FERRULE_ISA" in os.environ, reason="this is the run of another instruction set")
@pytest.mark.parametrize("isa", ["scalar", "avx2"])
def test_other_instruction_sets_pass_these_tests_too(isa):
    environment = {**os.environ, "FERRULE_ISA": isa}
    starts = [sys.executable, "-c", "import ferrule._core"]
    if subprocess.run(starts, env=environment, capture_output=True).returncode:
        return  # this CPU lacks it; that it is refused then is tested with the kernels
    here = os.path.dirname(__file__)
    files = [os.path.join(here, name) for name in ("test_rust_ops.py", "test_rust_ops_layers.py")]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, f"{isa}: {run.stdout[-2000:]}"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", SIZES)
def test_windows(n, dtype):
    for nW in (0, 1, 3):
        x, d = numbers(13, n, dtype=dtype), numbers(13, n * (2 * nW + 1), seed=1, dtype=dtype)
        for lengths in (None, LENGTHS, np.array([13, 0], dtype="int32")):
            same(OURS.seq2col(x, nW, lengths=lengths), THEIRS.seq2col(x, nW, lengths=lengths))
            expected = THEIRS.backprop_seq2col(d, nW, lengths=lengths)
            same(OURS.backprop_seq2col(d, nW, lengths=lengths), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["sum", "mean", "max", "first", "last"])
@pytest.mark.parametrize("n", SIZES)
def test_reductions(n, name, dtype):
    x, d = numbers(13, n, dtype=dtype), numbers(4, n, seed=1, dtype=dtype)
    expected = getattr(THEIRS, f"reduce_{name}")(x, LENGTHS)
    same(getattr(OURS, f"reduce_{name}")(x, LENGTHS), expected)
    backward = f"backprop_reduce_{name}"
    if name in ("sum", "mean"):
        more = (LENGTHS,)
    elif name == "max":
        more = (expected[1], LENGTHS)
    else:
        more = (expected[1],)
    same(getattr(OURS, backward)(d, *more), getattr(THEIRS, backward)(d, *more))


@pytest.mark.parametrize("name", ["sum", "mean", "max", "first", "last"])
def test_reductions_of_no_sequences(name):
    none = np.zeros(0, dtype="int32")
    same(
        getattr(OURS, f"reduce_{name}")(numbers(0, 5), none),
        getattr(THEIRS, f"reduce_{name}")(numbers(0, 5), none),
    )


def test_sequences_without_rows_have_sum_and_mean_zero():
    lengths = np.array([2, 0, 1], dtype="int32")
    x = numbers(3, 5)
    for name in ("reduce_sum", "reduce_mean"):
        same(getattr(OURS, name)(x, lengths), getattr(THEIRS, name)(x, lengths))


@pytest.mark.parametrize("name", ["sum", "mean", "max", "first", "last"])
@pytest.mark.parametrize("lengths", [[3, -1], [5, 9], [0, 99]])
def test_wrong_lengths_raise_what_numpy_ops_raises(name, lengths):
    lengths = np.array(lengths, dtype="int32")
    with pytest.raises((ValueError, IndexError)) as theirs:
        getattr(THEIRS, f"reduce_{name}")(numbers(8, 3), lengths)
    with pytest.raises(theirs.type):
        getattr(OURS, f"reduce_{name}")(numbers(8, 3), lengths)


@pytest.mark.parametrize("name", ["reduce_first", "reduce_last"])
def test_rows_that_are_left_over_are_refused(name):
    with pytest.raises(IndexError, match="sum up to the number of rows"):
        getattr(OURS, name)(numbers(8, 3), np.array([3], dtype="int32"))


def test_lengths_of_windows_must_sum_up():
    with pytest.raises(ValueError, match="a sum of 8"):
        OURS.seq2col(numbers(8, 3), 1, lengths=np.array([7], dtype="int32"))
    with pytest.raises(ValueError, match=">= 0"):
        OURS.backprop_seq2col(numbers(8, 3), 1, lengths=np.array([9, -1], dtype="int32"))
    with pytest.raises(ValueError, match="width of dY"):
        OURS.backprop_seq2col(numbers(8, 4), 1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("pieces", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("n", SIZES[1:])
def test_maxout(n, pieces, dtype):
    x, d = np.round(numbers(5, n, pieces, scale=2, dtype=dtype)), numbers(5, n, seed=1, dtype=dtype)
    expected = THEIRS.maxout(x)
    same(OURS.maxout(x), expected)
    same(OURS.backprop_maxout(d, expected[1], pieces), THEIRS.backprop_maxout(d, expected[1], pieces))


def test_maxout_refuses_pieces_that_are_not_there():
    with pytest.raises(IndexError, match=r"which\[1\] is 3"):
        OURS.backprop_maxout(numbers(1, 2), np.array([[0, 3]], dtype="int32"), 3)
    with pytest.raises(IndexError, match=r"which\[0\] is -1"):
        OURS.backprop_reduce_max(numbers(1, 2), np.array([[-1, 0]], dtype="int32"), LENGTHS[:1])


@pytest.mark.parametrize("n", SIZES)
def test_scatter_add(n):
    indices = np.array([4, 0, 4, 4], dtype="int32")
    values = numbers(4, n, seed=1)
    for kind in ("int32", "int64", "uint64"):
        ours, theirs = numbers(5, n), numbers(5, n)
        assert OURS.scatter_add(ours, indices.astype(kind), values) is None
        THEIRS.scatter_add(theirs, indices, values)
        same(ours, theirs)
    ours, theirs = numbers(5, n, dtype="float64"), numbers(5, n, dtype="float64")
    OURS.scatter_add(ours, indices, values)
    THEIRS.scatter_add(theirs, indices, values)
    same(ours, theirs)


def test_scatter_add_takes_its_own_rows():
    table = numbers(4, 6)
    expected = table + table[::-1]
    OURS.scatter_add(table, np.arange(4)[::-1].copy(), table)
    same(table, expected)


@pytest.mark.parametrize("wrong", [5, -1])
def test_scatter_add_refuses_rows_that_are_not_there_and_adds_nothing(wrong):
    table = numbers(5, 3)
    with pytest.raises(IndexError, match="scatter_add"):
        OURS.scatter_add(table, np.array([0, wrong]), numbers(2, 3))
    np.testing.assert_array_equal(table, numbers(5, 3))


@pytest.mark.parametrize("drop", [None, 0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("shape", [(7,), (3, 17), (2, 3, 5), (0, 4)])
def test_dropout_masks_are_those_of_the_same_seed(shape, drop):
    masks = []
    for ops in (OURS, THEIRS):
        np.random.seed(5)
        masks.append(ops.get_dropout_mask(shape, drop))
    assert masks[0].dtype == np.float32
    np.testing.assert_array_equal(*masks)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("name", PIECEWISE)
@pytest.mark.parametrize("n", SIZES)
def test_piecewise_activations(name, n, inplace, dtype):
    x, d = numbers(3, n, scale=3, dtype=dtype), numbers(3, n, seed=1, dtype=dtype)
    x.flat[:9] = [0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 3.0, -3.0, 6.0][: x.size]
    given = x.copy()
    found = getattr(OURS, name)(given, inplace=inplace)
    assert (found is given) == inplace
    same(found, getattr(THEIRS, name)(x.copy()))
    # thinc's own hard sigmoid and hard tanh do not hand `inplace` on.
    given, y = d.copy(), (THEIRS.relu(x) if name == "relu" else x)
    same(
        getattr(OURS, f"backprop_{name}")(given, y, inplace=inplace),
        getattr(THEIRS, f"backprop_{name}")(d.copy(), y),
    )


@pytest.mark.parametrize("name", PIECEWISE)
def test_piecewise_activations_pass_nan_on_and_take_any_layout(name):
    x = numbers(6, 10, scale=3)
    x[1, 2] = np.nan
    expected = getattr(OURS, name)(x)
    assert np.isnan(expected[1, 2]) and np.isnan(expected).sum() == 1
    np.testing.assert_array_equal(getattr(OURS, name)(np.asfortranarray(x)), expected)
    np.testing.assert_array_equal(getattr(OURS, name)(np.repeat(x, 2, axis=1)[:, ::2]), expected)


def test_strided_arrays_give_the_same_numbers():
    wide = numbers(26, 34)
    x = wide[::2, ::2]
    plain = x.copy()
    same(OURS.seq2col(x, 1, lengths=LENGTHS), OURS.seq2col(plain, 1, lengths=LENGTHS))
    for name in ("sum", "mean", "max", "first", "last"):
        same(getattr(OURS, f"reduce_{name}")(x, LENGTHS), getattr(OURS, f"reduce_{name}")(plain, LENGTHS))
    pieces = numbers(5, 12)[:, ::2].reshape(5, 2, 3)
    same(OURS.maxout(pieces), THEIRS.maxout(np.ascontiguousarray(pieces)))


def test_the_binding_refuses_layouts_and_overlaps_that_it_cannot_take():
    x = numbers(6, 8)
    with pytest.raises(ValueError, match="C-contiguous"):
        _core.seq2col(np.asfortranarray(x), np.array([6], dtype="int32"), 0, np.empty_like(x))
    with pytest.raises(Exception, match="borrow"):
        _core.activate("relu", x, x)
