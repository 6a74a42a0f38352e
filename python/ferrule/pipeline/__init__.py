"""Pipeline components: the base classes `Pipe` and `TrainablePipe`, then one module a component."""

from __future__ import annotations

from ferrule.pipeline.pipe import Pipe
from ferrule.pipeline.trainable_pipe import TrainablePipe

__all__ = ["Pipe", "TrainablePipe"]
