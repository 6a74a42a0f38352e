"""`doc.activations` in messages: arrays, and thinc's `Ragged`, by component and name."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["activations_from_message", "activations_to_message"]

_RAGGED = "ragged"


def activations_to_message(activations: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """msgpack-ready activations; TypeError for a value that is no array."""
    return {
        component: {name: _to_message(component, name, value) for name, value in arrays.items()}
        for component, arrays in activations.items()
    }


def _to_message(component: str, name: str, value: Any) -> Any:
    if hasattr(value, "dataXd") and hasattr(value, "lengths"):
        return {_RAGGED: [_host(value.dataXd), _host(value.lengths)]}
    array = _host(value)
    if array.dtype.kind not in "biufc":
        raise TypeError(
            f"doc.activations[{component!r}][{name!r}] is no array of numbers but a {type(value).__name__}"
        )
    return array


def _host(value: Any) -> np.ndarray:
    """The array in main memory, contiguous."""
    return np.ascontiguousarray(value.get() if hasattr(value, "__cuda_array_interface__") else value)


def activations_from_message(message: Any) -> dict[str, dict[str, Any]]:
    """The activations that `activations_to_message` gave; ValueError for anything else."""
    if not isinstance(message, dict) or not all(isinstance(arrays, dict) for arrays in message.values()):
        raise ValueError("activations: expected arrays by component and name")
    return {
        component: {name: _from_message(value) for name, value in arrays.items()}
        for component, arrays in message.items()
    }


def _from_message(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, dict) and set(value) == {_RAGGED} and len(value[_RAGGED]) == 2:
        from thinc.types import Ragged

        data, lengths = value[_RAGGED]
        if isinstance(data, np.ndarray) and isinstance(lengths, np.ndarray) and lengths.sum() == len(data):
            return Ragged(data, lengths)
    raise ValueError("activations: a value is no array")
