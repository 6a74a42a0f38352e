"""The area under the ROC curve of one label."""

from __future__ import annotations

import numpy as np

__all__ = ["ROCAUCScore", "roc_auc"]


class ROCAUCScore:
    """Scores and truths of one label, collected document by document.

    >>> auc = ROCAUCScore()
    >>> for score, truth in [(0.9, 1.0), (0.4, 0.0), (0.6, 1.0), (0.6, 0.0)]:
    ...     auc.score_set(score, truth)
    >>> auc.score
    0.875
    """

    __slots__ = ("cands", "golds")

    def __init__(self) -> None:
        self.golds: list[float] = []
        self.cands: list[float] = []

    def score_set(self, cand: float, gold: float) -> None:
        """Add one document: the predicted score and the truth, 1.0 or 0.0."""
        self.cands.append(cand)
        self.golds.append(gold)

    def is_binary(self) -> bool:
        """Whether both truths occurred, without which there is no curve."""
        return 1.0 in self.golds and any(gold != 1.0 for gold in self.golds)

    @property
    def score(self) -> float:
        """The area. Raises ValueError if only one kind of truth occurred."""
        if not self.is_binary():
            raise ValueError(
                f"ROCAUCScore: the area needs documents with and without the label, found only the values "
                f"{sorted(set(self.golds))}"
            )
        return roc_auc(np.asarray(self.golds) == 1.0, np.asarray(self.cands, dtype=np.float64))


def roc_auc(is_positive: np.ndarray, scores: np.ndarray) -> float:
    """The chance that a positive scores above a negative, ties counting half (Mann and Whitney's U).

    `is_positive`: bool (n,), both values occurring. `scores`: float (n,).
    """
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    starts = np.r_[0, np.nonzero(np.diff(ordered))[0] + 1]
    sizes = np.diff(np.r_[starts, len(ordered)])
    mean_ranks = np.repeat(starts + (sizes + 1) / 2, sizes)
    n_positive = int(is_positive.sum())
    n_negative = len(scores) - n_positive
    rank_sum = float(mean_ranks[is_positive[order]].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)
