"""How the tokens of two tokenizations of one text correspond."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ferrule import _core
from ferrule.errors import AlignmentError
from ferrule.training.alignment_array import AlignmentArray

__all__ = ["Alignment"]


@dataclass(frozen=True)
class Alignment:
    """Which tokens of `x` each token of `y` shares characters with, and the other way round."""

    x2y: AlignmentArray
    y2x: AlignmentArray

    @classmethod
    def from_indices(cls, x2y: Sequence[Iterable[int]], y2x: Sequence[Iterable[int]]) -> Alignment:
        """The alignment given as one list of positions for each token."""
        return cls(AlignmentArray(x2y), AlignmentArray(y2x))

    @classmethod
    def from_strings(cls, A: Sequence[str], B: Sequence[str]) -> Alignment:
        """The alignment of two lists of tokens that differ in whitespace and capitals at most.

        Whitespace that has no counterpart, and an empty token, is aligned to nothing. Raises AlignmentError
        (a ValueError) where the texts differ in anything else. Behaviour: spaCy's
        `training.align.get_alignments`.

        >>> alignment = Alignment.from_strings(["New York", "'s"], ["New", "York", "'", "s"])
        >>> alignment.x2y[0].tolist(), alignment.x2y[1].tolist()
        ([0, 1], [2, 3])
        """
        if A == B:
            return cls.identity(len(A))
        try:
            x2y_lengths, x2y, y2x_lengths, y2x = _core.align(A, B)
        except ValueError as error:
            raise AlignmentError(
                f"The predicted (first) and the reference (second) document cannot be aligned. {error} "
                f"Make both from the same text."
            ) from error
        return cls(AlignmentArray.from_ragged(x2y, x2y_lengths), AlignmentArray.from_ragged(y2x, y2x_lengths))

    @classmethod
    def identity(cls, n_tokens: int) -> Alignment:
        """The alignment of a tokenization with itself."""
        rows = AlignmentArray.from_ragged(np.arange(n_tokens), np.ones(n_tokens, dtype=np.int32))
        return cls(rows, rows)
