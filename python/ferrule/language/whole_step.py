"""One step of a whole pipeline: every component learns from a batch, or nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from thinc.api import Model
from thinc.optimizers import Optimizer

from ferrule._typing import Losses
from ferrule.language.description import Description
from ferrule.language.processing import Processing
from ferrule.language.steps import Step
from ferrule.pipeline.examples import are_losses, is_optimizer
from ferrule.pipeline.learning import (
    all_gradients_on_error,
    fit_gradients_to,
    learning,
    stepped_together,
    unchanged_weights_on_error,
)
from ferrule.pipeline.trainable_pipe import TrainablePipe
from ferrule.registry import registry
from ferrule.training.example import Example

__all__ = ["WholeStep"]

_LEARNING = ("update", "distill", "rehearse", "_learn", "_accumulate")


class WholeStep(Processing, Description):
    """The part of `Language` that takes a step."""

    def create_optimizer(self) -> Optimizer:
        """The optimizer of the config's [training.optimizer], new."""
        block = self.config.interpolate()["training"]["optimizer"]
        return registry.resolve({"optimizer": block})["optimizer"]

    def _train(
        self,
        examples: list[Example],
        teach: Callable[..., Losses],
        *,
        drop: float | None,
        sgd: Optimizer | bool | None,
        losses: Losses | None,
        component_cfg: Mapping[str, Mapping[str, Any]] | None,
        chosen: set[str],
        annotates: frozenset[str],
    ) -> Losses:
        """The skeleton of `update`, `distill`, `rehearse`: all gradients, then all steps, or nothing."""
        losses = {} if losses is None else are_losses(losses, owner="nlp")
        is_optimizer(sgd, owner="nlp")
        if not examples:
            return losses
        if sgd is None:
            if self._optimizer is None:
                self._optimizer = self.create_optimizer()
            sgd = self._optimizer
        new_losses = dict(losses)
        models = [pipe.model for _, pipe in self._with_models()]
        unguarded = [p.model for name, p in self._with_models() if not (name in chosen and _guards(p))]
        with (
            learning(*models, owner="nlp"),
            self._forgotten_on_error(),
            all_gradients_on_error(*unguarded),
        ):
            for name, pipe in self.pipeline:
                if name in chosen:
                    arguments = {} if drop is None else {"drop": drop}
                    arguments.update((component_cfg or {}).get(name, {}))
                    teach(name, pipe, examples, sgd=None, losses=new_losses, **arguments)
                if name in annotates:
                    self._annotate(name, pipe, examples)
            if sgd is not False:
                fit_gradients_to(sgd, *models)
                self._step([pipe for name, pipe in self._with_models() if name in chosen], models, sgd)
        losses.update(new_losses)
        return losses

    def _step(self, pipes: list[Any], models: list[Any], sgd: Any) -> None:
        """Step the weights of the trainable ones of `pipes`, all or none; `models` are all there are."""
        pipes = [pipe for pipe in pipes if getattr(pipe, "is_trainable", False)]
        if all(getattr(type(pipe), "finish_update", None) is TrainablePipe.finish_update for pipe in pipes):
            for pipe in pipes:
                pipe._before_step()
            if stepped_together([pipe.model for pipe in pipes], sgd):
                for pipe in pipes:
                    pipe._after_step()
                return
        fit_gradients_to(sgd, *models)
        with unchanged_weights_on_error(*models, sgd=sgd):
            for pipe in pipes:
                pipe.finish_update(sgd)

    @contextmanager
    def _forgotten_on_error(self) -> Iterator[None]:
        """If the block raises, shared encoders forget the batch that others would have sent gradients for."""
        try:
            yield
        except BaseException:
            for _, pipe in self.pipeline:
                if hasattr(pipe, "abandon_update"):
                    pipe.abandon_update()
            raise

    def _annotate(self, name: str, pipe: Any, examples: list[Example]) -> None:
        step = Step(name, pipe, {"batch_size": self.batch_size}, self._handler(pipe))
        by_doc = {id(example.predicted): example for example in examples}
        for doc in step.run([example.predicted for example in examples]):
            if id(doc) in by_doc:
                by_doc[id(doc)].predicted = doc

    def _with_models(self) -> Iterator[tuple[str, Any]]:
        for name, pipe in self.pipeline:
            if isinstance(getattr(pipe, "model", None), Model):
                yield name, pipe


def _guards(pipe: Any) -> bool:
    """Whether `pipe` is known to look after its gradients itself; else that is done for it."""
    own = [getattr(getattr(pipe, name, None), "__func__", None) for name in _LEARNING]
    inherits = own == [getattr(TrainablePipe, name) for name in _LEARNING]
    return inherits and not getattr(pipe, "listening_components", None)
