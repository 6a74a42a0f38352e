"""The layers of a standard token encoder, found in a thinc tree by what they do and not by their names."""

from __future__ import annotations

import importlib
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from thinc.api import Model, NumpyOps

from ferrule.ml import within_documents
from ferrule.ml.feature_extractor import column_ids
from ferrule.ml.fused_function import own_function

__all__ = ["DropRates", "EncoderParts", "find_parts", "plain_forward"]

Float32 = npt.NDArray[np.float32]
Node: TypeAlias = Model[Any, Any]

# The functions of thinc's layers; a node with another one is not the layer its name says.
_FORWARD: dict[str, Callable[..., Any]] = {
    layer: importlib.import_module(f"thinc.layers.{layer}").forward
    for layer in (
        "array_getitem",
        "chain",
        "concatenate",
        "dropout",
        "expand_window",
        "hashembed",
        "layernorm",
        "list2ragged",
        "maxout",
        "ragged2list",
        "residual",
        "with_array",
    )
}
_FORWARD["within_documents"] = within_documents.forward
plain_forward = _FORWARD["chain"]
_MOST_PIECES = 3


@dataclass(frozen=True)
class DropRates:
    """The shares of numbers that are dropped while training, part by part."""

    tables: list[float]
    mix: float
    layers: list[float]

    def any(self) -> bool:
        """Whether anything is dropped at all."""
        return max(*self.tables, self.mix, *self.layers) > 0

    def as_tuple(self) -> tuple[list[float], float, list[float]]:
        """The rates in the order in which Rust takes them."""
        return self.tables, self.mix, self.layers


@dataclass(frozen=True)
class MaxoutNodes:
    """A maxout layer with what follows it."""

    maxout: Node
    norm: Node
    dropout: Node

    def arrays(self, get: Callable[[Node, str], Any]) -> tuple[Any, Any, Any, Any]:
        """What `get` gives for each parameter: weights, bias, gain, shift."""
        maxout, norm = self.maxout, self.norm
        return get(maxout, "W"), get(maxout, "b"), get(norm, "G"), get(norm, "b")

    def drop_rate(self) -> float:
        """The share of numbers dropped while training."""
        attrs = self.dropout.attrs
        return float(attrs["dropout_rate"]) if attrs["is_enabled"] else 0.0


@dataclass(frozen=True)
class EncoderArrays:
    """The arrays of an encoder, parameters or gradients, in the form that Rust reads."""

    tables: list[Any]
    mix: tuple[Any, Any, Any, Any]
    layers: list[tuple[Any, Any, Any, Any]]
    window: int
    zeros_beyond: bool


@dataclass(frozen=True)
class EncoderParts:
    """The nodes of an encoder.

    attr_ids: token attributes, one for each column of the feature rows; columns: the feature column of each
    table; zeros_beyond: whether windows read zeros beyond a document at every layer, and not spaCy's rows.
    """

    attr_ids: list[int]
    tables: list[Node]
    columns: list[int]
    mix: MaxoutNodes
    layers: list[MaxoutNodes]
    window: int
    zeros_beyond: bool
    _places: list[tuple[Node, str, tuple[int, str]]] = field(default_factory=list)
    _last: list[Any] = field(default_factory=lambda: [[], None])

    def __post_init__(self) -> None:
        self._collect(lambda node, name: self._places.append((node, name, (node.id, name))))

    def params(self) -> EncoderArrays | None:
        """The parameters; None where Rust cannot read them: unset, not float32, strided or on a GPU.

        While the nodes hold the same arrays, the same object is given.
        """
        # What `node.get_param` gives, None if unset, in a third of its time: this is done for each batch.
        arrays = [
            (node._params._params.get(key) if node._params.proxy is None else node.get_param(name))
            if node._has_params.get(name)
            else None
            for node, name, key in self._places
        ]
        last, given = self._last
        if given is not None and all(map(operator.is_, arrays, last)):
            return given
        if not all(map(_is_plain, arrays)):
            return None
        by_name = {key: array for (_, _, key), array in zip(self._places, arrays, strict=True)}
        found = self._collect(lambda node, name: by_name[node.id, name])
        tables = [
            (array, int(node.attrs["seed"]), column)
            for array, node, column in zip(found.tables, self.tables, self.columns, strict=True)
        ]
        params = EncoderArrays(tables, found.mix, found.layers, self.window, self.zeros_beyond)
        self._last[:] = arrays, params
        return params

    def drop_rates(self) -> DropRates:
        """The dropout rates that are set at the moment."""
        return DropRates(
            tables=[float(node.attrs.get("dropout_rate") or 0.0) for node in self.tables],
            mix=self.mix.drop_rate(),
            layers=[layer.drop_rate() for layer in self.layers],
        )

    def add_gradients(self, add: Callable[[EncoderArrays], None]) -> None:
        """Call `add` with arrays to add gradients to; they are the nodes' own where possible."""
        fresh: list[tuple[Node, str, Float32]] = []

        def target(node: Node, name: str) -> Float32:
            grad = node.get_grad(name) if node.has_grad(name) and node._params.proxy is None else None
            if grad is None or not _is_plain(grad) or not grad.flags.writeable:
                grad = np.zeros(node.get_param(name).shape, dtype=np.float32)
                fresh.append((node, name, grad))
            return grad

        add(self._collect(target))
        for node, name, grad in fresh:
            if node._params.proxy is None and not node.has_grad(name):
                node.set_grad(name, grad)
            else:
                node.inc_grad(name, grad)

    def _collect(self, get: Callable[[Node, str], Any]) -> EncoderArrays:
        return EncoderArrays(
            tables=[get(node, "E") for node in self.tables],
            mix=self.mix.arrays(get),
            layers=[layer.arrays(get) for layer in self.layers],
            window=self.window,
            zeros_beyond=self.zeros_beyond,
        )


def _is_plain(array: Any) -> bool:
    return type(array) is np.ndarray and array.dtype == np.float32 and bool(array.flags.c_contiguous)


def find_parts(model: Node) -> EncoderParts | None:
    """The parts of `model` if it is a standard token encoder that Rust can run, else None.

    That is: a chain of `MultiHashEmbed` without static vectors and of `MaxoutWindowEncoder`, spaCy's or
    Ferrule's, with 1 to 3 pieces, on the CPU.
    """
    try:
        return _match_encoder(model)
    except _NoMatch:
        return None


class _NoMatch(Exception):
    pass


def _need(condition: bool) -> None:
    if not condition:
        raise _NoMatch


def _layers(node: Node, kind: str, n_layers: int | None = None) -> Sequence[Node]:
    """The layers of a node that must be of a kind, and have so many layers."""
    _need(own_function(node._func) is _FORWARD[kind])
    _need(n_layers is None or len(node.layers) == n_layers)
    return node.layers


def _match_encoder(model: Node) -> EncoderParts:
    _need(isinstance(model.ops, NumpyOps))
    embed, encode = _layers(model, "chain", 2)
    features, to_ragged, tables, mix, to_list = _layers(embed, "chain", 5)
    _need(features.name == "extract_features" and "columns" in features.attrs)
    _layers(to_ragged, "list2ragged", 0)
    _layers(to_list, "ragged2list", 0)
    hashed = [_match_table(table) for table in _match_tables(_layers(tables, "with_array", 1)[0])]
    zeros_beyond = encode._func is _FORWARD["within_documents"]
    layers = _match_ragged_encoder(encode) if zeros_beyond else _match_padded_encoder(encode)
    windows = {window for window, _ in layers}
    _need(len(windows) == 1 and min(windows) >= 1)
    return EncoderParts(
        attr_ids=column_ids(features.attrs["columns"]),
        tables=[node for node, _ in hashed],
        columns=[column for _, column in hashed],
        mix=_match_maxout(_layers(mix, "with_array", 1)[0]),
        layers=[nodes for _, nodes in layers],
        window=windows.pop(),
        zeros_beyond=zeros_beyond,
    )


def _match_padded_encoder(encode: Node) -> list[tuple[int, MaxoutNodes]]:
    """The blocks of spaCy's encoder, which works on documents with rows of zeros between them."""
    blocks = map(_match_residual, _match_blocks(_layers(encode, "with_array", 1)[0]))
    layers = [(window, _match_maxout(maxout)) for window, maxout in blocks]
    _need(encode.attrs["pad"] == sum(window for window, _ in layers))
    return layers


def _match_ragged_encoder(encode: Node) -> list[tuple[int, MaxoutNodes]]:
    """The blocks of Ferrule's encoder, whose windows know where documents end."""
    blocks = map(_match_residual, _match_blocks(_layers(encode, "within_documents", 1)[0]))
    return [(window, _match_maxout(_layers(maxout, "with_array", 1)[0])) for window, maxout in blocks]


def _match_tables(node: Node) -> Sequence[Node]:
    return node.layers if node._func is _FORWARD["concatenate"] else [node]


def _match_blocks(node: Node) -> Sequence[Node]:
    return [node] if node._func is _FORWARD["residual"] else _layers(node, "chain")


def _match_table(node: Node) -> tuple[Node, int]:
    get_column, table = _layers(node, "chain", 2)
    _layers(get_column, "array_getitem", 0)
    _layers(table, "hashembed", 0)
    index = get_column.attrs["index"]
    _need(isinstance(index, tuple) and len(index) == 2 and index[0] == slice(0, None))
    _need(isinstance(index[1], int) and index[1] >= 0)
    return table, index[1]


def _match_residual(node: Node) -> tuple[int, Node]:
    """The reach of the windows of a residual block, and what transforms them."""
    (block,) = _layers(node, "residual", 1)
    expand, transform = _layers(block, "chain", 2)
    _layers(expand, "expand_window", 0)
    return int(expand.attrs["window_size"]), transform


def _match_maxout(node: Node) -> MaxoutNodes:
    normalized, dropout = _layers(node, "chain", 2)
    maxout, norm = _layers(normalized, "chain", 2)
    _layers(maxout, "maxout", 0)
    _layers(norm, "layernorm", 0)
    _layers(dropout, "dropout", 0)
    _need(maxout.has_dim("nP") is not True or maxout.get_dim("nP") <= _MOST_PIECES)
    return MaxoutNodes(maxout, norm, dropout)
