"""What keeps a model whole while it learns: one learner at a time, and all of a step or none of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

import numpy

from ferrule import _core
from ferrule.errors import ConcurrentUpdateError
from ferrule.optimizer import Optimizer
from ferrule.pipeline.optimizer_state import OptimizerState, optimizers_in
from ferrule.sparse_gradient import SparseGradient

__all__ = [
    "all_gradients_on_error",
    "fit_gradients_to",
    "learning",
    "stepped_together",
    "swapped_parameters",
    "unchanged_gradients_on_error",
    "unchanged_weights_on_error",
]

_learners: dict[int, tuple[int, int]] = {}  # id of a model -> (thread that trains it, how deeply nested)
_learners_lock = threading.Lock()


@contextmanager
def learning(*models: Any, owner: str) -> Iterator[None]:
    """Marks `models` as being trained by this thread for the length of the block.

    Gradients are sums inside the model, so two learners would mix theirs. Raises ConcurrentUpdateError if
    another thread is training one of the models; the same thread may nest blocks.
    """
    thread = threading.get_ident()
    keys = [id(model) for model in models]
    with _learners_lock:
        if any(_learners.get(key, (thread, 0))[0] != thread for key in keys):
            raise ConcurrentUpdateError(
                f"{owner}: another thread is training this component. Train it from one thread, or give each "
                f"thread a copy of the pipeline; predictions may run in many threads."
            )
        for key in keys:
            _learners[key] = (thread, _learners.get(key, (thread, 0))[1] + 1)
    try:
        yield
    finally:
        with _learners_lock:
            for key in keys:
                depth = _learners[key][1] - 1
                if depth:
                    _learners[key] = (thread, depth)
                else:
                    del _learners[key]


# What `all_gradients_on_error` puts back, of the block that is running.
_held: ContextVar[list[_GradientState] | None] = ContextVar("gradients to put back", default=None)


@contextmanager
def unchanged_gradients_on_error(*models: Any) -> Iterator[None]:
    """If the block raises, the gradients of `models` are what they were before it.

    If a block of `all_gradients_on_error` around it raises later on, they are so too.
    """
    before = [_GradientState(model) for model in models]
    held = _held.get()
    if held is not None:
        held += before
    with _put_back_on_error(before):
        yield


@contextmanager
def all_gradients_on_error(*models: Any) -> Iterator[None]:
    """If the block raises, the gradients of `models` are what they were before it.

    So are those of each model for which `unchanged_gradients_on_error` was entered inside: what looks after
    its own model is not looked at twice.
    """
    held = [_GradientState(model) for model in models]
    around = _held.set(held)
    try:
        with _put_back_on_error(held):
            yield
    finally:
        _held.reset(around)


@contextmanager
def _put_back_on_error(states: list[_GradientState]) -> Iterator[None]:
    """Restores `states` if the block raises, the last one first: a model's first state counts."""
    try:
        yield
    except BaseException:
        for state in reversed(states):
            state.restore()
        raise


@contextmanager
def unchanged_weights_on_error(*models: Any, sgd: Any) -> Iterator[None]:
    """If the block raises, weights and gradients of `models` are what they were before it.

    So is what `sgd` keeps of them (moments, averages, counts), where it is a thinc optimizer or holds one.
    """
    before: list[_WeightState | OptimizerState] = [_WeightState(model) for model in models]
    before += [OptimizerState(optimizer, models) for optimizer in optimizers_in(sgd)]
    with _put_back_on_error([_GradientState(model) for model in models]):
        try:
            yield
        except BaseException:
            for state in before:
                state.restore()
            raise


def fit_gradients_to(sgd: Any, *models: Any) -> None:
    """Make the sparse gradients of `models` dense unless the optimizer `sgd` takes them as they are."""
    if getattr(sgd, "takes_sparse_gradients", False):
        return
    for model in models:
        for node in model.walk():
            for name in node.grad_names:
                gradient = node.get_grad(name)
                if isinstance(gradient, SparseGradient):
                    node.set_grad(name, gradient.dense())


def stepped_together(models: Iterable[Any], optimizer: Any) -> bool:
    """Step the weights of `models`, all of them or none, where `optimizer` can promise that; else do nothing.

    Returns whether they were stepped. Where not, `unchanged_weights_on_error` keeps them whole, by copies.
    """
    # An optimizer that derives from ours may do, and fail at, anything between two parameters.
    return type(optimizer) is Optimizer and optimizer.step_together(models)


@contextmanager
def swapped_parameters(models: Iterable[Any], params: dict[Any, Any] | None) -> Iterator[None]:
    """The `models` with the values of `params`; with their own again after the block, also when it raises.

    `params` maps (node id, parameter name) to an array, as an optimizer's `averages` does. None, which
    is what an optimizer without averages has there, changes nothing, as in spaCy's `Language`.
    """
    if params is None:
        yield
        return
    if not isinstance(params, Mapping):
        raise TypeError(
            f"use_params: expected a mapping of (node id, name) to arrays, such as optimizer.averages, found "
            f"{type(params).__name__}"
        )
    with ExitStack() as stack:
        for model in models:
            swap = model.use_params(params)
            swap.__enter__()
            # thinc puts the old values back only where the block ends without an error, so it never learns
            # of one.
            stack.callback(swap.__exit__, None, None, None)
        yield


class _GradientState:
    """The gradients of a model at one moment. Those that are all zero, the usual case, are not copied."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._kept: dict[tuple[int, str], Any] = {}
        self._shims: list[Callable[[], None]] = []
        with numpy.errstate(over="ignore", invalid="ignore"):
            for node in model.walk():
                if node.shims:
                    self._shims += map(_torch_gradients, node.shims)
                for key, gradient in _gradients(node):
                    self._kept[key] = _kept_gradient(gradient)

    def restore(self) -> None:
        for node in self._model.walk():
            for name in node.grad_names:
                if (node.id, name) not in self._kept:
                    _drop_gradient(node, name)
                    continue
                kept = self._kept[node.id, name]
                if isinstance(kept, SparseGradient):
                    node.set_grad(name, kept)
                    continue
                node.get_grad(name)[...] = 0 if kept is None else kept
        for put_back in self._shims:
            put_back()


class _WeightState:
    """Copies of a model's weights at one moment."""

    def __init__(self, model: Any) -> None:
        self._arrays = []
        self._columns = []
        for node in model.walk():
            for name in node.param_names:
                if node.has_param(name):
                    array = node.get_param(name)
                    gradient = node.get_grad(name) if node.has_grad(name) else None
                    if isinstance(gradient, SparseGradient):
                        # Only these can change; to copy the table would take longer than the step.
                        self._columns.append((node, name, array, gradient.saved_weights(array)))
                        continue
                    self._arrays.append((node, name, array, array.copy()))
        self._shims = [_torch_weights(shim) for node in model.walk() for shim in node.shims]

    def restore(self) -> None:
        for node, name, array, copy in self._arrays:
            array[...] = copy
            node.set_param(name, array)
        for node, name, array, (columns, rows) in self._columns:
            _core.sparse_scatter(array, columns, rows)
            node.set_param(name, array)
        for put_back in self._shims:
            put_back()


def _gradients(node: Any) -> Iterable[tuple[tuple[int, str], Any]]:
    """Keys and arrays of a node's gradients."""
    if node._params.proxy is None:
        # Most nodes have no parameters, and every update asks all of them.
        gradients: dict[tuple[int, str], Any] = node._params._grads
        return gradients.items()
    return [((node.id, name), node.get_grad(name)) for name in node.param_names if node.has_grad(name)]


def _kept_gradient(gradient: Any) -> Any:
    """A copy of a gradient, None if it is all zero."""
    if isinstance(gradient, SparseGradient):
        return gradient.copy()
    # Three times as fast as any(); below 1e-23 it sees nothing, nor need it.
    return gradient.copy() if numpy.vdot(gradient, gradient) != 0 else None


def _drop_gradient(node: Any, name: str) -> None:
    gradients = getattr(node._params, "_grads", {})
    if gradients.pop((node.id, name), None) is None:
        node.get_grad(name)[...] = 0  # gradients served by a proxy can only be overwritten


def _torch_parameters(shim: Any) -> list[Any]:
    """The tensors a torch module learns; empty for shims around anything else."""
    parameters = getattr(getattr(shim, "_model", None), "parameters", None)
    return [tensor for tensor in parameters() if hasattr(tensor, "detach")] if callable(parameters) else []


def _torch_weights(shim: Any) -> Callable[[], None]:
    copies = [(tensor, tensor.detach().clone()) for tensor in _torch_parameters(shim)]

    def put_back() -> None:
        for tensor, copy in copies:
            tensor.data.copy_(copy)

    return put_back


def _torch_gradients(shim: Any) -> Callable[[], None]:
    copies = [
        (tensor, None if tensor.grad is None else tensor.grad.clone()) for tensor in _torch_parameters(shim)
    ]

    def put_back() -> None:
        for tensor, copy in copies:
            tensor.grad = copy

    return put_back
