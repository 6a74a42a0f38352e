"""A group of spans of one document under a name; spans may overlap."""

from __future__ import annotations

import struct
import weakref
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import srsly

from ferrule.tokens.span import Span

if TYPE_CHECKING:
    from ferrule.tokens.doc import Doc

__all__ = ["SpanGroup"]

# id, kb_id, label; start, end, start_char, end_char: spaCy's record, big-endian
_RECORD = struct.Struct(">QQQllll")


class _Row(NamedTuple):
    """A span without its document, so that a document and its groups do not keep each other alive."""

    start: int
    end: int
    label: int
    kb_id: int
    id: int


class SpanGroup:
    """Spans in the order they were added, with a name and free attributes.

    >>> from ferrule.tokens import Doc
    >>> from ferrule.vocab import Vocab
    >>> doc = Doc(Vocab(), words=["I", "like", "New", "York"])
    >>> doc.spans["places"] = [Span(doc, 2, 4, "CITY"), Span(doc, 2, 3, "PART")]
    >>> doc.spans["places"].has_overlap, [span.text for span in doc.spans["places"]]
    (True, ['New York', 'New'])
    """

    __slots__ = ("__weakref__", "_doc_ref", "_rows", "attrs", "name")

    def __init__(
        self,
        doc: Doc,
        *,
        name: str = "",
        attrs: dict[str, Any] | None = None,
        spans: Iterable[Span] = (),
    ):
        """`attrs` are kept with the group and must be JSON-ready to be saved."""
        self._doc_ref = weakref.ref(doc)
        self.name = name
        self.attrs: dict[str, Any] = dict(attrs) if attrs else {}
        self._rows: list[_Row] = []
        self.extend(spans)

    @property
    def doc(self) -> Doc:
        """The document; RuntimeError where it is gone, because a group does not keep it alive."""
        doc = self._doc_ref()
        if doc is None:
            raise RuntimeError(f"SpanGroup {self.name!r}: its document is gone; keep a reference to the Doc")
        return doc

    @property
    def has_overlap(self) -> bool:
        """Whether two of the spans share a token."""
        ordered = sorted(self._rows)
        return any(later.start < earlier.end for earlier, later in pairwise(ordered))

    def _row(self, span: Span) -> _Row:
        if not isinstance(span, Span):
            raise TypeError(f"SpanGroup: expected Span, found {type(span).__name__}")
        if span.doc is not self.doc:
            raise ValueError("SpanGroup: the span is from another document than the group")
        return _Row(span.start, span.end, span.label, span.kb_id, span.id)

    def _span(self, row: _Row) -> Span:
        return Span(self.doc, row.start, row.end, label=row.label, kb_id=row.kb_id, span_id=row.id)

    def append(self, span: Span) -> None:
        """Add a span."""
        self._rows.append(self._row(span))

    def extend(self, spans: Iterable[Span] | SpanGroup) -> None:
        """Add spans, or all of another group's; none of them where one is refused."""
        self._rows.extend([self._row(span) for span in spans])

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Span]:
        return (self._span(row) for row in list(self._rows))

    @overload
    def __getitem__(self, i: int) -> Span: ...
    @overload
    def __getitem__(self, i: slice) -> list[Span]: ...
    def __getitem__(self, i: int | slice) -> Span | list[Span]:
        if isinstance(i, slice):
            return [self._span(row) for row in self._rows[i]]
        return self._span(self._rows[self._position(i)])

    def __setitem__(self, i: int, span: Span) -> None:
        self._rows[self._position(i)] = self._row(span)

    def __delitem__(self, i: int) -> None:
        del self._rows[self._position(i)]

    def _position(self, i: int) -> int:
        if not -len(self._rows) <= i < len(self._rows):
            raise IndexError(f"SpanGroup: no span at {i}; the group has {len(self._rows)}")
        return i

    def __add__(self, other: SpanGroup | Iterable[Span]) -> SpanGroup:
        return self._joined(other, inplace=False)

    def __iadd__(self, other: SpanGroup | Iterable[Span]) -> SpanGroup:
        return self._joined(other, inplace=True)

    def _joined(self, other: SpanGroup | Iterable[Span], *, inplace: bool) -> SpanGroup:
        if not isinstance(other, SpanGroup | list | tuple | Iterator):
            return NotImplemented
        group = self if inplace else self.copy()
        group.extend(other)
        if isinstance(other, SpanGroup):
            group.attrs = {**other.attrs, **group.attrs}
        return group

    def __repr__(self) -> str:
        return str(list(self))

    def copy(self, doc: Doc | None = None) -> SpanGroup:
        """A group of its own, on `doc` where given; its tokens must end at the same characters."""
        target = self.doc if doc is None else doc
        group = SpanGroup(target, name=self.name, attrs=deepcopy(self.attrs))
        if target is self.doc:
            group._rows = list(self._rows)
            return group
        for row, span in zip(self._rows, self, strict=True):
            found = target.char_span(
                span.start_char, span.end_char, label=span.label_, kb_id=span.kb_id_, span_id=span.id_
            )
            if found is not None:
                group.append(found)
            elif not len(span) and [token.idx for token in target] == [token.idx for token in self.doc]:
                # The characters do not tell where a span without any is.
                group._rows.append(row)
            else:
                raise ValueError(
                    f"SpanGroup.copy: characters {span.start_char} to {span.end_char} end inside tokens of "
                    "the other document"
                )
        return group

    def _move(self, new_range: Callable[[int, int], tuple[int, int]]) -> None:
        """Give each span the tokens that `new_range` says for its old ones."""
        self._rows = [
            row._replace(start=start, end=end) for row in self._rows for start, end in [new_range(*row[:2])]
        ]

    def to_bytes(self) -> bytes:
        """The group in spaCy's form; strings are the vocabulary's to keep."""
        spans = [
            _RECORD.pack(
                span.id, span.kb_id, span.label, span.start, span.end, span.start_char, span.end_char
            )
            for span in self
        ]
        return srsly.msgpack_dumps({"name": self.name, "attrs": self.attrs, "spans": spans})

    def from_bytes(self, bytes_data: bytes) -> SpanGroup:
        """Replace name, attributes and spans by those of `to_bytes`; ValueError for anything else."""
        from ferrule.tokens.message import unpack

        message = unpack(bytes_data, "SpanGroup")
        name, attrs, records = message.get("name", ""), message.get("attrs", {}), message.get("spans", [])
        if not isinstance(name, str) or not isinstance(attrs, dict) or not isinstance(records, list):
            raise ValueError("SpanGroup.from_bytes: expected a name, attrs and a list of spans")
        rows = [self._read_record(record) for record in records]
        self.name, self.attrs, self._rows = name, attrs, rows
        return self

    def _read_record(self, record: Any) -> _Row:
        if not isinstance(record, bytes) or len(record) != _RECORD.size:
            raise ValueError(f"SpanGroup.from_bytes: a span is not a record of {_RECORD.size} bytes")
        span_id, kb_id, label, start, end, _, _ = _RECORD.unpack(record)
        if not 0 <= start <= end <= len(self.doc):
            raise ValueError(
                f"SpanGroup.from_bytes: a span of tokens {start} to {end} in a document of {len(self.doc)}"
            )
        return _Row(start, end, label, kb_id, span_id)

    def __reduce__(self) -> Any:
        raise NotImplementedError("a SpanGroup cannot be pickled without its document; pickle the Doc")
