"""Softmax, cross-entropy and KL divergence against NumPy, thinc, torch (where installed), and a copy.

The bound of softmax and cross-entropy is one read and one write (`numpy.copyto` of the same arrays in
the same rounds, on as many threads), that of KL divergence two reads and a write, taken as one and a
half copies. Wide rows are also compared with themselves in the cache: as many rows, always the same few
(`in cache x0.80`: memory takes the other fifth of the time; what is left is arithmetic).
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable

import numpy as np
import pytest
from thinc.api import NumpyOps

from ferrule import kernels
from pairing import copier, fastest

SHAPES = [(4096, 50), (65536, 50), (4096, 1024), (8192, 32000)]
THREADS = [1, None]
# Single precision against single precision, over rows of up to 32,000.
TOLERANCE = 1e-5
HAS_TORCH = importlib.util.find_spec("torch") is not None
# Compiled torch needs a C++ compiler and half a minute a shape: it takes part when it is asked for.
WITH_COMPILED = HAS_TORCH and os.environ.get("BENCH_COMPILED") == "1"

Report = Callable[[str, dict[str, float], str], None]


@pytest.fixture(params=SHAPES, ids=lambda shape: f"{shape[0]}x{shape[1]}")
def arrays(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits, other logits, and room for a result."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(request.param, dtype=np.float32)
    return x, np.ascontiguousarray(x[::-1]), np.zeros_like(x)


def rounds_for(x: np.ndarray) -> int:
    return 3 if x.size > 10**8 else 25


def in_cache(
    kernel: Callable[..., object], x: np.ndarray, *others: np.ndarray, n_threads: int | None
) -> dict[str, Callable[[], object]]:
    """The kernel over as many rows, always the same few; nothing if calls would count, or threads."""
    few = 64
    if x.shape[1] < 1000 or n_threads != 1:
        return {}
    args, out = [array[:few] for array in (x, *others)], np.empty_like(x[:few])

    def again() -> None:
        for _ in range(len(x) // few):
            kernel(*args, out=out, n_threads=1)

    return {"in cache": again}


def numpy_softmax(x: np.ndarray, out: np.ndarray) -> np.ndarray:
    np.subtract(x, x.max(axis=-1, keepdims=True), out=out)
    np.exp(out, out=out)
    out /= out.sum(axis=-1, keepdims=True)
    return out


@pytest.mark.parametrize("n_threads", THREADS)
def test_softmax(arrays, n_threads: int | None, report: Report, benchmark) -> None:
    x, _, out = arrays
    few = x[:64]
    np.testing.assert_allclose(kernels.softmax(few), numpy_softmax(few, np.empty_like(few)), atol=TOLERANCE)
    ops = NumpyOps()
    contestants = {
        "ferrule": lambda: kernels.softmax(x, out=out, n_threads=n_threads),
        "copy": copier(x, out, n_threads or os.cpu_count() or 1),
        "numpy": lambda: numpy_softmax(x, out),
        "thinc": lambda: ops.softmax(x),
        **in_cache(kernels.softmax, x, n_threads=n_threads),
    }
    if HAS_TORCH:
        import torch

        torch.set_num_threads(n_threads or os.cpu_count() or 1)
        source, target = torch.from_numpy(x), torch.from_numpy(out)
        contestants["torch"] = lambda: torch.softmax(source, -1, out=target)
    title = f"softmax {x.shape} {n_threads or 'all'} threads"
    report(title, fastest(contestants, rounds=rounds_for(x)), "ferrule")
    benchmark.pedantic(contestants["ferrule"], rounds=3)


@pytest.mark.parametrize("n_threads", THREADS)
def test_cross_entropy(arrays, n_threads: int | None, report: Report, benchmark) -> None:
    x, _, out = arrays
    labels = np.random.default_rng(1).integers(0, x.shape[1], len(x))

    def by_numpy(x: np.ndarray, labels: np.ndarray, out: np.ndarray) -> float:
        probs = numpy_softmax(x, out)
        rows = np.arange(len(x))
        loss = -np.log(probs[rows, labels]).mean()
        probs[rows, labels] -= 1
        probs /= len(x)
        return float(loss)

    few = x[:64]
    d_few = np.empty_like(few)
    expected = by_numpy(few, labels[:64], d_few)
    loss, d_x = kernels.cross_entropy(few, labels[:64])
    assert loss == pytest.approx(expected, rel=TOLERANCE)
    np.testing.assert_allclose(d_x, d_few, atol=TOLERANCE)
    contestants = {
        "ferrule": lambda: kernels.cross_entropy(x, labels, out=out, n_threads=n_threads),
        "copy": copier(x, out, n_threads or os.cpu_count() or 1),
        "numpy": lambda: by_numpy(x, labels, out),
        **in_cache(kernels.cross_entropy, x, labels, n_threads=n_threads),
    }
    if HAS_TORCH:
        import torch

        torch.set_num_threads(n_threads or os.cpu_count() or 1)
        source, targets = torch.from_numpy(x).requires_grad_(), torch.from_numpy(labels)

        def by_torch() -> None:
            source.grad = None
            torch.nn.functional.cross_entropy(source, targets).backward()

        contestants["torch autograd"] = by_torch
    title = f"cross-entropy {x.shape} {n_threads or 'all'} threads"
    report(title, fastest(contestants, rounds=rounds_for(x)), "ferrule")
    benchmark.pedantic(contestants["ferrule"], rounds=3)


@pytest.mark.parametrize("n_threads", THREADS)
def test_kl_divergence(arrays, n_threads: int | None, report: Report, benchmark) -> None:
    x, teacher, out = arrays

    def by_numpy(x: np.ndarray, teacher: np.ndarray) -> tuple[float, np.ndarray]:
        q, p = (numpy_softmax(rows, np.empty_like(rows)) for rows in (x, teacher))
        loss = (p * (np.log(p) - np.log(q))).sum(axis=-1).mean()
        return float(loss), (q - p) / len(x)

    expected, d_expected = by_numpy(x[:64], teacher[:64])
    loss, d_x = kernels.kl_divergence(x[:64], teacher[:64])
    assert loss == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(d_x, d_expected, atol=TOLERANCE)
    contestants = {
        "ferrule": lambda: kernels.kl_divergence(x, teacher, out=out, n_threads=n_threads),
        "copy": copier(x, out, n_threads or os.cpu_count() or 1),
        **in_cache(kernels.kl_divergence, x, teacher, n_threads=n_threads),
    }
    if x.size < 10**8:  # its temporaries would not fit
        contestants["numpy"] = lambda: by_numpy(x, teacher)
    if HAS_TORCH:
        import torch

        torch.set_num_threads(n_threads or os.cpu_count() or 1)
        student, other = torch.from_numpy(x).requires_grad_(), torch.from_numpy(teacher)

        def torch_loss(student: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
            log_q, log_p = (torch.log_softmax(rows, -1) for rows in (student, other))
            return torch.nn.functional.kl_div(log_q, log_p, log_target=True, reduction="batchmean")

        def backward_of(loss: Callable[..., torch.Tensor]) -> Callable[[], None]:
            def run() -> None:
                student.grad = None
                loss(student, other).backward()

            return run

        contestants["torch autograd"] = backward_of(torch_loss)
        if WITH_COMPILED:
            compiled = torch.compile(torch_loss, dynamic=False)
            plain = torch_loss(student, other).item()
            assert compiled(student, other).item() == pytest.approx(plain, rel=1e-3)
            contestants["torch compiled"] = backward_of(compiled)
    seconds = fastest(contestants, rounds=rounds_for(x))
    seconds["1.5 copies"] = seconds.pop("copy") * 1.5
    report(f"kl divergence {x.shape} {n_threads or 'all'} threads", seconds, "ferrule")
    benchmark.pedantic(contestants["ferrule"], rounds=3)
