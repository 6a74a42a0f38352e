"""The two sides of many examples, and how their tokens correspond, as flat arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferrule import _core
from ferrule.attrs import IDS
from ferrule.errors import AlignmentError
from ferrule.training.alignment_array import AlignmentArray

__all__ = ["AlignedBatch", "aligned_batches"]

#: Enough for a call into Rust to cost nothing, few enough to hold while a corpus streams by.
EXAMPLES_AT_A_TIME = 1000

Int64s = NDArray[np.int64]
UInt64s = NDArray[np.uint64]


class AlignedBatch:
    """Examples with their tokens behind one another: token numbers count through the batch on each side.

    `predicted`, `reference`: the documents. `x2y`, `y2x`: for each token of one side those of the other, as
    in `Example.alignment`. `x_lengths`, `y_lengths`: int64 (n_examples,), tokens of each document.

    Raises AlignmentError where the two texts of an example differ in more than whitespace and capitals.
    Ferrule's documents take one call into Rust; of others `Example.alignment` and `to_array` are asked.

    >>> from ferrule.tokens import Doc
    >>> from ferrule.training import Example
    >>> from ferrule.vocab import Vocab
    >>> vocab = Vocab()
    >>> reference = Doc(vocab, words=["New", "York"], tags=["A", "B"])
    >>> batch = AlignedBatch([Example(Doc(vocab, words=["New York"]), reference)] * 2)
    >>> batch.x2y[1].tolist(), batch.x_lengths.tolist()
    ([2, 3], [1, 1])
    """

    __slots__ = ("_is_native", "examples", "predicted", "reference", "x2y", "x_lengths", "y2x", "y_lengths")

    def __init__(self, examples: Sequence[Any]) -> None:
        self.examples = examples
        self.predicted = [example.predicted for example in examples]
        self.reference = [example.reference for example in examples]
        self._is_native = all(isinstance(doc, _core.DocCore) for doc in (*self.predicted, *self.reference))
        if self._is_native:
            self._align_native()
        else:
            self._align_one_by_one()

    def _align_native(self) -> None:
        try:
            rows, x_lengths, y_lengths = _core.align_docs(self.predicted, self.reference)
        except ValueError as error:
            raise AlignmentError(
                f"The predicted (first) and the reference (second) of an example cannot be aligned. {error} "
                "Make both from the same text."
            ) from error
        x2y_lengths, x2y, y2x_lengths, y2x = rows
        self.x2y = AlignmentArray.from_ragged(x2y, x2y_lengths)
        self.y2x = AlignmentArray.from_ragged(y2x, y2x_lengths)
        self.x_lengths, self.y_lengths = x_lengths.astype(np.int64), y_lengths.astype(np.int64)

    def _align_one_by_one(self) -> None:
        self.x_lengths = np.asarray([len(doc) for doc in self.predicted], dtype=np.int64)
        self.y_lengths = np.asarray([len(doc) for doc in self.reference], dtype=np.int64)
        alignments = [example.alignment for example in self.examples]
        self.x2y = _joined([alignment.x2y for alignment in alignments], self.y_lengths)
        self.y2x = _joined([alignment.y2x for alignment in alignments], self.x_lengths)

    def predicted_columns(self, *attrs: str) -> UInt64s:
        """Token attributes of the predictions, uint64 (n_tokens, n_attrs), as `Doc.to_array` gives them."""
        return self._columns(self.predicted, attrs)

    def reference_columns(self, *attrs: str) -> UInt64s:
        """Token attributes of the references, uint64 (n_tokens, n_attrs)."""
        return self._columns(self.reference, attrs)

    def _columns(self, docs: list[Any], attrs: Sequence[str]) -> UInt64s:
        if self._is_native and all(doc.vocab is docs[0].vocab for doc in docs):
            rows: UInt64s = _core.extract_features(docs, [IDS[attr] for attr in attrs])[0]
            return rows
        arrays = [np.asarray(doc.to_array(list(attrs)), dtype=np.uint64) for doc in docs]
        empty = np.zeros((0, len(attrs)), dtype=np.uint64)
        return np.concatenate([empty, *(array.reshape(-1, len(attrs)) for array in arrays)])

    def string(self, string_id: int) -> str:
        """The string with this id; KeyError where none of the documents' vocabularies has it."""
        for doc in (*self.reference, *self.predicted):
            if string_id in doc.vocab.strings:
                return str(doc.vocab.strings[string_id])
        raise KeyError(f"no string with id {string_id} in the examples' vocabularies")


def aligned_batches(examples: Iterable[Any]) -> Iterator[AlignedBatch]:
    """The examples in batches, in order; a stream is not held as a whole."""
    stream = iter(examples)
    while batch := list(islice(stream, EXAMPLES_AT_A_TIME)):
        yield AlignedBatch(batch)


def _joined(arrays: list[AlignmentArray], other_lengths: Int64s) -> AlignmentArray:
    """Alignments behind one another, positions moved by the tokens of the documents before."""
    offsets = np.cumsum(other_lengths) - other_lengths
    none = np.zeros(0, dtype=np.int32)
    data = [array.data + offset for array, offset in zip(arrays, offsets, strict=True)]
    return AlignmentArray.from_ragged(
        np.concatenate([none, *data]), np.concatenate([none, *(array.lengths for array in arrays)])
    )
