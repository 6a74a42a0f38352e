"""`spacy.Tok2VecListener.v1`: stands in a model where a shared Tok2Vec component's rows are to come in."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any, cast

import numpy as np
from thinc.api import Model
from thinc.types import Floats2d

from ferrule.attrs import ORTH
from ferrule.ml.feature_extractor import extract_rows
from ferrule.registry import registry

__all__ = ["Tok2VecListener", "make_listener", "standalone_copy"]

Backprop = Callable[[list[Floats2d]], Any]


class Tok2VecListener(Model[list[Any], list[Floats2d]]):
    """A layer from documents to the rows (n_tokens, nO) that a Tok2Vec component made for them.

    While training, the component hands over the rows of each batch and the function that takes their
    gradient (`receive`). While predicting, the rows are read from ``doc.tensor``.

    upstream_name: the component to listen to, ``"*"`` for whichever comes before; width: its nO.
    """

    name = "tok2vec-listener"

    def __init__(self, upstream_name: str, width: int | None) -> None:
        super().__init__(name=self.name, forward=_forward, dims={"nO": width})
        self.upstream_name = upstream_name
        self._upstream: weakref.ref[Any] | None = None
        self._batch_id: int | None = None
        self._outputs: list[Floats2d] | None = None
        self._backprop: Backprop | None = None

    @property
    def upstream(self) -> Any | None:
        """The component whose rows come in here; None as long as none has found this listener."""
        return None if self._upstream is None else self._upstream()

    @upstream.setter
    def upstream(self, component: Any | None) -> None:
        # Weak, because the component holds its listeners.
        self._upstream = None if component is None else weakref.ref(component)

    @classmethod
    def get_batch_id(cls, inputs: Sequence[Any]) -> int:
        """Return a number that two batches share only when they hold the same tokens in the same order.

        Good within one process; not for storing.
        """
        orths, lengths = extract_rows(inputs, [ORTH])
        return hash((lengths.tobytes(), orths.tobytes()))

    def receive(self, batch_id: int, outputs: list[Floats2d], backprop: Backprop) -> None:
        """Take the rows of a batch, and the function to call with their gradient.

        batch_id: from `get_batch_id`; outputs: float32 (n_tokens, nO) for each document.
        """
        self._batch_id = batch_id
        self._outputs = outputs
        self._backprop = backprop

    def verify_inputs(self, inputs: Sequence[Any]) -> bool:
        """Return True; raises ValueError when the rows held here are not those of `inputs`."""
        if self._outputs is None:
            raise ValueError(f"{self._who()} has received nothing yet. {_REMEDY}")
        if self._batch_id != self.get_batch_id(inputs):
            raise ValueError(f"{self._who()} holds the token vectors of another batch. {_REMEDY}")
        return True

    def _who(self) -> str:
        upstream = "its Tok2Vec component" if self.upstream_name == "*" else repr(self.upstream_name)
        return f"tok2vec-listener: the listener for {upstream}"


_REMEDY = (
    "A shared Tok2Vec has to run on a batch before the components that listen to it. In a config: take it "
    "out of [training.frozen_components], or leave it frozen and add it to "
    "[training.annotating_components]. In your own loop: call its update() on the same examples first, or "
    "set doc.tensor with its pipe()."
)


@registry.architectures("spacy.Tok2VecListener.v1")
def make_listener(width: int | None, upstream: str = "*") -> Tok2VecListener:
    """Return a listener of the given width.

    >>> make_listener(96).get_dim("nO")
    96
    """
    return Tok2VecListener(upstream_name=upstream, width=width)


def standalone_copy(model: Model[Any, Any]) -> Model[Any, Any]:
    """Return a copy of `model` that shares nothing with it, with copies of encoders in place of listeners."""
    copy = deepcopy(model)
    for node, copied in zip(list(model.walk()), list(copy.walk()), strict=True):
        if isinstance(node, Tok2VecListener) and node.upstream is not None:
            copy.replace_node(copied, deepcopy(node.upstream.model))
    return copy


def _forward(
    model: Tok2VecListener, docs: Sequence[Any], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], Any]]:
    if not docs:
        return [], _no_gradient
    if not is_train:
        width = model.maybe_get_dim("nO")
        return [_tensor_or_zeros(model, doc, width) for doc in docs], _no_gradient
    if model._outputs is not None and model._batch_id == model.get_batch_id(docs):
        return model._outputs, model._backprop or _no_gradient
    # The shared component is frozen but annotates: its rows are constants of this update.
    width = model.maybe_get_dim("nO")
    if all(_has_rows(doc, doc.tensor, width) for doc in docs):
        return [model.ops.asarray2f(doc.tensor) for doc in docs], _no_gradient
    model.verify_inputs(docs)
    raise ValueError(f"{model._who()} found no usable doc.tensor. {_REMEDY}")


def _has_rows(doc: Any, tensor: Any, width: int | None) -> bool:
    shape = tensor.shape
    return len(shape) == 2 and shape[0] == len(doc) and (width is None or shape[1] == width)


def _tensor_or_zeros(model: Tok2VecListener, doc: Any, width: int | None) -> Floats2d:
    tensor = doc.tensor
    # Shapes are inferred at initialization from documents that nobody has encoded yet: zeros serve there.
    if not _has_rows(doc, tensor, width):
        return model.ops.alloc2f(len(doc), model.get_dim("nO"))
    # The usual rows without the detour, which takes as long as a tagger's softmax layer.
    usual = type(tensor) is np.ndarray and tensor.dtype == np.float32 and model.ops.xp is np
    return cast(Floats2d, tensor) if usual else model.ops.asarray2f(tensor)


def _no_gradient(d_outputs: list[Floats2d]) -> list[Any]:
    return []
