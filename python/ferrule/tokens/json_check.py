"""Checking a document's JSON before a document is made of it."""

from __future__ import annotations

from typing import Any

__all__ = ["check_json"]

_TOKEN_FIELDS = {
    "id": int,
    "start": int,
    "end": int,
    "tag": str,
    "pos": str,
    "morph": str,
    "lemma": str,
    "dep": str,
    "head": int,
}
_SPAN_FIELDS = {"start": int, "end": int, "label": (str, int), "kb_id": (str, int)}
_TOP_FIELDS = {
    "text": str,
    "tokens": list,
    "ents": list,
    "sents": list,
    "cats": dict,
    "spans": dict,
    "_": dict,
}
_TOP_FIELDS |= {"underscore_token": dict, "underscore_span": dict}
_RANGE = ("start", "end")


def check_json(data: Any) -> None:
    """ValueError naming the first field that is missing or of another type; unknown ones may be there.

    TypeError for what is no dict.
    """
    if not isinstance(data, dict):
        raise TypeError(f"Doc.from_json: expected a dict, found {type(data).__name__}")
    _check_record(data, "document", _TOP_FIELDS, ("text", "tokens"))
    for i, token in enumerate(data["tokens"]):
        _check_record(token, f"tokens[{i}]", _TOKEN_FIELDS, _RANGE)
    for field, required in (("ents", (*_RANGE, "label")), ("sents", _RANGE)):
        for i, span in enumerate(data.get(field, ())):
            _check_record(span, f"{field}[{i}]", _SPAN_FIELDS, required)
    for key, group in data.get("spans", {}).items():
        if not isinstance(group, list):
            raise ValueError(f"Doc.from_json: spans.{key} is of type {type(group).__name__}; expected list")
        for i, span in enumerate(group):
            _check_record(span, f"spans.{key}[{i}]", _SPAN_FIELDS, _RANGE)
    for name, score in data.get("cats", {}).items():
        if isinstance(score, bool) or not isinstance(score, int | float):
            raise ValueError(
                f"Doc.from_json: cats.{name} is of type {type(score).__name__}; expected a number"
            )


def _check_record(record: Any, where: str, fields: dict[str, Any], required: tuple[str, ...]) -> None:
    if not isinstance(record, dict):
        raise ValueError(f"Doc.from_json: {where} is of type {type(record).__name__}; expected a dict")
    for name in required:
        if name not in record:
            raise ValueError(f"Doc.from_json: {where} has no field {name!r}")
    for name, value in record.items():
        expected = fields.get(name)
        if expected is not None and (not isinstance(value, expected) or isinstance(value, bool)):
            kinds = expected if isinstance(expected, tuple) else (expected,)
            names = " or ".join(kind.__name__ for kind in kinds)
            raise ValueError(
                f"Doc.from_json: {where}.{name} is of type {type(value).__name__}; expected {names}"
            )
