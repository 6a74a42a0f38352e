"""A spaCy entity recognizer whose documents are annotated by Ferrule."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from typing import Any

from spacy.pipeline import EntityRecognizer
from thinc.api import Model, NumpyOps

from ferrule._typing import ErrorHandler
from ferrule.ml.transition import transition_steps
from ferrule.pipeline.biluo_moves import BiluoMoves
from ferrule.pipeline.entity_batch import EntityBatch, write_entities
from ferrule.pipeline.streams import annotated, batches

__all__ = ["FastRecognizer", "why_not_recognizer"]

_their_transitions = importlib.import_module("spacy.ml.tb_framework").forward


def why_not_recognizer(pipe: Any) -> str:
    """Why Ferrule cannot find the entities in the place of the component `pipe`; empty if it can."""
    if type(pipe) is not EntityRecognizer:
        return "it is a component of another class"
    model = pipe.model
    if not isinstance(model, Model) or model._func is not _their_transitions:
        return "its model is not TransitionBasedParser"
    if not all(isinstance(node.ops, NumpyOps) for node in model.walk()):
        return "it runs on a GPU"
    if pipe.cfg.get("beam_width", 1) != 1 or pipe.cfg.get("learn_tokens") or pipe.cfg.get("multitasks"):
        return "it searches with a beam, or learns more than entities"
    return ""


class FastRecognizer:
    """A spaCy `EntityRecognizer`, with Ferrule to find the entities when it is called or given a stream.

    Everything else is the recognizer's own: it learns, is saved and is scored as before, with the same model
    and labels, and changes to those are noticed. Where Ferrule cannot do as spaCy does (before there are
    weights or labels, or with labels that were added and never learnt) spaCy does it.
    """

    def __init__(self, theirs: Any) -> None:
        self._theirs = theirs
        self._moves = BiluoMoves()
        self._error_handler: ErrorHandler | None = None

    def __call__(self, doc: Any) -> Any:
        """Annotate one document in place and return it; errors go to the recognizer's error handler."""
        for done in annotated([doc], self._annotate, self._handle_error):
            return done
        return doc

    def pipe(self, docs: Iterable[Any], *, batch_size: int = 256) -> Iterator[Any]:
        """Annotated documents, in order; each bad one goes to the error handler, alone."""
        for batch in batches(docs, batch_size, owner=f"EntityRecognizer.pipe ({self._theirs.name!r})"):
            yield from annotated(batch, self._annotate, self._handle_error)

    def set_error_handler(self, error_handler: ErrorHandler) -> None:
        """Call `error_handler(name, component, docs, error)` for documents that fail, instead of raising.

        spaCy 3.8.18's own method fails on every entity recognizer, so the handler is kept here.
        """
        self._error_handler = error_handler

    def get_error_handler(self) -> ErrorHandler:
        """The handler that was set, or spaCy's, which raises the error."""
        own: ErrorHandler = self._theirs.get_error_handler()
        return self._error_handler or own

    def __reduce__(self) -> tuple[Any, ...]:
        return FastRecognizer, (self._theirs,)

    def _annotate(self, docs: list[Any]) -> list[Any]:
        theirs = self._theirs
        if not self._can_follow() or not any(map(len, docs)):
            theirs.set_annotations(docs, theirs.predict(docs))
            return docs
        steps = transition_steps(theirs.model, docs)
        batch = EntityBatch(docs, self._moves, theirs.vocab.strings)
        write_entities(docs, steps.network.decode(batch.core), batch.label_ids)
        return docs

    def _can_follow(self) -> bool:
        """Whether Ferrule's actions are spaCy's, which may have changed since the last call."""
        model = self._theirs.model
        if why_not_recognizer(self._theirs) or model.attrs["unseen_classes"]:
            return False
        # The tree's own dimension gets lost when spaCy resizes it.
        output = model.layers[2 if model.attrs["has_upper"] else 1]
        names = list(self._theirs.move_names)
        if names != self._moves.names:
            self._moves.initialize(self._theirs.moves.labels)
        n_outputs = output.get_dim("nO") if output.has_dim("nO") else None
        return names == self._moves.names and len(self._moves.actions) == n_outputs

    def _handle_error(self, docs: list[Any], error: Exception) -> None:
        self.get_error_handler()(self._theirs.name, self, docs, error)


def _own(name: str) -> property:
    """The attribute `name` of the recognizer that stands behind."""

    def get(self: FastRecognizer) -> Any:
        return getattr(self._theirs, name)

    def set_(self: FastRecognizer, value: Any) -> None:
        setattr(self._theirs, name, value)

    return property(get, set_)


# On the class, and not by __getattr__, for spaCy asks with protocols, which look no further.
for _name in dir(EntityRecognizer):
    if not _name.startswith("_") and _name not in vars(FastRecognizer):
        setattr(FastRecognizer, _name, _own(_name))
