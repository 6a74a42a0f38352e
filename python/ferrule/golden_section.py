"""The lowest point of a function of one number."""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["lowest"]

_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


def lowest(function: Callable[[float], float], low: float, high: float, n_sections: int) -> float:
    """Return where `function`, which falls and then rises, is lowest, by golden section (Kiefer 1953).

    Each of the `n_sections` calls of `function` leaves 0.62 of the range from `low` to `high`.

    >>> round(lowest(lambda x: (x - 2.0) ** 2, 0.0, 10.0, n_sections=40), 3)
    2.0
    """
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    for _ in range(n_sections):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = function(right)
    return (low + high) / 2
