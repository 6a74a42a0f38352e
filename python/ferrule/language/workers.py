"""A run through the pipeline in worker processes, for components that hold the interpreter."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import pickle
import signal
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from ferrule import _core
from ferrule.errors import WorkerError
from ferrule.language.steps import Contexts, Step, applied, text_and_context
from ferrule.pipeline.streams import batches
from ferrule.tokens import Doc

__all__ = ["in_processes"]

# What became of one text: its place in the batch, the document's bytes or None, and the failure if there was
# one: the component's name ("" when the whole batch broke off), what it failed on, and the error.
Outcome = tuple[int, bytes | None, tuple[str, Any, bytes] | None]


def in_processes(
    nlp: Any, items: Iterable[Any], steps: list[Step], *, n_process: int, batch_size: int, as_tuples: bool
) -> Iterator[Any]:
    """The annotated documents, in order, or pairs of document and context; see `Language.pipe`.

    Each of `n_process` workers (-1: one a processor) has its own copy of the pipeline. Raises WorkerError
    when one ends early, and ends the others; ValueError for any other number below 1.
    """
    n_process = (os.cpu_count() or 1) if n_process == -1 else n_process
    if n_process < 1:
        raise ValueError(
            f"nlp.pipe: n_process must be at least 1, or -1 for one a processor, found {n_process}"
        )
    pairs = (text_and_context(item) if as_tuples else (item, None) for item in items)
    handlers = {step.name: step for step in steps}
    source = batches(pairs, batch_size, owner="nlp.pipe")
    with _Workers(nlp, steps, n_process) as workers:
        for batch, outcomes in workers.run(source):
            for index, data, failure in outcomes:
                if failure is not None:
                    _handle(nlp, handlers, failure)
                elif data is not None:
                    doc = Doc(nlp.vocab).from_bytes(data)
                    yield (doc, batch[index][1]) if as_tuples else doc


class _Workers:
    """The worker processes of one run. Each has at most one batch; so nobody writes while nobody reads."""

    def __init__(self, nlp: Any, steps: list[Step], n_process: int) -> None:
        context = multiprocessing.get_context()
        settings = [(step.name, step.settings) for step in steps]
        forked = context.get_start_method() == "fork"
        self._connections: list[Any] = []
        self._processes: list[Any] = []
        for _ in range(n_process):
            ours, theirs = context.Pipe()
            self._connections.append(ours)
            # A forked worker inherits our ends of the pipes, and would keep the others alive after us.
            inherited = list(self._connections) if forked else []
            process = context.Process(
                target=_work, args=(theirs, inherited, nlp, settings, n_process), daemon=True
            )
            process.start()
            theirs.close()
            self._processes.append(process)

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, *error: object) -> None:
        for connection in self._connections:
            connection.close()  # an idle worker ends when it sees this
        for process in self._processes:
            process.join(timeout=0.2)
            if process.is_alive():
                process.terminate()
                process.join(timeout=5)
            if process.is_alive():
                process.kill()
                process.join()

    def run(self, source: Iterator[list[Any]]) -> Iterator[tuple[list[Any], list[Outcome]]]:
        """Each batch with what became of its texts, in the order of `source`, whose errors come last."""
        idle = deque(range(len(self._connections)))
        at_work: dict[int, int] = {}  # worker -> number of its batch
        waiting: deque[tuple[int, list[Any]]] = deque()
        finished: dict[int, list[Outcome]] = {}
        failure: Exception | None = None
        n_read, exhausted = 0, False
        while True:
            while idle and not exhausted and len(waiting) < 4 * len(self._connections):
                try:
                    batch = next(source)
                except StopIteration:
                    exhausted = True
                    break
                except Exception as error:
                    failure, exhausted = error, True
                    break
                worker = idle.popleft()
                self._send(worker, [_as_message(item) for item, _ in batch])
                at_work[worker] = n_read
                waiting.append((n_read, batch))
                n_read += 1
            while waiting and waiting[0][0] in finished:
                number, batch = waiting.popleft()
                yield batch, finished.pop(number)
            if not waiting:
                if exhausted:
                    break
                continue
            if not at_work:
                continue
            for worker, outcomes in self._receive(at_work):
                finished[at_work.pop(worker)] = outcomes
                idle.append(worker)
        if failure is not None:
            raise failure

    def _send(self, worker: int, message: Any) -> None:
        try:
            self._connections[worker].send(message)
        except (BrokenPipeError, ConnectionError):
            raise self._ended(worker) from None

    def _receive(self, at_work: Iterable[int]) -> Iterator[tuple[int, list[Outcome]]]:
        """What workers have sent; waits until at least one has, or has ended."""
        by_handle = {self._connections[worker]: worker for worker in at_work}
        ended = {self._processes[worker].sentinel: worker for worker in at_work}
        ready = multiprocessing.connection.wait([*by_handle, *ended])
        for worker in sorted({*by_handle.values()}):
            if self._connections[worker] in ready:
                try:
                    outcomes = self._connections[worker].recv()
                except (EOFError, ConnectionError):
                    raise self._ended(worker) from None
                yield worker, outcomes
            elif self._processes[worker].sentinel in ready and not self._connections[worker].poll():
                raise self._ended(worker)

    def _ended(self, worker: int) -> WorkerError:
        process = self._processes[worker]
        process.join(timeout=1)
        code = process.exitcode
        reason = f"was ended by signal {-code}" if code is not None and code < 0 else f"exited with {code}"
        return WorkerError(
            f"nlp.pipe: worker process {process.pid} {reason} before its documents were done. It may have "
            "run out "
            f"of memory: try fewer processes or a smaller batch_size, or n_threads, which shares the weights."
        )


def _handle(nlp: Any, steps: dict[str, Step], failure: tuple[str, Any, bytes]) -> None:
    name, failed_on, pickled = failure
    error = pickle.loads(pickled)  # noqa: S301  from a worker of ours
    if not name:
        raise error
    item = Doc(nlp.vocab).from_bytes(failed_on) if isinstance(failed_on, bytes) else failed_on
    if name in steps:
        steps[name].handler(name, steps[name].pipe, [item], error)
    else:
        nlp.default_error_handler(name, nlp.tokenizer, [item], error)


def _as_message(item: Any) -> Any:
    return item.to_bytes() if isinstance(item, Doc) else item


# In the worker


class _Failures:
    """The error handler of a worker: keeps what failed, for the handlers in the parent."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.contexts = Contexts()

    def __call__(self, name: str, component: Any, docs: list[Any], error: Exception) -> None:
        for doc in docs:
            index = self.contexts.find(doc)
            self.outcomes.append(
                (-1 if index is None else index, None, (name, doc.to_bytes(), _pickled(error)))
            )


def _work(
    connection: Any,
    inherited: list[Any],
    nlp: Any,
    settings: list[tuple[str, dict[str, Any]]],
    n_workers: int,
) -> None:
    """Answer batches until the parent closes the connection or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends us
    for parents_end in inherited:
        parents_end.close()
    _core.set_num_threads(max(1, (os.cpu_count() or 1) // n_workers))
    failures = _Failures()
    nlp.set_error_handler(failures)
    steps = [Step(name, nlp.get_pipe(name), given, failures) for name, given in settings]
    while True:
        try:
            batch = connection.recv()
            connection.send(_outcomes(nlp, batch, steps, failures))
        except (EOFError, ConnectionError):
            return


def _outcomes(nlp: Any, batch: list[Any], steps: list[Step], failures: _Failures) -> list[Outcome]:
    failures.outcomes, failures.contexts = [], Contexts()
    docs = []
    for index, item in enumerate(batch):
        try:
            doc = nlp._ensure_doc(item)
        except Exception as error:
            failures.outcomes.append((index, None, ("tokenizer", str(item), _pickled(error))))
            continue
        failures.contexts.add(doc, index)
        docs.append(doc)
    done: list[Outcome] = []
    try:
        for doc, index in failures.contexts.paired(applied(docs, steps, failures.contexts)):
            done.append((index, doc.to_bytes(), None))
    except Exception as error:
        failures.outcomes.append((len(batch), None, ("", "", _pickled(error))))
    return sorted([*done, *failures.outcomes], key=lambda outcome: outcome[0])


def _pickled(error: Exception) -> bytes:
    """The error; where it cannot travel, a WorkerError with its text and traceback."""
    text = "".join(traceback.format_exception(error))
    try:
        data = pickle.dumps(error)
        pickle.loads(data)  # noqa: S301
    except Exception:
        return pickle.dumps(WorkerError(f"{type(error).__name__}: {error}\nIn the worker process:\n{text}"))
    return data
