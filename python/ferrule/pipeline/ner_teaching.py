"""How an entity recognizer teaches and is taught: by another one, by kept scores, by what it was itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ferrule.errors import LabelError
from ferrule.ml.rows import split_rows
from ferrule.ml.transition import StepGradients, TransitionSteps
from ferrule.pipeline.biluo_moves import BiluoMoves, action_of
from ferrule.pipeline.entity_batch import EntityBatch
from ferrule.pipeline.entity_predictions import EntityPredictions, steps_of, taken_and_scored
from ferrule.pipeline.teacher_rows import TeacherRows

__all__ = ["TaughtEntities"]


class _TeacherScores(NamedTuple):
    steps: TransitionSteps
    actions: list[tuple[int, str]]


class _KeptScores(NamedTuple):
    rows: npt.NDArray[np.float32]
    own_actions: npt.NDArray[np.int32]


class TaughtEntities:
    """The part of `EntityRecognizer` that learns from a teacher and is one.

    A teacher may have more labels than the student: where it begins an entity of a label that the student
    does not have, the student stays outside.
    """

    moves: BiluoMoves
    vocab: Any
    if TYPE_CHECKING:

        @property
        def labels(self) -> tuple[str, ...]: ...
        def predict(self, docs: Iterable[Any]) -> EntityPredictions: ...
        def _label(self, method: str = "") -> str: ...

    def get_teacher_student_loss(
        self, teacher_scores: Any, student_scores: Any, *, temperature: float = 1.0
    ) -> tuple[float, StepGradients]:
        """Return KL(teacher ‖ student) over actions, summed over the states in nats, and its gradient.

        Both from `predict` or a model, for the same documents. The states are those the teacher's best
        actions lead to. Actions that only the student has do not count; where only the teacher knows a
        label, the probability of beginning such an entity is one of being outside. temperature: flattens
        both distributions first.
        """
        student = steps_of(student_scores)
        if student is None:
            return 0.0, StepGradients([])
        batch = EntityBatch(student.docs, self.moves, self.vocab.strings)
        if isinstance(teacher_scores, _KeptScores):
            rows, own_actions = teacher_scores
            return student.learn_from_rows(rows, own_actions, batch.core, temperature=temperature)
        teacher = steps_of(teacher_scores)
        if teacher is None:
            return 0.0, StepGradients([])
        # The model kept for rehearsal has the actions of its time, which come first among those of now.
        known = getattr(teacher_scores, "actions", self.moves.actions[: teacher.network.n_actions])
        own_actions = self.moves.places_of(known)
        return student.learn_from(teacher, own_actions, batch.core, temperature=temperature)

    def teacher_rows(self, docs: Iterable[Any]) -> TeacherRows:
        """The scores of all actions, before any softmax, at each token of `docs` on the way to its entities.

        The columns are named as in `move_names`, and ``"U-"`` is the action for blocked tokens.
        """
        docs = list(docs)
        _, scores = taken_and_scored(self.predict(docs)._replace(actions=list(self.moves.actions)))
        return TeacherRows(tuple(self.moves.output_names), split_rows(scores, [len(doc) for doc in docs]))

    def _scores_of_teacher(self, teacher_pipe: Any, docs: list[Any]) -> _TeacherScores:
        if not isinstance(teacher_pipe, TaughtEntities):
            raise TypeError(
                f"{self._label('distill')}: the teacher must be an entity recognizer, found "
                f"{type(teacher_pipe).__name__}"
            )
        missing = sorted(set(self.labels) - set(teacher_pipe.labels))
        if missing:
            raise LabelError(
                f"{self._label('distill')}: the teacher does not know the labels {missing} of the student "
                f"(it has {', '.join(teacher_pipe.labels) or 'none'}); it may have more labels, not fewer."
            )
        model: Any = teacher_pipe.model  # type: ignore[attr-defined]
        return _TeacherScores(model.predict(docs), list(teacher_pipe.moves.actions))

    def _scores_from_rows(self, taught: TeacherRows) -> _KeptScores:
        if not set(taught.labels) & set(self.moves.output_names):
            raise LabelError(
                f"{self._label('distill')}: the teacher has none of this component's actions; it has "
                f"{', '.join(taught.labels)}."
            )
        rows = [np.ascontiguousarray(block, dtype=np.float32) for block in taught.rows]
        return _KeptScores(np.concatenate(rows), self.moves.places_of(map(action_of, taught.labels)))
