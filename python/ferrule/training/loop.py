"""Training a pipeline from its config: update, evaluate now and then, keep the best and the last model."""

from __future__ import annotations

import itertools
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ferrule.errors import ConfigError
from ferrule.training.checkpoint import (
    CHECKPOINT,
    TrainingState,
    load_run,
    restore_random,
    save_run,
    set_seed,
)
from ferrule.training.interrupts import DeferredInterrupt
from ferrule.training.settings import TrainingSettings, resolve_corpora

if TYPE_CHECKING:
    from ferrule._typing import PathOrStr
    from ferrule.language import Language
    from ferrule.training.example import Example

__all__ = ["TrainingState", "train", "train_while_improving"]

BEST_MODEL = "model-best"
LAST_MODEL = "model-last"

EvaluateCallback = Callable[[], "tuple[float, dict[str, Any]]"]


def train(
    nlp: Language,
    output_path: PathOrStr | None = None,
    *,
    use_gpu: int = -1,
    stdout: IO[str] | None = None,
    stderr: IO[str] | None = None,
    resume: bool = False,
) -> tuple[Language, Path | None]:
    """Train `nlp`, initialized by `init_nlp`, as its config says; returns it and the folder of its last
    model.

    With an `output_path`, `model-best` (the highest weighted score on the development corpus), `model-last`
    and a `checkpoint` to resume from are saved there, each whole, at every evaluation and at the end.
    Afterwards `nlp` holds the last weights, averaged if the optimizer averages. Ctrl-C ends the run after
    the current step, with all of them saved; a second Ctrl-C ends it at once, and so does an exception: what
    the last evaluation saved stays.

    With `resume`, the run goes on from the checkpoint in `output_path` and comes to the same bits as one that
    never stopped. `use_gpu` is read and ignored: Ferrule runs on CPUs.

    Raises ConfigError for settings that do not fit, ValueError for an empty corpus, FileNotFoundError where
    there is no checkpoint to resume from.
    """
    stdout, stderr = stdout or sys.stdout, stderr or sys.stderr
    config = nlp.config.interpolate()
    settings = TrainingSettings.from_config(config)
    train_corpus, dev_corpus = resolve_corpora(config, [settings.train_corpus, settings.dev_corpus])
    keeper = _Keeper(nlp, settings, output_path)
    set_seed(settings.seed)
    batches = train_batches(nlp, train_corpus, settings)
    state = keeper.resume(batches) if resume else TrainingState()
    evaluate = evaluation(nlp, dev_corpus, settings.score_weights)
    log_step, finalize = settings.logger(nlp, stdout, stderr)
    try:
        with DeferredInterrupt() as interrupt:
            for info, is_best in train_while_improving(nlp, settings, batches, evaluate, state):
                if is_best is not None:
                    update_performance(nlp, info)
                    keeper.keep(state, is_best)
                log_step(info if is_best is not None else None)
                if interrupt.requested:
                    break
    finally:
        finalize()
    keeper.keep(state, is_best=False)
    _set_weights(nlp, settings.optimizer.averages or {})
    return nlp, keeper.last_model


def train_while_improving(
    nlp: Language,
    settings: TrainingSettings,
    batches: Iterable[tuple[int, list[Example]]],
    evaluate: EvaluateCallback,
    state: TrainingState,
) -> Iterator[tuple[dict[str, Any], bool | None]]:
    """Yield (info, is_best) after each update, until patience, steps or batches run out; `state` moves along.

    `info` has the keys loggers read: epoch, step, score, other_scores, losses, checkpoints, seconds, words.
    `is_best` is None between evaluations, else whether this one's score is the highest so far.
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
        update(nlp, batch, settings, drop=next(dropouts), losses=state.losses)
        state.step += 1
        state.words += sum(len(example) for example in batch)
        score: float | None = None
        other_scores: dict[str, Any] = {}
        is_best: bool | None = None
        if step % settings.eval_frequency == 0:
            with nlp.use_params(optimizer.averages or {}):
                score, other_scores = evaluate()
            state.results.append((score, step))
            is_best = state.best[1] == step
        state.seconds = time.monotonic() - started
        info = {
            "epoch": epoch,
            "step": step,
            "score": score,
            "other_scores": other_scores,
            "losses": dict(state.losses),
            "checkpoints": state.results,
            "seconds": state.seconds,
            "words": state.words,
        }
        if is_best is not None:
            state.losses.clear()
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
    nlp: Language, batch: list[Example], settings: TrainingSettings, *, drop: float, losses: dict[str, float]
) -> None:
    """One step of the weights: gradients of the whole batch, in parts where settings say so, then the
    optimizer.
    """
    for part in split_batch(batch, settings.accumulate_gradient):
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


def evaluation(
    nlp: Language,
    corpus: Callable[[Language], Iterable[Example]],
    score_weights: dict[str, float | None],
) -> EvaluateCallback:
    """A callback that scores `nlp` on `corpus`: the weighted score and all scores.

    The callback raises ValueError for an empty corpus and ConfigError when a weighted score is not among
    the scores.
    """
    weights = {name: weight for name, weight in score_weights.items() if weight is not None}

    def evaluate() -> tuple[float, dict[str, Any]]:
        examples = list(corpus(nlp))
        if not examples:
            raise ValueError("the development corpus is empty; evaluation needs at least one document")
        scores = nlp.evaluate(examples)
        total = 0.0
        for name, weight in weights.items():
            if weight and name not in scores:
                raise ConfigError(
                    f"[training.score_weights] names the score {name!r}, and the pipeline gives "
                    f"{', '.join(sorted(scores))}"
                )
            value = scores.get(name)
            total += weight * value if isinstance(value, (int, float)) else 0.0
        return total, scores

    return evaluate


def update_performance(nlp: Language, info: dict[str, Any]) -> None:
    """Write the scores and losses of an evaluation into `nlp.meta["performance"]`."""
    performance = nlp.meta["performance"] = dict(info["other_scores"])
    for name, loss in info["losses"].items():
        performance[f"{name}_loss"] = loss


def _set_weights(nlp: Language, params: dict[Any, Any]) -> None:
    """Copy `params`, by thinc's key, into the models for good."""
    for _, component in nlp.components:
        model: Any = getattr(component, "model", None)
        for node in model.walk() if hasattr(model, "walk") else ():
            for name in node.param_names:
                if (node.id, name) in params:
                    node.set_param(name, params[node.id, name].copy())


class _Keeper:
    """Saves a run into its folder: model-last, model-best where that is what it is, and the checkpoint."""

    def __init__(self, nlp: Language, settings: TrainingSettings, folder: PathOrStr | None) -> None:
        self.nlp = nlp
        self.settings = settings
        self.folder = None if folder is None else Path(folder)
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def last_model(self) -> Path | None:
        return None if self.folder is None else self.folder / LAST_MODEL

    def keep(self, state: TrainingState, is_best: bool) -> None:
        """Save the models with averaged weights, the checkpoint with the plain ones."""
        if self.folder is None:
            return
        with self.nlp.use_params(self.settings.optimizer.averages or {}):
            prepare = self.settings.before_to_disk
            nlp = prepare(self.nlp) if prepare else self.nlp
            nlp.to_disk(self.folder / LAST_MODEL)
            if is_best:
                nlp.to_disk(self.folder / BEST_MODEL)
        save_run(self.folder / CHECKPOINT, self.nlp, self.settings.optimizer, state)

    def resume(self, batches: Iterator[Any]) -> TrainingState:
        """The state of the checkpoint, with weights, optimizer, random generators and `batches` moved
        there.
        """
        if self.folder is None:
            raise ValueError("train: resume=True needs the output_path of the run that is to go on")
        state, random_state = load_run(self.folder / CHECKPOINT, self.nlp, self.settings.optimizer)
        for _ in range(state.step):
            next(batches, None)
            self.settings.optimizer.step_schedules()
        restore_random(random_state)
        return state
