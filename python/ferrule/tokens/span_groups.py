"""`doc.spans`: the span groups of a document by key."""

from __future__ import annotations

import warnings
import weakref
from collections import UserDict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

import srsly

from ferrule.tokens.span import Span
from ferrule.tokens.span_group import SpanGroup

if TYPE_CHECKING:
    from ferrule.tokens.doc import Doc

__all__ = ["SpanGroups"]


class SpanGroups(UserDict[str, SpanGroup]):
    """A dict of span groups; a list of spans put in becomes a group."""

    #: What spaCy writes for a document without groups.
    EMPTY_BYTES: ClassVar[bytes] = srsly.msgpack_dumps([])

    def __init__(self, doc: Doc, items: Iterable[tuple[str, SpanGroup | Iterable[Span]]] = ()):
        """The groups of `doc`, which they do not keep alive."""
        self.doc_ref = weakref.ref(doc)
        super().__init__()
        for key, spans in items:
            self[key] = spans

    @property
    def doc(self) -> Doc:
        """The document; RuntimeError where it is gone."""
        doc = self.doc_ref()
        if doc is None:
            raise RuntimeError("doc.spans: the document is gone; keep a reference to the Doc")
        return doc

    def __setitem__(self, key: str, value: SpanGroup | Iterable[Span]) -> None:
        if not isinstance(value, SpanGroup):
            value = SpanGroup(self.doc, name=key, spans=value)
        elif value.doc is not self.doc:
            raise ValueError(f"doc.spans[{key!r}]: the group is of another document; use its copy(doc=...)")
        super().__setitem__(key, value)

    def setdefault(self, key: str, default: Any = None) -> SpanGroup:
        """The group under `key`; where there is none, one made from `default` (spans, a group, or none)."""
        if key not in self:
            group = SpanGroup(self.doc, name=key) if default is None else default
            self[key] = group
        return self[key]

    def copy(self, doc: Doc | None = None) -> SpanGroups:
        """The groups on another document (or the same) with the same text."""
        target = self.doc if doc is None else doc
        return SpanGroups(target, [(key, group.copy(doc=target)) for key, group in self.items()])

    def to_bytes(self) -> bytes:
        """The groups in spaCy's form: equal groups once, with the keys they go by."""
        if not self:
            return self.EMPTY_BYTES
        keys_of: dict[bytes, list[str]] = {}
        for key, group in self.items():
            keys_of.setdefault(group.to_bytes(), []).append(key)
        return srsly.msgpack_dumps(keys_of)

    def from_bytes(self, bytes_data: bytes) -> SpanGroups:
        """Replace all groups by those of `to_bytes` (or an older list); ValueError for anything else."""
        from ferrule.tokens.message import unpack_any

        message = [] if bytes_data == self.EMPTY_BYTES else unpack_any(bytes_data, "SpanGroups")
        doc, groups = self.doc, {}
        if isinstance(message, list):
            for group_bytes in message:
                group = SpanGroup(doc).from_bytes(_checked(group_bytes))
                if group.name in groups:
                    warnings.warn(
                        f"doc.spans: two groups are named {group.name!r}; the later one is kept", stacklevel=2
                    )
                groups[group.name] = group
        elif isinstance(message, dict):
            for group_bytes, keys in message.items():
                if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
                    raise ValueError("SpanGroups.from_bytes: a group's keys are not a list of strings")
                for key in keys:
                    groups[key] = SpanGroup(doc).from_bytes(_checked(group_bytes))
        else:
            raise ValueError(
                f"SpanGroups.from_bytes: expected a list or dict, found {type(message).__name__}"
            )
        self.data = groups
        return self


def _checked(group_bytes: Any) -> bytes:
    if not isinstance(group_bytes, bytes):
        raise ValueError("SpanGroups.from_bytes: a group is not bytes")
    return group_bytes
