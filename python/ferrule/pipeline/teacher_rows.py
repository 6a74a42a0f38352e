"""What a teacher says of a batch as plain arrays, which can be kept, moved and made by anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ferrule.errors import LabelError

__all__ = ["TeacherRows", "TeachesRows"]


@dataclass(frozen=True)
class TeacherRows:
    """Scores of a batch: a column a label, and a block of rows a document.

    labels: what the columns stand for. rows: float32 (n_rows, n_labels) for each document. For `tagger` a row
    a token, of probabilities; for `textcat` one row, of probabilities; for `ner` a row a token with a score
    of each action (``"B-PER"``, …, ``"O"``), in the state in which the teacher comes to that token.
    """

    labels: tuple[str, ...]
    rows: list[npt.NDArray[np.float32]]

    def columns_of(self, labels: Sequence[str], owner: str) -> list[int]:
        """Where each of `labels` has its column.

        Raises LabelError, naming `owner`, unless both have the same labels, in whatever order.
        """
        here = {label: column for column, label in enumerate(self.labels)}
        missing, extra = sorted(set(labels) - set(here)), sorted(set(here) - set(labels))
        if missing or extra:
            raise LabelError(
                f"{owner}: teacher and student must have the same labels; only the teacher has {extra}, only "
                f"the student has {missing}. Initialize the student with the teacher's labels."
            )
        return [here[label] for label in labels]


@runtime_checkable
class TeachesRows(Protocol):
    """What `TrainablePipe.distill` takes for a teacher besides a component: anything with this method."""

    def teacher_rows(self, docs: Iterable[Any]) -> TeacherRows:
        """The scores of `docs`, which stay as they are."""
        ...
