"""Embedding of the first and last bytes of each token, one small table for each position."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from thinc.api import Model
from thinc.types import Floats2d

from ferrule.registry import registry

__all__ = ["CharEmbed"]

N_BYTE_VALUES = 256


def CharEmbed(nM: int, nC: int) -> Model[list[Any], list[Floats2d]]:
    """Return a layer from documents to float32 (n_tokens, nM * nC): `nC` bytes a token, `nM` numbers a byte.

    Bytes are the token's UTF-8, taken by turns from its start and its end, and 255 past its length
    (``Doc.to_utf8_array``). The table ``E`` is (nC, 256, nM). Keeps the behaviour of spaCy's
    ``spacy.CharEmbed.v1``.

    >>> CharEmbed(nM=4, nC=8).get_dim("nO")
    32
    """
    return Model(
        "charembed",
        _forward,
        init=_initialize,
        params={"E": None},
        dims={"nM": nM, "nC": nC, "nO": nM * nC, "nV": N_BYTE_VALUES},
    )


registry.layers("spacy.CharEmbed.v1")(CharEmbed)


def _initialize(model: Model[list[Any], list[Floats2d]], X: Any = None, Y: Any = None) -> None:
    shape = (model.get_dim("nC"), model.get_dim("nV"), model.get_dim("nM"))
    model.set_param("E", model.ops.alloc3f(*shape))


def _forward(
    model: Model[list[Any], list[Floats2d]], docs: Sequence[Any] | None, is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list[Any]]]:
    ops = model.ops
    n_bytes, width = model.get_dim("nC"), model.get_dim("nM")
    table = model.get_param("E")
    positions = ops.asarray1i(np.arange(n_bytes, dtype="int32"))
    byte_values = [ops.asarray2i(doc.to_utf8_array(nr_char=n_bytes), dtype="int32") for doc in docs or ()]
    output = [
        ops.reshape2f(table[positions, values], values.shape[0], n_bytes * width) for values in byte_values
    ]

    def backprop(d_output: list[Floats2d]) -> list[Any]:
        d_table = ops.alloc3f(*table.shape)
        for values, d_rows in zip(byte_values, d_output, strict=True):
            d_bytes = ops.reshape3f(d_rows, values.shape[0], n_bytes, width)
            # `scatter_add` takes one row index for each row, so position and byte are folded into one.
            flat = ops.reshape2f(d_table, n_bytes * N_BYTE_VALUES, width)
            index = (positions * N_BYTE_VALUES + values).reshape(-1)
            ops.scatter_add(flat, index, ops.reshape2f(d_bytes, -1, width))
        model.inc_grad("E", d_table)
        return []

    return output, backprop
