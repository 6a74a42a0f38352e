"""RustOps against NumpyOps, stock (blis) and tuned (OpenBLAS), and the optimizer against thinc's."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
import thinc.optimizers
from thinc.api import NumpyOps

from ferrule import _core
from ferrule.ops import RustOps
from ferrule.optimizer import Adam
from pairing import fastest

OPS = {"ferrule": RustOps(), "stock": NumpyOps(), "tuned": NumpyOps(use_blis=False)}
# float32 sums in another order.
TOLERANCE = 1e-3
# rows, depth, columns: a window layer, the mix layer, a softmax head, a wide product, one short document.
GEMMS = [(1024, 288, 288), (512, 384, 288), (4096, 96, 50), (2048, 512, 2048), (16, 288, 288)]
Report = Callable[[str, dict[str, float], str], None]


@pytest.fixture(scope="module")
def peak() -> float:
    """The most floating-point operations a second of one thread: multiply-adds in registers."""
    best = 0.0
    for _ in range(20):
        begin = time.perf_counter()
        operations = _core._multiply_adds(200_000)
        best = max(best, operations / (time.perf_counter() - begin))
    return best


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def of_peak(shape: tuple[int, int, int], times: dict[str, float], peak: float) -> str:
    """How fast a product is, and which share of what one thread can do; more than 1 with several threads."""
    speed = 2.0 * shape[0] * shape[1] * shape[2] / times["ferrule"]
    return f"{speed / 1e9:.0f} GFLOP/s, {speed / peak:.2f} of peak"


@pytest.mark.parametrize("shape", GEMMS, ids=str)
def test_gemm(shape: tuple[int, int, int], peak: float, report: Report, benchmark) -> None:
    n_rows, depth, n_columns = shape
    x, w = numbers(n_rows, depth), numbers(n_columns, depth)
    np.testing.assert_allclose(OPS["ferrule"].gemm(x, w, trans2=True), x @ w.T, atol=TOLERANCE)
    contestants = {name: lambda ops=ops: ops.gemm(x, w, trans2=True) for name, ops in OPS.items()}
    times = fastest(contestants, rounds=31)
    report(f"gemm {shape}, {of_peak(shape, times, peak)}", times, "ferrule")
    benchmark.pedantic(contestants["ferrule"], rounds=10)


def test_affine_and_maxout(peak: float, report: Report, benchmark) -> None:
    n_rows, depth, n_outputs, n_pieces = 1024, 288, 96, 3
    x, w, b = numbers(n_rows, depth), numbers(n_outputs * n_pieces, depth), numbers(n_outputs * n_pieces)

    def layer(ops: NumpyOps) -> np.ndarray:
        return ops.maxout(ops.affine(x, w, b).reshape(n_rows, n_outputs, n_pieces))[0]

    np.testing.assert_allclose(layer(OPS["ferrule"]), layer(OPS["stock"]), atol=TOLERANCE)
    contestants = {name: lambda ops=ops: layer(ops) for name, ops in OPS.items()}
    times = fastest(contestants, rounds=31)
    shape = (n_rows, depth, n_outputs * n_pieces)
    report(f"affine + maxout {shape}, {of_peak(shape, times, peak)}", times, "ferrule")
    benchmark.pedantic(contestants["ferrule"], rounds=10)


LENGTHS = np.full(256, 16, dtype="int32")
LAYERS: dict[str, Callable[[NumpyOps, np.ndarray], object]] = {
    "seq2col": lambda ops, x: ops.seq2col(x, 1, lengths=LENGTHS),
    "backprop_seq2col": lambda ops, x: ops.backprop_seq2col(x, 1, lengths=LENGTHS),
    "reduce_sum": lambda ops, x: ops.reduce_sum(x, LENGTHS),
    "reduce_mean": lambda ops, x: ops.reduce_mean(x, LENGTHS),
    "reduce_max": lambda ops, x: ops.reduce_max(x, LENGTHS)[0],
    "reduce_first": lambda ops, x: ops.reduce_first(x, LENGTHS)[0],
    "backprop_reduce_mean": lambda ops, x: ops.backprop_reduce_mean(x[:256], LENGTHS),
    "maxout": lambda ops, x: ops.maxout(x.reshape(-1, 32, 3))[0],
}


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name: str, report: Report, benchmark) -> None:
    x, layer = numbers(4096, 96), LAYERS[name]
    np.testing.assert_allclose(layer(OPS["ferrule"], x), layer(OPS["stock"], x), atol=TOLERANCE)
    contestants = {each: lambda ops=OPS[each]: layer(ops, x) for each in ("ferrule", "stock")}
    report(f"{name} (4096, 96)", fastest(contestants, rounds=15), "ferrule")
    benchmark.pedantic(contestants["ferrule"], rounds=10)


@pytest.mark.parametrize(
    "name", ["softmax", "sigmoid", "swish", "gelu", "mish", "relu", "hard_swish", "dish"]
)
def test_activation(name: str, report: Report, benchmark) -> None:
    x = numbers(4096, 96)
    expected = getattr(OPS["stock"], name)(x)
    np.testing.assert_allclose(getattr(OPS["ferrule"], name)(x), expected, atol=TOLERANCE)
    contestants = {each: lambda ops=OPS[each]: getattr(ops, name)(x) for each in ("ferrule", "stock")}
    report(f"{name} (4096, 96)", fastest(contestants, rounds=15), "ferrule")
    benchmark.pedantic(contestants["ferrule"], rounds=10)


@pytest.mark.parametrize("use_averages", [False, True])
def test_optimizer_step(use_averages: bool, report: Report, benchmark) -> None:
    shapes = [(5000, 96), *[(2500, 96)] * 3, (96, 3, 384), *[(96, 3, 288)] * 4]
    weights, gradients = [[numbers(*shape) for shape in shapes] for _ in range(2)]
    settings = {"L2": 0.01, "use_averages": use_averages}
    optimizers = {"ferrule": Adam(0.001, **settings), "thinc": thinc.optimizers.Adam(0.001, **settings)}

    def step(optimizer) -> None:
        for key, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
            optimizer((key, "W"), weight, gradient)

    contestants = {name: lambda o=optimizer: step(o) for name, optimizer in optimizers.items()}
    averages = " with averages" if use_averages else ""
    report(f"Adam, 1.6 million weights{averages}", fastest(contestants, rounds=15), "ferrule")
    benchmark.pedantic(contestants["ferrule"], rounds=10)
