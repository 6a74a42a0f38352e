"""The calibration and the thresholds of an entity recognizer, found on annotated examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ferrule.pipeline.entity_batch import EntityBatch
from ferrule.pipeline.entity_scores import (
    OTHER_LABELS,
    Calibration,
    EntityColumns,
    all_probabilities,
    as_saved,
    gold_entities,
    is_among,
    probabilities_of,
)
from ferrule.scorer.calibration import (
    CalibrationReport,
    best_offsets,
    best_temperature,
    best_threshold,
    calibration_error_by_chance,
    expected_calibration_error,
    log_loss,
    shifted,
)

__all__ = ["Judged", "fit_calibration", "fit_thresholds", "judge"]

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

DOCS_A_BATCH = 128
# Entities that were not found are mostly hardly possible ones: those would hide whether the others come true.
LEAST_MISSED = 0.03


class Judged(NamedTuple):
    """Found entities of a batch and whether each is right; what their probabilities are worked out from.

    correct: bool (n_entities,). labels: name of each. gold: of each document.
    """

    network: Any
    batch: EntityBatch
    entities: EntityColumns
    correct: Booleans
    labels: list[str]
    gold: list[set[tuple[int, int, str]]]

    def probabilities(self, calibration: Calibration) -> Floats:
        """Of the entities, float64 (n_entities,)."""
        return probabilities_of(self.entities, self.network, self.batch, calibration)

    def candidates(self, calibration: Calibration) -> tuple[Floats, Booleans, list[str]]:
        """Probability of every entity that may be there, whether it is a gold one, and its label."""
        entities, probabilities = all_probabilities(self.entities, self.network, self.batch, calibration)
        return probabilities, *_held_against(self.gold, entities, self.batch)

    def missed(self, calibration: Calibration) -> tuple[Floats, Booleans]:
        """Of entities that were not found: probability, and whether each is gold.

        Those that have at least `LEAST_MISSED` by the temperature alone.
        """
        entities, probabilities = all_probabilities(
            self.entities,
            self.network,
            self.batch,
            Calibration(calibration.temperature),
            floor=LEAST_MISSED,
        )
        is_missed = ~is_among(entities, self.entities)
        probabilities = shifted(probabilities, calibration.of_labels(self.batch)[entities[3]])
        return probabilities[is_missed], _held_against(self.gold, entities, self.batch)[0][is_missed]


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
        yield Judged(steps.network, batch, entities, *_held_against(gold, entities, batch), gold)


def _held_against(
    gold: list[set[tuple[int, int, str]]], entities: EntityColumns, batch: EntityBatch
) -> tuple[Booleans, list[str]]:
    """Whether each of `entities` is a gold one, and its label."""
    names = list(batch.index)
    labels = [names[label] if label < len(names) else "" for label in entities[3].tolist()]
    rows = zip(*(column.tolist() for column in entities[:3]), labels, strict=True)
    correct = [(first, end, label) in gold[doc] for doc, first, end, label in rows]
    return np.array(correct, dtype=np.bool_), labels


def fit_calibration(
    judged: list[Judged], *, before: Calibration, per_label: bool
) -> tuple[Calibration, CalibrationReport]:
    """The calibration whose probabilities have the lowest log loss; `before` where all or none are right.

    per_label: offsets of labels belong to it, drawn towards that of all labels (`best_offsets`), and the one
    of entities that were not found.
    """
    if not judged:
        return before, CalibrationReport(before.temperature, 0.0, 0.0, 0)
    correct = np.concatenate([each.correct for each in judged])
    labels = [label for each in judged for label in each.labels]

    def probabilities(calibration: Calibration) -> Floats:
        return np.concatenate([each.probabilities(calibration) for each in judged])

    error_before = expected_calibration_error(probabilities(before), correct)
    if correct.all() or not correct.any():
        # Nothing to tell sure from unsure by: every temperature would be better than the last.
        by_chance = calibration_error_by_chance(probabilities(before))
        return before, CalibrationReport(before.temperature, error_before, error_before, 0, by_chance)
    known, which = np.unique([OTHER_LABELS, *labels], return_inverse=True)

    def offsets(probs: Floats) -> Floats:
        return best_offsets(probs, correct, which[1:], len(known)) if per_label else np.zeros(len(known))

    def loss(temperature: float) -> float:
        probs = probabilities(Calibration(temperature))
        return log_loss(shifted(probs, offsets(probs)[which[1:]]), correct)

    temperature = as_saved(best_temperature(loss))
    fitted = map(as_saved, offsets(probabilities(Calibration(temperature))).tolist())
    found = Calibration(temperature, dict(zip(known.tolist(), fitted, strict=True)) if per_label else {})
    if per_label:
        found = found._replace(unless_found=_offset_of_missed(judged, found))
    after = probabilities(found)
    error_after, by_chance = expected_calibration_error(after, correct), calibration_error_by_chance(after)
    return found, CalibrationReport(temperature, error_before, error_after, len(correct), by_chance)


def _offset_of_missed(judged: list[Judged], calibration: Calibration) -> float:
    missed = [each.missed(calibration) for each in judged]
    probabilities, correct = (np.concatenate(columns) for columns in zip(*missed, strict=True))
    only_group = np.zeros(len(correct), dtype=np.int64)
    return as_saved(float(best_offsets(probabilities, correct, only_group, 1)[0]))


def fit_thresholds(
    judged: list[Judged],
    *,
    calibration: Calibration,
    beta: float,
    min_precision: float | None,
    labels: tuple[str, ...] | None,
) -> dict[str, float]:
    """The best threshold of each of `labels`, or, with None, the one of all together under ``""``.

    Looks at every entity that may be there, found or not, as if no two overlapped.
    """
    candidates = [each.candidates(calibration) for each in judged]
    probabilities = np.concatenate([np.zeros(0), *(each[0] for each in candidates)])
    correct = np.concatenate([np.zeros(0, dtype=np.bool_), *(each[1] for each in candidates)])
    names = np.array([label for each in candidates for label in each[2]], dtype=object)
    found: dict[str, float] = {}
    for group in labels if labels is not None else ("",):
        chosen = names == group if labels is not None else np.ones(len(names), dtype=np.bool_)
        n_gold = sum(
            labels is None or label == group for each in judged for doc in each.gold for *_, label in doc
        )
        found[group] = best_threshold(
            probabilities[chosen], correct[chosen], n_gold, beta=beta, min_precision=min_precision
        )
    return found
