"""The temperature and the thresholds of an entity recognizer, found on annotated examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ferrule.pipeline.entity_batch import EntityBatch
from ferrule.pipeline.entity_scores import EntityColumns, gold_entities, probabilities_of
from ferrule.scorer.calibration import (
    CalibrationReport,
    best_temperature,
    best_threshold,
    expected_calibration_error,
    log_loss,
)

__all__ = ["Judged", "fit_temperature", "fit_thresholds", "judge"]

Floats = npt.NDArray[np.float64]

DOCS_A_BATCH = 128


class Judged(NamedTuple):
    """Found entities of a batch and whether each is right; what their probabilities are worked out from.

    correct: bool (n_entities,). labels: their names. n_gold: gold entities of each label.
    """

    network: Any
    batch: EntityBatch
    entities: EntityColumns
    correct: npt.NDArray[np.bool_]
    labels: list[str]
    n_gold: dict[str, int]

    def probabilities(self, temperature: float) -> Floats:
        """Of the entities, float64 (n_entities,)."""
        return probabilities_of(self.entities, self.network, self.batch, temperature=temperature)


def judge(pipe: Any, examples: list[Any]) -> list[Judged]:
    """What `pipe` finds in the predicted documents of `examples`, thresholds aside, held against gold."""
    return list(_judged(pipe, examples))


def _judged(pipe: Any, examples: list[Any]) -> Iterator[Judged]:
    for start in range(0, len(examples), DOCS_A_BATCH):
        some = examples[start : start + DOCS_A_BATCH]
        steps, batch, entities = pipe._analyse([example.predicted for example in some])
        if batch is None:
            continue
        gold = [gold_entities(example) for example in some]
        names = list(batch.index)
        labels = [names[label] if label < len(names) else "" for label in entities[3].tolist()]
        rows = zip(*(column.tolist() for column in entities[:3]), labels, strict=True)
        correct = [(first, end, label) in gold[doc] for doc, first, end, label in rows]
        n_gold: dict[str, int] = {}
        for _, _, label in (entity for of_doc in gold for entity in of_doc):
            n_gold[label] = n_gold.get(label, 0) + 1
        yield Judged(steps.network, batch, entities, np.array(correct, dtype=np.bool_), labels, n_gold)


def fit_temperature(judged: list[Judged], *, before: float) -> CalibrationReport:
    """The temperature whose probabilities have the lowest log loss; `before` where all or none are right."""
    if not judged:
        return CalibrationReport(before, 0.0, 0.0, 0)
    correct = np.concatenate([each.correct for each in judged])

    def probabilities(temperature: float) -> Floats:
        return np.concatenate([each.probabilities(temperature) for each in judged])

    error_before = expected_calibration_error(probabilities(before), correct)
    if correct.all() or not correct.any():
        # Nothing to tell sure from unsure by: every temperature would be better than the last.
        return CalibrationReport(before, error_before, error_before, 0)
    temperature = best_temperature(lambda each: log_loss(probabilities(each), correct))
    error_after = expected_calibration_error(probabilities(temperature), correct)
    return CalibrationReport(temperature, error_before, error_after, len(correct))


def fit_thresholds(
    judged: list[Judged],
    *,
    temperature: float,
    beta: float,
    min_precision: float | None,
    labels: tuple[str, ...] | None,
) -> dict[str, float]:
    """The best threshold of each of `labels`, or, with None, the one of all together under ``""``."""
    groups = labels if labels is not None else ("",)
    found: dict[str, float] = {}
    probabilities = np.concatenate([np.zeros(0), *(each.probabilities(temperature) for each in judged)])
    correct = np.concatenate([np.zeros(0, dtype=np.bool_), *(each.correct for each in judged)])
    names = np.array([label for each in judged for label in each.labels], dtype=object)
    for group in groups:
        chosen = names == group if labels is not None else np.ones(len(names), dtype=np.bool_)
        n_gold = sum(
            number
            for each in judged
            for label, number in each.n_gold.items()
            if labels is None or label == group
        )
        found[group] = best_threshold(
            probabilities[chosen], correct[chosen], n_gold, beta=beta, min_precision=min_precision
        )
    return found
