"""What a report shows, gathered from a run: plain values that JSON can hold."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

from ferrule.storage import write_whole
from ferrule.training.ranking import rank

if TYPE_CHECKING:
    from ferrule._typing import PathOrStr

__all__ = ["Confusion", "RunFigures", "confusion_of", "per_label_rows", "versions"]

MOST_LABELS = 30
"""Labels in a confusion matrix; the rarer ones are counted together."""


OWN_TABLES = {"entities": "ents_per_type", "categories": "cats_f_per_type"}
"""The score whose table says the same as that of a kind of label."""


class Confusion(TypedDict):
    """How often a gold label (row) was predicted as another (column): `counts[gold][predicted]`."""

    labels: list[str]
    counts: list[list[int]]


@dataclass
class RunFigures:
    """The figures of one run or one evaluation.

    `history` has one entry an evaluation: step, epoch, seconds, words, score, losses, scores. `labels` has
    for each score kept per label the rows `{"label", "p", "r", "f"}`; `data` counts of each corpus;
    `config` the config as text; `stopped` says who ended the run before its time, empty for nobody.
    """

    title: str
    pipeline: list[str]
    history: list[dict[str, Any]] = field(default_factory=list)
    scores: dict[str, float] = field(default_factory=dict)
    labels: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    confusion: dict[str, Confusion] = field(default_factory=dict)
    data: dict[str, dict[str, Any]] = field(default_factory=dict)
    config: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    stopped: str = ""

    @property
    def best(self) -> dict[str, Any] | None:
        """The entry of the history with the highest score, see `rank`; None without history."""
        return max(self.history, key=lambda entry: rank(entry["score"], entry["step"]), default=None)

    def set_scores(self, scores: dict[str, Any], labels: dict[str, list[dict[str, Any]]]) -> None:
        """Take over the scores of an evaluation: single figures, and a table for each one kept per label.

        labels: tables by kind, `breakdown`'s, which come first; a score's own table is left out where one of
        these has the same figures.
        """
        self.scores = {name: value for name, value in scores.items() if isinstance(value, (int, float))}
        own = {name: per_label_rows(value) for name, value in scores.items() if isinstance(value, dict)}
        covered = {name for kind, name in OWN_TABLES.items() if kind in labels}
        self.labels = {**labels, **{name: rows for name, rows in own.items() if rows and name not in covered}}

    def to_json(self, path: PathOrStr) -> None:
        """Write the figures as JSON."""
        text = json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False, default=float)
        write_whole(path, text + "\n")


def versions() -> dict[str, str]:
    """What this process runs on."""
    import platform
    from importlib.metadata import version

    from ferrule._core import __version__

    return {
        "ferrule": __version__,
        "thinc": version("thinc"),
        "numpy": version("numpy"),
        "Python": platform.python_version(),
        "": platform.platform(),
    }


def per_label_rows(by_label: dict[str, Any]) -> list[dict[str, Any]]:
    """`{"label": {"p", "r", "f"}}` as rows in the order of the labels; what has another shape is left out."""
    return [{"label": label, **row} for label, row in sorted(by_label.items()) if isinstance(row, dict)]


def confusion_of(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Confusion:
    """The confusion with the most frequent gold label first; the rarest beyond MOST_LABELS become "other".

    `counts[gold][predicted]` is as long as `labels` both ways.
    """
    order = sorted(range(len(labels)), key=lambda place: (-sum(counts[place]), labels[place]))
    names = [labels[place] or "(none)" for place in order]
    if len(names) > MOST_LABELS:
        names = [*names[: MOST_LABELS - 1], "other"]
    new_place = {place: min(rank, len(names) - 1) for rank, place in enumerate(order)}
    table = [[0] * len(names) for _ in names]
    for gold, row in enumerate(counts):
        for predicted, count in enumerate(row):
            table[new_place[gold]][new_place[predicted]] += int(count)
    return {"labels": names, "counts": table}
