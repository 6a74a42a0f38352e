"""Predictions of linear models over n-grams: from documents to scores in one Rust call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from thinc.api import Model

from ferrule.kept_weights import KeptWeights
from ferrule.ml.extract_ngrams import ngrams_of
from ferrule.ml.feature_extractor import all_native
from ferrule.ml.shortcuts import NOT_TAKEN, on_rust, shorten

__all__ = ["predict_at_once"]

Node: TypeAlias = Model[Any, Any]


def predict_at_once(model: Node) -> None:
    """Let `model` count n-grams, hash them and add up their weights in one call.

    model: its leaves are a layer that counts n-grams, a `SparseLinear`, and an activation or none.
    """
    for activation in _leaves(model)[2:]:
        on_rust(activation)
    shorten(model, _leaves, _predict)


def _leaves(model: Node) -> Sequence[Node]:
    return [node for node in model.walk(order="dfs_pre") if not node.layers]


def _predict(leaves: Sequence[Node], docs: Any) -> Any:
    features, weights, *activations = leaves
    kept = KeptWeights.of(weights) if all_native(docs) else None
    if kept is None:
        return NOT_TAKEN
    scores = kept.scores_of_docs(weights.get_param("b"), list(docs), ngrams_of(features))
    for activation in activations:
        scores = activation.predict(scores)
    return scores
