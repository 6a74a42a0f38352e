"""A document as JSON-ready data, in spaCy's form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import srsly

from ferrule.tokens import construction
from ferrule.tokens.json_check import check_json
from ferrule.tokens.span import Span
from ferrule.tokens.token import Token

if TYPE_CHECKING:
    from ferrule.tokens.doc import Doc

__all__ = ["doc_from_json", "doc_to_json"]

# attribute, field and how a token gives its value, in spaCy's order
_TOKEN_FIELDS: tuple[tuple[str, str, Callable[[Token], Any]], ...] = (
    ("TAG", "tag", lambda token: token.tag_),
    ("POS", "pos", lambda token: token.pos_),
    ("MORPH", "morph", lambda token: str(token.morph)),
    ("LEMMA", "lemma", lambda token: token.lemma_),
    ("DEP", "dep", lambda token: token.dep_),
    ("DEP", "head", lambda token: token.head.i),
)
_ARGUMENTS = {
    "tag": "tags",
    "pos": "pos",
    "morph": "morphs",
    "lemma": "lemmas",
    "dep": "deps",
    "head": "heads",
}


def doc_to_json(doc: Doc, underscore: list[str] | None = None) -> dict[str, Any]:
    """See `Doc.to_json`. ValueError for an extension attribute that does not exist."""
    data: dict[str, Any] = {"text": doc.text}
    if doc.has_annotation("ENT_IOB"):
        data["ents"] = [
            {"start": ent.start_char, "end": ent.end_char, "label": ent.label_} for ent in doc.ents
        ]
    if doc.has_annotation("SENT_START"):
        data["sents"] = [{"start": sent.start_char, "end": sent.end_char} for sent in doc.sents]
    if doc.cats:
        data["cats"] = doc.cats
    fields = [(name, read) for attr, name, read in _TOKEN_FIELDS if len(doc) and doc.has_annotation(attr)]
    data["tokens"] = []
    for token in doc:
        start, end = doc._char_range(token.i)
        values = {name: read(token) for name, read in fields}
        data["tokens"].append({"id": token.i, "start": start, "end": end, **values})
    if getattr(doc, "_spans", None):
        data["spans"] = {
            key: [
                {"start": s.start_char, "end": s.end_char, "label": s.label_, "kb_id": s.kb_id_}
                for s in group
            ]
            for key, group in doc.spans.items()
        }
    if underscore:
        data.update(_extension_values(doc, underscore))
    return data


def _extension_values(doc: Doc, names: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {"_": {}, "underscore_span": {}, "underscore_token": {}}
    for name in names:
        if not (Span.has_extension(name) or Token.has_extension(name) or doc.has_extension(name)):
            raise ValueError(f"to_json: there is no extension attribute {name!r} on Doc, Span or Token")
        if doc.has_extension(name):
            values["_"][name] = _json_ready(name, doc._.get(name))
    for key, value in doc.user_data.items():
        if not (isinstance(key, tuple) and len(key) == 4 and key[0] == "._." and key[2] is not None):
            continue
        _, name, start, end = key
        if name not in names:
            continue
        _json_ready(name, value)
        if end is None:
            values["underscore_token"].setdefault(name, []).append({"start": start, "value": value})
        else:
            entry = {"start": start, "end": end, "value": value}
            values["underscore_span"].setdefault(name, []).append(entry)
    return {field: content for field, content in values.items() if content}


def _json_ready(name: str, value: Any) -> Any:
    if not srsly.is_json_serializable(value):
        raise ValueError(
            f"to_json: the extension attribute {name!r} is of type {type(value).__name__}, "
            "which JSON cannot hold; leave it out of `underscore`"
        )
    return value


def doc_from_json(doc: Doc, data: dict[str, Any], *, validate: bool = False) -> Doc:
    """See `Doc.from_json`. On an error the document is as empty as it was.

    `validate` is spaCy's; the fields are checked in any case, so that nothing surfaces half-way.
    """
    if len(doc):
        raise ValueError(f"Doc.from_json: the document has {len(doc)} tokens; load into an empty one")
    check_json(data)
    text, tokens = data["text"], data["tokens"]
    words, spaces = _cut(text, tokens)
    filled = type(doc).__new__(type(doc), doc.vocab)
    annotation = _annotation(tokens)
    if "sents" in data and "heads" not in annotation:
        starts = {sent["start"] for sent in data["sents"]}
        annotation["sent_starts"] = [token["start"] in starts for token in tokens]
    construction.fill(filled, words, spaces, annotation)
    if "ents" in data:
        filled.set_ents(list(_spans(filled, data["ents"], "ents")))
    doc._copy_columns(filled)
    doc.cats = dict(data.get("cats", {}))
    for key, group in data.get("spans", {}).items():
        doc.spans[key] = list(_spans(doc, group, f"spans.{key}"))
    _restore_extensions(doc, data)
    return doc


def _cut(text: str, tokens: list[dict[str, Any]]) -> tuple[list[str], list[bool]]:
    words, spaces = [], []
    for position, token in enumerate(tokens):
        start, end = token["start"], token["end"]
        behind = tokens[position + 1]["start"] if position + 1 < len(tokens) else len(text)
        before = 0 if position else start
        if before or not start < end <= behind or text[end:behind] not in ("", " "):
            raise ValueError(
                f"Doc.from_json: token {position} is characters {start} to {end}, and the next starts at "
                f"{behind}; tokens must cover the text, with at most one space between them"
            )
        words.append(text[start:end])
        spaces.append(behind > end)
    if text and not tokens:
        raise ValueError("Doc.from_json: a text without tokens")
    return words, spaces


def _annotation(tokens: list[dict[str, Any]]) -> dict[str, Any]:
    annotation = {}
    for field, argument in _ARGUMENTS.items():
        n_with = sum(field in token for token in tokens)
        if n_with and n_with < len(tokens):
            raise ValueError(
                f"Doc.from_json: {n_with} of {len(tokens)} tokens have {field!r}; either all have it or none"
            )
        if n_with:
            annotation[argument] = [token[field] for token in tokens]
    return annotation


def _spans(doc: Doc, entries: list[dict[str, Any]], where: str) -> Iterator[Span]:
    for entry in entries:
        start, end = entry["start"], entry["end"]
        span = doc.char_span(start, end, label=entry.get("label", ""), kb_id=entry.get("kb_id", ""))
        if span is None:
            raise ValueError(f"Doc.from_json: {where}: characters {start} to {end} cut tokens")
        yield span


def _restore_extensions(doc: Doc, data: dict[str, Any]) -> None:
    for name, value in data.get("_", {}).items():
        if not doc.has_extension(name):
            doc.set_extension(name, default=None)
        doc._.set(name, value)
    for name, entries in data.get("underscore_token", {}).items():
        if not Token.has_extension(name):
            Token.set_extension(name, default=None)
        for entry in entries:
            doc.user_data["._.", name, entry["start"], None] = entry["value"]
    for name, entries in data.get("underscore_span", {}).items():
        if not Span.has_extension(name):
            Span.set_extension(name, default=None)
        for entry in entries:
            doc.user_data["._.", name, entry["start"], entry["end"]] = entry["value"]
