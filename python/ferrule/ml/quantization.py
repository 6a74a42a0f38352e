"""Token encoders whose window layers run in bytes, on request: faster to predict with, and hardly different.

What is kept is how far the numbers of each column go in some documents, in the attribute `int8` of the
encoder's node: it is copied, pickled and saved with the tree. The weights stay as they are; their bytes
are made when they are first needed, and again whenever they are loaded.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from thinc.api import Model

from ferrule import _core
from ferrule.ml.encoder_parts import EncoderParts, find_parts
from ferrule.ml.feature_extractor import extract_rows
from ferrule.ml.fused_function import FusedFunction

__all__ = [
    "dequantize_tree",
    "packed_encoder",
    "quantizable_encoders",
    "quantize_tree",
    "quantized_encoders",
    "release_for_training",
]

Node: TypeAlias = Model[Any, Any]
ATTRIBUTE = "int8"


def quantizable_encoders(model: Node) -> list[Node]:
    """The nodes of the tree that are fused token encoders with a second window layer."""
    return [node for node, _ in _quantizable(model)]


def quantized_encoders(model: Node) -> list[Node]:
    """The nodes of the tree that are token encoders in bytes."""
    return [node for node in model.walk() if node.attrs.get(ATTRIBUTE) is not None]


def quantize_tree(model: Node, docs: Sequence[Any]) -> int:
    """Let the token encoders in the tree predict in bytes, and return how many there are.

    docs: of the kind that will be predicted; some hundred are enough. Nothing of them is kept but two numbers
    for each column that becomes bytes. What is already in bytes is measured anew.

    Raises ValueError if the documents have no tokens, or the weights are not set.
    """
    docs = [doc for doc in docs if len(doc)]
    if not docs:
        raise ValueError("quantize: no documents with tokens were given, and the ranges are found in those.")
    found = []
    for node, parts in _quantizable(model):
        params = parts.params()
        if params is None:
            raise ValueError(
                "quantize: the token encoder has no weights yet, or not as float32 in C order. Initialize or "
                "load the pipeline first."
            )
        rows, lengths = extract_rows(docs, parts.attr_ids)
        ranges = _core.EncoderPlan(params).ranges(rows, lengths.astype(np.uint32))
        found.append((node, {"ranges": ranges, "weights": _core.encoder_fingerprint(params)}))
    for node, quantization in found:
        node.attrs[ATTRIBUTE] = quantization
    return len(found)


def dequantize_tree(model: Node) -> int:
    """Let all token encoders in the tree predict in float32 again; returns how many did not."""
    nodes = quantized_encoders(model)
    for node in nodes:
        del node.attrs[ATTRIBUTE]
    return len(nodes)


def packed_encoder(params: Any, quantization: dict[str, Any] | None) -> Any:
    """The encoder with its weights packed: in bytes if `quantization`, the node's attribute, is of them.

    Warns where it is of others, and gives the encoder in float32.
    """
    if quantization is None:
        return _core.EncoderPlan(params)
    if not _is_of(params, quantization):
        warnings.warn(
            "The weights of a token encoder changed after it was quantized, so it runs in float32. Call "
            "quantize again, or dequantize.",
            UserWarning,
            stacklevel=2,
        )
        return _core.EncoderPlan(params)
    ranges: npt.NDArray[np.float32] = np.ascontiguousarray(quantization["ranges"], dtype=np.float32)
    return _core.EncoderPlan(params, ranges)


def release_for_training(model: Node, params: Any) -> None:
    """Refuse to train the encoder `model` if it runs in bytes; forget bytes of weights that it no longer has.

    Raises ValueError.
    """
    quantization = model.attrs.get(ATTRIBUTE)
    if quantization is None:
        return
    if _is_of(params, quantization):
        raise ValueError(
            "This token encoder is quantized: it predicts in bytes, and has no gradient so. Call "
            "nlp.dequantize() before training, and nlp.quantize(docs) again afterwards."
        )
    del model.attrs[ATTRIBUTE]


def _quantizable(model: Node) -> Iterator[tuple[Node, EncoderParts]]:
    for node in model.walk():
        parts = find_parts(node) if isinstance(node._func, FusedFunction) else None
        if parts is not None and parts.window == 1 and len(parts.layers) > 1:
            yield node, parts


def _is_of(params: Any, quantization: dict[str, Any]) -> bool:
    return bool(_core.encoder_fingerprint(params) == quantization["weights"])
