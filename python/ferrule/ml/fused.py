"""spaCy's standard token encoder in one Rust call: the same weights and numbers, much faster.

A tree stays the tree it is: nodes, names, parameters and bytes. Only the function that runs its top node is
another one, which recognises `MultiHashEmbed` under `MaxoutWindowEncoder` and hands the whole batch to
Rust. Where it does not recognise the tree (another layer inside, another array library), thinc's own
function runs.
"""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from thinc.api import Model
from thinc.types import Floats2d

from ferrule import _core
from ferrule.ml.encoder_parts import EncoderParts, find_parts, plain_forward
from ferrule.ml.feature_extractor import extract_rows, extract_types
from ferrule.ml.fused_function import FusedFunction, own_function
from ferrule.ml.fused_head import FusedHead, is_softmax_head
from ferrule.ml.quantization import ATTRIBUTE, packed_encoder, release_for_training
from ferrule.ml.rows import join_rows, split_rows

__all__ = ["FusedForward", "fuse", "unfuse"]

Backprop = Callable[[Sequence[Floats2d]], list[Any]]
Float32 = npt.NDArray[np.float32]

# A forward function is shared by a model and its copies; more than a few of them at a time are rare.
_MODELS_KEPT = 8


def fuse(model: Model[Any, Any]) -> int:
    """Let Rust run the standard token encoders and softmax heads in the tree `model`; returns their number.

    The tree need not be initialized. Its nodes, parameters and bytes stay as they are, and `unfuse` takes
    everything back. Works on spaCy's own trees too.

    >>> from ferrule.ml import HashEmbedCNN
    >>> model = HashEmbedCNN(width=96, depth=4, embed_size=2000, window_size=1, maxout_pieces=3,
    ...                      subword_features=True, pretrained_vectors=None)
    >>> fuse(model)
    1
    """
    n_fused = 0
    for node in list(model.walk()):
        if find_parts(node) is not None and not isinstance(node._func, FusedForward):
            node._func = FusedForward()
        elif is_softmax_head(node):
            node._func = FusedHead()
        n_fused += isinstance(node._func, FusedFunction)
    return n_fused


def unfuse(model: Model[Any, Any]) -> int:
    """Give each node that `fuse` changed its own function back; returns how many there were."""
    fused = [node for node in model.walk() if isinstance(node._func, FusedFunction)]
    for node in fused:
        node._func = own_function(node._func)
    return len(fused)


class FusedForward(FusedFunction):
    """The forward function of a node that `fuse` has changed.

    Predicting, it keeps a packed copy of the weights and makes a new one when they have changed: when an
    array was replaced, or when its numbers differ where they are sampled (all of them in small arrays, some
    hundred in large ones). A caller that changes single cells of a large array in place, without
    `set_param`, calls `forget`.
    """

    plain = plain_forward

    def __init__(self) -> None:
        self._known: OrderedDict[int, _Known] = OrderedDict()

    def __call__(
        self, model: Model[Any, Any], X: Sequence[Any], is_train: bool
    ) -> tuple[list[Floats2d], Backprop]:
        parts = self._parts(model)
        params = None if parts is None or not isinstance(X, (list, tuple)) else parts.params()
        if parts is None or params is None:
            return cast(tuple[list[Floats2d], Backprop], plain_forward(model, X, is_train))
        if is_train:
            release_for_training(model, params)
            return _begin_update(parts, params, *extract_rows(X, parts.attr_ids))
        plan = self._known[model.id].plan(params, model.attrs.get(ATTRIBUTE))
        rows, types, lengths = extract_types(X, parts.attr_ids)
        out = plan.predict(rows, types, lengths.view(np.uint32))
        return cast(list[Floats2d], split_rows(out, lengths)), _no_backprop

    def best_labels(
        self, model: Model[Any, Any], docs: Sequence[Any], weights: Float32, bias: Float32
    ) -> npt.NDArray[np.int32] | None:
        """The number of the largest of ``weights @ row + bias`` for each token, int32 (n_tokens,).

        docs: what `model`, whose function this is, would be given. The rows and what they are multiplied to
        are not kept, which is why it is faster. None where Rust cannot run the tree.
        """
        parts = self._parts(model)
        params = None if parts is None else parts.params()
        if parts is None or params is None:
            return None
        plan = self._known[model.id].plan(params, model.attrs.get(ATTRIBUTE))
        rows, types, lengths = extract_types(docs, parts.attr_ids)
        best: npt.NDArray[np.int32] = plan.best_labels(rows, types, lengths.view(np.uint32), weights, bias)
        return best

    def forget(self) -> None:
        """Drop what was derived from weights, after a change that cannot be noticed otherwise."""
        self._known.clear()

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._known = OrderedDict()

    def __deepcopy__(self, memo: dict[int, Any]) -> FusedForward:
        return FusedForward()

    def _parts(self, model: Model[Any, Any]) -> EncoderParts | None:
        known = self._known.get(model.id)
        if known is None or not known.fits(model):
            known = self._known[model.id] = _Known(model)
            while len(self._known) > _MODELS_KEPT:
                self._known.popitem(last=False)
        return known.parts


class _Known:
    """What is known of one model: its parts, and its weights as they were last packed."""

    def __init__(self, model: Model[Any, Any]) -> None:
        self.parts = find_parts(model)
        self._nodes = [node for node in model.walk() if node.layers]
        self._layers = [list(node.layers) for node in self._nodes]
        self._plan: Any = None
        # The parameters and the quantization; the former are the same object while the arrays are.
        self._made_of: tuple[Any, Any] = (None, None)

    def fits(self, model: Model[Any, Any]) -> bool:
        """Whether the tree still consists of the same nodes."""
        return self._nodes[0] is model and [node._layers for node in self._nodes] == self._layers

    def plan(self, params: Any, quantization: dict[str, Any] | None) -> Any:
        made_of = (params, quantization)
        if not all(map(operator.is_, made_of, self._made_of)) or not self._plan.is_current():
            self._plan, self._made_of = packed_encoder(params, quantization), made_of
        return self._plan


def _begin_update(
    parts: EncoderParts, params: Any, rows: npt.NDArray[np.uint64], lengths: npt.NDArray[np.int32]
) -> tuple[list[Floats2d], Backprop]:
    rates = parts.drop_rates()
    # One draw from the generator that thinc uses too, so that `fix_random_seed` fixes the masks.
    seed = int(np.random.randint(2**31 - 1)) if rates.any() else 0
    out, trace = _core.encoder_begin_update(
        params, rows, None, lengths.astype(np.uint32), rates.as_tuple(), seed
    )
    width = out.shape[1]

    def backprop(d_outputs: Sequence[Floats2d]) -> list[Any]:
        d_out = join_rows(d_outputs) if d_outputs else np.zeros((0, width), dtype=np.float32)
        parts.add_gradients(lambda grads: trace.backprop(d_out.astype(np.float32, copy=False), grads))
        return []

    return cast(list[Floats2d], split_rows(out, lengths)), backprop


def _no_backprop(d_outputs: Sequence[Floats2d]) -> list[Any]:
    raise ValueError(
        "token encoder: no gradient can be taken of a prediction, because nothing was kept for it. "
        "Call begin_update instead of predict."
    )
