"""Measure things that are compared alternately, so that a busy machine slows all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np


def copier(source: np.ndarray, target: np.ndarray, n_threads: int) -> Callable[[], object]:
    """`numpy.copyto` of the rows on that many threads: the bound of a kernel that reads and writes."""
    if n_threads == 1:
        return lambda: np.copyto(target, source)
    parts = list(zip(np.array_split(target, n_threads), np.array_split(source, n_threads), strict=True))
    pool = ThreadPoolExecutor(n_threads)
    return lambda: list(pool.map(lambda part: np.copyto(*part), parts))


def fastest(
    contestants: Mapping[str, Callable[[], object]],
    *,
    rounds: int = 7,
    pause: float = 0.0,
    at_least: float = 0.0,
) -> dict[str, float]:
    """The shortest time of each contestant in seconds, after one call of each that does not count.

    In each round every contestant runs once, in turn, starting with another one each time. The shortest
    time is the one that a neighbour on the machine disturbed least. `pause`: seconds to wait before each
    run, because BLAS threads spin for a while after their last call and slow whoever comes next. `at_least`:
    seconds that a turn lasts, by calling a contestant again; its mean counts then. Else who is done soon is
    measured with the caches that the one before has left, and on cores that wake up.
    """
    names = list(contestants)
    for name in names:
        contestants[name]()
    times: dict[str, list[float]] = {name: [] for name in names}
    for round_number in range(rounds):
        start = round_number % len(names)
        for name in names[start:] + names[:start]:
            time.sleep(pause)
            begin, n_calls, taken = time.perf_counter(), 0, 0.0
            while not n_calls or taken < at_least:
                contestants[name]()
                n_calls += 1
                taken = time.perf_counter() - begin
            times[name].append(taken / n_calls)
    return {name: min(values) for name, values in times.items()}
