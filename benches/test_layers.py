"""RustOps against NumpyOps, stock (blis) and tuned (OpenBLAS), and the optimizer against thinc's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import thinc.optimizers
from thinc.api import NumpyOps

from ferrule.ops import RustOps
from ferrule.optimizer import Adam
from pairing import fastest

OPS = {"ferrule": RustOps(), "stock": NumpyOps(), "tuned": NumpyOps(use_blis=False)}
# float32 sums in another order.
TOLERANCE = 1e-3
# rows, depth, columns: a window layer, the mix layer, a softmax head, a wide product, one short document.
GEMMS = [(1024, 288, 288), (512, 384, 288), (4096, 96, 50), (2048, 512, 2048), (16, 288, 288)]
Report = Callable[[str, dict[str, float], str], None]


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


@pytest.mark.parametrize("shape", GEMMS, ids=str)
def test_gemm(shape: tuple[int, int, int], report: Report, benchmark) -> None:
    n_rows, depth, n_columns = shape
    x, w = numbers(n_rows, depth), numbers(n_columns, depth)
    np.testing.assert_allclose(OPS["ferrule"].gemm(x, w, trans2=True), x @ w.T, atol=TOLERANCE)
    contestants = {name: lambda ops=ops: ops.gemm(x, w, trans2=True) for name, ops in OPS.items()}
    times = fastest(contestants, rounds=31)
    speed = 2e-9 * n_rows * depth * n_columns / times["ferrule"]
    report(f"gemm {shape}, {speed:.0f} GFLOP/s", times, "ferrule")
    benchmark.pedantic(contestants["ferrule"], rounds=10)


@pytest.mark.parametrize("name", ["softmax", "sigmoid", "swish", "gelu", "mish"])
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
