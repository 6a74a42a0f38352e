"""Reading ahead from a source that may fail, without losing what it gave before."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from typing import TypeVar

__all__ = ["read_some"]

T = TypeVar("T")


def read_some(source: Iterator[T], count: int) -> tuple[list[T], Exception | None]:
    """The next items of a source, up to `count`, and the error that stopped it, if one did.

    Raise the error when the items before it have been delivered.

    >>> lines = (int(line) for line in ["1", "2", "?", "4"])
    >>> read_some(lines, 9)
    ([1, 2], ValueError("invalid literal for int() with base 10: '?'"))
    >>> read_some(lines, 9)
    ([], None)
    """
    items: list[T] = []
    try:
        items.extend(islice(source, min(count, sys.maxsize)))
    except Exception as error:
        return items, error
    return items, None
