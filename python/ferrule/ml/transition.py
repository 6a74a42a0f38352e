"""`spacy.TransitionBasedParser.v2`: scores for the actions that build an analysis token by token."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from thinc.api import Linear, Model, chain, list2array, noop, use_ops, zero_init
from thinc.types import Floats2d

from ferrule import _core
from ferrule.ml.precomputable_affine import PrecomputableAffine
from ferrule.ml.resize import NEW_OUTPUT_GAP
from ferrule.ml.rows import join_rows, split_rows
from ferrule.ml.shortcuts import on_rust
from ferrule.registry import registry

__all__ = [
    "StepGradients",
    "TransitionBasedParser",
    "TransitionSteps",
    "resize_actions",
    "run_as_own",
    "transition_steps",
]

# Tokens that a state shows to the network.
_N_FEATURES = {("ner", False): 3, ("ner", True): 6, ("parser", False): 8, ("parser", True): 13}

# spaCy drops a tenth of the hidden numbers while training, whatever dropout the update asks for.
HIDDEN_DROPOUT = 0.1


@registry.architectures("spacy.TransitionBasedParser.v2")
def TransitionBasedParser(
    tok2vec: Model[list[Any], list[Floats2d]],
    state_type: str,
    extra_state_tokens: bool,
    hidden_width: int,
    maxout_pieces: int,
    use_upper: bool,
    nO: int | None = None,
) -> Model[list[Any], TransitionSteps]:
    """Return a model from documents to the `TransitionSteps` that score the states of their analyses.

    tok2vec: documents to rows. state_type: ``"ner"``, or ``"parser"``, whose tree can be built and loaded but
    not run. extra_state_tokens: a state shows six tokens instead of three. hidden_width: numbers of a state;
    maxout_pieces: linear pieces of each. use_upper: a linear layer makes scores of them; without it they are
    the scores. nO: number of actions, set by the component.

    Surprising, and kept from spaCy: with one piece hidden numbers are rectified while training, and not
    when predicting; weights learn from the batch's last token where a state shows none.
    ``attrs["resize_output"]`` changes the number of actions and keeps the old scores.

    Raises ValueError for another `state_type`.
    """
    n_features = _N_FEATURES.get((state_type, bool(extra_state_tokens)))
    if n_features is None:
        raise ValueError(
            f"TransitionBasedParser: state_type is {state_type!r}; expected 'ner' for entities or 'parser'."
        )
    width = tok2vec.get_dim("nO") if tok2vec.has_dim("nO") else None
    linear = Linear(hidden_width, width)
    on_rust(linear)
    joined = list2array()
    joined._func = partial(_joined, joined._func)
    tokens = chain(tok2vec, joined, linear)
    tokens.set_dim("nO", hidden_width)
    lower = PrecomputableAffine(
        hidden_width if use_upper else nO, nI=hidden_width, nF=n_features, nP=maxout_pieces
    )
    upper: Model[Any, Any] = noop()
    if use_upper:
        with use_ops("cpu"):
            upper = Linear(nO, init_W=zero_init)
    return Model(
        "parser_model",
        _forward,
        init=_init,
        layers=[tokens, lower, upper],
        dims={"nI": tokens.maybe_get_dim("nI")},
        refs={"tok2vec": tokens, "lower": lower, "upper": upper},
        attrs={"has_upper": use_upper, "unseen_classes": set(), "resize_output": resize_actions},
    )


class StepGradients:
    """The gradient by the scores of all states of a batch, kept in Rust; can be scaled and added up."""

    def __init__(self, parts: list[tuple[Any, float]]) -> None:
        self.parts = parts

    def __rmul__(self, factor: float) -> StepGradients:
        """Return the same gradient times `factor`."""
        return StepGradients([(trace, factor * scale) for trace, scale in self.parts])

    def __add__(self, other: StepGradients) -> StepGradients:
        """Return the sum of both."""
        return StepGradients([*self.parts, *other.parts])


class TransitionSteps:
    """A batch's tokens as the network sees them, ready to score any state of any of their analyses.

    network: the weights of now, multiplied with the tokens of the batch. docs: its documents. drop: share of
    the hidden numbers dropped while learning.
    """

    def __init__(self, network: Any, docs: list[Any], *, drop: float) -> None:
        self.network = network
        self.docs = docs
        self._drop = drop

    def learn(
        self, batch: Any, gold: npt.NDArray[np.uint32], negatives: npt.NDArray[np.uint32], *, longest: int
    ) -> tuple[float, StepGradients]:
        """Return the loss against gold annotation, in nats and summed over the states, and its gradient.

        batch: a `_core.BiluoBatch` of the same documents; the other arguments are those of
        ``_core.TransitionNetwork.learn``.
        """
        trace = self.network.learn(batch, gold, negatives, longest, self._drop, _seed(self._drop))
        return trace.loss, StepGradients([(trace, 1.0)])

    def learn_from(
        self, teacher: TransitionSteps, actions: npt.NDArray[np.int32], batch: Any, *, temperature: float
    ) -> tuple[float, StepGradients]:
        """Return KL(teacher ‖ self), summed over the states the teacher goes through, and its gradient.

        actions: int32 (teacher's n_actions,), which own action each of its outputs is, -1 for none.
        """
        trace = self.network.learn_from(
            teacher.network, actions, batch, temperature, self._drop, _seed(self._drop)
        )
        return trace.loss, StepGradients([(trace, 1.0)])

    def learn_from_rows(
        self,
        rows: npt.NDArray[np.float32],
        actions: npt.NDArray[np.int32],
        batch: Any,
        *,
        temperature: float,
    ) -> tuple[float, StepGradients]:
        """As `learn_from`, with a teacher's kept scores: float32 (n_tokens, n_teacher_actions)."""
        trace = self.network.learn_from_rows(rows, actions, batch, temperature, self._drop, _seed(self._drop))
        return trace.loss, StepGradients([(trace, 1.0)])


def transition_steps(model: Model[Any, Any], docs: list[Any]) -> TransitionSteps:
    """What scores the states of `docs`, by the weights of `model`, which may be a tree that spaCy runs."""
    return _forward(model, docs, False)[0]


def run_as_own(model: Model[Any, Any]) -> None:
    """Let a tree that spaCy's ``TransitionBasedParser`` built run as one that was built here.

    The nodes and their weights are the same; what comes out are `TransitionSteps`, which only Ferrule's
    components can use.
    """
    model._func = _forward
    model.attrs["resize_output"] = resize_actions


def resize_actions(model: Model[Any, Any], new_nO: int) -> Model[Any, Any]:
    """Change the number of actions of `model` to `new_nO` in place, and return it.

    Scores of the actions that stay are kept bit for bit; a new one starts without weights and with a bias far
    below all others, so it is not taken before it is learnt. spaCy keeps a list of new actions instead, which
    it does not save.
    """
    if new_nO < 1:
        raise ValueError(f"resize_output: a model needs one output or more, but was given {new_nO}.")
    axes = {"W": 0, "b": 0}
    layer = model.get_ref("upper")
    if not model.attrs["has_upper"]:
        layer, axes = model.get_ref("lower"), {"W": 1, "b": 0, "pad": 2}
    if layer.maybe_get_dim("nO") == new_nO:
        return model
    old = {name: layer.get_param(name) for name in axes if layer.has_param(name)}
    for name in axes:
        layer.set_param(name, None)
        layer._params._grads.pop((layer.id, name), None)
    layer.set_dim("nO", new_nO, force=True)
    for name, array in old.items():
        layer.set_param(name, _resized(layer.ops, array, axes[name], new_nO, is_bias=name == "b"))
    return model


def _resized(ops: Any, array: Any, axis: int, size: int, *, is_bias: bool) -> Any:
    shape = list(array.shape)
    kept = (slice(None),) * axis + (slice(min(size, shape[axis])),)
    shape[axis] = size
    new = ops.alloc(tuple(shape), dtype=array.dtype)
    if is_bias and array.size:
        new[:] = array.min() - NEW_OUTPUT_GAP
    new[kept] = array[kept]
    return new


def _forward(
    model: Model[Any, Any], docs: list[Any], is_train: bool
) -> tuple[TransitionSteps, Callable[[StepGradients], list[Any]]]:
    tok2vec, lower, upper = model.layers
    has_upper = model.attrs["has_upper"]
    vectors, backprop_vectors = tok2vec(docs, is_train)
    upper_arrays = (_floats(upper, "W"), _floats(upper, "b")) if has_upper else None
    network = _core.TransitionNetwork(
        _floats(lower, "W"),
        _floats(lower, "b"),
        _floats(lower, "pad"),
        upper_arrays,
        np.ascontiguousarray(tok2vec.ops.to_numpy(vectors)),
        is_train,
    )

    def backprop(d_steps: StepGradients) -> list[Any]:
        d_vectors: Any = 0.0
        for trace, scale in d_steps.parts:
            d_tokens, d_weights, d_bias, d_padding, d_upper = network.backprop(trace, scale)
            if len(vectors):
                d_weights += _as_if_the_last_token_were_shown(d_padding, vectors)
            for name, gradient in (("W", d_weights), ("b", d_bias), ("pad", d_padding)):
                lower.inc_grad(name, lower.ops.asarray(gradient))
            if d_upper is not None:
                upper.inc_grad("W", upper.ops.asarray(d_upper[0]))
                upper.inc_grad("b", upper.ops.asarray(d_upper[1]))
            d_vectors = d_vectors + d_tokens
        return cast(list[Any], backprop_vectors(tok2vec.ops.asarray2f(d_vectors)))

    drop = HIDDEN_DROPOUT if is_train and has_upper else 0.0
    return TransitionSteps(network, list(docs), drop=drop), backprop


def _joined(
    own: Any, model: Model[Any, Any], X: list[Any], is_train: bool
) -> tuple[Any, Callable[[Any], Any]]:
    """What thinc's ``list2array`` does, without copies where the documents' rows are views into one block."""
    if not X or any(type(rows) is not np.ndarray for rows in X):
        return cast(tuple[Any, Callable[[Any], Any]], own(model, X, is_train))
    lengths = [len(rows) for rows in X]
    return join_rows(X), lambda d_rows: split_rows(d_rows, lengths)


def _as_if_the_last_token_were_shown(d_padding: Any, vectors: Any) -> Any:
    """What spaCy adds to the gradient of the lower weights, (nF, nO, nP, nI), and the true one has not.

    Where a state shows no token in a place, spaCy's index is -1, and that place's weights learn as if the
    batch's last token were there. Kept, so that training comes to spaCy's numbers.
    """
    return d_padding[0][..., None] * np.asarray(vectors)[-1]


def _init(model: Model[Any, Any], X: list[Any] | None = None, Y: Any = None) -> None:
    model.get_ref("tok2vec").initialize(X=X)
    lower = model.get_ref("lower")
    lower.initialize()
    if model.attrs["has_upper"]:
        model.get_ref("upper").initialize(X=model.ops.alloc2f(2, lower.get_dim("nO")))


def _floats(layer: Model[Any, Any], name: str) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(layer.ops.to_numpy(layer.get_param(name)), dtype=np.float32)


def _seed(drop: float) -> int:
    # One draw from the generator that thinc uses too, so that `fix_random_seed` fixes the masks.
    return int(np.random.randint(2**31 - 1)) if drop else 0
