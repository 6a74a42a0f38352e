"""A run through the pipeline in several threads that share one copy of the weights."""

from __future__ import annotations

import contextvars
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from ferrule.language.steps import Contexts, Step, applied
from ferrule.pipeline.streams import batches
from ferrule.tokens import Doc

__all__ = ["in_threads"]

# The documents that were done, each with the one that was given, and the error that ended the batch.
Outcome = tuple[list[tuple[Doc, Doc]], Exception | None]


def in_threads(
    docs: Iterable[Doc],
    steps: list[Step],
    contexts: Contexts | None = None,
    *,
    n_threads: int,
    batch_size: int,
) -> Iterator[Doc]:
    """The documents after all `steps`, in order; `n_threads` batches are at work at the same time.

    An error comes out where its document would have, after the documents before it.
    """
    waiting: deque[Future[Outcome]] = deque()
    failure: Exception | None = None
    source = batches(docs, batch_size, owner="nlp.pipe")
    with ThreadPoolExecutor(n_threads, thread_name_prefix="ferrule-pipe") as pool:
        try:
            while True:
                while failure is None and len(waiting) < 2 * n_threads:
                    try:
                        batch = next(source)
                    except StopIteration:
                        break
                    except Exception as error:
                        failure = error
                        break
                    # thinc keeps the current backend in a context variable.
                    waiting.append(pool.submit(contextvars.copy_context().run, _run, batch, steps))
                if not waiting:
                    break
                done, error_of_batch = waiting.popleft().result()
                for doc, given in done:
                    if contexts is not None and doc is not given:
                        contexts.replace(given, doc)
                    yield doc
                if error_of_batch is not None:
                    raise error_of_batch
        finally:
            for future in waiting:
                future.cancel()
    if failure is not None:
        raise failure


def _run(batch: list[Doc], steps: list[Step]) -> Outcome:
    done: list[tuple[Doc, Doc]] = []
    given = Contexts()
    for doc in batch:
        given.add(doc, doc)
    try:
        for pair in given.paired(applied(batch, steps, given)):
            done.append(pair)
    except Exception as error:
        return done, error
    return done, None
