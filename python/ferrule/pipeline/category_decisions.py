"""From probabilities of categories to decisions: calibration, a threshold for each label, and abstaining."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ferrule._typing import Scores
from ferrule.errors import NotInitializedError
from ferrule.ml.calibration import fit_temperature, fit_threshold, rescaled
from ferrule.pipeline import examples as check
from ferrule.pipeline.category_truths import gold_categories
from ferrule.scorer.calibration import expected_calibration_error

__all__ = ["CategoryDecisions"]

Floats = npt.NDArray[np.float32]

FITTED = {"temperature", "calibration", "thresholds", "abstain_below"}
"""The settings that are fitted, not given."""

N_BINS = 15
"""Bins of equal width in the calibration error of categories, as usual for classifiers (Guo et al. 2017)."""

# JSON files have ten, and not always the last of them.
DIGITS = 6


class CategoryDecisions:
    """The part of a text classifier that decides.

    All of it is kept in ``cfg``, so it is saved with the component: ``"temperature"``, ``"calibration"``
    (what `calibrate` found), ``"thresholds"`` by label and ``"abstain_below"``.
    """

    cfg: dict[str, Any]
    labels: tuple[str, ...]
    _missing_is_unknown: bool

    def calibrate(self, examples: Iterable[Any]) -> dict[str, float]:
        """Fit the temperature on examples that were not trained on, and keep it; `predict` uses it from now
        on.

        Of each example, `predicted` is read as it comes to the component, and the categories of `reference`.
        Returns, and keeps in ``cfg["calibration"]``: ``"temperature"``, the expected calibration error, in 15
        bins of equal width, ``"ece_before"`` and ``"ece_after"``, and ``"n_docs"``. Which category is highest
        does not change.

        Raises ValueError without examples.
        """
        probs, truths, known = self._held_out(examples, "calibrate", temperature=1.0)
        exclusive = not self._missing_is_unknown
        temperature = fit_temperature(probs, truths, known, exclusive=exclusive)
        after = rescaled(probs, temperature, exclusive=exclusive)
        found = {
            "temperature": temperature,
            "ece_before": self._calibration_error(probs, truths, known),
            "ece_after": self._calibration_error(after, truths, known),
            "n_docs": float(len(probs)),
        }
        self._keep({"temperature": temperature, "calibration": found})
        return dict(self.cfg["calibration"])

    def fit_thresholds(
        self, examples: Iterable[Any], *, precision: float | None = None, beta: float = 1.0
    ) -> dict[str, float]:
        """Choose a threshold for each label on examples that were not trained on; returns and keeps them.

        With `precision`, the lowest from which on at least this share of a label's decisions is right, so
        that as many documents as possible are decided; a label that never gets there is never chosen.
        Otherwise the one with the best F-beta: `beta` above 1 for recall, below 1 for precision. Labels
        that the examples say nothing about keep their threshold. Calibrate first: thresholds are for
        probabilities as they are then.

        Raises ValueError without examples, or for numbers out of range.
        """
        if precision is not None:
            check.is_share(precision, "precision", owner=self._owner_of("fit_thresholds"))
        if not beta > 0.0:
            raise ValueError(f"{self._owner_of('fit_thresholds')}: beta must be above 0, found {beta!r}")
        probs, truths, known = self._held_out(examples, "fit_thresholds", temperature=self._temperature())
        best = probs.argmax(axis=1) if len(self.labels) else None
        thresholds = dict(self.cfg.get("thresholds", {}))
        for index, label in enumerate(self.labels):
            true = truths[:, index] > 0.5
            could = known[:, index] > 0
            if not self._missing_is_unknown:
                could = could & (best == index)
            found = fit_threshold(
                probs[could, index], true[could], n_true=int(true.sum()), precision=precision, beta=beta
            )
            if found is not None:
                thresholds[label] = found
        self._keep({"thresholds": thresholds})
        return dict(self.cfg["thresholds"])

    @property
    def abstain_below(self) -> float:
        """The probability below which no category is chosen, whatever its own threshold; 0 at first."""
        return float(self.cfg.get("abstain_below", 0.0))

    @abstain_below.setter
    def abstain_below(self, probability: float) -> None:
        check.is_share(probability, "abstain_below", owner=self._owner_of("abstain_below"))
        self._keep({"abstain_below": float(probability)})

    def threshold_of(self, label: str) -> float:
        """The probability from which on `label` is chosen."""
        usual = float(self.cfg.get("threshold") or 0.0) if self._missing_is_unknown else 0.0
        return max(float(self.cfg.get("thresholds", {}).get(label, usual)), self.abstain_below)

    def decide(self, doc: Any) -> tuple[str, ...]:
        """The categories that hold for `doc`, by its ``cats`` and the thresholds, the most probable first.

        Of exclusive categories at most one; none at all where the component abstains.
        """
        cats = doc.cats
        scored = sorted(
            ((cats[label], label) for label in self.labels if label in cats), key=lambda pair: -pair[0]
        )
        if not self._missing_is_unknown:
            scored = scored[:1]
        return tuple(label for score, label in scored if score > 0.0 and score >= self.threshold_of(label))

    def decision_scores(self, examples: Sequence[Any]) -> Scores:
        """How good the decisions for ``example.predicted`` are; nothing where nothing was fitted.

        ``cats_ece``: the expected calibration error, in 15 bins of equal width. ``cats_coverage``: share of
        documents with a decision.
        ``cats_decided_p``, ``_r``, ``_f``: of decisions that are right, of true categories that were
        decided for, and both. ``cats_decided_per_type``: the same and the threshold for each label.
        """
        if not FITTED & set(self.cfg) or not any(example.reference.cats for example in examples):
            return {}
        truths, known = self._gold(examples)
        probs = np.array(
            [[example.predicted.cats.get(label, 0.0) for label in self.labels] for example in examples],
            dtype=np.float32,
        )
        decided = np.zeros_like(truths)
        index = {label: position for position, label in enumerate(self.labels)}
        for row, example in enumerate(examples):
            for label in self.decide(example.predicted):
                decided[row, index[label]] = 1.0
        right = (decided * truths * known).sum(axis=0)
        taken, true = (decided * known).sum(axis=0), (truths * known).sum(axis=0)
        totals = _precision_recall(right.sum(), taken.sum(), true.sum())
        return {
            "cats_ece": self._calibration_error(probs, truths, known),
            "cats_coverage": float(decided.any(axis=1).mean()),
            **{f"cats_decided_{name}": value for name, value in totals.items()},
            "cats_decided_per_type": {
                label: {
                    **_precision_recall(right[at], taken[at], true[at]),
                    "threshold": self.threshold_of(label),
                }
                for at, label in enumerate(self.labels)
            },
        }

    def _keep(self, settings: Mapping[str, Any]) -> None:
        """Put what was fitted, or loaded, into ``cfg``, so rounded that saving and loading changes
        nothing."""
        for name in FITTED & settings.keys():
            value = settings[name]
            is_table = isinstance(value, Mapping)
            self.cfg[name] = (
                {key: round(number, DIGITS) for key, number in value.items()}
                if is_table
                else round(value, DIGITS)
            )

    def _temperature(self) -> float:
        return float(self.cfg.get("temperature", 1.0))

    def _calibrated(self, probabilities: Floats) -> Floats:
        return rescaled(probabilities, self._temperature(), exclusive=not self._missing_is_unknown)

    def _held_out(
        self, examples: Iterable[Any], method: str, *, temperature: float
    ) -> tuple[Floats, Floats, Floats]:
        """Probabilities at `temperature`, truths and what is known, of the documents that have tokens."""
        owner = self._owner_of(method)
        listed = [example for example in check.all_examples(examples, owner=owner) if len(example.predicted)]
        if not listed:
            raise ValueError(f"{owner}: needs examples with tokens, found none")
        if not self.labels:
            raise NotInitializedError(f"{owner}: there are no labels yet; initialize and train first")
        docs = [example.predicted for example in listed]
        probs = self._probabilities(self.model, docs)  # type: ignore[attr-defined]
        truths, known = self._gold(listed)
        return rescaled(probs, temperature, exclusive=not self._missing_is_unknown), truths, known

    def _gold(self, examples: Sequence[Any]) -> tuple[Floats, Floats]:
        exclusive = not self._missing_is_unknown
        truths, known = gold_categories(
            examples, self.labels, exclusive=exclusive, owner=self._owner_of("gold categories")
        )
        if exclusive:
            # A document without a true category says nothing about exclusive ones.
            known = known * truths.any(axis=1, keepdims=True)
        return truths, known

    def _calibration_error(self, probs: Floats, truths: Floats, known: Floats) -> float:
        if self._missing_is_unknown:
            cells = known > 0
            confidence = np.maximum(probs, 1.0 - probs)[cells]
            right = ((probs >= 0.5) == (truths > 0.5))[cells]
            return expected_calibration_error(confidence, right, n_bins=N_BINS)
        rows = known.any(axis=1)
        right = truths[rows].argmax(axis=1) == probs[rows].argmax(axis=1)
        return expected_calibration_error(probs[rows].max(axis=1, initial=0.0), right, n_bins=N_BINS)

    def _owner_of(self, method: str) -> str:
        return f"{type(self).__name__}.{method}"


def _precision_recall(right: float, taken: float, true: float) -> dict[str, float]:
    precision = float(right / taken) if taken else 0.0
    recall = float(right / true) if true else 0.0
    total = precision + recall
    return {"p": precision, "r": recall, "f": 2 * precision * recall / total if total else 0.0}
