"""The weights of a sparse linear layer in use: the touched columns together, the table when asked for.

A column's weights lie far apart in thinc's table, so that who reads and writes them there waits for the
memory most of the time. Training and predicting therefore work on rows (`_core.KeptRows`), and the table is
brought up to date when somebody asks the layer for it: ``get_param("W")`` is right at any time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from thinc.api import Model
from thinc.backends import ParamServer

from ferrule import _core

__all__ = ["KeptWeights"]


class KeptWeights(ParamServer):
    """Serves the parameters of one sparse linear layer in place of thinc's `ParamServer`.

    An array that `get_param` gave out before is not brought up to date by later steps; ask again. Numbers
    written into such an array count if neither a step nor a prediction came between.
    """

    def __init__(self, served: ParamServer, node_id: int, length: int, n_outputs: int) -> None:
        super().__init__(served._params, served._grads)
        self._key = (node_id, "W")
        self._length = length
        self._n_outputs = n_outputs
        self._rows: Any = None
        # A prediction in another thread asks for the table while training steps the rows.
        self._lock = threading.Lock()

    @classmethod
    def of(cls, model: Model[Any, Any]) -> KeptWeights | None:
        """Return what serves the weights of `model`, put in place if need be; None where that cannot be.

        It cannot where another object serves them, or where they are no plain float32 array.
        """
        served: Any = model._params
        if type(served) is ParamServer and served.proxy is None and model.has_param("W"):
            weights: Any = model.get_param("W")
            if type(weights) is np.ndarray and weights.dtype == np.float32 and weights.flags.c_contiguous:
                model._params = cls(served, model.id, model.get_dim("length"), model.get_dim("nO"))
        served = model._params
        fits = isinstance(served, cls) and served.fits(model.get_dim("length"), model.get_dim("nO"))
        return served if fits else None

    def fits(self, length: int, n_outputs: int) -> bool:
        """Whether the table still has this shape, and can be written to."""
        weights = self._params.get(self._key)
        shape = (length * n_outputs,)
        return (
            (self._length, self._n_outputs) == (length, n_outputs)
            and weights is not None
            and weights.shape == shape
            and bool(weights.flags.writeable)
        )

    def scores(self, bias: Any, columns: Any, positions: Any, values: Any, lengths: Any) -> Any:
        """Return the scores of a batch, as `_core.sparse_scores` of the rows of `columns`."""
        with self._lock:
            return self._kept().scores(self._params[self._key], bias, columns, positions, values, lengths)

    def scores_of_docs(self, bias: Any, docs: list[Any], ngrams: Any) -> Any:
        """Return the scores of documents by their n-grams; see `_core.count_ngrams` for `ngrams`."""
        with self._lock:
            return self._kept().scores_of_docs(self._params[self._key], bias, docs, ngrams)

    @contextmanager
    def held(self) -> Iterator[tuple[Any, Any]]:
        """Within the block nobody else reads or writes the weights; gives the rows and the table behind
        them."""
        with self._lock:
            yield self._kept(), self._params[self._key]

    def get_param(self, model_id: int, name: str) -> Any:
        """Return a parameter; of the weights, the table brought up to date."""
        if (model_id, name) == self._key:
            with self._lock:
                if self._rows is not None:
                    self._rows.write_back(self._params[self._key])
                    self._rows = None  # who has the table may write to it
        return super().get_param(model_id, name)

    def set_param(self, model_id: int, name: str, value: Any) -> None:
        """Put another array in place of a parameter."""
        with self._lock:
            if (model_id, name) == self._key:
                self._rows = None
                self._n_outputs = len(value) // self._length
            super().set_param(model_id, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        self.get_param(*self._key)
        return ParamServer, (self._params, self._grads)

    def _kept(self) -> Any:
        if self._rows is None:
            self._rows = _core.KeptRows(self._length, self._n_outputs)
        return self._rows
