"""For each token of one document, the tokens of another that it shares characters with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["AlignmentArray"]


class AlignmentArray:
    """A ragged array of token positions: row i holds the positions that token i is aligned to, ascending.

    `data`: int32, all rows behind one another. `lengths`, `starts`, `ends`: int32 (n_tokens,), where row i is
    `data[starts[i]:ends[i]]`. Treat all four as read-only.

    >>> rows = AlignmentArray([[0, 1], [], [2]])
    >>> rows[0].tolist(), rows[0:3].tolist(), rows.one_to_one().tolist()
    ([0, 1], [0, 1, 2], [-1, -1, 2])
    """

    __slots__ = ("data", "ends", "lengths", "starts")

    data: NDArray[np.int32]
    lengths: NDArray[np.int32]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]

    def __init__(self, alignment: Sequence[Iterable[int]]) -> None:
        rows = [list(row) for row in alignment]
        self._fill([position for row in rows for position in row], [len(row) for row in rows])

    @classmethod
    def from_ragged(cls, data: ArrayLike, lengths: ArrayLike) -> AlignmentArray:
        """Rows given as one flat array and the length of each row."""
        new = cls.__new__(cls)
        new._fill(data, lengths)
        return new

    def _fill(self, data: ArrayLike, lengths: ArrayLike) -> None:
        self.data = np.asarray(data, dtype=np.int32)
        self.lengths = np.asarray(lengths, dtype=np.int32)
        self.ends = np.cumsum(self.lengths, dtype=np.int32)
        self.starts = self.ends - self.lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int | slice) -> NDArray[np.int32]:
        """The positions of one row, or of adjoining rows behind one another (duplicates are kept)."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step != 1:
                raise ValueError(f"AlignmentArray: a slice must have a step of 1, found {step}")
            if stop <= start:
                return self.data[:0]
            return self.data[self.starts[start] : self.ends[stop - 1]]
        if not isinstance(index, int | np.integer):
            raise ValueError(
                f"AlignmentArray: an index must be an int or a slice, found {type(index).__name__}: {index!r}"
            )
        return self.data[self.starts[index] : self.ends[index]]

    def agreed(self, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """For each row the value that all its positions have, and whether there is one (else the value is 0).

        `values`: (n_tokens of the other side,), one for each position.

        >>> AlignmentArray([[0, 1], [], [2], [1, 2]]).agreed(np.array([5, 5, 7]))[0].tolist()
        [5, 0, 7, 0]
        """
        if len(self.data) == len(self) and (self.lengths == 1).all():
            return values[self.data], np.ones(len(self), dtype=bool)
        found = np.zeros(len(self), dtype=values.dtype)
        is_known = np.zeros(len(self), dtype=bool)
        filled = self.lengths > 0
        if filled.any():
            aligned = values[self.data]
            starts = self.starts[filled]
            lowest = np.minimum.reduceat(aligned, starts)
            is_known[filled] = lowest == np.maximum.reduceat(aligned, starts)
            found[filled] = lowest
            found[~is_known] = 0
        return found, is_known

    def one_to_one(self) -> NDArray[np.int32]:
        """int32 (n_tokens,): the position a token is aligned to if there is just one, else -1."""
        positions = np.full(len(self), -1, dtype=np.int32)
        single = self.lengths == 1
        positions[single] = self.data[self.starts[single]]
        return positions
