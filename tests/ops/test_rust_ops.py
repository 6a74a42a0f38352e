"""RustOps has the signatures and the numbers of NumpyOps."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys

import numpy as np
import pytest
from thinc.api import NumpyOps, Softmax, chain, get_current_ops, get_ops, use_ops
from thinc.layers import Maxout

from ferrule import _core
from ferrule.ops import RustOps

OURS, THEIRS = RustOps(), NumpyOps()
# float32 with sums of up to 700 products in another order.
CLOSE = {"rtol": 2e-5, "atol": 2e-5}
# Every method that a class below NumpyOps defines.
OWN = sorted(
    name
    for parent in RustOps.__mro__[: RustOps.__mro__.index(NumpyOps)]
    for name in vars(parent)
    if not name.startswith("_")
)
SIZES = [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 47, 48, 49, 97]
if os.environ.get("FERRULE_ISA"):  # a run of another instruction set, of test_rust_ops_layers.py
    SIZES = [0, 1, 17, 49]


def numbers(*shape, seed=0, scale=1.0, dtype="float32"):
    return (np.random.default_rng(seed).normal(size=shape) * scale).astype(dtype)


def test_is_found_by_name_and_changes_no_global_state():
    assert isinstance(get_ops("ferrule"), RustOps)
    before = get_current_ops()
    with use_ops("ferrule"):
        assert isinstance(get_current_ops(), RustOps)
    assert get_current_ops() is before
    code = "import ferrule.ops, thinc.api; assert type(thinc.api.get_current_ops()).__name__ == 'NumpyOps'"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", OWN)
def test_signatures_are_those_of_numpy_ops(name):
    ours = getattr(RustOps, name)
    if not callable(ours) or inspect.ismodule(ours):
        return
    theirs = getattr(NumpyOps, name)
    try:
        expected = inspect.signature(theirs)
    except ValueError:
        expected = inspect.signature(getattr(super(NumpyOps, NumpyOps), name))
    found = inspect.signature(ours)
    as_written = [(p.name, p.kind, p.default) for p in expected.parameters.values()]
    assert [(p.name, p.kind, p.default) for p in found.parameters.values()] == as_written


@pytest.mark.parametrize("trans1", [False, True])
@pytest.mark.parametrize("trans2", [False, True])
@pytest.mark.parametrize("n", SIZES)
def test_gemm(n, trans1, trans2):
    for rows, depth in [(1, 5), (n, 20), (9, n), (300, 17), (3, 700)]:
        x = numbers(*((depth, rows) if trans1 else (rows, depth)))
        y = numbers(*((n, depth) if trans2 else (depth, n)), seed=1)
        expected = (x.T if trans1 else x) @ (y.T if trans2 else y)
        np.testing.assert_allclose(
            OURS.gemm(x, y, trans1=trans1, trans2=trans2), expected, rtol=1e-4, atol=1e-4
        )
        out = np.full(expected.shape, np.nan, dtype="float32")
        assert OURS.gemm(x, y, out=out, trans1=trans1, trans2=trans2) is out
        np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-4)


def test_gemm_takes_any_layout_and_writes_nothing_outside_out():
    base = numbers(40, 60)
    x, y = base[::2, ::3], np.asfortranarray(numbers(20, 11, seed=1))
    around = np.full((24, 26), 7, dtype="float32")
    out = around[2:22, 3:25:2]
    assert OURS.gemm(x, y, out=out) is out
    np.testing.assert_allclose(out, x @ y, **CLOSE)
    out[...] = 7
    assert (around == 7).all()
    square = numbers(16, 16)
    expected = square @ square
    np.testing.assert_allclose(OURS.gemm(square, square, out=square), expected, **CLOSE)


def test_gemm_in_float64_is_numpys():
    x, y = numbers(4, 5, dtype="float64"), numbers(5, 6, dtype="float64")
    assert OURS.gemm(x, y).dtype == np.float64
    np.testing.assert_array_equal(OURS.gemm(x, y), x @ y)


def test_gemm_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="rows of the right matrix"):
        OURS.gemm(numbers(2, 3), numbers(4, 5))
    with pytest.raises(ValueError, match="x has 1 axes"):
        OURS.gemm(numbers(3), numbers(3, 3))
    with pytest.raises(ValueError, match=r"out has shape \(2, 2\)"):
        OURS.gemm(numbers(2, 3), numbers(3, 4), out=numbers(2, 2))


def test_gemm_has_the_same_bits_for_every_number_of_threads():
    x, y = numbers(1500, 600), numbers(600, 100, seed=1)
    before = _core.get_num_threads()
    try:
        results = []
        for n_threads in (1, 2, 3):
            _core.set_num_threads(n_threads)
            results.append(OURS.gemm(x, y))
    finally:
        _core.set_num_threads(before)
    np.testing.assert_array_equal(results[1], results[0])
    np.testing.assert_array_equal(results[2], results[0])


@pytest.mark.parametrize("n", SIZES[1:])
def test_affine(n):
    X, W, b = numbers(13, 30), numbers(n, 30, seed=1), numbers(n, seed=2)
    np.testing.assert_allclose(OURS.affine(X, W, b), THEIRS.affine(X, W, b), **CLOSE)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize("n", SIZES[1:])
def test_softmax(n, temperature):
    x, d = numbers(13, n, scale=4), numbers(13, n, seed=1)
    y = THEIRS.softmax(x, temperature=temperature)
    np.testing.assert_allclose(OURS.softmax(x, temperature=temperature), y, **CLOSE)
    np.testing.assert_allclose(
        OURS.backprop_softmax(y, d, temperature=temperature),
        THEIRS.backprop_softmax(y, d, temperature=temperature),
        **CLOSE,
    )
    np.testing.assert_allclose(OURS.softmax(x, axis=0), THEIRS.softmax(x, axis=0), **CLOSE)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("name", ["sigmoid", "swish", "gelu", "mish"])
@pytest.mark.parametrize("n", SIZES)
def test_activations(name, n, inplace, dtype):
    x = numbers(3, n, scale=8, dtype=dtype)
    x.flat[:7] = [0.0, -0.0, 19.9, 20.0, 20.1, -19.9, 87.0][: x.size]
    expected = getattr(THEIRS, name)(x.copy())
    given = x.copy()
    found = getattr(OURS, name)(given, inplace=inplace)
    assert (found is given) == inplace and found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)
    if not inplace:
        np.testing.assert_array_equal(given, x)


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("name", ["swish", "gelu", "mish"])
@pytest.mark.parametrize("n", SIZES)
def test_activation_gradients(name, n, inplace):
    # thinc's own formula for Mish overflows in float32 above about 20, where it takes the other branch.
    x, d = numbers(3, n, scale=5).clip(-15, 15), numbers(3, n, seed=1)
    more = (getattr(THEIRS, name)(x),) if name == "swish" else ()
    expected = getattr(THEIRS, f"backprop_{name}")(d.copy(), x, *more)
    given = d.copy()
    found = getattr(OURS, f"backprop_{name}")(given, x, *more, inplace=inplace)
    assert (found is given) == inplace
    np.testing.assert_allclose(found, expected, rtol=5e-5, atol=5e-6)


@pytest.mark.parametrize("name", ["sigmoid", "swish", "gelu", "mish"])
def test_activations_pass_nan_on_and_know_infinity(name):
    x = np.array([np.nan, np.inf, 1.0], dtype="float32")
    found = getattr(OURS, name)(x)
    assert np.isnan(found[0]) and found[1] == (1.0 if name == "sigmoid" else np.inf)


@pytest.mark.parametrize("n", SIZES[1:])
def test_gather_add(n):
    table = numbers(20, n)
    indices = np.random.default_rng(0).integers(0, 20, (7, 4)).astype("uint32")
    np.testing.assert_allclose(OURS.gather_add(table, indices), THEIRS.gather_add(table, indices), **CLOSE)
    signed = indices.astype("int64")
    np.testing.assert_allclose(OURS.gather_add(table, signed), table[signed].sum(axis=1), **CLOSE)


@pytest.mark.parametrize("wrong", [20, -1])
def test_gather_add_refuses_rows_that_are_not_there(wrong):
    with pytest.raises(IndexError, match="gather_add"):
        OURS.gather_add(numbers(20, 3), np.array([[0, wrong]]))


def test_a_model_trains_to_the_same_numbers():
    X, d = numbers(30, 12), numbers(30, 5, seed=3)
    results = []
    for ops in (OURS, THEIRS):
        model = chain(Maxout(9, 12, nP=3, normalize=True), Softmax(5, 9)).initialize()
        for index, node in enumerate(model.walk()):
            node.ops = ops
            for name in node.param_names:
                node.set_param(name, numbers(*node.get_param(name).shape, seed=index, scale=0.5))
        Y, backprop = model.begin_update(X)
        dX = backprop(d)
        results.append([Y, dX, *(n.get_grad(p) for n in model.walk() for p in n.param_names)])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
