"""Annotating: one text, or a stream of them in batches, threads or processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from ferrule._typing import ErrorHandler
from ferrule.language.state import PipelineState
from ferrule.language.steps import Contexts, Step, applied, checked_result, shortened, text_and_context
from ferrule.pipeline.pipe import reraise
from ferrule.pipeline.streams import check_batch_size
from ferrule.tokenizer import Tokenizer
from ferrule.tokens import Doc

__all__ = ["Processing"]

T = TypeVar("T")


class Processing(PipelineState):
    """The part of `Language` that turns texts into annotated documents."""

    def make_doc(self, text: str) -> Doc:
        """The text as a tokenised document, without annotations.

        Raises TypeError unless `text` is a string, ValueError if it is longer than `max_length` characters.
        """
        if not isinstance(text, str):
            raise TypeError(
                f"make_doc: expected a text as str, found {type(text).__name__}: {shortened(text)}"
            )
        if len(text) > self.max_length:
            raise ValueError(
                f"make_doc: the text has {len(text)} characters, more than nlp.max_length, which is "
                f"{self.max_length}. Split the text, or raise nlp.max_length if there is memory for it."
            )
        doc: Doc = self.tokenizer(text)
        return doc

    def __call__(
        self,
        text: str | Doc,
        *,
        disable: Iterable[str] = (),
        component_cfg: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Doc:
        """The annotated document of a text; a document that is given is annotated in place.

        If a component fails the error handler is called; where it returns, the document goes on as it is.
        Raises TypeError for anything but a text or document, or if a component returns no document.
        """
        doc = self._ensure_doc(text)
        skipped = _name_set(disable)
        for name, pipe in self.pipeline:
            if name in skipped:
                continue
            if not callable(pipe):
                raise TypeError(f"The component {name!r} is {type(pipe).__name__}, which cannot be called")
            try:
                result = pipe(doc, **(component_cfg or {}).get(name, {}))
            except Exception as error:
                self._handler(pipe)(name, pipe, [doc], error)
                continue
            if result is None and _handles_errors(pipe):
                continue  # the component's own handler has had the error
            doc = checked_result(result, name)
        return doc

    def pipe(
        self,
        texts: Iterable[Any],
        *,
        as_tuples: bool = False,
        batch_size: int | None = None,
        disable: Iterable[str] = (),
        component_cfg: Mapping[str, Mapping[str, Any]] | None = None,
        n_process: int = 1,
        n_threads: int = 1,
    ) -> Iterator[Any]:
        """The annotated documents of a stream of texts or documents, in order.

        as_tuples: the stream is of (text, context) and so is the result; contexts stay with their documents.
        batch_size: documents a batch; `nlp.batch_size` unless given.
        disable: names of components to leave out.
        n_threads: batches at work at the same time, in threads that share the weights. Results are the same.
        n_process: worker processes, for components that hold the interpreter; -1 for one a processor.

        A document that fails goes to the error handler, alone, and is left out if that returns. When the
        source fails, what was read before comes out first. Raises ValueError for numbers below 1, TypeError
        for items that are no texts or documents, WorkerError if a worker process ends early.
        """
        if isinstance(texts, str | bytes | Doc):
            raise TypeError(
                f"nlp.pipe: expected a stream of texts, such as a list, found a single "
                f"{type(texts).__name__}; for one text call nlp(text)"
            )
        size = check_batch_size(self.batch_size if batch_size is None else batch_size, "nlp.pipe")
        check_batch_size(n_threads, "nlp.pipe: n_threads, as")
        steps = self._steps(_name_set(disable), component_cfg or {}, size)
        if n_process != 1:
            from ferrule.language.workers import in_processes

            return in_processes(self, texts, steps, n_process=n_process, batch_size=size, as_tuples=as_tuples)
        contexts = Contexts() if as_tuples else None
        docs = self._docs(texts, contexts, size if n_threads > 1 else _read_by(steps))
        if n_threads > 1:
            from ferrule.language.threads import in_threads

            stream = in_threads(docs, steps, contexts, n_threads=n_threads, batch_size=size)
        else:
            stream = applied(docs, steps, contexts)
        return stream if contexts is None else contexts.paired(stream)

    def set_error_handler(self, error_handler: ErrorHandler) -> None:
        """Call `error_handler(name, component, docs, error)` for documents that fail, in every component.

        It may raise; if it returns, the documents are left out. Raises TypeError if it cannot be called.
        """
        if not callable(error_handler):
            raise TypeError(
                f"set_error_handler: expected a function of (name, component, docs, error), found "
                f"{type(error_handler).__name__}"
            )
        self.default_error_handler = error_handler
        for _, pipe in self._components:
            if hasattr(pipe, "set_error_handler"):
                pipe.set_error_handler(error_handler)

    def memory_zone(self) -> AbstractContextManager[Any]:
        """A block at whose end the strings and word types that its texts brought are let go.

        Documents made within it refuse to be used afterwards.
        """
        zone: AbstractContextManager[Any] = self.vocab.memory_zone()
        return zone

    def _ensure_doc(self, item: Any) -> Doc:
        if isinstance(item, str):
            return self.make_doc(item)
        if isinstance(item, Doc):
            if item.vocab is not self.vocab:
                raise ValueError(
                    "This document belongs to another vocabulary. Make it with this pipeline's: "
                    "nlp.make_doc(text), "
                    "or Doc(nlp.vocab).from_bytes(doc.to_bytes())."
                )
            return item
        if isinstance(item, bytes):
            return Doc(self.vocab).from_bytes(item)
        raise TypeError(
            f"nlp: expected a text, a Doc or a Doc's bytes, found {type(item).__name__}: {shortened(item)}"
        )

    def _docs(self, items: Iterable[Any], contexts: Contexts | None, batch_size: int) -> Iterator[Doc]:
        """The documents of a stream; it is read as far as is needed for `batch_size` of them at a time."""
        source = map(text_and_context, items) if contexts is not None else ((item, None) for item in items)
        n_made = 0
        while True:
            # Documents left out are made up for, or the first component would have us read a batch more.
            read, ended = read_ahead(source, batch_size - n_made % batch_size)
            for doc, context in self._tokenized(read):
                if contexts is not None:
                    contexts.add(doc, context)
                n_made += 1
                yield doc
            if isinstance(ended, Exception):
                raise ended
            if ended:
                return

    def _tokenized(self, items: list[tuple[Any, Any]]) -> Iterator[tuple[Doc, Any]]:
        """The documents, with their contexts; without those that the error handler was told of."""
        docs = self._tokenized_together([item for item, _ in items])
        if docs is not None:
            yield from zip(docs, (context for _, context in items), strict=True)
            return
        for item, context in items:
            try:
                doc = self._ensure_doc(item)
            except Exception as error:
                if self.default_error_handler is reraise:
                    raise
                self.default_error_handler("tokenizer", self.tokenizer, [item], error)
                continue
            yield doc, context

    def _tokenized_together(self, items: list[Any]) -> list[Doc] | None:
        """The documents of texts, in one call; None where one by one may give something else."""
        plain = type(self.tokenizer) is Tokenizer and self.make_doc == Processing.make_doc.__get__(self)
        if len(items) < 2 or not plain:
            return None
        if not all(isinstance(item, str) and len(item) <= self.max_length for item in items):
            return None
        try:
            return list(self.tokenizer.pipe(items, batch_size=len(items) + 1))
        except Exception:
            # One by one, to find the text that is refused.
            return None

    def _steps(
        self, skipped: frozenset[str], settings: Mapping[str, Mapping[str, Any]], batch_size: int
    ) -> list[Step]:
        return [
            Step(name, pipe, {"batch_size": batch_size, **settings.get(name, {})}, self._handler(pipe))
            for name, pipe in self.pipeline
            if name not in skipped
        ]

    def _handler(self, pipe: Any) -> ErrorHandler:
        get_handler = getattr(pipe, "get_error_handler", None)
        handler: ErrorHandler = self.default_error_handler
        if get_handler is not None:
            own: ErrorHandler = get_handler()
            handler = handler if own is reraise else own
        return handler


def read_ahead(source: Iterator[T], count: int) -> tuple[list[T], bool | Exception]:
    """Up to `count` items, and whether the source has ended: False, True, or the error with which it did."""
    read: list[T] = []
    try:
        while len(read) < count:
            read.append(next(source))
    except StopIteration:
        return read, True
    except Exception as error:
        return read, error
    return read, False


def _read_by(steps: list[Step]) -> int:
    """How many documents the first step asks for at a time."""
    size = steps[0].settings["batch_size"] if steps and hasattr(steps[0].pipe, "pipe") else 1
    # What is no size the step itself refuses.
    return size if isinstance(size, int) and size > 0 else 1


def _handles_errors(pipe: Any) -> bool:
    return hasattr(pipe, "get_error_handler") and pipe.get_error_handler() is not reraise


def _name_set(names: Iterable[str]) -> frozenset[str]:
    return frozenset([names] if isinstance(names, str) else names)
