"""The probability of each entity that was found: where it comes from, where it is kept, what it decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import srsly

from ferrule import _core
from ferrule.errors import LabelError
from ferrule.pipeline.entity_batch import EntityBatch
from ferrule.scorer.calibration import shifted

__all__ = [
    "OTHER_LABELS",
    "Calibration",
    "EntityColumns",
    "all_probabilities",
    "as_saved",
    "check_threshold",
    "checked_thresholds",
    "chosen_entities",
    "gold_entities",
    "is_among",
    "per_document",
    "probabilities_of",
    "scored_spans",
    "scores_in",
    "write_scores",
]

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
UInt32s = npt.NDArray[np.uint32]
EntityColumns = tuple[UInt32s, UInt32s, UInt32s, UInt32s]

# Ways less probable than this are not followed.
FLOOR = 1e-4


# In offsets: any label that has none of its own.
OTHER_LABELS = ""


class Calibration(NamedTuple):
    """What makes the network's probabilities come true.

    temperature: what scores are divided by. offsets: of each label, what is added to the logarithm of the
    odds of an entity then; `OTHER_LABELS` for those that are not named. unless_found: what is added besides
    where the analysis does not have the entity.
    """

    temperature: float = 1.0
    offsets: Mapping[str, float] = {}
    unless_found: float = 0.0

    def of_labels(self, batch: EntityBatch) -> Floats:
        """The offset of each of the batch's labels, float64."""
        names = [*batch.index, *[OTHER_LABELS] * (len(batch.label_ids) - len(batch.index))]
        other = self.offsets.get(OTHER_LABELS, 0.0)
        return np.array([self.offsets.get(name, other) for name in names], dtype=np.float64)


def all_probabilities(
    analysis: EntityColumns,
    network: Any,
    batch: EntityBatch,
    calibration: Calibration,
    *,
    floor: float = FLOOR,
) -> tuple[EntityColumns, Floats]:
    """Every entity the batch may have, as columns, and its probability over all analyses, above `floor`.

    analysis: the entities of the best one.
    """
    of_labels = calibration.of_labels(batch)
    highest = max(0.0, of_labels.max(initial=0.0) + max(0.0, calibration.unless_found))
    # What the offsets may lift above the floor must be found too.
    lowest = min(floor, max(FLOOR, float(shifted(floor, -highest))))
    columns, probabilities = _core.entity_probabilities(network, batch.core, calibration.temperature, lowest)
    if calibration.offsets or calibration.unless_found:
        offsets = of_labels[columns[3]]
        offsets += np.where(is_among(columns, analysis), 0.0, calibration.unless_found)
        # What was set beforehand is no prediction.
        probabilities = shifted(probabilities, np.where(_is_set(columns, batch), 0.0, offsets))
        stays = probabilities >= floor
        docs, starts, ends, labels = (column[stays] for column in columns)
        columns, probabilities = (docs, starts, ends, labels), probabilities[stays]
    return columns, probabilities


def is_among(entities: EntityColumns, others: EntityColumns) -> Booleans:
    """Whether each of `entities` is one of `others`."""
    known = set(_rows(others))
    return np.array([row in known for row in _rows(entities)], dtype=np.bool_)


def _is_set(columns: EntityColumns, batch: EntityBatch) -> Booleans:
    """Whether an entity that is set already begins where each of the entities does."""
    firsts = np.cumsum([0, *batch.lengths])[:-1]
    is_set: Booleans = batch.is_set[firsts[columns[0]] + columns[1]]
    return is_set


def probabilities_of(
    entities: EntityColumns, network: Any, batch: EntityBatch, calibration: Calibration
) -> Floats:
    """The probability of each of the analysis's `entities`, float64 (n_entities,); 0 below `FLOOR`."""
    columns, probabilities = all_probabilities(entities, network, batch, calibration)
    known = dict(zip(_rows(columns), probabilities.tolist(), strict=True))
    return np.array([known.get(row, 0.0) for row in _rows(entities)], dtype=np.float64)


def chosen_entities(
    analysis: EntityColumns,
    network: Any,
    batch: EntityBatch,
    calibration: Calibration,
    *,
    threshold: float,
    thresholds: Mapping[str, float],
) -> tuple[EntityColumns, Floats]:
    """The entities, in order, that the thresholds choose, and their probabilities.

    Of a label that has a threshold above 0, all that are as probable, whether in the `analysis` or not; of
    the others those of the analysis. Of several that overlap the most probable stays; what was set already
    stays in any case.
    """
    of_label = np.full(len(batch.label_ids), threshold)
    for label, value in thresholds.items():
        if label in batch.index:
            of_label[batch.index[label]] = value
    columns, probabilities = all_probabilities(analysis, network, batch, calibration)
    is_found = is_among(columns, analysis)
    is_set = is_found & _is_set(columns, batch)
    limits = of_label[columns[3]]
    may_stay = is_set | np.where(limits > 0.0, probabilities >= limits, is_found)
    # Behind what was set, the most probable first.
    order = np.lexsort((-probabilities, ~is_set))
    firsts = np.cumsum([0, *batch.lengths])
    taken = np.zeros(firsts[-1], dtype=np.bool_)
    chosen = []
    for index in order[may_stay[order]].tolist():
        doc, start, end = (int(column[index]) for column in columns[:3])
        tokens = slice(firsts[doc] + start, firsts[doc] + end)
        if not taken[tokens].any():
            taken[tokens] = True
            chosen.append(index)
    chosen.sort(key=lambda index: (columns[0][index], columns[1][index]))
    docs, starts, ends, labels = (column[chosen] for column in columns)
    return (docs, starts, ends, labels), probabilities[chosen]


def per_document(docs: UInt32s, values: Iterable[Any], n_docs: int) -> list[list[Any]]:
    """`values` as a list for each document; `docs` says whose each is."""
    lists: list[list[Any]] = [[] for _ in range(n_docs)]
    for doc, value in zip(docs.tolist(), values, strict=True):
        lists[doc].append(value)
    return lists


def write_scores(
    docs: Sequence[Any], entities: EntityColumns, probabilities: Floats, label_ids: Any, key: str
) -> None:
    """Set ``doc.spans[key]`` to the entities, with their probabilities in its ``attrs["scores"]``."""
    rows = zip(entities[1].tolist(), entities[2].tolist(), label_ids[entities[3]].tolist(), strict=True)
    scores = per_document(entities[0], probabilities.tolist(), len(docs))
    for doc, spans, own in zip(docs, per_document(entities[0], rows, len(docs)), scores, strict=True):
        group = []
        for start, end, label in spans:
            span = doc[start:end]
            span.label = label
            group.append(span)
        doc.spans[key] = group
        doc.spans[key].attrs["scores"] = own


def scored_spans(doc: Any, key: str) -> list[tuple[tuple[int, int, str], float]]:
    """First token, behind the last, label, and probability of each entity that `write_scores` kept."""
    if key not in doc.spans:
        return []
    group = doc.spans[key]
    scores = group.attrs.get("scores", [])
    return [
        ((span.start, span.end, span.label_), float(score))
        for span, score in zip(group, scores, strict=False)
    ]


def scores_in(examples: Iterable[Any], key: str) -> tuple[list[float], list[bool]]:
    """The probabilities kept in the predictions of `examples`, and whether each entity is a gold one."""
    probabilities, correct = [], []
    for example in examples:
        gold = gold_entities(example)
        for entity, score in scored_spans(example.predicted, key):
            probabilities.append(score)
            correct.append(entity in gold)
    return probabilities, correct


def gold_entities(example: Any) -> set[tuple[int, int, str]]:
    """First token, behind the last, and label of the gold entities, in tokens of the prediction."""
    spans = example.get_aligned_ents_and_ner()[0]
    return {(span.start, span.end, span.label_) for span in spans}


def checked_thresholds(
    thresholds: Mapping[str, float], labels: Sequence[str], owner: str
) -> dict[str, float]:
    """A copy; LabelError for a label that is not among `labels`, ValueError for numbers outside of 0 to 1."""
    unknown = sorted(set(thresholds) - set(labels))
    if unknown:
        raise LabelError(
            f"{owner}: thresholds for the labels {unknown}, which the component does not have "
            f"({', '.join(labels) or 'none'})"
        )
    for label, value in thresholds.items():
        check_threshold(value, f"{owner}: the threshold of {label!r}")
    return {label: as_saved(value) for label, value in thresholds.items()}


def check_threshold(value: float, what: str) -> float:
    """`value`, if it is a number from 0 to 1; ValueError, naming `what`, if not."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
        raise ValueError(f"{what} must be a number from 0 to 1, found {value!r}")
    return as_saved(value)


def as_saved(value: float) -> float:
    """The number that a component's saved settings give back for `value`: JSON there has ten decimals.

    Settings that decide are made such numbers at once, so that a component loaded elsewhere decides the same.
    """
    return float(srsly.json_loads(srsly.json_dumps(float(value))))


def _rows(columns: EntityColumns) -> list[tuple[int, ...]]:
    return list(zip(*(column.tolist() for column in columns), strict=True))
