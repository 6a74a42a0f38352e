"""What the Rust code takes as it is, and what it gives back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def is_float32(array: Any) -> bool:
    """Whether it is a plain array of float32."""
    return type(array) is np.ndarray and array.dtype == np.float32


def is_matrix(array: Any) -> bool:
    """Whether it is one of two axes."""
    return is_float32(array) and array.ndim == 2


def is_plain(array: Any) -> bool:
    """Whether it is one in C order that may be written."""
    return is_float32(array) and bool(array.flags.c_contiguous) and bool(array.flags.writeable)


def fit(dY: Any, X: Any) -> bool:
    """Whether a gradient and what it belongs to can go to Rust as they are."""
    return is_plain(dY) and is_float32(X) and bool(X.flags.c_contiguous) and dY.shape == X.shape


def int32(numbers: Any) -> Array:
    """The numbers as C-contiguous int32."""
    return np.ascontiguousarray(numbers, dtype=np.int32)


def into(target: Any, result: Array, inplace: bool) -> Any:
    """The result, copied over `target` if that was asked for."""
    if not inplace:
        return result
    target[...] = result
    return target
