"""Documents made of other documents: copies, slices, and several as one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ferrule import attrs as ids
from ferrule.tokens.arrays import attribute_ids

if TYPE_CHECKING:
    from ferrule.tokens.doc import Doc
    from ferrule.tokens.span import Span

#: What hangs on a document, and how a copy takes it over.
_COPIERS: dict[str, Callable[[Any], Any]] = {
    "_cats": copy.deepcopy,
    "_user_data": copy.copy,
    "_tensor": np.copy,
    "_activations": copy.copy,
    "_sentiment": float,
    "_user_hooks": dict,
    "_user_token_hooks": dict,
    "_user_span_hooks": dict,
}
_ENTITY_COLUMNS = (ids.ENT_IOB, ids.ENT_TYPE, ids.ENT_KB_ID, ids.ENT_ID)
_COLUMNS = (*_ENTITY_COLUMNS, ids.TAG, ids.POS, ids.MORPH, ids.LEMMA, ids.NORM)
_PARSE_COLUMNS = (ids.HEAD, ids.DEP)


def _new_like(doc: Doc) -> Doc:
    return type(doc).__new__(type(doc), doc.vocab)


def copy_doc(doc: Doc) -> Doc:
    """See `Doc.copy`."""
    other = _new_like(doc)
    other._copy_columns(doc)
    for name, copied in _COPIERS.items():
        value = getattr(doc, name, None)
        if value is not None:
            setattr(other, name, copied(value))
    if getattr(doc, "_spans", None):
        for key, group in doc.spans.items():
            other.spans[key] = group.copy(doc=other)
    return other


def span_as_doc(span: Span, *, copy_user_data: bool, array_head: Any = None, array: Any = None) -> Doc:
    """See `Span.as_doc`."""
    doc, part = span.doc, _new_like(span.doc)
    part._append(doc, span.start, span.end)
    part.has_unknown_spaces = False
    if array is not None:
        part.from_array(array_head, array[span.start : span.end])
    _drop_cut_entities(span, part)
    if doc.has_annotation("DEP") and len(span):
        _attach_loose_heads(span, part)
    if doc.tensor.size:
        part.tensor = doc.tensor[span.start : span.end].copy()
    if copy_user_data:
        part.user_data = _shifted(doc.user_data, -span.start_char, span.end_char - span.start_char, True)
    return part


def _drop_cut_entities(span: Span, part: Doc) -> None:
    """Entities that begin or end outside the slice are unknown in it."""
    doc = span.doc
    cut = []
    if len(span) and doc[span.start].ent_iob_ == "I":
        inside = [i for i in range(span.start, span.end) if doc[i].ent_iob_ != "I"]
        cut.append(part[0 : min([*inside, span.end]) - span.start])
    if len(span) and span.end < len(doc) and doc[span.end].ent_iob_ == "I":
        begin = span.end - 1
        while begin > span.start and doc[begin].ent_iob_ == "I":
            begin -= 1
        if doc[begin].ent_iob_ == "B":
            cut.append(part[begin - span.start : len(part)])
    if cut:
        part.set_ents([], missing=cut, default="unmodified")


def _attach_loose_heads(span: Span, part: Doc) -> None:
    """Give tokens whose head is outside the span a head in it, with the label `dep`, as spaCy does.

    That is the highest of their ancestors in the span; else the first token of the same tree, a root.
    """
    doc, heads = span.doc, []
    first_of_tree: dict[int, int] = {}
    for token in span:
        head = doc._head(token.i)
        if not span.start <= head < span.end:
            part[token.i - span.start].dep_ = "dep"
            above = [ancestor.i for ancestor in token.ancestors]
            inside = [i for i in above if span.start <= i < span.end]
            head = inside[-1] if inside else first_of_tree.setdefault(above[-1], token.i)
        heads.append(head - span.start)
    part._set_heads(heads)


def _shifted(user_data: dict[Any, Any], offset: int, length: int, keep_plain: bool) -> dict[Any, Any]:
    """User data with the offsets of extension attributes moved; what leaves `0..length` is dropped."""
    moved: dict[Any, Any] = {}
    for key, value in user_data.items():
        if isinstance(key, tuple) and len(key) == 4 and key[0] == "._." and key[2] is not None:
            _, name, start, end = key
            start, end = start + offset, None if end is None else end + offset
            if start >= 0 and (start if end is None else end) <= length:
                moved["._.", name, start, end] = copy.copy(value)
        elif keep_plain and not (isinstance(key, tuple) and key[:1] == ("._.",)):
            moved[key] = copy.copy(value)
    return moved


def join_docs(
    docs: list[Doc], *, ensure_whitespace: bool = True, attrs: Any = None, exclude: Iterable[str] = ()
) -> Doc | None:
    """The documents one after the other as a new one; None for an empty list.

    `ensure_whitespace` puts a space between documents that have none there. `attrs`: only these annotations;
    all if left out. `exclude`: "spans", "tensor", "user_data". Of the user data, the extension attributes of
    tokens and spans are kept, moved to their new offsets. ValueError where vocabularies differ.
    """
    docs = list(docs)
    if not docs:
        return None
    if any(doc.vocab is not docs[0].vocab for doc in docs):
        raise ValueError("Doc.from_docs: the documents have different vocabularies; their ids do not agree")
    joined, excluded = _new_like(docs[0]), set(exclude)
    offsets = []
    for i, doc in enumerate(docs):
        offsets.append((len(joined), len(joined.text)))
        joined._append(doc, 0, len(doc))
        if ensure_whitespace and i + 1 < len(docs) and len(doc) and not doc[-1].is_space:
            joined._add_space()
    joined.has_unknown_spaces = False
    if attrs is not None:
        _keep_only(joined, attribute_ids(attrs))
    if "tensor" not in excluded and all(doc.tensor.size for doc in docs if len(doc)) and len(joined):
        joined.tensor = np.concatenate([doc.tensor for doc in docs if len(doc)])
    for doc, (token_offset, char_offset) in zip(docs, offsets, strict=True):
        if "user_data" not in excluded:
            joined.user_data.update(_shifted(doc.user_data, char_offset, len(joined.text), False))
        if "spans" not in excluded:
            _append_groups(joined, doc, token_offset)
    return joined


def _keep_only(doc: Doc, attr_ids: list[int]) -> None:
    if not set(attr_ids).issuperset(_PARSE_COLUMNS):
        for column in _PARSE_COLUMNS:
            doc._clear(column)
        if ids.SENT_START not in attr_ids:
            doc._clear(ids.SENT_START)
    for column in _COLUMNS:
        if column not in attr_ids:
            doc._clear(column)


def _append_groups(joined: Doc, doc: Doc, token_offset: int) -> None:
    for key, group in getattr(doc, "_spans", {}).items():
        target = joined.spans.setdefault(key)
        target.name = target.name or group.name
        target.attrs.update(group.attrs)
        for span in group:
            start, end = span.start + token_offset, span.end + token_offset
            target.append(type(span)(joined, start, end, label=span.label, kb_id=span.kb_id, span_id=span.id))
