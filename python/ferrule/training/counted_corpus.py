"""What a corpus holds, counted while it is read for training anyway."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ferrule.training.example import Example

__all__ = ["CountedCorpus"]


class CountedCorpus:
    """A corpus that counts its examples the first time they are read."""

    def __init__(self, corpus: Callable[[Any], Iterable[Example]]) -> None:
        self._corpus = corpus
        self._counts: dict[str, int] | None = None

    def __call__(self, nlp: Any) -> Iterator[Example]:
        """The examples of the corpus."""
        if self._counts is not None:
            yield from self._corpus(nlp)
            return
        counts = self._counts = {"documents": 0, "words": 0}
        for example in self._corpus(nlp):
            _count(counts, example.reference)
            yield example

    def facts(self) -> dict[str, int]:
        """Documents and words; and how many words have tags, how many entities and categories there are."""
        return dict(self._counts or {})


def _count(counts: dict[str, int], doc: Any) -> None:
    counts["documents"] += 1
    counts["words"] += len(doc)
    kinds = {
        "words with tags": len(doc) if doc.has_annotation("TAG") else 0,
        "entities": len(doc.ents),
        "documents with categories": 1 if doc.cats else 0,
    }
    for name, number in kinds.items():
        if number:
            counts[name] = counts.get(name, 0) + number
