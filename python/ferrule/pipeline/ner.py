"""`ner`: named entities, found by transitions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from thinc.api import Config, Model

from ferrule._typing import Scores
from ferrule.errors import LabelError, SerializationError
from ferrule.ml.rows import split_rows
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
from ferrule.pipeline.factories import factory
from ferrule.pipeline.saving import SavedField
from ferrule.pipeline.teacher_rows import TeacherRows
from ferrule.pipeline.trainable_pipe import TrainablePipe
from ferrule.scorer import get_ner_prf

__all__ = ["DEFAULT_NER_MODEL", "EntityPredictions", "EntityRecognizer", "make_ner"]

UInt32s = npt.NDArray[np.uint32]

DEFAULT_NER_CONFIG = """
[model]
@architectures = "spacy.TransitionBasedParser.v2"
state_type = "ner"
extra_state_tokens = false
hidden_width = 64
maxout_pieces = 2
use_upper = true

[model.tok2vec]
@architectures = "spacy.HashEmbedCNN.v2"
pretrained_vectors = null
width = 96
depth = 4
embed_size = 2000
window_size = 1
maxout_pieces = 3
subword_features = true
"""
DEFAULT_NER_MODEL = Config().from_str(DEFAULT_NER_CONFIG)["model"]


@factory(
    "ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config={
        "moves": None,
        "update_with_oracle_cut_size": 100,
        "model": DEFAULT_NER_MODEL,
        "incorrect_spans_key": None,
        "scorer": {"@scorers": "spacy.ner_scorer.v1"},
        "save_activations": False,
    },
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def make_ner(
    nlp: Any,
    name: str,
    model: Model[Any, Any],
    moves: Mapping[Any, Mapping[str, int]] | None,
    update_with_oracle_cut_size: int,
    incorrect_spans_key: str | None,
    scorer: Callable[..., Scores] | None,
    save_activations: bool,
) -> EntityRecognizer:
    """Return an entity recognizer; the arguments are those of `EntityRecognizer`."""
    return EntityRecognizer(
        nlp.vocab,
        model,
        name,
        moves,
        update_with_oracle_cut_size=update_with_oracle_cut_size,
        incorrect_spans_key=incorrect_spans_key,
        scorer=scorer,
        save_activations=save_activations,
    )


class EntityPredictions(NamedTuple):
    """What `EntityRecognizer.predict` found in a batch.

    steps: the scorer of the batch's states. actions: kind and label of each of its outputs. batch: the
    documents as they were. Where no document has tokens, steps and batch are None. entities: document, first
    token, behind the last one and label of each entity, uint32; labels index ``batch.label_ids``.
    """

    steps: TransitionSteps | None
    actions: list[tuple[int, str]]
    batch: EntityBatch | None
    entities: tuple[UInt32s, UInt32s, UInt32s, UInt32s]


class _TeacherScores(NamedTuple):
    steps: TransitionSteps
    actions: list[tuple[int, str]]


class _KeptScores(NamedTuple):
    rows: npt.NDArray[np.float32]
    columns: npt.NDArray[np.int32]


class EntityRecognizer(TrainablePipe):
    """Predicts ``doc.ents``: spans of tokens that do not overlap, each with a label.

    An analysis is a sequence of actions, one a token: begin an entity, go on, close it, an entity of one
    token, or outside. Entities that are set already are kept, blocked tokens stay out of entities, no entity
    begins on white space, and none crosses a sentence start that is set.

    model: documents to `ferrule.ml.transition.TransitionSteps`, as `spacy.TransitionBasedParser.v2` makes it.
    moves: actions to begin with, as `label_data` gives them. update_with_oracle_cut_size: documents longer
    than about this are learned in pieces; 0 for never. incorrect_spans_key: ``reference.spans[…]`` holds
    spans that are known not to be entities of their label. scorer: the function behind `score`.
    save_activations: keep ``"probabilities"`` and ``"label_ids"`` in ``doc.activations[name]``.
    """

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
    ) -> None:
        super().__init__(
            vocab,
            model,
            name,
            incorrect_spans_key=incorrect_spans_key,
            update_with_oracle_cut_size=update_with_oracle_cut_size,
        )
        self.moves = BiluoMoves()
        self.scorer = scorer
        self.save_activations = save_activations
        if moves is not None:
            self._set_moves(moves)

    # Annotating

    def predict(self, docs: Iterable[Any]) -> EntityPredictions:
        """Return the entities of `docs`, which stay as they are, and what scores their states.

        Of the actions that are allowed, the one with the highest score is taken at every token. A document's
        entities do not depend on the batch.
        """
        docs = list(docs)
        if not any(len(doc) for doc in docs):
            none = np.zeros(0, dtype=np.uint32)
            return EntityPredictions(None, [], None, (none, none, none, none))
        steps = self.model.predict(docs)
        batch = EntityBatch(docs, self.moves, self.vocab.strings)
        return EntityPredictions(steps, list(self.moves.actions), batch, steps.network.decode(batch.core))

    def set_annotations(self, docs: Iterable[Any], scores: EntityPredictions) -> None:
        """Write the entities into `docs`; tokens of which nothing was known become outside.

        With `save_activations`, also ``doc.activations[name]`` is set: ``"label_ids"``, int32 (n_tokens,),
        the index in `move_names` of the action taken at each token, and ``"probabilities"``, float32
        (n_tokens, n_moves), those of all actions there.
        """
        docs = list(docs)
        label_ids = np.zeros(0, dtype=np.uint64) if scores.batch is None else scores.batch.label_ids
        write_entities(docs, scores.entities, label_ids)
        if self.save_activations:
            self._keep_activations(docs, scores)

    def _keep_activations(self, docs: list[Any], scores: EntityPredictions) -> None:
        actions, rows = _taken_and_scored(scores)
        powers = np.exp(rows - rows.max(axis=1, keepdims=True, initial=-np.inf))
        probabilities = powers / powers.sum(axis=1, keepdims=True)
        first = 0
        for doc in docs:
            own = slice(first, first := first + len(doc))
            doc.activations[self.name] = {
                "probabilities": probabilities[own].copy(),
                "label_ids": actions[own].copy(),
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
        steps = _steps_of(scores)
        if steps is None or not examples:
            return 0.0, StepGradients([])
        batch = EntityBatch([example.predicted for example in examples], self.moves, self.vocab.strings)
        gold = gold_moves(examples, batch, owner=self._label())
        negatives = negative_spans(examples, self.incorrect_spans_key, batch, owner=self._label())
        return steps.learn(batch.core, gold, negatives, longest=self._longest_piece())

    def get_teacher_student_loss(
        self, teacher_scores: Any, student_scores: Any, *, temperature: float = 1.0
    ) -> tuple[float, StepGradients]:
        """Return KL(teacher ‖ student) over actions, summed over the states in nats, and its gradient.

        Both from `predict` or a model, for the same documents. The states are those the teacher's best
        actions lead to; actions that only one of the two has do not count. temperature: flattens both
        distributions first.
        """
        if isinstance(teacher_scores, _KeptScores):
            return self._loss_from_kept(teacher_scores, student_scores, temperature)
        teacher, student = _steps_of(teacher_scores), _steps_of(student_scores)
        if teacher is None or student is None:
            return 0.0, StepGradients([])
        # The model kept for rehearsal has the actions of its time, which come first among those of now.
        known = getattr(teacher_scores, "actions", self.moves.actions[: teacher.network.n_actions])
        order = {action: index for index, action in enumerate(known)}
        columns = np.array([order.get(action, -1) for action in self.moves.actions], dtype=np.int32)
        batch = EntityBatch(student.docs, self.moves, self.vocab.strings)
        return student.learn_from(teacher, columns, batch.core, temperature=temperature)

    def _scores_of_teacher(self, teacher_pipe: Any, docs: list[Any]) -> _TeacherScores:
        check.same_labels(teacher_pipe.labels, self.labels, owner=self._label("distill"))
        if not isinstance(teacher_pipe, EntityRecognizer):
            raise TypeError(
                f"{self._label('distill')}: the teacher must be an entity recognizer, found "
                f"{type(teacher_pipe).__name__}"
            )
        return _TeacherScores(teacher_pipe.model.predict(docs), list(teacher_pipe.moves.actions))

    def teacher_rows(self, docs: Iterable[Any]) -> TeacherRows:
        """The scores of all actions, before any softmax, at each token of `docs` on the way to its entities.

        The columns are named as in `move_names`, and ``"U-"`` is the action for blocked tokens.
        """
        docs = list(docs)
        _, scores = _taken_and_scored(self.predict(docs)._replace(actions=list(self.moves.actions)))
        return TeacherRows(tuple(self.moves.output_names), split_rows(scores, [len(doc) for doc in docs]))

    def _scores_from_rows(self, taught: TeacherRows) -> _KeptScores:
        here = {name: column for column, name in enumerate(taught.labels)}
        names = self.moves.output_names
        if not set(here) & set(names):
            raise LabelError(
                f"{self._label('distill')}: the teacher has none of this component's actions; it has "
                f"{', '.join(taught.labels)}."
            )
        columns = np.array([here.get(name, -1) for name in names], dtype=np.int32)
        rows = [np.ascontiguousarray(block, dtype=np.float32) for block in taught.rows]
        return _KeptScores(np.concatenate(rows), columns)

    def _loss_from_kept(
        self, kept: _KeptScores, student_scores: Any, temperature: float
    ) -> tuple[float, StepGradients]:
        student = _steps_of(student_scores)
        if student is None:
            return 0.0, StepGradients([])
        batch = EntityBatch(student.docs, self.moves, self.vocab.strings)
        return student.learn_from_rows(kept.rows, kept.columns, batch.core, temperature=temperature)

    def _longest_piece(self) -> int:
        cut = int(self.cfg["update_with_oracle_cut_size"])
        # Around the size asked for, so that documents are not cut at the same places each time.
        return max(1, int(np.random.uniform(cut // 2, cut * 2))) if cut >= 1 else 0

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


def _taken_and_scored(
    predicted: EntityPredictions,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """The action taken at each token of the batch, and the scores of all actions there."""
    if predicted.steps is None or predicted.batch is None:
        return np.zeros(0, np.int32), np.zeros((0, len(predicted.actions)), np.float32)
    taken, scores = predicted.steps.network.decode_with_scores(predicted.batch.core)
    return taken, scores


def _steps_of(scores: Any) -> TransitionSteps | None:
    steps: TransitionSteps | None = scores if isinstance(scores, TransitionSteps) else scores.steps
    return steps
