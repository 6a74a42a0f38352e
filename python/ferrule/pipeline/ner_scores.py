"""How sure an entity recognizer is: of each entity, of whole analyses; calibration and thresholds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ferrule import _core
from ferrule._typing import Scores
from ferrule.pipeline import entity_calibration
from ferrule.pipeline import examples as check
from ferrule.pipeline.entity_scores import (
    FLOOR,
    Calibration,
    all_probabilities,
    check_threshold,
    checked_thresholds,
    per_document,
    scores_in,
)
from ferrule.scorer.calibration import (
    CalibrationReport,
    calibration_error_by_chance,
    expected_calibration_error,
)

if TYPE_CHECKING:
    from ferrule.ml.transition import TransitionSteps
    from ferrule.pipeline.entity_batch import EntityBatch
    from ferrule.pipeline.entity_scores import EntityColumns

__all__ = ["Analysis", "ScoredEntities", "ScoredEntity"]


class ScoredEntity(NamedTuple):
    """Tokens `start` to before `end`, a label, and the probability that they are an entity of that label."""

    start: int
    end: int
    label: str
    probability: float


class Analysis(NamedTuple):
    """A document's entities, (first token, behind the last, label), and the probability of just these."""

    entities: list[tuple[int, int, str]]
    probability: float


class ScoredEntities:
    """The part of `EntityRecognizer` that knows how sure it is.

    The network gives each action of a state a probability among those that are allowed there; that of an
    analysis is the product, that of an entity the sum over all analyses that have it, worked out exactly
    but for ways less probable than 0.0001. Scores are divided by `temperature` first, and the odds of an
    entity multiplied by what its label has in `odds`, and where it is not found by `odds_unless_found`;
    `calibrate` finds them. All settings are kept in `cfg`
    and saved with the component.

    Without thresholds the entities are those of one analysis, each of its actions the best one. Of a label
    that has a threshold, they are all that reach it, the most probable of those that overlap: a high one
    drops entities that the analysis has, a low one adds some that it has not.
    """

    cfg: dict[str, Any]
    vocab: Any
    if TYPE_CHECKING:
        save_activations: bool

        @property
        def labels(self) -> tuple[str, ...]: ...
        def _analyse(
            self, docs: list[Any]
        ) -> tuple[TransitionSteps | None, EntityBatch | None, EntityColumns]: ...
        def _label(self, action: str = "") -> str: ...

    @property
    def temperature(self) -> float:
        """What scores are divided by before they become probabilities; 1 until `calibrate` was called."""
        return float(self.cfg.get("temperature", 1.0))

    @property
    def odds(self) -> dict[str, float]:
        """What the odds of an entity of each label are multiplied by; ``""`` for labels not named here.

        Empty until `calibrate` was called.
        """
        return {label: math.exp(offset) for label, offset in self._calibration.offsets.items()}

    @property
    def odds_unless_found(self) -> float:
        """What the odds of entities that the best analysis does not have are multiplied by besides."""
        return math.exp(self._calibration.unless_found)

    @property
    def _calibration(self) -> Calibration:
        return Calibration(
            self.temperature, self.cfg.get("offsets", {}), self.cfg.get("offset_unless_found", 0.0)
        )

    @property
    def threshold(self) -> float:
        """The threshold of all labels that have none of their own; 0 leaves it to the analysis."""
        return float(self.cfg.get("threshold", 0.0))

    @threshold.setter
    def threshold(self, threshold: float) -> None:
        self.cfg["threshold"] = check_threshold(threshold, f"{self._label()}: the threshold")

    @property
    def thresholds(self) -> dict[str, float]:
        """The thresholds of single labels. Set a mapping; LabelError for an unknown label."""
        return dict(self.cfg.get("thresholds", {}))

    @thresholds.setter
    def thresholds(self, thresholds: Mapping[str, float]) -> None:
        self.cfg["thresholds"] = checked_thresholds(thresholds, self.labels, self._label())

    @property
    def scores_key(self) -> str | None:
        """Where ``doc.spans`` has the entities and, as ``attrs["scores"]``, their probabilities; or None."""
        key: str | None = self.cfg.get("scores_key")
        return key

    @scores_key.setter
    def scores_key(self, scores_key: str | None) -> None:
        self.cfg["scores_key"] = scores_key

    @property
    def _needs_probabilities(self) -> bool:
        return self._has_thresholds or self.scores_key is not None or self.save_activations

    @property
    def _has_thresholds(self) -> bool:
        return self.threshold > 0.0 or any(self.thresholds.values())

    def entity_probabilities(self, docs: Iterable[Any], *, floor: float = FLOOR) -> list[list[ScoredEntity]]:
        """All entities that each of `docs` may have, found or not, the most probable first.

        floor: those less probable are left out, and ways to them not followed. Entities that are set in a
        document already are certain there. The documents stay as they are. Raises ValueError for a floor
        outside of 0 to 1.
        """
        docs = list(docs)
        steps, batch, entities = self._analyse(docs)
        if steps is None or batch is None:
            return [[] for _ in docs]
        (owners, starts, ends, labels), probabilities = all_probabilities(
            entities, steps.network, batch, self._calibration, floor=floor
        )
        names = self._names(batch.label_ids[labels])
        rows = zip(starts.tolist(), ends.tolist(), names, probabilities.tolist(), strict=True)
        scored = per_document(owners, (ScoredEntity(*row) for row in rows), len(docs))
        return [sorted(entities, key=lambda entity: -entity.probability) for entities in scored]

    def analyses(
        self,
        docs: Iterable[Any],
        *,
        n_best: int = 5,
        beam_width: int | None = None,
        beam_density: float = 0.0,
    ) -> list[list[Analysis]]:
        """The most probable analyses of each of `docs`, at most `n_best`, found with a beam.

        beam_width: analyses kept at every step, by default four times `n_best`. Thresholds do not count.
        The documents stay as they are; one without tokens has one analysis. Raises ValueError for a width
        below 1 or a density outside of 0 to 1. `odds` are of single entities and do not count either.
        """
        docs = list(docs)
        steps, batch, _ = self._analyse(docs)
        if steps is None or batch is None:
            return [[Analysis([], 1.0)] for _ in docs]
        width = 4 * n_best if beam_width is None else beam_width
        if min(width, n_best) < 1:
            raise ValueError(
                f"{self._label('analyses')}: n_best is {n_best} and beam_width {width}; expected 1 or more"
            )
        owners, probabilities, (of, starts, ends, labels) = _core.beam_analyses(
            steps.network, batch.core, width, beam_density, self.temperature
        )
        names = self._names(batch.label_ids[labels])
        entities = per_document(of, zip(starts.tolist(), ends.tolist(), names, strict=True), len(owners))
        found = per_document(owners, map(Analysis, entities, probabilities.tolist()), len(docs))
        return [analyses[:n_best] for analyses in found]

    def calibrate(self, examples: Iterable[Any], *, per_label: bool = True) -> CalibrationReport:
        """Set `temperature` and `odds` so that probabilities come true on `examples`; return what changed.

        Those with the lowest log loss over the entities that are found; the odds of labels that are found
        seldom are drawn to those of all. Then `odds_unless_found`, likewise, over the entities that are not
        found. per_label: False leaves all odds as the temperature makes them. Use
        examples that were not trained on, with nothing set in their predicted documents, which stay as they
        are. The entities stay the same where there are no thresholds.
        """
        examples = check.all_examples(examples, owner=self._label("calibrate"))
        judged = entity_calibration.judge(self, examples)
        found, report = entity_calibration.fit_calibration(
            judged, before=self._calibration, per_label=per_label
        )
        self.cfg["temperature"] = found.temperature
        self.cfg["offsets"] = dict(found.offsets)
        self.cfg["offset_unless_found"] = found.unless_found
        return report

    def fit_thresholds(
        self,
        examples: Iterable[Any],
        *,
        beta: float = 1.0,
        min_precision: float | None = None,
        per_label: bool = True,
    ) -> dict[str, float]:
        """Set the thresholds that are best on `examples` for all possible entities, and return them.

        beta: the F score to be highest counts recall so many times as much as precision. min_precision: the
        lowest thresholds that reach this precision instead. per_label: set `thresholds`; otherwise
        `threshold`, which is returned under ``""``. Examples as for `calibrate`, which comes first.
        """
        examples = check.all_examples(examples, owner=self._label("fit_thresholds"))
        found = entity_calibration.fit_thresholds(
            entity_calibration.judge(self, examples),
            calibration=self._calibration,
            beta=beta,
            min_precision=min_precision,
            labels=self.labels if per_label else None,
        )
        if per_label:
            self.thresholds = found
            return self.thresholds
        self.threshold = found[""]
        return {"": self.threshold}

    def score(self, examples: Iterable[Any], **kwargs: Any) -> Scores:
        """The scorer's figures; with `scores_key` also how true the entities' probabilities are.

        ``"ents_ece"`` is their calibration error, ``"ents_ece_by_chance"`` what it would be, by chance alone,
        if every probability were just right.
        """
        examples = check.all_examples(examples, owner=self._label("score"))
        scores: Scores = super().score(examples, **kwargs)  # type: ignore[misc]
        if self.scores_key is not None:
            probabilities, correct = scores_in(examples, self.scores_key)
            scores["ents_ece"] = expected_calibration_error(probabilities, correct)
            scores["ents_ece_by_chance"] = calibration_error_by_chance(probabilities)
        return scores

    def _names(self, label_ids: Any) -> list[str]:
        names = {label_id: self.vocab.strings[label_id] for label_id in set(label_ids.tolist())}
        return [names[label_id] for label_id in label_ids.tolist()]
