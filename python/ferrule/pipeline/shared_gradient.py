"""One batch of a shared encoder: rows handed to several components, their gradients gathered into one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from ferrule.ml.rows import join_rows, split_rows

__all__ = ["SharedGradient"]

Backprop = Callable[[list[Any]], Any]


class SharedGradient:
    """Adds up what each listener sends back for a batch, and runs the encoder's backward pass once.

    backprop: the encoder's, taking float32 (n_tokens, width) for each document. listeners: who will send
    a gradient. on_gradient: called with the squared norm of each gradient that comes in.

    The backward pass runs as soon as every listener has sent its gradient, or in `flush`, which is for
    when some of them are not being trained.
    """

    def __init__(
        self, backprop: Backprop, listeners: Iterable[Hashable], on_gradient: Callable[[float], None]
    ) -> None:
        self._backprop: Backprop | None = backprop
        self._awaited = set(listeners)
        self._on_gradient = on_gradient
        self._lengths: list[int] = []
        self._total: Any = None

    def callback(self, listener: Hashable) -> Backprop:
        """Return the function that `listener` is to call with its gradient, a list of arrays."""

        def receive_gradient(d_rows: Sequence[Any]) -> list[Any]:
            self._add(d_rows)
            self._awaited.discard(listener)
            if not self._awaited:
                self.flush()
            return []

        return receive_gradient

    def flush(self) -> None:
        """Run the backward pass with what has come in so far; nothing without any of it, or a second time."""
        backprop, total = self._backprop, self._total
        if backprop is None or total is None:
            return
        self.drop()
        backprop(split_rows(total, self._lengths))

    def drop(self) -> None:
        """Forget the batch and its gradients; frees what the backward pass holds on to."""
        self._backprop = self._total = None

    def _add(self, d_rows: Sequence[Any]) -> None:
        if self._backprop is None or not len(d_rows):
            return
        block = join_rows(d_rows)
        self._on_gradient(float(np.vdot(block, block)))
        if self._total is None:
            self._lengths = [len(rows) for rows in d_rows]
            self._total = block
        else:
            # A new array: the first block belongs to whoever sent it.
            self._total = self._total + block
