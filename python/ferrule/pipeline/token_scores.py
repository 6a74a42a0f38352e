"""What a token classifier predicted for a batch: one block of scores, shown as arrays for each document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ferrule import kernels
from ferrule.ml.rows import join_rows, split_rows

__all__ = ["TokenScores"]


class TokenScores(Mapping[str, list[Any]]):
    """Predictions of a batch, by name, with one array for each document.

    ``"label_ids"``: int32 (n_tokens,), the index of the best label; ``"probabilities"``: float32
    (n_tokens, n_labels), rows sum to 1. Probabilities are computed when they are first asked for:
    the best label needs none.

    scores: float32 (n_tokens, n_labels) for each document; normalized: whether its rows are
    probabilities already. Ties go to the label that comes first.

    >>> scores = TokenScores([np.array([[0.0, 2.0]], dtype="float32")], n_labels=2, normalized=False)
    >>> scores["label_ids"][0].tolist(), [f"{p:.2f}" for p in scores["probabilities"][0][0]]
    ([1], ['0.12', '0.88'])
    """

    def __init__(self, scores: Sequence[Any], *, n_labels: int, normalized: bool) -> None:
        self._lengths = [len(rows) for rows in scores]
        if any(self._lengths):
            self._block = join_rows(scores)
        else:
            self._block = np.zeros((0, n_labels), dtype=np.float32)
        self._probabilities = self._block if normalized else None
        self._best: npt.NDArray[np.int32] | None = None

    def __getitem__(self, key: str) -> list[Any]:
        if key == "label_ids":
            return split_rows(self.best_labels, self._lengths)
        if key == "probabilities":
            return split_rows(self.probabilities, self._lengths)
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(("probabilities", "label_ids"))

    def __len__(self) -> int:
        return 2

    @property
    def best_labels(self) -> npt.NDArray[np.int32]:
        """The index of the best label of each token: int32 (n_tokens of the batch,)."""
        if self._best is None:
            if self._block.shape[1]:
                self._best = kernels.argmax(self._block).astype(np.int32)
            else:
                self._best = np.full(len(self._block), -1, dtype=np.int32)
        return self._best

    @property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """float32 (n_tokens of the batch, n_labels), rows sum to 1."""
        if self._probabilities is None:
            self._probabilities = kernels.softmax(self._block)
        return self._probabilities
