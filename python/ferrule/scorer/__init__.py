"""Scores of predictions against references; spaCy's names and numbers, and tables and intervals besides."""

from __future__ import annotations

from ferrule.scorer.bootstrap import Interval, bootstrap_counts, bootstrap_scores
from ferrule.scorer.counts import PRFScore
from ferrule.scorer.roc_auc import ROCAUCScore
from ferrule.scorer.scorer import Scorer
from ferrule.scorer.spans import get_ner_prf
from ferrule.scorer.tables import (
    ConfusionCounts,
    category_confusion_counts,
    confusion_counts,
    entity_confusion_counts,
)
from ferrule.scorer.tokens import MISSING_VALUES

__all__ = [
    "MISSING_VALUES",
    "ConfusionCounts",
    "Interval",
    "PRFScore",
    "ROCAUCScore",
    "Scorer",
    "bootstrap_counts",
    "bootstrap_scores",
    "category_confusion_counts",
    "confusion_counts",
    "entity_confusion_counts",
    "get_ner_prf",
]
