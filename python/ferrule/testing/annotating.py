"""Checks of how a component predicts, annotates and meets bad documents."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from ferrule.testing.expectation import BrokenRuleError, expect, expect_error
from ferrule.testing.subject import Subject
from ferrule.tokens import Doc

__all__ = ["CHECKS"]

N_THREADS, N_ROUNDS = 4, 3


def has_the_attributes(subject: Subject) -> None:
    """A component has a `name`, the pipeline's `vocab`, a `model` and a dictionary `cfg`."""
    nlp, pipe = subject.blank()
    expect(pipe.name == subject.factory, f"name is {pipe.name!r}, in the pipeline it is {subject.factory!r}")
    expect(pipe.vocab is nlp.vocab, "vocab is another one than the pipeline's")
    expect(hasattr(pipe, "model"), "there is no attribute model")
    expect(isinstance(pipe.cfg, dict), f"cfg is {type(pipe.cfg).__name__}")


def says_what_it_is(subject: Subject) -> None:
    """`is_trainable`, `is_distillable`, `is_resizable` and `hide_labels` are booleans, `labels` strings."""
    _, pipe, _ = subject.ready()
    expect(pipe.is_trainable is True, f"is_trainable is {pipe.is_trainable!r}, a TrainablePipe's is True")
    for name in ("is_distillable", "is_resizable", "hide_labels"):
        expect(isinstance(getattr(pipe, name), bool), f"{name} is {getattr(pipe, name)!r}")
    labels = list(pipe.labels)
    expect(all(isinstance(label, str) for label in labels), f"labels are {labels!r}")


def refuses_to_predict_before_initialize(subject: Subject) -> None:
    """Before `initialize`, annotating raises an error that says so, unless nothing needs initialising."""
    nlp, pipe = subject.blank()
    model = pipe.model
    if not any(node.has_param(name) is None for node in model.walk() for name in node.param_names):
        return
    expect_error(ValueError, lambda: pipe(nlp.make_doc("Not yet .")), "annotating before initialize")


def predict_changes_nothing(subject: Subject) -> None:
    """`predict` leaves documents as they are."""
    nlp, pipe, _ = subject.ready()
    docs = _docs(subject, nlp)
    before = [doc.to_bytes() for doc in docs]
    pipe.predict(docs)
    expect([doc.to_bytes() for doc in docs] == before, "documents were changed")


def call_returns_the_document(subject: Subject) -> None:
    """Calling the component annotates and returns the very document it was given."""
    nlp, pipe, _ = subject.ready()
    called, by_hand = _docs(subject, nlp), _docs(subject, nlp)
    for doc in called:
        expect(pipe(doc) is doc, "another object was returned")
    for doc in by_hand:
        pipe.set_annotations([doc], pipe.predict([doc]))
    expect(_bytes(called) == _bytes(by_hand), "the annotations differ")


def pipe_keeps_order_for_every_batch_size(subject: Subject) -> None:
    """`pipe` yields every document, in order, with the same annotations for every batch size."""
    nlp, pipe, _ = subject.ready()
    expected = _bytes([pipe(doc) for doc in _docs(subject, nlp)])
    for batch_size in (1, 2, 3, 128):
        docs = _docs(subject, nlp)
        out = list(pipe.pipe(iter(docs), batch_size=batch_size))
        in_order = len(out) == len(docs) and all(a is b for a, b in zip(out, docs, strict=True))
        expect(in_order, f"with batch_size={batch_size} documents are missing or out of order")
        expect(_bytes(out) == expected, f"with batch_size={batch_size} the annotations differ")


def threads_annotate_alike(subject: Subject) -> None:
    """Annotating in several threads at once gives what one thread alone gives."""
    nlp, pipe, _ = subject.ready()
    expected = _bytes([pipe(doc) for doc in _docs(subject, nlp)])
    found: list[list[bytes]] = []

    def annotate() -> None:
        for _ in range(N_ROUNDS):
            found.append(_bytes(list(pipe.pipe(_docs(subject, nlp), batch_size=2))))

    threads = [threading.Thread(target=annotate) for _ in range(N_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(len(found) == N_ROUNDS * N_THREADS, "an error ended a thread")
    expect(all(each == expected for each in found), "annotations depend on what other threads do")


def accepts_empty_input(subject: Subject) -> None:
    """No documents, and documents without tokens, are annotated without an error."""
    nlp, pipe, _ = subject.ready()
    expect(list(pipe.pipe([])) == [], "documents came out of nothing")
    empty = Doc(nlp.vocab)
    expect(pipe(empty) is empty, "an empty document did not come back")
    mixed = [Doc(nlp.vocab), nlp.make_doc("One word"), Doc(nlp.vocab)]
    expect(len(list(pipe.pipe(mixed))) == 3, "empty documents among others were lost")


def refuses_batch_sizes_below_one(subject: Subject) -> None:
    """`pipe` raises ValueError for a batch size below 1."""
    nlp, pipe, _ = subject.ready()
    for batch_size in (0, -1):
        stream = pipe.pipe(_docs(subject, nlp), batch_size=batch_size)
        expect_error(ValueError, functools.partial(list, stream), f"pipe with batch_size={batch_size}")


def one_bad_document_costs_one_document(subject: Subject) -> None:
    """When one document fails the others come out, in order; the handler gets the bad one once, alone."""
    nlp, pipe, _ = subject.ready()
    n_docs = len(_docs(subject, nlp))
    for bad in range(n_docs):
        docs = _docs(subject, nlp)
        seen: list[Any] = []
        pipe.set_error_handler(
            lambda name, component, failed, error, seen=seen: seen.append((name, failed, error))
        )
        with _failing(pipe, docs[bad]):
            out = list(pipe.pipe(docs, batch_size=n_docs))
        expect(
            [id(doc) for doc in out] == [id(doc) for index, doc in enumerate(docs) if index != bad],
            f"with document {bad} of {n_docs} bad, {len(out)} came out",
        )
        expect(
            len(seen) == 1
            and seen[0][0] == pipe.name
            and len(seen[0][1]) == 1
            and seen[0][1][0] is docs[bad],
            f"the error handler was called {len(seen)} times for document {bad}, or with the wrong arguments",
        )


def the_default_handler_raises(subject: Subject) -> None:
    """Without an error handler the error of a bad document is raised, after the documents before it."""
    nlp, pipe, _ = subject.ready()
    docs = _docs(subject, nlp)
    expect_error(
        ValueError, lambda: pipe.get_error_handler()("x", pipe, docs, ValueError("y")), "the handler"
    )
    out = []
    try:
        with _failing(pipe, docs[1]):
            for doc in pipe.pipe(docs, batch_size=len(docs)):
                out.append(doc)
    except _BadDocumentError:
        expect(
            len(out) == 1 and out[0] is docs[0],
            f"{len(out)} documents came out before the bad one, expected 1",
        )
        return
    raise BrokenRuleError("the error was not raised")


def a_failing_source_loses_nothing(subject: Subject) -> None:
    """When the source of documents fails, those already read come out before its error."""
    nlp, pipe, _ = subject.ready()
    docs = _docs(subject, nlp)[:3]

    def source() -> Any:
        yield from docs
        raise _BadDocumentError("the source is broken")

    out = []
    try:
        for doc in pipe.pipe(source(), batch_size=2):
            out.append(doc)
    except _BadDocumentError:
        expect(len(out) == 3, f"{len(out)} of 3 documents came out")
        return
    raise BrokenRuleError("the error of the source was swallowed")


def saves_activations_when_asked(subject: Subject) -> None:
    """`save_activations` is False at first and can be set; only then `doc.activations[name]` may appear."""
    nlp, pipe, _ = subject.ready()
    expect(pipe.save_activations is False, f"save_activations is {pipe.save_activations!r} at first")
    doc = pipe(_docs(subject, nlp)[0])
    expect(pipe.name not in doc.activations, "activations were saved though nobody asked")
    pipe.save_activations = True
    expect(pipe.save_activations is True, "save_activations did not stay as it was set")
    pipe(_docs(subject, nlp)[0])


def scores_as_a_dictionary(subject: Subject) -> None:
    """`score` returns a dictionary."""
    _, pipe, examples = subject.ready()
    scores = pipe.score(examples)
    expect(isinstance(scores, dict), f"score returned {type(scores).__name__}")


class _BadDocumentError(RuntimeError):
    """Raised on purpose."""


class _failing:
    """Within it, `predict` fails on any batch that has `doc` in it."""

    def __init__(self, pipe: Any, doc: Doc) -> None:
        self._pipe = pipe
        self._doc = doc

    def __enter__(self) -> None:
        plain = self._pipe.predict

        def predict(docs: Any) -> Any:
            docs = list(docs)
            if any(doc is self._doc for doc in docs):
                raise _BadDocumentError("this document is bad")
            return plain(docs)

        self._pipe.predict = predict

    def __exit__(self, *error: object) -> None:
        del self._pipe.predict


def _docs(subject: Subject, nlp: Any) -> list[Doc]:
    return [example.predicted for example in subject.examples_of(nlp)]


def _bytes(docs: list[Doc]) -> list[bytes]:
    return [doc.to_bytes() for doc in docs]


CHECKS: list[Callable[[Subject], None]] = [
    has_the_attributes,
    says_what_it_is,
    refuses_to_predict_before_initialize,
    predict_changes_nothing,
    call_returns_the_document,
    pipe_keeps_order_for_every_batch_size,
    threads_annotate_alike,
    accepts_empty_input,
    refuses_batch_sizes_below_one,
    one_bad_document_costs_one_document,
    the_default_handler_raises,
    a_failing_source_loses_nothing,
    saves_activations_when_asked,
    scores_as_a_dictionary,
]
