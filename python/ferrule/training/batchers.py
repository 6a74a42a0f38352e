"""Streams of examples (or of anything with a length) cut into batches.

A size may be an int or change from batch to batch: a list (its last value repeats), a generator such as
thinc's `compounding.v1` (it goes on where it stopped, epoch after epoch), or a function of the step.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeAlias, TypeVar

from ferrule.registry import registry

__all__ = [
    "Sizing",
    "configure_minibatch",
    "configure_minibatch_by_padded_size",
    "configure_minibatch_by_words",
    "minibatch",
    "minibatch_by_padded_size",
    "minibatch_by_words",
]

Item = TypeVar("Item")
Sizing: TypeAlias = "int | Iterable[int] | Callable[[int], int]"
Batcher: TypeAlias = "Callable[[Iterable[Any]], Iterator[list[Any]]]"


def minibatch(items: Iterable[Item], size: Sizing) -> Iterator[list[Item]]:
    """Batches of `size` items, in order; the last one may be shorter.

    If the source of items raises, the items already read come out as a last batch before the error does.
    Raises TypeError or ValueError for a size that is no whole number of at least 1.

    >>> list(minibatch("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    sizes = _sizes(size, "minibatch")
    source = iter(items)
    while True:
        batch: list[Item] = []
        try:
            batch.extend(itertools.islice(source, next(sizes)))
        except Exception:
            if batch:
                yield batch
            raise
        if not batch:
            return
        yield batch


def minibatch_by_words(
    seqs: Iterable[Item],
    size: Sizing,
    tolerance: float = 0.2,
    discard_oversize: bool = False,
    get_length: Callable[[Any], int] = len,
) -> Iterator[list[Item]]:
    """Batches of about `size` words, in order, none above `size * (1 + tolerance)` words.

    What comes after `size` is reached fills the tolerance and moves to the next batch as soon as it does not
    fit there any more. An item that is too long by itself is a batch of its own or, with `discard_oversize`,
    left out. `get_length` says how many words an item has.

    >>> list(minibatch_by_words(["aaa", "bb", "c", "dddd"], size=5, tolerance=0.0))
    [['aaa', 'bb'], ['c', 'dddd']]
    """
    sizes = _sizes(size, "minibatch_by_words")
    target = next(sizes)
    batch: list[Item] = []
    overflow: list[Item] = []
    n_batch = n_overflow = 0
    for seq in seqs:
        n_words = get_length(seq)
        if n_words > target * (1 + tolerance):
            if not discard_oversize:
                yield [seq]
            continue
        turnovers = 0
        while True:
            if turnovers == 2 or (n_overflow == 0 and n_batch + n_words <= target):
                batch.append(seq)
                n_batch += n_words
                break
            if n_batch + n_overflow + n_words <= target * (1 + tolerance):
                overflow.append(seq)
                n_overflow += n_words
                break
            if batch:
                yield batch
            target = next(sizes)
            batch, n_batch = overflow, n_overflow
            overflow, n_overflow = [], 0
            turnovers += 1
    if batch or overflow:
        yield batch + overflow


def minibatch_by_padded_size(
    seqs: Iterable[Item],
    size: Sizing,
    buffer: int = 256,
    discard_oversize: bool = False,
    get_length: Callable[[Any], int] = len,
) -> Iterator[list[Item]]:
    """Batches of at most `size` words when each item is padded to the batch's longest.

    Items are taken `buffer` at a time and grouped by length, the longest first; within a batch they keep
    their order. An item longer than `size` is a batch of its own. With `discard_oversize` a batch whose
    padded size reaches `size` is left out, as in spaCy, which counts a batch of exactly that size too.

    >>> list(minibatch_by_padded_size(["a", "bbb", "cc", "ddd"], size=6))
    [['bbb', 'ddd'], ['a', 'cc']]
    """
    sizes = _sizes(size, "minibatch_by_padded_size")
    for buffered in minibatch(seqs, buffer):
        target = next(sizes)
        lengths = [get_length(seq) for seq in buffered]
        for indices in _groups_by_length(lengths, target):
            padded_size = max(lengths[i] for i in indices) * len(indices)
            if not (discard_oversize and padded_size >= target):
                yield [buffered[i] for i in indices]


@registry.batchers("spacy.batch_by_padded.v1")
def configure_minibatch_by_padded_size(
    *,
    size: Sizing,
    buffer: int,
    discard_oversize: bool,
    get_length: Callable[[Any], int] | None = None,
) -> Batcher:
    """A function from a stream to batches; see :func:`minibatch_by_padded_size`."""
    return partial(
        minibatch_by_padded_size,
        size=size,
        buffer=buffer,
        discard_oversize=discard_oversize,
        get_length=get_length or len,
    )


@registry.batchers("spacy.batch_by_words.v1")
def configure_minibatch_by_words(
    *,
    size: Sizing,
    tolerance: float,
    discard_oversize: bool,
    get_length: Callable[[Any], int] | None = None,
) -> Batcher:
    """A function from a stream to batches; see :func:`minibatch_by_words`."""
    return partial(
        minibatch_by_words,
        size=size,
        tolerance=tolerance,
        discard_oversize=discard_oversize,
        get_length=get_length or len,
    )


@registry.batchers("spacy.batch_by_sequence.v1")
def configure_minibatch(size: Sizing, get_length: Callable[[Any], int] | None = None) -> Batcher:
    """A function from a stream to batches of `size` items; `get_length` changes nothing, as in spaCy."""
    return partial(minibatch, size=size)


def _sizes(size: Sizing, caller: str) -> Iterator[int]:
    if isinstance(size, int):
        given: Iterable[Any] = itertools.repeat(size)
    elif callable(size):
        given = map(size, itertools.count())
    elif isinstance(size, Iterable) and not isinstance(size, str | bytes):
        given = size
    else:
        raise TypeError(
            f"{caller}: a size must be an int, a sequence of ints, a generator or a function of the step, "
            f"found {type(size).__name__}: {size!r}"
        )
    return _checked_sizes(given, caller)


def _checked_sizes(given: Iterable[Any], caller: str) -> Iterator[int]:
    last = 0
    for value in given:
        last = int(value)
        if last < 1:
            raise ValueError(f"{caller}: a batch size must be at least 1, found {value!r}")
        yield last
    if last < 1:
        raise ValueError(f"{caller}: the sequence of batch sizes is empty")
    yield from itertools.repeat(last)


def _groups_by_length(lengths: list[int], max_padded: int) -> list[list[int]]:
    """Positions grouped so that longest × count stays within `max_padded`; groups of the longest first."""
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if groups and lengths[index] * (len(groups[-1]) + 1) <= max_padded:
            groups[-1].append(index)
        else:
            groups.append([index])
    return [sorted(group) for group in reversed(groups)]
