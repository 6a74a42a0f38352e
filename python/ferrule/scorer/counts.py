"""True and false positives counted into precision, recall and F."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PRFScore", "distinct_rows", "macro_average", "scores_per_label", "sum_of"]

_TINY = 1e-100  # spaCy's guard against 0/0: an empty count scores 0.0


class PRFScore:
    """Counts of true positives, false positives and false negatives, and the scores they make.

    >>> score = PRFScore()
    >>> score.score_set({"a", "b"}, {"b", "c", "d"})
    >>> score.tp, score.fp, score.fn, score.precision
    (1, 1, 2, 0.5)
    """

    __slots__ = ("fn", "fp", "tp")

    def __init__(self, *, tp: int = 0, fp: int = 0, fn: int = 0) -> None:
        self.tp = tp
        self.fp = fp
        self.fn = fn

    def __len__(self) -> int:
        return self.tp + self.fp + self.fn

    def __repr__(self) -> str:
        return f"PRFScore(tp={self.tp}, fp={self.fp}, fn={self.fn})"

    def __iadd__(self, other: PRFScore) -> PRFScore:
        self.tp += other.tp
        self.fp += other.fp
        self.fn += other.fn
        return self

    def __add__(self, other: PRFScore) -> PRFScore:
        return PRFScore(tp=self.tp + other.tp, fp=self.fp + other.fp, fn=self.fn + other.fn)

    def score_set(self, cand: set[Any], gold: set[Any]) -> None:
        """Count the candidates that are in `gold`, those that are not, and what of `gold` was missed."""
        hits = len(cand & gold)
        self.tp += hits
        self.fp += len(cand) - hits
        self.fn += len(gold) - hits

    @property
    def precision(self) -> float:
        """Hits per candidate, 0.0 if there is none."""
        return self.tp / (self.tp + self.fp + _TINY)

    @property
    def recall(self) -> float:
        """Hits per true item, 0.0 if there is none."""
        return self.tp / (self.tp + self.fn + _TINY)

    @property
    def fscore(self) -> float:
        """The harmonic mean of precision and recall."""
        precision, recall = self.precision, self.recall
        return 2 * ((precision * recall) / (precision + recall + _TINY))

    def to_dict(self) -> dict[str, float]:
        """`{"p": precision, "r": recall, "f": fscore}`."""
        return {"p": self.precision, "r": self.recall, "f": self.fscore}


def sum_of(scores: Iterable[PRFScore]) -> PRFScore:
    """All counts added up: the micro average."""
    return sum(scores, PRFScore())


def macro_average(scores: Iterable[PRFScore]) -> dict[str, float]:
    """`p`, `r` and `f`, each the mean over the labels; 0.0 without labels."""
    rows = [score.to_dict() for score in scores]
    n_rows = len(rows) + _TINY
    return {key: sum(row[key] for row in rows) / n_rows for key in ("p", "r", "f")}


def scores_per_label(scores: Mapping[str, PRFScore]) -> dict[str, dict[str, float]]:
    """`{label: {"p": …, "r": …, "f": …}}`."""
    return {label: score.to_dict() for label, score in scores.items()}


def distinct_rows(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The different rows of an int64 array (n_rows, width), in order; many times faster than `np.unique`.

    >>> distinct_rows(np.array([[1, 2], [0, 3], [1, 2]])).tolist()
    [[0, 3], [1, 2]]
    """
    if len(rows) < 2:
        return rows
    rows = rows[np.lexsort(rows.T[::-1])]
    is_new = np.concatenate([[True], (rows[1:] != rows[:-1]).any(axis=1)])
    return rows[is_new]
