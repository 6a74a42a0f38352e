"""Streams of documents that lose nothing, whether their source fails or one of a batch is bad."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from ferrule.reading import read_some

__all__ = ["annotated", "batches", "check_batch_size"]

T = TypeVar("T")


def check_batch_size(batch_size: int, owner: str) -> int:
    """`batch_size` if it is a whole number above 0; TypeError or ValueError, naming `owner`, otherwise."""
    if isinstance(batch_size, bool) or not hasattr(batch_size, "__index__"):
        raise TypeError(
            f"{owner}: batch_size must be a whole number, found {type(batch_size).__name__}: {batch_size!r}"
        )
    size = batch_size.__index__()
    if size < 1:
        raise ValueError(f"{owner}: batch_size must be at least 1, found {size}; the default is 128")
    return size


def batches(stream: Iterable[T], batch_size: int, *, owner: str) -> Iterator[list[T]]:
    """Lists of up to `batch_size` items, in order.

    What was read before the source raised an error comes out as a last, shorter batch; then the error
    follows. Nothing is read ahead of the batch that is asked for. Raises as :func:`check_batch_size`, and
    TypeError if `stream` is no iterable or a single string, all before anything is read.
    """
    size = check_batch_size(batch_size, owner)
    if (
        isinstance(stream, str | bytes)
        or hasattr(type(stream), "user_data")
        or not hasattr(stream, "__iter__")
    ):
        found = "None" if stream is None else f"a single {type(stream).__name__}"
        raise TypeError(f"{owner}: expected a stream of documents, such as a list of them, found {found}")
    source = iter(stream)
    is_full = True
    while is_full:
        batch, failure = read_some(source, size)
        is_full = len(batch) == size
        if batch:
            yield batch
        if failure is not None:
            raise failure


def annotated(
    docs: list[T],
    annotate: Callable[[list[T]], list[T]],
    on_error: Callable[[list[T], Exception], None],
) -> Iterator[T]:
    """The documents that could be annotated, in order.

    When `annotate` fails on several documents they are tried again in two halves, so that each bad document
    reaches `on_error` once, alone, with its own error, and costs nothing but itself. If `on_error` raises,
    the documents before the bad one have been yielded already.
    """
    try:
        done = annotate(docs)
    except Exception as error:
        if len(docs) == 1:
            on_error(docs, error)
            return
    else:
        yield from done
        return
    middle = len(docs) // 2
    yield from annotated(docs[:middle], annotate, on_error)
    yield from annotated(docs[middle:], annotate, on_error)
