"""What a node's function is while Rust runs the layers below it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

__all__ = ["FusedFunction", "own_function"]


class FusedFunction:
    """A forward function that stands for that of a node and of all nodes below it.

    plain: the node's own function, which it has before `ferrule.ml.fused.fuse` and after `unfuse`.
    """

    plain: ClassVar[Callable[..., Any]]


def own_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function that the node had before it was fused; `function` itself if it was not.

    >>> own_function(len) is len
    True
    """
    return type(function).plain if isinstance(function, FusedFunction) else function
