"""A document as bytes, in spaCy's form: text, attribute rows, and what hangs on the document, as msgpack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import srsly

from ferrule import attrs
from ferrule._core import NewStrings
from ferrule.tokens.activations import activations_from_message, activations_to_message
from ferrule.tokens.message import unpack, unpack_any

if TYPE_CHECKING:
    from ferrule.tokens.doc import Doc

__all__ = ["SAVED_ATTRIBUTES", "doc_from_bytes", "doc_from_dict", "doc_to_bytes", "doc_to_dict", "pickle_doc"]

#: spaCy's columns in spaCy's order.
SAVED_ATTRIBUTES = (
    attrs.LENGTH,
    attrs.SPACY,
    attrs.ORTH,
    attrs.NORM,
    attrs.TAG,
    attrs.HEAD,
    attrs.DEP,
    attrs.ENT_IOB,
    attrs.ENT_TYPE,
    attrs.ENT_KB_ID,
    attrs.ENT_ID,
    attrs.LEMMA,
    attrs.MORPH,
    attrs.POS,
    attrs.SENT_START,
)


def strings_in(doc: Doc) -> set[str]:
    """Every string that the document's annotation and span groups refer to."""
    return {"", *NewStrings().of_doc(doc), *strings_in_groups(doc)}


def strings_in_groups(doc: Doc) -> set[str]:
    """Every string that the document's span groups refer to."""
    groups = doc.spans.values() if getattr(doc, "_spans", None) else ()
    ids = {string_id for group in groups for span in group for string_id in (span.label, span.kb_id, span.id)}
    return {doc.vocab.strings[string_id] for string_id in ids}


def doc_to_dict(doc: Doc, exclude: Iterable[str] = ()) -> dict[str, Any]:
    """See `Doc.to_dict`."""
    excluded = set(exclude)
    message: dict[str, Any] = {
        "text": doc.text,
        "array_head": list(SAVED_ATTRIBUTES),
        "array_body": doc._rows(list(SAVED_ATTRIBUTES)),
        "sentiment": doc.sentiment,
        "tensor": doc.tensor,
        "cats": doc.cats,
        "spans": doc.spans.to_bytes(),
        "strings": sorted(strings_in(doc)),
        "has_unknown_spaces": doc.has_unknown_spaces,
    }
    if doc.user_data and "user_data" not in excluded:
        message["user_data_keys"] = srsly.msgpack_dumps(list(doc.user_data))
        message["user_data_values"] = srsly.msgpack_dumps(list(doc.user_data.values()))
    if doc.activations and "activations" not in excluded:
        message["activations"] = activations_to_message(doc.activations)
    needed = {"array_head", "array_body"}
    return {name: value for name, value in message.items() if name in needed or name not in excluded}


def doc_from_dict(doc: Doc, message: dict[str, Any], exclude: Iterable[str] = ()) -> Doc:
    """See `Doc.from_dict`. On an error the document is as empty as it was."""
    if len(doc):
        raise ValueError(f"Doc.from_bytes: the document has {len(doc)} tokens; load into an empty one")
    excluded = set(exclude)
    if "user_data" in excluded:
        excluded |= {"user_data_keys", "user_data_values"}
    message = {name: value for name, value in message.items() if name not in excluded}
    text, head, body = (_field(message, name) for name in ("text", "array_head", "array_body"))
    if not isinstance(text, str) or not isinstance(body, np.ndarray) or body.dtype != np.uint64:
        raise ValueError("Doc.from_bytes: expected `text`, a string, and `array_body`, an array of uint64")
    strings = message.get("strings", [])
    if not isinstance(strings, list) or not all(isinstance(string, str) for string in strings):
        raise ValueError("Doc.from_bytes: strings is not a list of strings")
    if not isinstance(head, list) or not all(isinstance(attr, int) and attr >= 0 for attr in head):
        raise ValueError("Doc.from_bytes: array_head is not a list of attribute ids")
    body = body.reshape(len(body), -1) if body.ndim == 1 else body
    if body.ndim != 2 or body.shape[1] != len(head):
        raise ValueError(f"Doc.from_bytes: array_body of shape {body.shape} for {len(head)} attributes")
    filled = type(doc).__new__(type(doc), doc.vocab)
    for string in strings:
        doc.vocab.strings.add(string)
    filled._set_words(*_cut(text, head, body))
    if len(body):
        columns = [i for i, attr in enumerate(head) if attr not in (attrs.LENGTH, attrs.SPACY, attrs.ORTH)]
        filled._set_rows([head[i] for i in columns], np.ascontiguousarray(body[:, columns]))
    filled.has_unknown_spaces = bool(message.get("has_unknown_spaces", False))
    extras = _read_extras(filled, message)
    doc._copy_columns(filled)
    for name, value in extras.items():
        setattr(doc, name, value)
    if message.get("spans"):
        doc.spans.from_bytes(message["spans"])
    return doc


def _field(message: dict[str, Any], name: str) -> Any:
    if name not in message:
        raise ValueError(f"Doc.from_bytes: the message has no field {name!r}; it is not a document's")
    return message[name]


def _cut(text: str, head: list[int], body: np.ndarray) -> tuple[list[str], list[bool]]:
    """Words and spaces from the text and the columns LENGTH and SPACY."""
    if attrs.LENGTH not in head or attrs.SPACY not in head:
        raise ValueError("Doc.from_bytes: array_head must have LENGTH and SPACY, which say where tokens end")
    lengths = body[:, head.index(attrs.LENGTH)].tolist()
    spaces = [bool(space) for space in body[:, head.index(attrs.SPACY)].tolist()]
    if sum(lengths) + sum(spaces) != len(text):
        raise ValueError(
            f"Doc.from_bytes: tokens of {sum(lengths) + sum(spaces)} characters in a text of {len(text)}"
        )
    words, start = [], 0
    for length, space in zip(lengths, spaces, strict=True):
        words.append(text[start : start + length])
        start += length
        if space and text[start] != " ":
            raise ValueError(
                f"Doc.from_bytes: a space is declared at character {start}, which is {text[start]!r}"
            )
        start += space
    return words, spaces


def _read_extras(filled: Doc, message: dict[str, Any]) -> dict[str, Any]:
    """What hangs on the document, checked, by the names to set. Groups are tried on `filled`."""
    extras: dict[str, Any] = {}
    for name, kind in (("sentiment", float | int), ("tensor", np.ndarray), ("cats", dict)):
        if name in message:
            if not isinstance(message[name], kind):
                raise ValueError(f"Doc.from_bytes: {name} is of type {type(message[name]).__name__}")
            extras[name] = message[name]
    tensor = extras.get("tensor")
    if tensor is not None and tensor.size and len(tensor) != len(filled):
        raise ValueError(f"Doc.from_bytes: a tensor of {len(tensor)} rows for {len(filled)} tokens")
    if "user_data_keys" in message:
        keys = unpack_any(_field(message, "user_data_keys"), "Doc.from_bytes", use_list=False)
        values = unpack_any(_field(message, "user_data_values"), "Doc.from_bytes")
        if not isinstance(keys, tuple) or not isinstance(values, list) or len(keys) != len(values):
            raise ValueError("Doc.from_bytes: user_data needs as many keys as values")
        extras["user_data"] = dict(zip(keys, values, strict=True))
    if "activations" in message:
        extras["activations"] = activations_from_message(message["activations"])
    if not isinstance(message.get("spans", b""), bytes):
        raise ValueError("Doc.from_bytes: spans is not bytes")
    if message.get("spans"):
        filled.spans.from_bytes(message["spans"])
    return extras


def doc_to_bytes(doc: Doc, exclude: Iterable[str] = ()) -> bytes:
    """See `Doc.to_bytes`."""
    return srsly.msgpack_dumps(doc_to_dict(doc, exclude))


def doc_from_bytes(doc: Doc, data: bytes, exclude: Iterable[str] = ()) -> Doc:
    """See `Doc.from_bytes`."""
    return doc_from_dict(doc, unpack(data, "Doc.from_bytes"), exclude)


def pickle_doc(doc: Doc) -> Any:
    """What pickle keeps of a document: its bytes, vocabulary, user data and hooks."""
    data = doc_to_bytes(doc, exclude=("user_data",))
    hooks = (doc.user_hooks, doc.user_token_hooks, doc.user_span_hooks)
    return _unpickle_doc, (type(doc), doc.vocab, data, doc.user_data, hooks)


def _unpickle_doc(kind: type[Doc], vocab: Any, data: bytes, user_data: dict[Any, Any], hooks: Any) -> Doc:
    doc = doc_from_bytes(kind.__new__(kind, vocab), data)
    doc.user_data = user_data
    doc.user_hooks, doc.user_token_hooks, doc.user_span_hooks = hooks
    return doc
