"""The best label of each token, without the scores of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from thinc.api import Model

from ferrule.ml.encoder_parts import plain_forward
from ferrule.ml.fused import FusedForward
from ferrule.ml.fused_head import FusedHead

__all__ = ["best_labels"]


def best_labels(model: Model[Any, Any], docs: Sequence[Any]) -> npt.NDArray[np.int32] | None:
    """Return the number of the largest score of each token, int32 (n_tokens,), the first of those alike.

    model: from documents to scores for each document. The result is that of the rows that ``model.predict``
    gives, which are not made. None where the model is anything else than a fused token encoder under a
    fused softmax layer that leaves out the softmax; then there is no shorter way than the rows.
    """
    if model._func is not plain_forward or len(model.layers) != 2:
        return None
    encoder, head = model.layers
    if not (type(encoder._func) is FusedForward and type(head._func) is FusedHead and len(head.layers) == 1):
        return None
    layer = head.layers[0]
    if layer.attrs.get("softmax_normalize", True) or not (layer.has_param("W") and layer.has_param("b")):
        return None
    weights, bias = layer.get_param("W"), layer.get_param("b")
    if not (_is_plain(weights) and _is_plain(bias) and len(bias)):
        return None
    return encoder._func.best_labels(encoder, docs, weights, bias)


def _is_plain(array: Any) -> bool:
    return type(array) is np.ndarray and array.dtype == np.float32 and bool(array.flags.c_contiguous)
