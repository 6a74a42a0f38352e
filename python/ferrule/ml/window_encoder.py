"""The block that both window encoders repeat: look at the neighbours, transform, add to what came in."""

from __future__ import annotations

from thinc.api import Model, chain, clone, expand_window, residual
from thinc.types import Floats2d

__all__ = ["check_depth", "residual_windows", "window_width"]


def residual_windows(
    window_size: int, transform: Model[Floats2d, Floats2d], *, width: int, depth: int
) -> Model[Floats2d, Floats2d]:
    """Return `depth` independent copies of a residual window block, from rows to rows of `width`.

    window_size: tokens to see on either side; transform: from ``width * (2 * window_size + 1)`` to `width`.

    Raises ValueError when `depth` is below one.
    """
    check_depth(depth)
    blocks = clone(residual(chain(expand_window(window_size=window_size), transform)), depth)
    blocks.set_dim("nO", width)
    return blocks


def check_depth(depth: int) -> None:
    """Raise ValueError when `depth` is below one."""
    if depth < 1:
        raise ValueError(f"window encoder: depth must be 1 or more, but is {depth}.")


def window_width(width: int, window_size: int) -> int:
    """Return the width of a token beside its neighbours.

    >>> window_width(96, window_size=1)
    288
    """
    return width * (2 * window_size + 1)
