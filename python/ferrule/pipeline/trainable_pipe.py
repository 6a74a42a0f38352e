"""`TrainablePipe`: the base class of components that learn, with the one skeleton they share.

A subclass says what its model's numbers mean, in `predict`, `set_annotations` and `get_loss`, and inherits
the rest: updating, distilling, rehearsing, streams, error handling, saving and loading. Documents and
examples are asked only for what spaCy's public ones have too, so a subclass also runs inside spaCy's own
`Language`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from thinc.api import Adam, Model, set_dropout_rate
from thinc.optimizers import Optimizer

from ferrule._typing import Losses
from ferrule.errors import NotInitializedError
from ferrule.pipeline import examples as check
from ferrule.pipeline.activations import keep_scores
from ferrule.pipeline.learning import (
    fit_gradients_to,
    learning,
    stepped_together,
    swapped_parameters,
    unchanged_gradients_on_error,
    unchanged_weights_on_error,
)
from ferrule.pipeline.losses import LossAndGradient, checked_loss, mixed
from ferrule.pipeline.quantized_pipe import QuantizablePipe
from ferrule.pipeline.resizable_pipe import ResizablePipe
from ferrule.pipeline.saving import SavedPipe
from ferrule.pipeline.streams import annotated, batches
from ferrule.pipeline.teacher_rows import TeacherRows, TeachesRows
from ferrule.sparse_gradient import wanted as sparse_gradients_wanted

__all__ = ["OWN_OPTIMIZER", "TrainablePipe"]

Self = TypeVar("Self", bound="TrainablePipe")


class _OwnOptimizer:
    """The type of the default of `sgd`: not given at all, which is something else than None."""

    def __repr__(self) -> str:
        return "create_optimizer()"


OWN_OPTIMIZER = _OwnOptimizer()


class TrainablePipe(SavedPipe, ResizablePipe, QuantizablePipe):
    """A component with a thinc model that it can train; not used directly but subclassed.

    `vocab` is the shared vocabulary, `model` the thinc model (documents in, scores out), `name` the key of
    its losses; further settings are kept in `cfg`, and saved with the component.

    A subclass implements `predict`, `set_annotations` and `get_loss`; `initialize` and `add_label` if the
    base version does not do; `get_teacher_student_loss` to be distilled and to rehearse.
    """

    cfg: dict[str, Any]
    model: Any

    def __init__(self, vocab: Any, model: Model[Any, Any] | None, name: str, **cfg: Any) -> None:
        self.vocab = vocab
        self.model = model
        self.name = name
        self.cfg = dict(cfg)

    # Annotating

    def __call__(self, doc: Any) -> Any:
        """Annotate one document in place and return it.

        If that fails, the error handler is called, which by default raises; where it returns, so does this,
        with None.
        """
        try:
            self._annotate([doc])
        except Exception as error:
            self._handle_error([doc], error)
            return None
        return doc

    def pipe(self, stream: Iterable[Any], *, batch_size: int = 128) -> Iterator[Any]:
        """Annotated documents, in order, `batch_size` of them a call of the model.

        When a batch fails it is tried again in halves: each bad document goes to the error handler once,
        alone, and is left out if the handler returns; all others come out. When the source fails, the
        documents already read are annotated and yielded first.

        Raises ValueError if `batch_size` is below 1.
        """
        for docs in batches(stream, batch_size, owner=self._label("pipe")):
            yield from annotated(docs, self._annotate, self._handle_error)

    def predict(self, docs: Iterable[Any]) -> Any:
        """The model's scores for `docs`, which stay as they are. Subclasses implement this."""
        raise self._not_implemented("predict")

    def set_annotations(self, docs: Iterable[Any], scores: Any) -> None:
        """Write what `predict` found into `docs`. Subclasses implement this."""
        raise self._not_implemented("set_annotations")

    def _annotate(self, docs: list[Any]) -> list[Any]:
        check.are_documents(docs, owner=self._label())
        with self._needing_weights("predict"):
            scores = self.predict(docs)
        if self.save_activations:
            keep_scores(docs, scores, self.name)  # components with more to keep put that in their place
        self.set_annotations(docs, scores)
        return docs

    # Learning

    def initialize(self, get_examples: Callable[[], Iterable[Any]], *, nlp: Any = None) -> None:
        """Prepare the model for training: infer its missing sizes and draw its first weights.

        `get_examples` is a function that returns examples; the first ten are used, and none at all will do
        for a model whose sizes are all set. Subclasses override this to collect labels first.

        Raises TypeError if `get_examples` cannot be called or returns something else.
        """
        sample = check.sample_examples(get_examples, owner=self._label("initialize"))
        if isinstance(self.model, Model):
            self.model.initialize(X=[example.x for example in sample] or None)

    def update(
        self,
        examples: Iterable[Any],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = OWN_OPTIMIZER,
        losses: Losses | None = None,
    ) -> Losses:
        """Learn from a batch of examples; returns `losses`, with this component's loss added under its name.

        `drop` is the dropout rate, at least 0 and below 1. `sgd` is the optimizer that steps the weights;
        left out, the component makes one with `create_optimizer` and keeps it; None or False adds to the
        gradients and leaves the step to `finish_update`.

        If anything raises, weights and gradients are what they were. Raises NonFiniteLossError if the loss or
        its gradient is NaN or infinite, ConcurrentUpdateError while another thread trains this component,
        TypeError if `examples` holds anything but examples.
        """
        examples = check.all_examples(examples, owner=self._label("update"))
        return self._learn(
            [example.predicted for example in examples],
            lambda scores: self.get_loss(examples, scores),
            drop=drop,
            sgd=sgd,
            losses=losses,
        )

    def distill(
        self,
        teacher_pipe: TrainablePipe | TeachesRows | None,
        examples: Iterable[Any],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = OWN_OPTIMIZER,
        losses: Losses | None = None,
        gold_share: float = 0.0,
        temperature: float = 1.0,
    ) -> Losses:
        """Learn from what `teacher_pipe` predicts; returns `losses` as `update` does, and raises as it does.

        The teacher sees each example's `reference`, this component its `predicted`; both must have the same
        tokens. Gold annotations are not needed; where there are some, `gold_share` (0 to 1) says how much of
        the loss comes from them. `temperature` flattens both distributions before they are compared, in
        components whose `get_teacher_student_loss` takes an argument of that name. The teacher stays as it
        is. Instead of a component it may be anything with a method `teacher_rows`, such as kept scores.

        Raises ValueError where tokens or labels of the two do not match.
        """
        check.is_share(gold_share, "gold_share", owner=self._label("distill"))
        check.is_temperature(temperature, self.get_teacher_student_loss, owner=self._label("distill"))
        examples = check.all_examples(examples, owner=self._label("distill"))
        check.same_tokens(examples, owner=self._label("distill"))
        teacher_pipe = check.usable_teacher(teacher_pipe, owner=self._label("distill"))
        if not any(len(example.predicted) for example in examples):
            return self._learn([], lambda scores: (0.0, None), drop=drop, sgd=sgd, losses=losses)
        references = [example.reference for example in examples]
        if isinstance(teacher_pipe, TrainablePipe) or not isinstance(teacher_pipe, TeachesRows):
            teacher_scores = self._scores_of_teacher(teacher_pipe, references)
        else:
            teacher_scores = self._scores_from_rows(teacher_pipe.teacher_rows(references))

        def loss_and_gradient(scores: Any) -> LossAndGradient:
            # Not given at all unless it matters: a subclass need not know of it.
            settings = {} if temperature == 1.0 else {"temperature": temperature}
            taught = self.get_teacher_student_loss(teacher_scores, scores, **settings)
            return mixed(taught, lambda: self.get_loss(examples, scores), gold_share)

        docs = [example.predicted for example in examples]
        return self._learn(docs, loss_and_gradient, drop=drop, sgd=sgd, losses=losses)

    def rehearse(
        self,
        examples: Iterable[Any],
        *,
        sgd: Optimizer | None = OWN_OPTIMIZER,
        losses: Losses | None = None,
        **config: Any,
    ) -> Losses:
        """Learn to predict what this component predicted when `Language.resume_training` was called.

        Interleaved with updates on new examples it keeps what the component knew; labels that were added
        since count as unlikely, those renamed, merged or removed as such. `drop` may be given as for
        `update`; other settings are for subclasses. Returns `losses` as `update` does; does nothing before
        `resume_training`.
        """
        examples = check.all_examples(examples, owner=self._label("rehearse"))
        losses = {} if losses is None else losses
        initial = self._rehearsal_model
        if initial is None or not self.is_distillable:
            return losses
        docs = [example.predicted for example in examples]

        def loss_and_gradient(scores: Any) -> LossAndGradient:
            return self.get_teacher_student_loss(self._scores_to_learn_from(initial, docs), scores)

        return self._learn(docs, loss_and_gradient, drop=config.get("drop", 0.0), sgd=sgd, losses=losses)

    def get_loss(self, examples: Iterable[Any], scores: Any) -> LossAndGradient:
        """The loss of `scores` on `examples` and its gradient by `scores`. Subclasses implement this."""
        raise self._not_implemented("get_loss")

    def get_teacher_student_loss(self, teacher_scores: Any, student_scores: Any) -> LossAndGradient:
        """The loss of the student's scores against the teacher's, and its gradient by the former.

        Subclasses implement this to be distillable and to rehearse.
        """
        raise self._not_implemented("get_teacher_student_loss")

    def _learn(
        self,
        docs: list[Any],
        loss_and_gradient: Callable[[Any], LossAndGradient],
        *,
        drop: float,
        sgd: Any,
        losses: Losses | None,
    ) -> Losses:
        """The skeleton of `update`, `distill` and `rehearse`: run the model, take the loss, go back, step."""
        owner = self._label()
        losses = {} if losses is None else check.are_losses(losses, owner=owner)
        check.is_dropout_rate(drop, owner=owner)
        if sgd is not OWN_OPTIMIZER:
            check.is_optimizer(sgd, owner=owner)
        if not isinstance(self.model, Model):
            return losses
        if not any(len(doc) for doc in docs):
            losses.setdefault(self.name, 0.0)
            return losses
        with learning(self.model, owner=owner), unchanged_gradients_on_error(self.model):
            loss = self._accumulate(docs, loss_and_gradient, drop)
            if sgd is OWN_OPTIMIZER:
                sgd = self._own_optimizer()
            if sgd not in (None, False):
                self.finish_update(sgd)
        losses[self.name] = losses.get(self.name, 0.0) + loss
        return losses

    def _accumulate(
        self, docs: list[Any], loss_and_gradient: Callable[[Any], LossAndGradient], drop: float
    ) -> float:
        set_dropout_rate(self.model, drop)
        with self._needing_weights("update"):
            scores, backprop = self.model.begin_update(docs)
        loss, d_scores = checked_loss(loss_and_gradient(scores), scores, owner=self._label())
        with sparse_gradients_wanted():
            backprop(d_scores)
        return loss

    def finish_update(self, sgd: Optimizer | None) -> None:
        """Step the weights by the gradients gathered so far, then clear those. Nothing happens without `sgd`.

        If `sgd` raises, weights and gradients are what they were.
        """
        check.is_optimizer(sgd, owner=self._label("finish_update"))
        if sgd in (None, False) or not isinstance(self.model, Model):
            return
        with learning(self.model, owner=self._label("finish_update")):
            self._before_step()
            fit_gradients_to(sgd, self.model)
            if not stepped_together([self.model], sgd):
                with unchanged_weights_on_error(self.model, sgd=sgd):
                    self.model.finish_update(sgd)
            self._after_step()

    def _before_step(self) -> None:
        """What a subclass has to do before the weights are stepped, such as waiting for gradients."""

    def _after_step(self) -> None:
        """What a subclass has to do once the weights were stepped; it must not fail."""

    def create_optimizer(self) -> Optimizer:
        """A new optimizer: Adam with its default settings."""
        return Adam()

    def _own_optimizer(self) -> Optimizer:
        if getattr(self, "_optimizer", None) is None:
            self._optimizer: Any = self.create_optimizer()
        return self._optimizer

    def use_params(self, params: dict[Any, Any] | None) -> AbstractContextManager[None]:
        """A context in which the model has the values of `params`, such as `optimizer.averages`.

        Its own values are back afterwards, also when the block raises. With None, as in the averages of an
        optimizer that keeps none, it keeps its own.
        """
        return swapped_parameters([self.model] if isinstance(self.model, Model) else [], params)

    def _scores_of_teacher(self, teacher_pipe: TrainablePipe, docs: list[Any]) -> Any:
        """What the teacher's model says about `docs`, in the order of this component's labels."""
        check.same_labels(teacher_pipe.labels, self.labels, owner=self._label("distill"))
        return self._scores_to_learn_from(teacher_pipe.model, docs)

    def teacher_rows(self, docs: Iterable[Any]) -> TeacherRows:
        """What this component teaches a student about `docs`, as plain arrays that can be kept.

        Subclasses implement it, and `_scores_from_rows`, to be distilled from kept scores.
        """
        raise self._not_implemented("teacher_rows")

    def _scores_from_rows(self, taught: TeacherRows) -> Any:
        """`taught` as `get_teacher_student_loss` takes it from a teacher, in the order of the own labels."""
        raise self._not_implemented("_scores_from_rows")

    def _scores_to_learn_from(self, model: Model[Any, Any], docs: list[Any]) -> Any:
        """What `model` predicts, as `get_teacher_student_loss` takes it from a teacher.

        Overridden where a model predicts something else than it gives while training.
        """
        return model.predict(docs)

    def _load_model(self, data: bytes) -> None:
        super()._load_model(data)
        self._rehearsal_model = None  # what it kept is not what was loaded

    def _start_rehearsing(self) -> None:
        """Keep a copy of the model as it is now, for `rehearse` to hold on to."""
        from ferrule.ml.listener import standalone_copy

        self._rehearsal_model = standalone_copy(self.model) if isinstance(self.model, Model) else None

    @contextmanager
    def _needing_weights(self, action: str) -> Iterator[None]:
        """A block whose errors become NotInitializedError if the model has parameters without values."""
        try:
            yield
        except (NotInitializedError, NotImplementedError):
            raise
        except Exception as error:
            nodes = self.model.walk() if isinstance(self.model, Model) else ()
            if any(node.has_param(name) is None for node in nodes for name in node.param_names):
                raise NotInitializedError(
                    f"{self._label()} cannot {action} yet: its model has no weights. Call nlp.initialize(), "
                    f"or {type(self).__name__}.initialize(), or load saved weights first."
                ) from error
            raise

    # What it is

    @property
    def is_trainable(self) -> bool:
        """Whether the component has something to learn: it does."""
        return True

    @property
    def is_distillable(self) -> bool:
        """Whether the component can learn from a teacher: its class has a loss for that, or a `distill`."""
        kind = type(self)
        return (
            kind.get_teacher_student_loss is not TrainablePipe.get_teacher_student_loss
            or kind.distill is not TrainablePipe.distill
        )

    @property
    def save_activations(self) -> bool:
        """Whether documents keep the scores of the model in `doc.activations[name]`.

        Under `"scores"` each has its row, or its array, of what `predict` returned, where that is one array
        or one list with an entry a document; otherwise, and in the built-in components, what
        `set_annotations` puts there.
        """
        return getattr(self, "_save_activations", False)

    @save_activations.setter
    def save_activations(self, save_activations: bool) -> None:
        self._save_activations = bool(save_activations)
