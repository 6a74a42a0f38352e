"""How many words a second each step of a pipeline takes, in one library or in two that run in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

__all__ = ["Speed", "Task", "measure", "tasks_of"]

WHOLE = "pipeline"


@dataclass(frozen=True)
class Task:
    """One thing to time.

    component: a component's name, or ``"pipeline"``; step: ``"tokenize"``, ``"predict"``, ``"annotate"``,
    ``"train"`` or ``"text to docs"``. prepare: makes what `run` takes; its time does not count.
    """

    component: str
    step: str
    prepare: Callable[[], Any]
    run: Callable[[Any], object]


@dataclass(frozen=True)
class Speed:
    """Words a second of one step, by the name of the library: medians over the rounds."""

    component: str
    step: str
    words_per_second: dict[str, float]


def tasks_of(
    nlp: Any, learner: Any, texts: Sequence[str], examples: Callable[[Any], list[Any]], *, batch_size: int
) -> Iterator[Task]:
    """Yield what there is to time of `nlp`, a loaded Ferrule or spaCy pipeline.

    learner: the same pipeline loaded once more, which is trained; None for no training. examples: makes the
    examples to train on, of the vocabulary of the pipeline given.
    """
    yield Task(WHOLE, "tokenize", lambda: texts, lambda texts: [nlp.make_doc(text) for text in texts])
    docs = [nlp.make_doc(text) for text in texts]
    for name, pipe in nlp.pipeline:
        yield from _annotating(name, pipe, [doc.copy() for doc in docs], batch_size)
        for batch in _batches(docs, batch_size):
            _apply(pipe, batch)
    yield Task(
        WHOLE,
        "text to docs",
        lambda: texts,
        lambda texts: sum(1 for _ in nlp.pipe(texts, batch_size=batch_size)),
    )
    if learner is not None:
        yield from _training(learner, examples(learner), batch_size)


def measure(
    libraries: Mapping[str, Iterator[Task]], *, n_words: int, rounds: int, clock: Any = time.perf_counter
) -> Iterator[Speed]:
    """Yield the speed of each task, all libraries taking turns, after one run of each that does not count.

    libraries: the tasks of each, the same ones in the same order. Raises ValueError where they differ.
    """
    for tasks in zip(*libraries.values(), strict=True):
        if len({(task.component, task.step) for task in tasks}) > 1:
            raise ValueError(
                "the pipelines to compare differ: "
                + " and ".join(f"{task.step} of {task.component!r}" for task in tasks)
            )
        entries = list(zip(libraries, tasks, strict=True))
        times: dict[str, list[float]] = {name: [] for name in libraries}
        for number in range(rounds + 1):
            first = number % len(entries)
            for name, task in entries[first:] + entries[:first]:
                state = task.prepare()
                start = clock()
                task.run(state)
                taken = clock() - start
                if number:
                    times[name].append(taken)
        medians = {name: n_words / max(statistics.median(taken), 1e-9) for name, taken in times.items()}
        yield Speed(tasks[0].component, tasks[0].step, medians)


def _annotating(name: str, pipe: Any, docs: list[Any], batch_size: int) -> Iterator[Task]:
    def copies() -> list[list[Any]]:
        return list(_batches([doc.copy() for doc in docs], batch_size))

    if not (hasattr(pipe, "predict") and hasattr(pipe, "set_annotations")):
        yield Task(name, "annotate", copies, lambda batches: list(map(partial(_apply, pipe), batches)))
        return
    yield Task(name, "predict", copies, lambda batches: [pipe.predict(batch) for batch in batches])
    yield Task(
        name,
        "annotate",
        lambda: [(batch, pipe.predict(batch)) for batch in copies()],
        lambda batches: [pipe.set_annotations(batch, scores) for batch, scores in batches],
    )


def _training(nlp: Any, examples: list[Any], batch_size: int) -> Iterator[Task]:
    names = [name for name, pipe in nlp.pipeline if getattr(pipe, "is_trainable", False)]
    if not names:
        return
    sgd = nlp.resume_training()

    def train(exclude: list[str]) -> None:
        for batch in _batches(examples, batch_size):
            nlp.update(batch, sgd=sgd, drop=0.1, exclude=exclude)

    for name in names:
        if len(names) > 1 and _stands_alone(nlp.get_pipe(name)):
            others = [other for other in names if other != name]
            yield Task(name, "train", lambda others=others: others, train)  # type: ignore[misc]
    yield Task(WHOLE if len(names) > 1 else names[0], "train", list, train)


def _stands_alone(pipe: Any) -> bool:
    """Whether a component can be trained without another one: it shares no encoder."""
    listens = any(type(node).__name__ == "Tok2VecListener" for node in pipe.model.walk())
    return not listens and not getattr(pipe, "listening_components", None)


def _apply(pipe: Any, batch: list[Any]) -> None:
    if hasattr(pipe, "predict") and hasattr(pipe, "set_annotations"):
        pipe.set_annotations(batch, pipe.predict(batch))
    else:
        for doc in batch:
            pipe(doc)


def _batches(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
