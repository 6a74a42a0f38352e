"""What of the references cannot be learned from, because the tokens do not fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ferrule.errors import AlignmentError

__all__ = ["MisalignmentReport", "report_misalignment"]


@dataclass
class MisalignmentReport:
    """Counts over a stream of examples; the lists name the first `limit` cases.

    `n_tokens`: tokens of the predictions; `n_tokens_without_one`: those without a single counterpart.
    `ents`: `(example number, text, label)` of entities whose ends are not tokens' ends in the prediction.
    `texts`: `(example number, message)` of examples whose two texts differ.
    """

    n_examples: int = 0
    n_tokens: int = 0
    n_tokens_without_one: int = 0
    n_ents: int = 0
    n_ents_lost: int = 0
    n_texts_different: int = 0
    ents: list[tuple[int, str, str]] = field(default_factory=list)
    texts: list[tuple[int, str]] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [
            f"{self.n_tokens_without_one} of {self.n_tokens} tokens have no single counterpart",
            f"{self.n_ents_lost} of {self.n_ents} entities do not fit the tokens",
            f"{self.n_texts_different} of {self.n_examples} examples have two different texts",
        ]
        lines += [f"  example {number}: {label} {text!r}" for number, text, label in self.ents]
        lines += [f"  example {number}: {message}" for number, message in self.texts]
        return "\n".join(lines)


def report_misalignment(examples: Iterable[Any], *, limit: int = 10) -> MisalignmentReport:
    """What could not be aligned in `examples`, read once; nothing is raised for it."""
    report = MisalignmentReport()
    for number, example in enumerate(examples):
        report.n_examples += 1
        report.n_tokens += len(example.predicted)
        try:
            lengths = example.alignment.x2y.lengths
        except AlignmentError as error:
            report.n_texts_different += 1
            report.texts += [(number, str(error))][: limit - len(report.texts)]
            continue
        report.n_tokens_without_one += int((lengths != 1).sum())
        for ent in example.reference.ents:
            report.n_ents += 1
            if not example.get_aligned_spans_y2x([ent]):
                report.n_ents_lost += 1
                report.ents += [(number, ent.text, ent.label_)][: limit - len(report.ents)]
    return report
