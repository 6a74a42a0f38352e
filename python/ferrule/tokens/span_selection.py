"""Which of several spans to keep where some overlap."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ferrule.tokens.span import Span

__all__ = ["filter_spans"]


def filter_spans(spans: Iterable[Span]) -> list[Span]:
    """Spans that do not overlap, in the order of the text: longer ones win, then earlier ones.

    >>> from ferrule.tokens import Doc
    >>> from ferrule.vocab import Vocab
    >>> doc = Doc(Vocab(), words=["New", "York", "City", "Hall"])
    >>> filter_spans([doc[0:2], doc[0:3], doc[2:4]])
    [New York City]
    """
    taken: set[int] = set()
    kept = []
    for span in sorted(spans, key=lambda span: (span.start - span.end, span.start)):
        # No span is longer than those before it, so one that overlaps them does so with an end of its own.
        if span.start not in taken and span.end - 1 not in taken:
            kept.append(span)
            taken.update(range(span.start, span.end))
    return sorted(kept, key=lambda span: span.start)
