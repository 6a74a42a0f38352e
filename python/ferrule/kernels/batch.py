"""Scores of one array or of a list of them, and what must match them row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[Any]
"""An array of floats."""
Ragged: TypeAlias = "Floats | Sequence[Floats]"
"""One array, or one a document."""
Reduction: TypeAlias = Literal["sum", "mean"]


def width_of(array: Floats) -> int:
    """The length of the last axis; 0 if there is none."""
    return array.shape[-1] if array.ndim else 0


class Batch:
    """Scores of one array or of a list of them, and what must match them row by row."""

    def __init__(self, name: str, scores: Ragged, out: Floats | None) -> None:
        self.name = name
        self.lengths: list[int] | None = None
        if isinstance(scores, (list, tuple)):
            if out is not None:
                raise ValueError(f"{name}: out goes with one array of scores, not with a list; leave it out.")
            self.lengths = [len(array) for array in scores]
            if not scores:
                scores = [np.zeros((0, 0), dtype="float32")]
            self.scores: Floats = np.concatenate(scores)
        else:
            self.scores = cast("Floats", scores)
            if not isinstance(scores, np.ndarray):
                raise TypeError(
                    f"{name}: scores are a {type(scores).__name__}; expected a NumPy array, or a list of "
                    "arrays. Convert them with numpy.asarray."
                )

    def join(self, values: Any, what: str) -> Floats:
        """One array of what belongs to the scores; lists are checked document by document."""
        if self.lengths is None:
            return np.asarray(values)
        if isinstance(values, np.ndarray) or len(values) != len(self.lengths):
            raise ValueError(
                f"{self.name}: {what} must be a list of {len(self.lengths)} arrays, one for each array of "
                f"scores; found {type(values).__name__} of {len(values)}."
            )
        arrays = [np.asarray(value) for value in values]
        for i, (array, length) in enumerate(zip(arrays, self.lengths, strict=True)):
            if len(array) != length:
                raise ValueError(
                    f"{self.name}: {what}[{i}] has {len(array)} rows, the scores there have {length}; "
                    "both need one a token."
                )
        return np.concatenate(arrays) if arrays else np.zeros((0, 0), dtype="float32")

    def one_a_row(self, array: Floats, what: str) -> Floats:
        """The array, flat, if it has one number for each row."""
        expected = self.scores.shape[:-1]
        if array.size == 0 and self.scores.shape[0:1] == (0,):
            return np.zeros(expected, dtype="bool" if what == "negative" else "int64").ravel()
        if array.shape != expected:
            raise ValueError(f"{self.name}: {what} have shape {array.shape}; expected {expected}, one a row.")
        return array.ravel()

    def row_weights(self, weights: Any, mask: Any) -> Floats | None:
        """The weights, 0 where the mask is False; None if neither is given."""
        if weights is None and mask is None:
            return None
        expected = self.scores.shape[:-1]
        total = np.ones(expected, dtype=self.scores.dtype)
        if weights is not None:
            total = np.asarray(self.join(weights, "row_weights"), dtype=self.scores.dtype)
        if mask is not None:
            keep = self.join(mask, "mask")
            if keep.dtype.kind != "b":
                raise TypeError(f"{self.name}: mask has dtype {keep.dtype}; expected bool.")
            if keep.shape != expected:
                raise ValueError(f"{self.name}: mask has shape {keep.shape}; expected {expected}, one a row.")
            total = np.where(keep, total, np.zeros((), dtype=total.dtype))
        return self.one_a_row(total, "row_weights")

    def only_known(self, known: Any, targets: Floats, unknown: tuple[float, float]) -> tuple[Floats, Floats]:
        """Scores and targets, `unknown` in both where `known` is False; themselves if it is None."""
        if known is None:
            return self.scores, targets
        keep = self.join(known, "known")
        if keep.dtype.kind != "b":
            raise TypeError(f"{self.name}: known has dtype {keep.dtype}; expected bool.")
        for what, shape in (("known", keep.shape), ("targets", targets.shape)):
            if shape != self.scores.shape:
                raise ValueError(
                    f"{self.name}: {what} has shape {shape}; expected {self.scores.shape}, one a number."
                )
        score, target = unknown
        return (
            np.where(keep, self.scores, self.scores.dtype.type(score)),
            np.where(keep, targets, targets.dtype.type(target)),
        )

    def split(self, gradient: Floats) -> Floats | list[Floats]:
        """The gradient as the scores came: one array, or views of it."""
        if self.lengths is None:
            return gradient
        starts = np.cumsum([0, *self.lengths])
        return [gradient[start : start + length] for start, length in zip(starts, self.lengths, strict=False)]
