"""Training a pipeline from its config: update, evaluate now and then, keep the best and the last model."""

from __future__ import annotations

import itertools
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ferrule.training.checkpoint import TrainingState, set_seed
from ferrule.training.counted_corpus import CountedCorpus
from ferrule.training.evaluation import Evaluator, breakdown
from ferrule.training.interrupts import DeferredInterrupt
from ferrule.training.outputs import LAST_MODEL, RunFolder
from ferrule.training.ranking import rank
from ferrule.training.report import RunFigures
from ferrule.training.settings import TrainingSettings, resolve_corpora

if TYPE_CHECKING:
    from ferrule._typing import Losses, PathOrStr
    from ferrule.language import Language
    from ferrule.training.example import Example

__all__ = ["run_training", "train", "train_from_config", "train_while_improving"]

Corpus = Callable[[Any], "Iterable[Example]"]
Teach = Callable[["list[Example]", float, "Losses"], None]


def train(
    nlp: Language,
    output_path: PathOrStr | None = None,
    *,
    use_gpu: int = -1,
    stdout: IO[str] | None = None,
    stderr: IO[str] | None = None,
    resume: bool = False,
) -> tuple[Language, Path | None]:
    """Train `nlp`, initialized by `init_nlp`, as its config says; gives it back, and its last model's folder.

    With an `output_path`, `model-best` (the highest weighted score on the development corpus), `model-last`
    and a `checkpoint` to resume from are saved there, each whole, at every evaluation and at the end, where
    `report.html` and `report.json` are added. Afterwards `nlp` holds the last weights, averaged if the
    optimizer averages. Ctrl-C ends the run after the current step, with everything saved; so does SIGTERM,
    and then ends the process; a second one ends it at once, as does an exception: what the last evaluation
    saved stays.

    With `resume`, the run goes on from the checkpoint in `output_path` and comes to the same bits as one that
    never stopped. `use_gpu` is read and ignored: Ferrule runs on CPUs.

    Raises ConfigError for settings that do not fit, ValueError for an empty corpus, FileNotFoundError where
    there is no checkpoint to resume from.
    """
    train_from_config(nlp, output_path, stdout=stdout, stderr=stderr, resume=resume)
    return nlp, None if output_path is None else Path(output_path) / LAST_MODEL


def train_from_config(
    nlp: Language,
    output_path: PathOrStr | None = None,
    *,
    stdout: IO[str] | None = None,
    stderr: IO[str] | None = None,
    resume: bool = False,
) -> RunFigures:
    """`train`, returning the figures of the run."""
    config = nlp.config.interpolate()
    settings = TrainingSettings.from_config(config)
    corpora = resolve_corpora(config, [settings.train_corpus, settings.dev_corpus])
    folder = RunFolder(output_path, nlp, settings)
    return run_training(nlp, settings, *corpora, folder=folder, resume=resume, stdout=stdout, stderr=stderr)


def run_training(
    nlp: Language,
    settings: TrainingSettings,
    train_corpus: Corpus,
    dev_corpus: Corpus,
    *,
    folder: RunFolder,
    resume: bool = False,
    stdout: IO[str] | None = None,
    stderr: IO[str] | None = None,
    teach: Teach | None = None,
) -> RunFigures:
    """One whole run, as `train` describes it; returns its figures, which say whether it was stopped.

    `teach` gathers the gradients of a batch; by default `nlp.update` does.
    """
    train_corpus, dev_corpus = CountedCorpus(train_corpus), CountedCorpus(dev_corpus)
    set_seed(settings.seed)
    batches = train_batches(nlp, train_corpus, settings)
    state = folder.resume(batches) if resume else TrainingState()
    state.finished = False
    evaluate = Evaluator(nlp, dev_corpus, settings.score_weights)
    with folder.claimed(), DeferredInterrupt() as interrupt:
        with _config_of(nlp, settings):
            log_step, finalize = settings.logger(nlp, stdout or sys.stdout, stderr or sys.stderr)
        try:
            for info, is_best in train_while_improving(nlp, settings, batches, evaluate, state, teach):
                if is_best:
                    state.best_confusion, state.best_labels = breakdown(evaluate.examples)
                if is_best is not None:
                    update_performance(nlp, info)
                    folder.save(state, is_best=is_best)
                log_step(info if is_best is not None else None)
                if interrupt.received:
                    break
        finally:
            finalize()
        state.finished = interrupt.received is None
        folder.save(state, is_best=False)
        _set_weights(nlp, settings.optimizer.averages or {})
        figures = folder.figures(state)
        figures.data = {"training": train_corpus.facts(), "development": dev_corpus.facts()}
        if interrupt.received:
            figures.stopped = f"Stopped by {interrupt.received.name} after step {state.step - 1}."
        folder.report(figures)
    if figures.stopped:
        (stderr or sys.stderr).write(f"{figures.stopped} {folder.how_to_go_on}\n")
    interrupt.deliver()
    return figures


def train_while_improving(
    nlp: Language,
    settings: TrainingSettings,
    batches: Iterable[tuple[int, list[Example]]],
    evaluate: Callable[[], tuple[float, dict[str, Any]]],
    state: TrainingState,
    teach: Teach | None = None,
) -> Iterator[tuple[dict[str, Any], bool | None]]:
    """Yield (info, is_best) after each update, until patience, steps or batches run out; `state` moves along.

    `info` has the keys loggers read: epoch, step, score, other_scores, losses, checkpoints, seconds, words.
    `is_best` is None between evaluations, else whether this one is the best so far (`rank`).
    """
    optimizer = settings.optimizer
    dropouts = settings.dropouts(skip=state.step)
    started = time.monotonic() - state.seconds
    for epoch, batch in batches:
        if is_finished(state, settings):
            return
        step, state.epoch = state.step, epoch
        if settings.before_update:
            settings.before_update(nlp, {"step": step, "epoch": epoch})
        update(nlp, batch, settings, teach, drop=next(dropouts), losses=state.losses)
        state.step += 1
        state.words += sum(len(example) for example in batch)
        info: dict[str, Any] = {
            "epoch": epoch,
            "step": step,
            "score": None,
            "other_scores": {},
            "losses": dict(state.losses),
            "words": state.words,
        }
        is_best = None
        if step % settings.eval_frequency == 0:
            with nlp.use_params(optimizer.averages or {}):
                info["score"], info["other_scores"] = evaluate()
            is_best = rank(info["score"], step) > rank(*state.best)
            state.losses.clear()
        state.seconds = info["seconds"] = time.monotonic() - started
        if is_best is not None:
            state.record(info, is_best)
        info["checkpoints"] = state.results
        yield info, is_best


def is_finished(state: TrainingState, settings: TrainingSettings) -> bool:
    """Whether the steps are done, or too many have passed since the best score.

    As in spaCy the first step has the number 0 and the step numbered `max_steps` is still taken.
    """
    latest = state.step - 1
    if settings.max_steps and latest >= settings.max_steps:
        return True
    return bool(settings.patience and state.results and latest - state.best[1] >= settings.patience)


def update(
    nlp: Language,
    batch: list[Example],
    settings: TrainingSettings,
    teach: Teach | None = None,
    *,
    drop: float,
    losses: Losses,
) -> None:
    """One step of the weights: gradients of the whole batch, in parts where settings say so, then the
    optimizer.

    The shortest documents come first, as in spaCy: parts have documents of about one length, and `ner` learns
    other weights where another document is the last one (`ferrule.ml.transition`).
    """
    for part in split_batch(sorted(batch, key=len), settings.accumulate_gradient):
        if teach is not None:
            teach(part, drop, losses)
            continue
        nlp.update(
            part,
            drop=drop,
            losses=losses,
            sgd=False,
            exclude=settings.frozen_components,
            annotates=settings.annotating_components,
        )
    for name, component in nlp.pipeline:
        if name not in settings.frozen_components and getattr(component, "is_trainable", False):
            component.finish_update(settings.optimizer)
    settings.optimizer.step_schedules()


def train_batches(
    nlp: Language, corpus: Callable[[Language], Iterable[Example]], settings: TrainingSettings
) -> Iterator[tuple[int, list[Example]]]:
    """Yield (epoch, batch). The order of an epoch depends on the seed and its number alone.

    Raises ValueError if the corpus is empty.
    """
    streamed = settings.max_epochs < 0
    examples = [] if streamed else list(corpus(nlp))
    for epoch in itertools.count():
        if 0 < settings.max_epochs <= epoch:
            return
        source: Iterable[Example] = corpus(nlp) if streamed else shuffled(examples, settings.seed, epoch)
        empty = True
        for batch in settings.batcher(source):
            empty = False
            yield epoch, list(batch)
        if empty:
            raise ValueError(
                f"the training corpus ([{settings.train_corpus}] in the config) gave no examples the batcher "
                "would take; is the file empty, or every document longer than its max_length?"
            )


def shuffled(examples: list[Example], seed: int | None, epoch: int) -> list[Example]:
    """A new list in an order that (seed, epoch) determines; any order where `seed` is None."""
    order = random.Random(None if seed is None else f"{seed}/{epoch}")
    return order.sample(examples, k=len(examples))


def split_batch(batch: list[Example], n_parts: int) -> list[list[Example]]:
    """The batch in at most `n_parts` runs of about equal length, none empty.

    >>> split_batch([1, 2, 3, 4, 5], 2)
    [[1, 2, 3], [4, 5]]
    """
    size = -(-len(batch) // n_parts)
    return [batch[start : start + size] for start in range(0, len(batch), size)] if batch else []


def update_performance(nlp: Language, info: dict[str, Any]) -> None:
    """Write the scores and losses of an evaluation into `nlp.meta["performance"]`."""
    performance = nlp.meta["performance"] = dict(info["other_scores"])
    for name, loss in info["losses"].items():
        performance[f"{name}_loss"] = loss


@contextmanager
def _config_of(nlp: Language, settings: TrainingSettings) -> Iterator[None]:
    """While the block runs, the pipeline's config says how long this run is; loggers look there."""
    section = nlp.config["training"]
    own = {name: section.get(name) for name in ("max_steps", "eval_frequency")}
    section.update(max_steps=settings.max_steps, eval_frequency=settings.eval_frequency)
    try:
        yield
    finally:
        section.update(own)


def _set_weights(nlp: Language, params: dict[Any, Any]) -> None:
    """Copy `params`, by thinc's key, into the models for good."""
    for _, component in nlp.components:
        model: Any = getattr(component, "model", None)
        for node in model.walk() if hasattr(model, "walk") else ():
            for name in node.param_names:
                if (node.id, name) in params:
                    node.set_param(name, params[node.id, name].copy())
