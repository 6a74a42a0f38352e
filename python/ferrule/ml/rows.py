"""Rows of a batch: one block for the arithmetic, a view for each document at the public edge."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["block_of", "join_rows", "split_rows"]

Rows = npt.NDArray[Any]


def split_rows(block: Rows, lengths: npt.ArrayLike) -> list[Rows]:
    """Return one view into `block` for each document; nothing is copied.

    lengths: rows of each document; they add up to the rows of `block`.

    >>> [part.tolist() for part in split_rows(np.arange(3), [2, 0, 1])]
    [[0, 1], [], [2]]
    """
    ends = list(itertools.accumulate(np.asarray(lengths).tolist()))
    if len(ends) == 1 and ends[0] == len(block):
        return _Views([block], block)
    views = [block[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=False)]
    return _Views(views, block[: ends[-1]]) if views else []


def join_rows(parts: Sequence[Rows]) -> Rows:
    """Return the rows of all documents as one block, without a copy where they are views into one.

    Raises ValueError when `parts` is empty, since the width is unknown then.

    >>> block = np.arange(6).reshape(3, 2)
    >>> np.shares_memory(join_rows(split_rows(block, [2, 0, 1])), block)
    True
    """
    block = block_of(parts)
    if block is not None:
        return np.ascontiguousarray(block)
    if not parts:
        raise ValueError("join_rows: there are no documents, so the width of a row is unknown.")
    if len(parts) == 1:
        return np.ascontiguousarray(parts[0])
    owner = parts[0].base
    if isinstance(owner, np.ndarray) and owner.flags.c_contiguous and owner.dtype == parts[0].dtype:
        start = _address(parts[0]) - _address(owner)
        if _follow_each_other(parts, owner):
            n_rows, width = sum(map(len, parts)), parts[0].shape[1:]
            first = start // owner.itemsize
            n_values = n_rows * int(np.prod(width, dtype=np.int64))
            return owner.reshape(-1)[first : first + n_values].reshape(n_rows, *width)
    # `concatenate` keeps the memory order of parts that happen to be transposed.
    return np.ascontiguousarray(np.concatenate(parts))


def block_of(parts: Sequence[Rows]) -> Rows | None:
    """Return the block that `split_rows` cut into `parts`; None where they are something else by now.

    >>> parts = split_rows(np.arange(3), [2, 1])
    >>> block_of(parts), block_of(list(parts))
    (array([0, 1, 2]), None)
    """
    return parts.block if type(parts) is _Views and parts.are_untouched() else None


class _Views(list[Rows]):
    """What `split_rows` returns: a list that knows the block it was cut from, until an item is replaced."""

    __slots__ = ("_made", "block")

    def __init__(self, views: list[Rows], block: Rows) -> None:
        super().__init__(views)
        self._made = tuple(views)
        self.block = block

    def are_untouched(self) -> bool:
        return len(self) == len(self._made) and all(map(operator.is_, self, self._made))

    def __reduce__(self) -> tuple[Any, ...]:
        # Copies of the views are no views into a copy of the block.
        return list, (list(self),)


def _follow_each_other(parts: Sequence[Rows], owner: Rows) -> bool:
    """Whether `parts` are views into `owner` that lie one behind the other, without a gap."""
    width, address = parts[0].shape[1:], _address(parts[0])
    for part in parts:
        if part.base is not owner or part.shape[1:] != width or not part.flags.c_contiguous:
            return False
        # An empty view has no place of its own.
        if len(part) and _address(part) != address:
            return False
        address += part.nbytes
    return True


def _address(array: Rows) -> int:
    return int(array.__array_interface__["data"][0])
