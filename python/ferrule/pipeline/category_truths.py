"""What is true of the categories of examples, and how much each truth counts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ferrule import _core
from ferrule.errors import LabelError
from ferrule.ml.category_loss import LOSSES

__all__ = [
    "EXAMPLE_WEIGHT",
    "LEARNING_SETTINGS",
    "check_settings",
    "document_weights",
    "gold_categories",
    "weights_of_classes",
]

Floats = npt.NDArray[np.float32]

LEARNING_SETTINGS: dict[str, Any] = {
    "loss": "squared_error",
    "label_smoothing": 0.0,
    "class_weights": {},
    "ngram_dropout": 0.0,
}
"""Settings of text classifiers that spaCy's factories do not know, with the values that make it spaCy's."""

EXAMPLE_WEIGHT = "example_weight"
"""The key in ``example.reference.user_data`` that says how much an example counts; 1 where it is missing."""


def gold_categories(
    examples: Sequence[Any], labels: Sequence[str], *, exclusive: bool, owner: str
) -> tuple[Floats, Floats]:
    """Return float32 (n_docs, n_labels) of gold values, and of 1 where they are known, else 0.

    exclusive: a category that an example does not mention is false; otherwise it is unknown. Raises
    LabelError, naming `owner`, when an example has a category that is not among `labels`.
    """
    cats = [example.reference.cats for example in examples]
    try:
        values: tuple[Floats, Floats] = _core.category_values(cats, list(labels), float(exclusive))
    except KeyError as error:
        (label,) = error.args
        raise LabelError(
            f"{owner}: the gold category {label!r} is not among the {len(labels)} labels. Call "
            f"add_label({label!r}), or initialize with examples or labels that include it."
        ) from None
    return values


def weights_of_classes(
    truths: Floats, labels: Sequence[str], class_weights: Mapping[str, float], *, exclusive: bool, owner: str
) -> Floats:
    """Return how much each truth counts, float32, by the shape (n_docs, 1) or (1, n_labels).

    exclusive: a document counts as its true category does; otherwise each category counts by itself.
    Raises LabelError, naming `owner`, for a weight of something that is not among `labels`.
    """
    unknown = sorted(set(class_weights) - set(labels))
    if unknown:
        raise LabelError(
            f"{owner}: class_weights has {unknown[0]!r}, which is not among the labels {', '.join(labels)}."
        )
    of_labels = np.array([class_weights.get(label, 1.0) for label in labels], dtype=np.float32)
    if not exclusive:
        return of_labels[None, :]
    of_docs = np.where(truths.any(axis=1), of_labels[truths.argmax(axis=1)], np.float32(1.0))
    return np.asarray(of_docs, dtype=np.float32)[:, None]


def document_weights(examples: Sequence[Any], *, owner: str) -> Floats:
    """Return how much each example counts, float32 (n_docs, 1); see `EXAMPLE_WEIGHT`.

    Raises ValueError, naming `owner`, for a weight that is no finite number of 0 or more.
    """
    weights = []
    for example in examples:
        data = example.reference.user_data
        weight = data.get(EXAMPLE_WEIGHT, 1.0) if data else 1.0
        if not isinstance(weight, int | float) or not 0.0 <= weight < math.inf:
            raise ValueError(
                f"{owner}: reference.user_data[{EXAMPLE_WEIGHT!r}] of an example is {weight!r}; expected a "
                f"finite number of 0 or more."
            )
        weights.append(weight)
    return np.array(weights, dtype=np.float32)[:, None]


def check_settings(settings: Mapping[str, Any], owner: str) -> None:
    """Raise ValueError, naming `owner`, unless `settings` (see `LEARNING_SETTINGS`) make sense."""
    if settings["loss"] not in LOSSES:
        raise ValueError(
            f"{owner}: loss must be one of {', '.join(map(repr, LOSSES))}, found {settings['loss']!r}."
        )
    for name in ("label_smoothing", "ngram_dropout"):
        if not 0.0 <= settings[name] < 1.0:
            raise ValueError(f"{owner}: {name} must be at least 0 and below 1, found {settings[name]!r}.")
    for label, weight in settings["class_weights"].items():
        if not 0.0 <= weight < math.inf:
            raise ValueError(
                f"{owner}: class_weights[{label!r}] must be a finite number of 0 or more, found {weight!r}."
            )
