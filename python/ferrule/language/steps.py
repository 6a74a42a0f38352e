"""One component of a run over a stream of documents, and the contexts that travel beside them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ferrule._typing import ErrorHandler, PipeCallable
from ferrule.tokens import Doc

__all__ = ["Contexts", "Step", "applied", "checked_result", "shortened", "text_and_context"]


class Step:
    """One component of a run through the pipeline, with its settings and its error handler."""

    def __init__(
        self, name: str, pipe: PipeCallable, settings: dict[str, Any], handler: ErrorHandler
    ) -> None:
        self.name = name
        self.pipe = pipe
        self.settings = settings
        self.handler = handler

    def run(self, docs: Iterable[Doc], contexts: Contexts | None = None) -> Iterator[Doc]:
        """The documents as this component leaves them, in order, without those it failed on."""
        stream: Callable[..., Iterable[Any]] | None = getattr(self.pipe, "pipe", None)
        if stream is not None:
            for doc in stream(docs, **self.settings):
                yield checked_result(doc, self.name)
            return
        settings = {name: value for name, value in self.settings.items() if name != "batch_size"}
        for doc in docs:
            try:
                result = checked_result(self.pipe(doc, **settings), self.name)
            except Exception as error:
                self.handler(self.name, self.pipe, [doc], error)
                continue
            if contexts is not None and result is not doc:
                contexts.replace(doc, result)
            yield result


def applied(docs: Iterable[Doc], steps: Iterable[Step], contexts: Contexts | None = None) -> Iterator[Doc]:
    """The documents after all `steps`, in order; nothing is read before it is asked for."""
    stream = iter(docs)
    for step in steps:
        stream = step.run(stream, contexts)
    return stream


class Contexts:
    """Which context belongs to which document of a stream whose documents may be left out or replaced."""

    def __init__(self) -> None:
        self._waiting: deque[list[Any]] = deque()

    def add(self, doc: Doc, context: Any) -> None:
        """`doc` has gone in."""
        self._waiting.append([doc, context])

    def replace(self, old: Doc, new: Doc) -> None:
        """A component returned `new` for `old`."""
        for entry in self._waiting:
            if entry[0] is old:
                entry[0] = new
                return

    def find(self, doc: Doc) -> Any:
        """The context of a document that is still on its way; None if there is none."""
        return next((entry[1] for entry in self._waiting if entry[0] is doc), None)

    def paired(self, docs: Iterable[Doc]) -> Iterator[tuple[Doc, Any]]:
        """Each document that came out with its context."""
        for doc in docs:
            # Documents come out in the order they went in, so those before this one have been left out.
            if any(entry[0] is doc for entry in self._waiting):
                while self._waiting[0][0] is not doc:
                    self._waiting.popleft()
            yield doc, self._waiting.popleft()[1]


def text_and_context(item: Any) -> tuple[Any, Any]:
    """The two parts of an item of a stream of (text, context); TypeError for anything else."""
    if not isinstance(item, tuple | list) or len(item) != 2:
        raise TypeError(f"nlp.pipe(as_tuples=True): expected (text, context), found {shortened(item)}")
    return item[0], item[1]


def checked_result(result: Any, name: str) -> Doc:
    """What the component `name` returned, if it is a document; TypeError for anything else."""
    if isinstance(result, Doc):
        return result
    raise TypeError(
        f"The component {name!r} returned {type(result).__name__}, expected the Doc it was given; a "
        "component must "
        f"end with `return doc`"
    )


def shortened(item: Any) -> str:
    """How messages show a value: its start, where it is long."""
    shown = repr(item)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
