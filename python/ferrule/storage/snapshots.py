"""Putting objects back as they were when loading into them fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy, deepcopy
from typing import Any

from thinc.api import Model

__all__ = ["unchanged_on_error"]


@contextmanager
def unchanged_on_error(*objects: Any) -> Iterator[None]:
    """If the block raises, `objects` are as they were before it.

    Works for thinc models and for objects with a `__dict__`: settings and label lists are copied; models are
    remembered array by array, not copied, because loading replaces their arrays; new strings of a
    vocabulary are taken back; everything else is remembered as it is.
    """
    restorers = [_restorer(item) for item in objects]
    restorers += [item._strings_restorer() for item in objects if hasattr(item, "_strings_restorer")]
    try:
        yield
    except BaseException:
        for restore in restorers:
            restore()
        raise


def _restorer(item: Any) -> Callable[[], None]:
    if isinstance(item, Model):
        return _model_restorer(item)
    attributes = getattr(item, "__dict__", None)
    if attributes is None:
        return lambda: None
    before = dict(attributes)
    plain = {name: deepcopy(value) for name, value in before.items() if _is_plain(value)}
    shallow = {
        name: copy(value) for name, value in before.items() if _is_container(value) and name not in plain
    }
    models = [_model_restorer(value) for value in before.values() if isinstance(value, Model)]

    def restore() -> None:
        attributes.clear()
        attributes.update(before)
        for name, value in (*plain.items(), *shallow.items()):
            attributes[name] = value
        for restore_model in models:
            restore_model()

    return restore


def _is_container(value: Any) -> bool:
    return type(value) in (dict, list, set)


def _is_plain(value: Any, depth: int = 8) -> bool:
    """Whether `value` is made of numbers, strings and containers of such."""
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return True
    if depth == 0:
        return False
    if isinstance(value, list | tuple | set | frozenset):
        return all(_is_plain(item, depth - 1) for item in value)
    if type(value) is dict:
        return all(_is_plain(key) and _is_plain(item, depth - 1) for key, item in value.items())
    return False


def _model_restorer(model: Model[Any, Any]) -> Callable[[], None]:
    states = [
        (
            node,
            node.name,
            dict(node._dims),
            dict(node._refs),
            dict(node._has_params),
            {name: node.get_param(name) for name in node.param_names if node.has_param(name)},
            dict(node.attrs),
            [(shim, shim.to_bytes()) for shim in node.shims],
        )
        for node in model.walk()
    ]

    def restore() -> None:
        for node, name, dims, refs, has_params, params, attrs, shims in states:
            node.name = name
            node._dims, node._refs = dims, refs
            for parameter, value in params.items():
                node.set_param(parameter, value)
            node._has_params = has_params
            node.attrs.clear()
            node.attrs.update(attrs)
            for shim, data in shims:
                shim.from_bytes(data)

    return restore
