"""Training a whole pipeline: initialise, update, distil, rehearse, evaluate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from copy import deepcopy
from typing import Any

from thinc.optimizers import Optimizer

from ferrule._typing import Losses, Scores
from ferrule.language.config import resolved_section
from ferrule.language.initializing import init_settings, init_vocab
from ferrule.language.listeners import Listening
from ferrule.language.steps import Step
from ferrule.language.whole_step import WholeStep
from ferrule.pipeline.examples import all_examples
from ferrule.pipeline.learning import (
    swapped_parameters,
)
from ferrule.registry import registry
from ferrule.tokens import Doc
from ferrule.training.example import Example

__all__ = ["Learning"]

_INITIALIZE = (
    "vectors",
    "init_tok2vec",
    "vocab_data",
    "lookups",
    "tokenizer",
    "components",
    "before_init",
    "after_init",
)


class Learning(Listening, WholeStep):
    """The part of `Language` that trains."""

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]] | None = None,
        *,
        sgd: Optimizer | None = None,
    ) -> Optimizer:
        """Prepare the pipeline for training, and return the optimizer to train with.

        Runs what the config's [initialize] says: vectors and vocabulary data, then `initialize` of the
        tokenizer and of each enabled component with its settings. `get_examples` is a function that returns
        examples; components take labels and sizes from them.

        Raises TypeError if `get_examples` is no function, ConfigError for settings a component does not take.
        """
        if get_examples is None:
            placeholder = Doc(self.vocab, words=["x", "y", "z"])

            def get_examples() -> list[Example]:
                return [Example.from_dict(placeholder, {})]

        if not callable(get_examples):
            raise TypeError(
                f"initialize: get_examples must be a function that returns Example objects, found "
                f"{type(get_examples).__name__}; wrap a list of them as `lambda: examples`"
            )
        settings = resolved_section(self.config.interpolate(), "initialize", _INITIALIZE)
        if settings.get("before_init") is not None:
            settings["before_init"](self)
        init_vocab(self, settings)
        if hasattr(self.tokenizer, "initialize"):
            given = init_settings(self.tokenizer.initialize, settings.get("tokenizer") or {}, "tokenizer")
            self.tokenizer.initialize(get_examples, nlp=self, **given)
        self._link_components()
        for name, pipe in self.pipeline:
            if hasattr(pipe, "initialize"):
                given = (settings.get("components") or {}).get(name, {})
                given = init_settings(pipe.initialize, given, f"components.{name}")
                pipe.initialize(get_examples, nlp=self, **given)
        self._link_components()
        self._optimizer = sgd or self._optimizer or self.create_optimizer()
        if settings.get("after_init") is not None:
            settings["after_init"](self)
        return self._optimizer

    def resume_training(self, *, sgd: Optimizer | None = None) -> Optimizer:
        """Go on training a pipeline that was trained before; returns the optimizer.

        Components that can rehearse remember what they predict now, see `rehearse`.
        """
        for _, pipe in self.pipeline:
            if hasattr(pipe, "_start_rehearsing"):
                pipe._start_rehearsing()
            elif hasattr(pipe, "_rehearsal_model"):
                pipe._rehearsal_model = deepcopy(pipe.model)
        self._optimizer = sgd or self._optimizer or self.create_optimizer()
        return self._optimizer

    def update(
        self,
        examples: Iterable[Example],
        _: Any = None,
        *,
        drop: float = 0.0,
        sgd: Optimizer | bool | None = None,
        losses: Losses | None = None,
        component_cfg: Mapping[str, Mapping[str, Any]] | None = None,
        exclude: Iterable[str] = (),
        annotates: Iterable[str] = (),
    ) -> Losses:
        """Let each enabled component learn from a batch of examples; returns the losses by component.

        drop: dropout rate. sgd: the optimizer; None for the pipeline's own, False to gather gradients only.
        component_cfg: arguments of single components' `update`, by name. exclude: components that do not
        learn. annotates: components whose predictions the later ones see.

        If anything raises, all weights, gradients and `losses` are what they were, and so are the examples.
        """
        if _ is not None:
            raise ValueError(
                "update: expected one positional argument, a list of Example objects, found two. Texts and "
                "annotations go into Example.from_dict(nlp.make_doc(text), annotations)."
            )
        given = all_examples(examples, owner="nlp.update")
        if _as_set(annotates) or not all(map(_leaves_documents, self._pipes_that_learn(exclude))):
            given = [Example(example.predicted.copy(), example.reference) for example in given]
        return self._train(
            given,
            lambda name, pipe, batch, **arguments: pipe.update(batch, **arguments),
            drop=drop,
            sgd=sgd,
            losses=losses,
            component_cfg=component_cfg,
            chosen={name for name, pipe in self.pipeline if hasattr(pipe, "update")} - _as_set(exclude),
            annotates=_as_set(annotates),
        )

    def distill(
        self,
        teacher: Learning | Mapping[str, Any],
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | bool | None = None,
        losses: Losses | None = None,
        component_cfg: Mapping[str, Mapping[str, Any]] | None = None,
        exclude: Iterable[str] = (),
        annotates: Iterable[str] = (),
        student_to_teacher: Mapping[str, str] | None = None,
    ) -> Losses:
        """Let each component that can be distilled learn from the teacher's; returns the losses by component.

        teacher: a pipeline; or what teaches each component, by name: components, or anything that
        `TrainablePipe.distill` takes. The teacher sees each example's `reference`, this pipeline its
        `predicted`; both must have the same tokens. `student_to_teacher` maps names of components here to the
        teacher's where they differ. Encoders that others listen to need no teacher. The teacher stays as it
        is. Other arguments, and what happens on errors, are as for `update`.

        Raises TypeError unless `teacher` is one of these, ValueError if it lacks a component.
        """
        if isinstance(teacher, Learning):
            teachers = dict(teacher.pipeline)
        elif isinstance(teacher, Mapping):
            teachers = dict(teacher)
        else:
            raise TypeError(
                f"distill: expected a pipeline, or a mapping of names to components, as teacher, found "
                f"{type(teacher).__name__}"
            )
        given = all_examples(examples, owner="nlp.distill")
        names = dict(student_to_teacher or {})
        chosen = {name for name, pipe in self.pipeline if getattr(pipe, "is_distillable", False)} - _as_set(
            exclude
        )
        taught = {name for name in chosen if not hasattr(self.get_pipe(name), "listening_components")}
        for name in sorted(taught):
            if names.get(name, name) not in teachers:
                raise ValueError(
                    f"distill: the component {name!r} has no teacher: {names.get(name, name)!r} is no "
                    f"component of the teacher, those are {', '.join(teachers) or 'none'}. Name one with "
                    f"student_to_teacher, or leave {name!r} out with exclude."
                )
        batch = [Example(example.predicted.copy(), example.reference.copy()) for example in given]
        if isinstance(teacher, Learning):
            self._annotate_for_listeners(teacher, [example.reference for example in batch])
        return self._train(
            batch,
            lambda name, pipe, batch, **arguments: pipe.distill(
                teachers.get(names.get(name, name)), batch, **arguments
            ),
            drop=drop,
            sgd=sgd,
            losses=losses,
            component_cfg=component_cfg,
            chosen=chosen,
            annotates=_as_set(annotates),
        )

    def rehearse(
        self,
        examples: Iterable[Example],
        *,
        sgd: Optimizer | bool | None = None,
        losses: Losses | None = None,
        component_cfg: Mapping[str, Mapping[str, Any]] | None = None,
        exclude: Iterable[str] = (),
    ) -> Losses:
        """Let each component practise what it knew when `resume_training` was called; returns the losses.

        Arguments, and what happens on errors, are as for `update`; the examples need no annotations.
        """
        given = all_examples(examples, owner="nlp.rehearse")
        chosen = {name for name, pipe in self.pipeline if hasattr(pipe, "rehearse")} - _as_set(exclude)
        return self._train(
            [Example(example.predicted.copy(), example.reference) for example in given],
            lambda name, pipe, batch, **arguments: pipe.rehearse(batch, **arguments),
            drop=None,
            sgd=sgd,
            losses=losses,
            component_cfg=component_cfg,
            chosen=chosen,
            annotates=frozenset(),
        )

    def evaluate(
        self,
        examples: Iterable[Example],
        *,
        batch_size: int | None = None,
        scorer: Any = None,
        component_cfg: Mapping[str, Mapping[str, Any]] | None = None,
        scorer_cfg: Mapping[str, Any] | None = None,
        per_component: bool = False,
    ) -> Scores:
        """The scores of the pipeline's predictions on `examples`, and `speed` in words a second.

        The examples stay as they are. A document that fails goes to the error handler, and counts as it was.
        """
        from ferrule.scorer import Scorer

        given = all_examples(examples, owner="nlp.evaluate")
        batch = [Example(example.predicted.copy(), example.reference) for example in given]
        if scorer is None:
            scorer = Scorer(**{"nlp": self, **(scorer_cfg or {})})
        start = time.perf_counter()
        pairs = ((example.predicted, example) for example in batch)
        predicted = self.pipe(pairs, as_tuples=True, batch_size=batch_size, component_cfg=component_cfg)
        for doc, example in predicted:
            example.predicted = doc
        seconds = max(time.perf_counter() - start, 1e-9)
        scores: Scores = scorer.score(batch, per_component=per_component)
        scores["speed"] = sum(len(example.predicted) for example in batch) / seconds
        return scores

    def fit(self, train: Any, dev: Any = None, **settings: Any) -> Any:
        """Train the pipeline in one call; the result has `history`, `best_score`, `scores` and `plot()`.

        `train` and `dev` are examples, (text, annotations) pairs or paths; `settings` replace those of
        `[training]`. `ferrule.training.fit.fit` says it all.
        """
        return registry.misc.get("ferrule.fit.v1")(self, train, dev, **settings)

    def use_params(self, params: dict[Any, Any] | None) -> AbstractContextManager[None]:
        """A context in which the models have the values of `params`, such as `optimizer.averages`.

        Their own values are back afterwards, also when the block raises. With None nothing changes.
        """
        return swapped_parameters(
            [pipe.model for _, pipe in self._with_models()] if params else [], params or {}
        )

    def _pipes_that_learn(self, exclude: Iterable[str]) -> list[Any]:
        left_out = _as_set(exclude)
        return [pipe for name, pipe in self.pipeline if hasattr(pipe, "update") and name not in left_out]

    def _annotate_for_listeners(self, teacher: Learning, docs: list[Doc]) -> None:
        """Let the teacher's shared encoders write what its components listen to into `docs`."""
        for name, pipe in teacher.pipeline:
            if getattr(pipe, "listening_components", None):
                step = Step(name, pipe, {"batch_size": teacher.batch_size}, teacher._handler(pipe))
                for _ in step.run(docs):
                    pass


def _as_set(names: Iterable[str]) -> frozenset[str]:
    return frozenset([names] if isinstance(names, str) else names)


def _leaves_documents(pipe: Any) -> bool:
    """Whether `pipe.update` is known to write nothing into the documents.

    Only a class that says so itself counts: what derives from it may do otherwise.
    """
    return bool(vars(type(pipe)).get("update_leaves_documents", False))
