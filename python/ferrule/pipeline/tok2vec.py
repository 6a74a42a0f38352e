"""`tok2vec`: one encoder that several components share, each listening to its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from thinc.api import Model, set_dropout_rate
from thinc.optimizers import Optimizer

from ferrule._typing import Losses
from ferrule.ml.listener import Tok2VecListener
from ferrule.pipeline import examples as check
from ferrule.pipeline.default_models import DEFAULT_TOK2VEC_MODEL
from ferrule.pipeline.factories import factory
from ferrule.pipeline.learning import learning, unchanged_gradients_on_error
from ferrule.pipeline.shared_gradient import SharedGradient
from ferrule.pipeline.trainable_pipe import OWN_OPTIMIZER, TrainablePipe

__all__ = ["DEFAULT_TOK2VEC_MODEL", "Tok2Vec", "Tok2VecListener", "make_tok2vec"]


@factory("tok2vec", assigns=["doc.tensor"], default_config={"model": DEFAULT_TOK2VEC_MODEL})
def make_tok2vec(nlp: Any, name: str, model: Model[Any, Any]) -> Tok2Vec:
    """Return a shared encoder component."""
    return Tok2Vec(nlp.vocab, model, name)


class Tok2Vec(TrainablePipe):
    """Encodes each token of a document as a row of numbers, for other components and for ``doc.tensor``.

    model: documents to float32 (n_tokens, width) for each document.

    Components whose model contains a `Tok2VecListener` get their rows from here: while training, from
    `update`, which has to run before theirs on the same batch; while predicting, from ``doc.tensor``. The
    gradients they send back are added up and train this encoder. `Language.add_pipe` finds the
    listeners by itself.
    """

    # So that `Language.update` need not copy them.
    update_leaves_documents = True

    def __init__(self, vocab: Any, model: Model[Any, Any], name: str = "tok2vec") -> None:
        super().__init__(vocab, model, name)
        # Component name -> its listeners.
        self.listener_map: dict[str, list[Tok2VecListener]] = {}
        self._batch: SharedGradient | None = None

    # Listeners

    @property
    def listeners(self) -> list[Tok2VecListener]:
        """All listeners, those of the component that was added first first."""
        return [listener for listeners in self.listener_map.values() for listener in listeners]

    @property
    def listening_components(self) -> list[str]:
        """The names of the components that listen."""
        return list(self.listener_map)

    def add_listener(self, listener: Tok2VecListener, component_name: str) -> None:
        """Let `listener`, in the model of the component `component_name`, listen to this one."""
        listeners = self.listener_map.setdefault(component_name, [])
        if not any(known is listener for known in listeners):
            listeners.append(listener)
        listener.upstream = self

    def remove_listener(self, listener: Tok2VecListener, component_name: str) -> bool:
        """Let `listener` listen no longer; returns whether it did."""
        listeners = self.listener_map.get(component_name, [])
        kept = [known for known in listeners if known is not listener]
        if len(kept) == len(listeners):
            return False
        listener.upstream = None
        if kept:
            self.listener_map[component_name] = kept
        else:
            del self.listener_map[component_name]
        return True

    def find_listeners(self, component: Any) -> None:
        """Add the listeners in the model of `component` that name this component, or ``"*"``, as upstream."""
        model = getattr(component, "model", None)
        if not isinstance(model, Model):
            return
        for node in model.walk():
            if isinstance(node, Tok2VecListener) and node.upstream_name in ("*", self.name):
                self.add_listener(node, component.name)

    # Annotating

    def predict(self, docs: Iterable[Any]) -> list[Any]:
        """Return float32 (n_tokens, width) for each of `docs`, which stay as they are."""
        docs = list(docs)
        if not any(len(doc) for doc in docs):
            width = self.model.get_dim("nO")
            return [self.model.ops.alloc2f(0, width) for _ in docs]
        with self._needing_weights("predict"):
            rows: list[Any] = self.model.predict(docs)
        return rows

    def set_annotations(self, docs: Iterable[Any], scores: Sequence[Any]) -> None:
        """Write the rows of each document into ``doc.tensor``.

        Raises ValueError when a document has another number of tokens than rows.
        """
        for doc, rows in zip(docs, scores, strict=True):
            if len(rows) != len(doc):
                raise ValueError(
                    f"{self._label('set_annotations')}: {len(rows)} rows for a document of {len(doc)} tokens."
                )
            # A copy, so that one document does not keep the rows of its whole batch alive.
            doc.tensor = rows.copy() if rows.base is not None else rows

    # Learning
    #
    # `update` and its kin are not the ones of the base class, because this component has no truth of its own:
    # its gradient comes in later, from the components that listen.

    def update(
        self,
        examples: Iterable[Any],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = OWN_OPTIMIZER,
        losses: Losses | None = None,
    ) -> Losses:
        """Encode a batch and hand the rows to the listeners, which send gradients back in their updates.

        The loss counted under this component's name is the sum of those gradients' squares. With `sgd` the
        step is taken when the last listener has sent its gradient. Otherwise as `TrainablePipe.update`.
        """
        examples = check.all_examples(examples, owner=self._label("update"))
        return self._encode([example.predicted for example in examples], drop, sgd, losses)

    def distill(
        self,
        teacher_pipe: Any,
        examples: Iterable[Any],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = OWN_OPTIMIZER,
        losses: Losses | None = None,
        **settings: Any,
    ) -> Losses:
        """Do as `update`: what there is to learn from a teacher comes back from the listeners."""
        examples = check.all_examples(examples, owner=self._label("distill"))
        return self._encode([example.predicted for example in examples], drop, sgd, losses)

    def rehearse(
        self,
        examples: Iterable[Any],
        *,
        sgd: Optimizer | None = OWN_OPTIMIZER,
        losses: Losses | None = None,
        **config: Any,
    ) -> Losses:
        """Do as `update`: what there is to keep comes back from the listeners."""
        examples = check.all_examples(examples, owner=self._label("rehearse"))
        return self._encode([example.predicted for example in examples], config.get("drop", 0.0), sgd, losses)

    def _before_step(self) -> None:
        """Go back through the model with the gradients that listeners sent."""
        if self._batch is not None:
            self._batch.flush()

    def abandon_update(self) -> None:
        """Forget the last batch and the gradients that came in for it, because an update failed half-way."""
        if self._batch is not None:
            self._batch.drop()
            self._batch = None

    def _encode(self, docs: list[Any], drop: float, sgd: Any, losses: Losses | None) -> Losses:
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        check.is_dropout_rate(drop, owner=self._label())
        if self._batch is not None:
            # Gradients of a batch that some listeners never sent theirs for, when steps are far between.
            self._batch.flush()
        if not any(len(doc) for doc in docs):
            self._hand_out(docs, self.predict(docs), None)
            return losses
        with learning(self.model, owner=self._label()), unchanged_gradients_on_error(self.model):
            set_dropout_rate(self.model, drop)
            with self._needing_weights("update"):
                rows, backprop = self.model.begin_update(docs)

        def go_back(d_rows: list[Any]) -> None:
            with learning(self.model, owner=self._label()):
                backprop(d_rows)
            self._step(sgd)

        def count(squared_norm: float) -> None:
            losses[self.name] += squared_norm

        self._batch = SharedGradient(go_back, map(id, self.listeners), count)
        self._hand_out(docs, rows, self._batch)
        return losses

    def _step(self, sgd: Any) -> None:
        sgd = self._own_optimizer() if sgd is OWN_OPTIMIZER else sgd
        super().finish_update(sgd)

    def _hand_out(self, docs: list[Any], rows: list[Any], batch: SharedGradient | None) -> None:
        batch_id = Tok2VecListener.get_batch_id(docs)
        for listener in self.listeners:
            send_back = _ignore_gradient if batch is None else batch.callback(id(listener))
            listener.receive(batch_id, rows, send_back)

    def initialize(self, get_examples: Callable[[], Iterable[Any]], *, nlp: Any = None) -> None:
        """Infer the model's missing sizes from a sample of the examples and draw its first weights."""
        sample = check.sample_examples(get_examples, owner=self._label("initialize"))
        docs = [example.x for example in sample if len(example.x)]
        self.model.initialize(X=docs or None)


def _ignore_gradient(d_rows: list[Any]) -> list[Any]:
    return []
