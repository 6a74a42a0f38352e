"""Whatever the kernels are called with, they return or raise an ordinary exception, and change nothing else.

A seeded walk over a corpus of awkward arrays and settings: no shape, type, layout or number may crash the
process, raise outside `Exception`, report an internal error, or change an argument.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ferrule import _core, kernels
from ferrule.ops import RustOps

OPS = RustOps()
CALLS = 4_000


def corpus() -> list[Callable[[], Any]]:
    """Makers of arguments, so that each call has its own."""
    rng = np.random.default_rng(0)
    base = rng.standard_normal((6, 10)).astype("float32")
    makers: list[Callable[[], Any]] = [
        lambda shape=shape, dtype=dtype: np.ones(shape, dtype=dtype)
        for shape in [(), (0,), (1,), (6,), (0, 0), (6, 0), (0, 5), (6, 5), (6, 10), (2, 3, 5), (6, 3, 2)]
        for dtype in [
            "float16",
            "float32",
            "float64",
            "int8",
            "int32",
            "int64",
            "uint64",
            "bool",
            ">f4",
            "complex64",
        ]
    ]
    makers += [
        lambda: base[::2, ::2],
        lambda: base[::-1].T,
        lambda: np.asfortranarray(base),
        lambda: np.broadcast_to(np.float32(1), (6, 5)),
        lambda: np.full((6, 5), np.nan, dtype="float32"),
        lambda: np.full((6, 5), -np.inf),
        lambda: np.full((6, 5), 3e38, dtype="float32"),
        lambda: np.array([3, 0, 3], dtype="int32"),
        lambda: np.array([2, -5, 9], dtype="int32"),
        lambda: np.array([2**31 - 1, 2**31 - 1], dtype="int32"),
        lambda: np.array([2**62, -(2**62)], dtype="int64"),
        lambda: np.array([0, 1, 2, 3, 4, 5]),
        lambda: np.array([["a", None]], dtype=object),
    ]
    makers += [
        lambda value=value: value
        for value in (None, 0, 1, 3, -1, 2**40, 0.5, -0.0, float("nan"), float("inf"), "sum", [], [1.0])
    ]
    return makers


def callables() -> list[tuple[Callable[..., Any], tuple[int, int]]]:
    """What is called, and with how few and how many arguments."""
    layers = dict.fromkeys(("layer_norm", "backprop_layer_norm"), 3)
    two = [kernels.cross_entropy, kernels.squared_error, kernels.kl_divergence, kernels.binary_cross_entropy]
    found: list[tuple[Callable[..., Any], tuple[int, int]]] = [(call, (2, 2)) for call in two]
    found += [(kernels.softmax, (1, 1)), (kernels.argmax, (1, 1)), (kernels.backprop_softmax, (2, 2))]
    found += [(getattr(kernels, name), (n, n)) for name, n in layers.items()]
    found += [(OPS.seq2col, (2, 2)), (OPS.maxout, (1, 1)), (OPS.backprop_maxout, (3, 3)), (OPS.relu, (1, 2))]
    found += [(_core.seq2col, (4, 4)), (_core.backprop_seq2col, (4, 4)), (_core.reduce_max, (4, 4))]
    found += [(_core.backprop_reduce_max, (4, 4)), (_core.maxout, (4, 4)), (_core.scatter_add, (3, 3))]
    found += [(_core.gather_add, (3, 3)), (_core.dropout_rows, (4, 4)), (_core.layer_norm, (6, 6))]
    return found


def contents(value: Any) -> Any:
    return (value.tobytes(), value.shape) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_awkward_arguments_are_refused_or_taken(seed: int) -> None:
    rng, makers, calls = random.Random(seed), corpus(), callables()
    taken = 0
    for _ in range(CALLS):
        call, (least, most) = rng.choice(calls)
        arguments = [rng.choice(makers)() for _ in range(rng.randint(least, most))]
        # `_core` writes to some of its arguments; those are not compared.
        before = None if call.__module__ == _core.__name__ else [contents(value) for value in arguments]
        try:
            call(*arguments)
            taken += 1
        except Exception as error:
            assert "internal error" not in str(error), (call, arguments, error)
        if before is not None and "relu" not in call.__name__:
            assert repr(before) == repr([contents(value) for value in arguments]), call
    assert taken > CALLS // 100
