"""What an entity recognizer gives between `predict` and `set_annotations`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ferrule.ml.transition import TransitionSteps
from ferrule.pipeline.entity_batch import EntityBatch
from ferrule.pipeline.entity_scores import EntityColumns

__all__ = ["EntityPredictions", "steps_of", "taken_and_scored"]


class EntityPredictions(NamedTuple):
    """What `EntityRecognizer.predict` found in a batch.

    steps: the scorer of the batch's states. actions: kind and label of each of its outputs. batch: the
    documents as they were. Where no document has tokens, steps and batch are None. entities: document, first
    token, behind the last one and label of each entity, uint32; labels index ``batch.label_ids``.
    probabilities: of the entities, float64; None where nothing asks for them.
    """

    steps: TransitionSteps | None
    actions: list[tuple[int, str]]
    batch: EntityBatch | None
    entities: EntityColumns
    probabilities: npt.NDArray[np.float64] | None = None


def taken_and_scored(
    predicted: EntityPredictions,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """The action taken at each token of the batch, and the scores of all actions there."""
    if predicted.steps is None or predicted.batch is None:
        return np.zeros(0, np.int32), np.zeros((0, len(predicted.actions)), np.float32)
    taken, scores = predicted.steps.network.decode_with_scores(predicted.batch.core)
    return taken, scores


def steps_of(scores: Any) -> TransitionSteps | None:
    """What scores states: `scores` itself, where a model gave it, or a part of predictions."""
    steps: TransitionSteps | None = scores if isinstance(scores, TransitionSteps) else scores.steps
    return steps
