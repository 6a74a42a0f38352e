"""Why a part of a spaCy model was left as it is, in words for a report."""

from __future__ import annotations

import importlib
from typing import Any, TypeAlias

from spacy.pipeline.tok2vec import Tok2VecListener
from thinc.api import Model, NumpyOps

from ferrule.ml.fused import FusedForward

__all__ = ["encoders_left", "why_nothing"]

Node: TypeAlias = Model[Any, Any]

_reads_features = importlib.import_module("spacy.ml.featureextractor").forward

# Layers that say something about an encoder, by the names of their nodes.
_REASONS = {
    "static_vectors": "its embedding has word vectors",
    "charembed": "it embeds characters",
    "mish": "its encoder has mish layers",
    "pytorch": "its encoder is a PyTorch network",
    "lstm": "its encoder is an LSTM",
}


def encoders_left(model: Node) -> list[str]:
    """A reason for each token encoder in `model` that is run by spaCy still."""
    inside = {id(node) for top in model.walk() if isinstance(top._func, FusedForward) for node in top.walk()}
    readers = [node for node in model.walk() if node._func is _reads_features and id(node) not in inside]
    if not readers:
        return []
    return [_why_not(model)]


def why_nothing(model: Node) -> str:
    """Why nothing at all was swapped in `model`."""
    upstream = [node.upstream_name for node in model.walk() if isinstance(node, Tok2VecListener)]
    if upstream:
        return "its encoder is a shared tok2vec; Ferrule knows nothing of the rest"
    leaves = sorted({node.name for node in model.walk() if not node.layers})
    return f"no layers that Ferrule runs, but {', '.join(leaves)}"


def _why_not(model: Node) -> str:
    if not all(isinstance(node.ops, NumpyOps) for node in model.walk()):
        return "it runs on a GPU"
    names = " ".join(node.name.lower() for node in model.walk() if not node.layers)
    for part, reason in _REASONS.items():
        if part in names:
            return reason
    return "its layers are others than those of HashEmbedCNN and MultiHashEmbed + MaxoutWindowEncoder"
