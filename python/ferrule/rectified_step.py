"""How far RAdam goes while its second moment is known from few steps."""

from __future__ import annotations

import math

__all__ = ["rectified_step"]


def rectified_step(step: int, beta1: float, beta2: float) -> tuple[bool, float]:
    """Whether the second moment is known well enough to be used, and the step size without learning rate.

    Liu et al. 2020, "On the Variance of the Adaptive Learning Rate and Beyond".

    >>> rectified_step(1, 0.9, 0.999)[0], rectified_step(100, 0.9, 0.999)[0]
    (False, True)
    """
    power = beta2**step
    longest = 2.0 / (1.0 - beta2) - 1.0
    length = longest - 2.0 * step * power / (1.0 - power)
    correction = 1.0 - beta1**step
    if length < 5.0:
        return False, 1.0 / correction
    variance = (length - 4.0) / (longest - 4.0) * (length - 2.0) / (longest - 2.0) * longest / length
    return True, math.sqrt((1.0 - power) * variance) / correction
