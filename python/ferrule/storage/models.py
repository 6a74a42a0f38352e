"""Loading saved weights into a thinc model, after checking that they fit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy
import srsly
from srsly.msgpack._unpacker import unpackb
from thinc.model import deserialize_attr

from ferrule.errors import SerializationError
from ferrule.storage.fields import unpack
from ferrule.storage.snapshots import unchanged_on_error

__all__ = ["load_model"]


def load_model(model: Any, data: bytes, owner: str) -> None:
    """Load what `model.to_bytes()` gave into `model`, of the same architecture.

    Node names and counts, sizes, parameter names, types, shapes and finite values are checked before
    anything is changed. Raises SerializationError, naming `owner`, the node and the parameter, and leaves
    the model as it was.
    """
    message = unpack(data, f"the model of {owner}")
    _check_message(message, owner)
    nodes = list(model.walk())
    if len(nodes) != len(message["nodes"]):
        raise SerializationError(
            f"{owner}: the saved model has {len(message['nodes'])} nodes ({_names(message)}), this one "
            f"{len(nodes)} ({', '.join(node.name for node in nodes[:6])}…). Build it with the config it "
            "was saved "
            f"with."
        )
    for index, node in enumerate(nodes):
        _check_node(node, index, message, owner)
    with unchanged_on_error(model):
        try:
            _take_over(nodes, _with_ops_arrays(model, message))
        except SerializationError:
            raise
        except Exception as error:
            raise SerializationError(f"{owner}: the saved model does not fit this one: {error}") from error


def _take_over(nodes: list[Any], message: dict[str, Any]) -> None:
    """Do as thinc's `Model.from_dict`, which looks up its decoders anew for each of a model's attributes."""
    decode = _decoder()
    for index, node in enumerate(nodes):
        info = message["nodes"][index]
        node.name = info["name"]
        for dim, size in info["dims"].items():
            if size is not None:
                node.set_dim(dim, size)
        for ref, target in info["refs"].items():
            node.set_ref(ref, None if target is None else nodes[target])
        for name, value in message["attrs"][index].items():
            default = node.attrs.get(name)
            special = deserialize_attr.dispatch(type(default))
            plain = special is deserialize_attr.dispatch(object)
            node.attrs[name] = decode(value) if plain else special(default, value, name, node)
        for name, value in message["params"][index].items():
            node.set_param(name, None if value is None else node.ops.asarray(value).copy())
        for shim, data in zip(node.shims, message["shims"][index], strict=True):
            shim.from_bytes(data)


def _decoder() -> Callable[[bytes], Any]:
    """`srsly.msgpack_loads`, with the decoders registered now."""
    hook = None
    for decoder in srsly.msgpack_decoders.get_all().values():
        hook = partial(decoder, chain=hook)
    return partial(unpackb, object_hook=hook, raw=False, use_list=True)


def _check_message(message: Any, owner: str) -> None:
    parts = ("nodes", "attrs", "params", "shims")
    if not isinstance(message, dict) or any(not isinstance(message.get(part), list) for part in parts):
        raise SerializationError(
            f"{owner}: these bytes hold no model; expected lists named {', '.join(parts)}"
        )
    n_nodes = len(message["nodes"])
    for part, kind in zip(parts, (dict, dict, dict, list), strict=True):
        if len(message[part]) != n_nodes or any(not isinstance(item, kind) for item in message[part]):
            raise SerializationError(f"{owner}: the saved model is broken: {part!r} has not one entry a node")
    for info in message["nodes"]:
        if not isinstance(info.get("name"), str) or not all(
            isinstance(info.get(part), dict) for part in ("dims", "refs")
        ):
            raise SerializationError(f"{owner}: the saved model is broken: a node without name, dims or refs")


def _check_node(node: Any, index: int, message: dict[str, Any], owner: str) -> None:
    info = message["nodes"][index]
    where = f"{owner}: node {index} ({node.name!r}) of the saved model"
    for dim, size in info["dims"].items():
        if dim not in node.dim_names:
            raise SerializationError(f"{where} has a size {dim!r} this model does not know")
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 0):
            raise SerializationError(f"{where} has the size {dim} = {size!r}, expected a whole number")
        if size is not None and node.has_dim(dim) and node.get_dim(dim) != size:
            raise SerializationError(
                f"{where} has {dim} = {size}, this model has {node.get_dim(dim)}. The labels or the "
                "config differ."
            )
    for ref, target in info["refs"].items():
        in_range = target is None or (isinstance(target, int) and 0 <= target < len(message["nodes"]))
        if ref not in node.ref_names or not in_range:
            raise SerializationError(f"{where} refers to {target!r} as {ref!r}, which is no node")
    if len(message["shims"][index]) != len(node.shims):
        raise SerializationError(
            f"{where} wraps {len(message['shims'][index])} outside models, this one {len(node.shims)}"
        )
    for name, value in message["params"][index].items():
        _check_parameter(node, name, value, where)


def _check_parameter(node: Any, name: str, value: Any, where: str) -> None:
    if name not in node.param_names:
        raise SerializationError(f"{where} has a parameter {name!r} this model does not know")
    if value is None:
        return
    if not isinstance(value, numpy.ndarray) or value.dtype.kind != "f":
        found = str(value.dtype) if isinstance(value, numpy.ndarray) else type(value).__name__
        raise SerializationError(f"{where}: parameter {name!r} is {found}, expected an array of floats")
    if node.has_param(name):
        current = node.get_param(name)
        if current.shape != value.shape:
            raise SerializationError(
                f"{where}: parameter {name!r} has the shape {value.shape}, this model {current.shape}"
            )
    if not numpy.isfinite(value).all():
        raise SerializationError(f"{where}: parameter {name!r} has values that are NaN or infinite")


def _names(message: dict[str, Any]) -> str:
    return ", ".join(info["name"] for info in message["nodes"][:6]) + "…"


def _with_ops_arrays(model: Any, value: Any) -> Any:
    """`value` with its arrays, at any depth, as arrays of the model's device."""
    if isinstance(value, numpy.ndarray):
        return model.ops.asarray(value)
    if isinstance(value, dict):
        return {key: _with_ops_arrays(model, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_ops_arrays(model, item) for item in value]
    return value
