"""What an optimizer keeps of a model's parameters, at one moment, to put back where a step fails."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy
from thinc.optimizers import Optimizer

__all__ = ["OptimizerState", "optimizers_in"]

# Of thinc's optimizers and of ours: arrays and numbers by parameter.
_STORES = ("mom1", "mom2", "averages", "columns", "nr_update", "last_seen")


def optimizers_in(sgd: Any) -> list[Optimizer]:
    """`sgd` if it is a thinc optimizer, and those it has as attributes, as a function around one does."""
    held = getattr(sgd, "__dict__", {}).values()
    return [each for each in (sgd, *held) if isinstance(each, Optimizer)]


class OptimizerState:
    """Copies of the moments, averages and counts that `optimizer` has for the parameters of `models`."""

    def __init__(self, optimizer: Optimizer, models: Iterable[Any]) -> None:
        self._owners = {
            owner.id for model in models for node in model.walk() for owner in (node, *node.shims)
        }
        self._stores = [
            store for name in _STORES if isinstance(store := getattr(optimizer, name, None), dict)
        ]
        self._kept = [
            {key: _copied(store[key]) for key in store if key[0] in self._owners} for store in self._stores
        ]

    def restore(self) -> None:
        """Put everything back; what came in since for these parameters goes."""
        for store, kept in zip(self._stores, self._kept, strict=True):
            for key in [key for key in store if key[0] in self._owners]:
                del store[key]
            store.update(kept)


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, numpy.ndarray) else value
