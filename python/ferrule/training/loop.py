"""Training a pipeline from its config: update, evaluate now and then, keep the best and the last model."""

from __future__ import annotations

import itertools
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ferrule.errors import ConfigError
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


@dataclass
class TrainingState:
    """Where a run stands, apart from weights and optimizer: enough to go on from here.

    `step` counts finished updates; `losses` sums since the last evaluation; `results` holds (score, step)
    of each evaluation, the step as the logger shows it (0 for the first update).
    """

    step: int = 0
    epoch: int = 0
    words: int = 0
    seconds: float = 0.0
    losses: dict[str, float] = field(default_factory=dict)
    results: list[tuple[float, int]] = field(default_factory=list)

    @property
    def best(self) -> tuple[float, int]:
        """The best (score, step) so far, the earliest of equals."""
        return max(self.results, key=lambda result: (result[0], -result[1]))


def train(
    nlp: Language,
    output_path: PathOrStr | None = None,
    *,
    stdout: IO[str] | None = None,
    stderr: IO[str] | None = None,
) -> tuple[Language, Path | None]:
    """Train `nlp`, initialized by `init_nlp`, as its config says; returns it and the folder of its last
    model.

    With an `output_path`, `model-best` (the highest weighted score on the development corpus) and
    `model-last` are saved there, each whole, at every evaluation and at the end. Afterwards `nlp` holds the
    last weights, averaged if the optimizer averages. Ctrl-C ends the run after the current step, with the
    last model saved; a second Ctrl-C ends it at once, and so does an exception: what the last evaluation
    saved stays.

    Raises ConfigError for settings that do not fit, ValueError for an empty corpus.
    """
    stdout, stderr = stdout or sys.stdout, stderr or sys.stderr
    config = nlp.config.interpolate()
    settings = TrainingSettings.from_config(config)
    train_corpus, dev_corpus = resolve_corpora(config, [settings.train_corpus, settings.dev_corpus])
    keeper = _ModelKeeper(nlp, settings, Path(output_path) if output_path is not None else None)
    log_step, finalize = settings.logger(nlp, stdout, stderr)
    state = TrainingState()
    try:
        with DeferredInterrupt() as interrupt:
            steps = train_while_improving(
                nlp,
                settings,
                train_batches(nlp, train_corpus, settings),
                evaluation(nlp, dev_corpus, settings.score_weights),
                state,
            )
            for info, is_best in steps:
                if is_best is not None:
                    update_performance(nlp, info)
                    keeper.keep(is_best)
                log_step(info if is_best is not None else None)
                if interrupt.requested:
                    break
    finally:
        finalize()
    last = keeper.keep(is_best=False)
    if settings.optimizer.averages:
        nlp.use_params(settings.optimizer.averages).__enter__()
    return nlp, last


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
    dropouts = (
        itertools.repeat(settings.dropout) if isinstance(settings.dropout, (int, float)) else settings.dropout
    )
    frozen = settings.frozen_components
    started = time.monotonic() - state.seconds
    for epoch, batch in batches:
        step, state.epoch = state.step, epoch
        if settings.before_update:
            settings.before_update(nlp, {"step": step, "epoch": epoch})
        drop = next(dropouts)
        for part in split_batch(batch, settings.accumulate_gradient):
            nlp.update(
                part,
                drop=drop,
                losses=state.losses,
                sgd=False,
                exclude=frozen,
                annotates=settings.annotating_components,
            )
        for name, component in nlp.pipeline:
            if name not in frozen and getattr(component, "is_trainable", False):
                component.finish_update(optimizer)
        optimizer.step_schedules()
        state.words += sum(len(example) for example in batch)
        score, other_scores, is_best = None, {}, None
        if step % settings.eval_frequency == 0:
            with nlp.use_params(optimizer.averages or {}):
                score, other_scores = evaluate()
            state.results.append((score, step))
            is_best = state.best[1] == step
        state.step, state.seconds = step + 1, time.monotonic() - started
        yield (
            {
                "epoch": epoch,
                "step": step,
                "score": score,
                "other_scores": other_scores,
                "losses": dict(state.losses),
                "checkpoints": state.results,
                "seconds": state.seconds,
                "words": state.words,
            },
            is_best,
        )
        if is_best is not None:
            state.losses.clear()
        if settings.patience and step - state.best[1] >= settings.patience:
            return
        if settings.max_steps and step >= settings.max_steps:
            return


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


class _ModelKeeper:
    """Saves `model-last`, and `model-best` with it where that is what it is."""

    def __init__(self, nlp: Language, settings: TrainingSettings, folder: Path | None) -> None:
        self.nlp = nlp
        self.settings = settings
        self.folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def keep(self, is_best: bool) -> Path | None:
        """Save the averaged weights; the folder of the last model, or None where nothing is to be saved."""
        if self.folder is None:
            return None
        with self.nlp.use_params(self.settings.optimizer.averages or {}):
            prepare = self.settings.before_to_disk
            nlp = prepare(self.nlp) if prepare else self.nlp
            nlp.to_disk(self.folder / LAST_MODEL)
            if is_best:
                nlp.to_disk(self.folder / BEST_MODEL)
        return self.folder / LAST_MODEL
