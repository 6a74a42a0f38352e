"""Shorter ways to predict what a tree of layers predicts, without the arrays in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from thinc.api import Model, NumpyOps

from ferrule.ops import RustOps

__all__ = ["NOT_TAKEN", "on_rust", "shorten"]

Node: TypeAlias = Model[Any, Any]
Forward: TypeAlias = Callable[[Node, Any, bool], tuple[Any, Callable[[Any], Any]]]

NOT_TAKEN = object()
"""What a shortcut returns for input that it is not made for."""


def shorten(
    model: Node, parts: Callable[[Node], Sequence[Node]], shortcut: Callable[[Sequence[Node], Any], Any]
) -> None:
    """Let `model` predict with ``shortcut(parts(model), X)``.

    parts: the nodes in the tree that the shortcut stands for. Should they be others later, or have other
    functions than now, or should the shortcut return `NOT_TAKEN`, the model's own function runs, as it does
    for training. Nodes, parameters and bytes stay as they are, and copies of the model have the shortcut too.
    """
    functions = [node._func for node in parts(model)]
    model._func = partial(_forward, model._func, parts, functions, shortcut)


def on_rust(model: Node) -> None:
    """Let the arithmetic of all nodes in `model` that runs in NumPy run in Rust, in copies of it too."""
    for node in model.walk():
        if type(node.ops) is NumpyOps:
            node.ops = RustOps()
            node._func = partial(_forward_on_rust, node._func)


def _forward_on_rust(own: Forward, model: Node, X: Any, is_train: bool) -> tuple[Any, Callable[[Any], Any]]:
    if type(model.ops) is NumpyOps:  # `Model.copy` keeps functions and drops ops
        model.ops = RustOps()
    return own(model, X, is_train)


def _forward(
    own: Forward,
    parts: Callable[[Node], Sequence[Node]],
    functions: list[Any],
    shortcut: Callable[[Sequence[Node], Any], Any],
    model: Node,
    X: Any,
    is_train: bool,
) -> tuple[Any, Callable[[Any], Any]]:
    if not is_train:
        nodes = _found(parts, model)
        if [node._func for node in nodes] == functions:
            predicted = shortcut(nodes, X)
            if predicted is not NOT_TAKEN:
                return predicted, _no_backprop
    return own(model, X, is_train)


def _found(parts: Callable[[Node], Sequence[Node]], model: Node) -> Sequence[Node]:
    try:
        return parts(model)
    except (IndexError, ValueError):  # the tree has another form by now
        return []


def _no_backprop(d_output: Any) -> Any:
    raise ValueError(
        "no gradient can be taken of a prediction, since nothing was kept for it: call begin_update instead."
    )
