"""`ner`: named entities, found by transitions."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from thinc.api import Model

from ferrule import _core
from ferrule._typing import Scores
from ferrule.errors import LabelError, SerializationError
from ferrule.ml.transition import StepGradients, TransitionSteps
from ferrule.pipeline import examples as check
from ferrule.pipeline.biluo_moves import BiluoMoves
from ferrule.pipeline.entity_batch import (
    EntityBatch,
    count_entity_tokens,
    gold_moves,
    negative_spans,
    write_entities,
)
from ferrule.pipeline.entity_predictions import EntityPredictions, steps_of, taken_and_scored
from ferrule.pipeline.entity_scores import (
    EntityColumns,
    chosen_entities,
    probabilities_of,
    write_scores,
)
from ferrule.pipeline.ner_scores import ScoredEntities
from ferrule.pipeline.ner_teaching import TaughtEntities
from ferrule.pipeline.saving import SavedField
from ferrule.pipeline.trainable_pipe import TrainablePipe
from ferrule.scorer import get_ner_prf

__all__ = ["EntityPredictions", "EntityRecognizer"]

_NONE = np.zeros(0, dtype=np.uint32)


class EntityRecognizer(ScoredEntities, TaughtEntities, TrainablePipe):
    """Predicts ``doc.ents``: spans of tokens that do not overlap, each with a label.

    An analysis is a sequence of actions, one a token: begin an entity, go on, close it, an entity of one
    token, or outside. Entities that are set already are kept, blocked tokens stay out of entities, no entity
    begins on white space, and none crosses a sentence start that is set.

    model: documents to `ferrule.ml.transition.TransitionSteps`, as `spacy.TransitionBasedParser.v2` makes
    it. moves: actions to begin with, as `label_data` gives them. update_with_oracle_cut_size: documents
    longer than about this are learned in pieces; 0 for never. incorrect_spans_key: ``reference.spans[…]``
    holds spans that are known not to be entities of their label. scorer: the function behind `score`.
    save_activations: keep what `set_annotations` says in ``doc.activations[name]``. threshold: entities
    less probable than this are dropped (`ScoredEntities`). scores_key: keep entities and probabilities in
    ``doc.spans[scores_key]``. beam_width, beam_density: analyses kept at every step, and the share of the
    best one's probability that they must have; a width of 1 is greedy. beam_update_prob: kept for spaCy,
    without effect.
    """

    # So that `Language.update` need not copy them.
    update_leaves_documents = True

    def __init__(
        self,
        vocab: Any,
        model: Model[Any, Any],
        name: str = "ner",
        moves: Mapping[Any, Mapping[str, int]] | None = None,
        *,
        update_with_oracle_cut_size: int = 100,
        incorrect_spans_key: str | None = None,
        scorer: Callable[..., Scores] | None = get_ner_prf,
        save_activations: bool = False,
        threshold: float = 0.0,
        scores_key: str | None = None,
        beam_width: int = 1,
        beam_density: float = 0.0,
        beam_update_prob: float = 0.0,
    ) -> None:
        super().__init__(
            vocab,
            model,
            name,
            incorrect_spans_key=incorrect_spans_key,
            update_with_oracle_cut_size=update_with_oracle_cut_size,
            beam_width=beam_width,
            beam_density=beam_density,
            beam_update_prob=beam_update_prob,
        )
        if isinstance(beam_width, bool) or not isinstance(beam_width, int) or beam_width < 1:
            raise ValueError(f"{self._label()}: beam_width must be 1 or more, found {beam_width!r}")
        check.is_share(beam_density, "beam_density", owner=self._label())
        check.is_share(beam_update_prob, "beam_update_prob", owner=self._label())
        if threshold:
            self.threshold = threshold
        if scores_key is not None:
            self.scores_key = scores_key
        self.moves = BiluoMoves()
        self.scorer = scorer
        self.save_activations = save_activations
        if moves is not None:
            self._set_moves(moves)

    # Annotating

    def predict(self, docs: Iterable[Any]) -> EntityPredictions:
        """Return the entities of `docs`, which stay as they are, and what scores their states.

        Of the actions that are allowed, the one with the highest score is taken at every token; with a
        beam, the analysis with the highest probability. Where there are thresholds, they decide
        (`ScoredEntities`). A document's entities do not depend on the batch.
        """
        steps, batch, entities = self._analyse(list(docs))
        if steps is None or batch is None or not self._needs_probabilities:
            return EntityPredictions(steps, list(self.moves.actions), batch, entities)
        if self._has_thresholds:
            entities, probabilities = chosen_entities(
                entities,
                steps.network,
                batch,
                self._calibration,
                threshold=self.threshold,
                thresholds=self.thresholds,
            )
        else:
            probabilities = probabilities_of(entities, steps.network, batch, self._calibration)
        return EntityPredictions(steps, list(self.moves.actions), batch, entities, probabilities)

    def _analyse(self, docs: list[Any]) -> tuple[TransitionSteps | None, EntityBatch | None, EntityColumns]:
        """What scores the states of `docs`, what is known of them, and their entities, thresholds aside."""
        if not any(len(doc) for doc in docs):
            return None, None, (_NONE, _NONE, _NONE, _NONE)
        steps = self.model.predict(docs)
        batch = EntityBatch(docs, self.moves, self.vocab.strings)
        width = self.cfg["beam_width"]
        if width == 1:
            return steps, batch, steps.network.decode(batch.core)
        owners, _, (analyses, *columns) = _core.beam_analyses(
            steps.network, batch.core, width, self.cfg["beam_density"], self.temperature
        )
        # The first of each document is the best.
        is_best = np.append(True, owners[1:] != owners[:-1])[analyses]
        starts, ends, labels = (column[is_best] for column in columns)
        return steps, batch, (owners[analyses[is_best]], starts, ends, labels)

    def set_annotations(self, docs: Iterable[Any], scores: EntityPredictions) -> None:
        """Write the entities into `docs`; tokens of which nothing was known become outside.

        With `scores_key`, ``doc.spans[scores_key]`` has the entities, and their probabilities in its
        ``attrs["scores"]``. With `save_activations`, also ``doc.activations[name]`` is set:
        ``"label_ids"``, int32 (n_tokens,), the index in `move_names` of the action with the highest score
        at each token, ``"probabilities"``, float32 (n_tokens, n_moves), those of all actions there, and
        ``"entity_scores"``, float32 (n_entities,), the probabilities of ``doc.ents``.
        """
        docs = list(docs)
        label_ids = np.zeros(0, dtype=np.uint64) if scores.batch is None else scores.batch.label_ids
        write_entities(docs, scores.entities, label_ids)
        probabilities = np.zeros(0) if scores.probabilities is None else scores.probabilities
        if self.scores_key is not None:
            write_scores(docs, scores.entities, probabilities, label_ids, self.scores_key)
        if self.save_activations:
            self._keep_activations(docs, scores, probabilities.astype(np.float32))

    def _keep_activations(
        self, docs: list[Any], scores: EntityPredictions, entity_scores: npt.NDArray[np.float32]
    ) -> None:
        actions, rows = taken_and_scored(scores)
        powers = np.exp(rows - rows.max(axis=1, keepdims=True, initial=-np.inf))
        probabilities = powers / powers.sum(axis=1, keepdims=True)
        first = 0
        for index, doc in enumerate(docs):
            own = slice(first, first := first + len(doc))
            doc.activations[self.name] = {
                "probabilities": probabilities[own].copy(),
                "label_ids": actions[own].copy(),
                "entity_scores": entity_scores[scores.entities[0] == index],
            }

    # Learning

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Any]],
        *,
        nlp: Any = None,
        labels: Mapping[Any, Mapping[str, int]] | None = None,
    ) -> None:
        """Set up the labels and the model's first weights.

        labels: what `label_data` gave; otherwise the labels are those of all gold entities, and those added
        before. A sample of the examples gives the model its sizes. Raises LabelError when no label is found.
        """
        sample = check.sample_examples(get_examples, owner=self._label("initialize"))
        if labels is not None:
            self._set_moves(labels)
        else:
            self.moves.initialize_from_labels(count_entity_tokens(get_examples()))
        if not self.labels:
            raise LabelError(
                f"{self._label('initialize')}: there are no labels. Give examples with entities, or call "
                f"add_label() first."
            )
        for label in self.labels:
            self.vocab.strings.add(label)
        self.set_output(len(self.moves.actions))
        docs = [example.x for example in sample if len(example.x)]
        self.model.initialize(X=docs or None)

    def get_loss(self, examples: Iterable[Any], scores: Any) -> tuple[float, StepGradients]:
        """Return the loss, summed over the batch's states in nats, and its gradient.

        scores: from ``model.begin_update`` or `predict`, for the examples' predicted documents. Each state is
        reached by the model's own best action; what is lost there is ``-ln`` of the probability of the
        actions that make no avoidable mistake (Goldberg and Nivre's dynamic oracle). The gradient is
        spaCy's; the loss it reports is the sum of the squared gradient instead, a number without a unit,
        which is not kept.

        Raises LabelError when a gold entity has a label that is not among the labels.
        """
        examples = list(examples)
        steps = steps_of(scores)
        if steps is None or not examples:
            return 0.0, StepGradients([])
        batch = EntityBatch([example.predicted for example in examples], self.moves, self.vocab.strings)
        gold = gold_moves(examples, batch, owner=self._label())
        negatives = negative_spans(examples, self.incorrect_spans_key, batch, owner=self._label())
        return steps.learn(batch.core, gold, negatives, longest=self._longest_piece())

    def _longest_piece(self) -> int:
        cut = int(self.cfg["update_with_oracle_cut_size"])
        # Around the size asked for, so that documents are not cut at the same places each time. One draw from
        # Python's `random` a batch, as in spaCy.
        return max(1, int(random.uniform(cut // 2, cut * 2))) if cut >= 1 else 0

    # Labels

    @property
    def labels(self) -> tuple[str, ...]:
        """The entity labels, sorted."""
        return self.moves.labels

    @property
    def label_data(self) -> dict[int, dict[str, int]]:
        """What ``initialize(labels=…)`` takes to set up the same actions in the same order."""
        return {kind: dict(labels) for kind, labels in self.moves.frequencies.items()}

    @property
    def move_names(self) -> list[str]:
        """The actions, ``"B-PER"`` and the like; the one that marks blocked tokens is left out."""
        return self.moves.names

    @property
    def incorrect_spans_key(self) -> str | None:
        """The span group of spans that are known not to be entities of their label."""
        key: str | None = self.cfg["incorrect_spans_key"]
        return key

    def add_label(self, label: str) -> int:
        """Add a label: returns 1, or 0 if it is there already.

        A model that has its outputs already gets more; the scores of the old actions stay as they are, to the
        last bit. An optimizer that was used before must not be used after it. Raises LabelError when the
        label is no string or is empty.
        """
        if not isinstance(label, str) or not label:
            raise LabelError(
                f"{self._label('add_label')}: a label must be a non-empty string, found {label!r}."
            )
        if not self.moves.add_label(label):
            return 0
        self.vocab.strings.add(label)
        self.set_output(len(self.moves.actions))
        return 1

    def _set_moves(self, frequencies: Mapping[Any, Mapping[str, int]]) -> None:
        self.moves = BiluoMoves()
        self.moves.initialize(frequencies)
        for label in self.labels:
            self.vocab.strings.add(label)
        if self.moves.actions:
            self.set_output(len(self.moves.actions))

    # Saving

    def _further_fields(self) -> dict[str, SavedField]:
        settings = {"neg_key": self.incorrect_spans_key}
        return {"moves": SavedField(lambda: self.moves.to_bytes(settings), self._load_moves)}

    def _load_moves(self, data: bytes) -> None:
        self.moves = BiluoMoves.from_bytes(data, self._owner())
        for label in self.labels:
            self.vocab.strings.add(label)

    def _load_model(self, data: bytes) -> None:
        n_actions = len(self.moves.actions)
        if n_actions:
            self.set_output(n_actions)
        super()._load_model(data)
        output = self.model.get_ref("upper" if self.model.attrs["has_upper"] else "lower")
        found = output.maybe_get_dim("nO")
        if found is not None and found != n_actions:
            raise SerializationError(
                f"{self._label()}: the saved model has {found} outputs, but there are {n_actions} actions; "
                f"load moves and a model that were saved together."
            )
