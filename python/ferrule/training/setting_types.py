"""Whether a config's value fits a parameter, and what would, in words."""

from __future__ import annotations

import collections.abc
import types
import typing
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

__all__ = ["fits", "in_words"]

LISTS = (list, tuple, set, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection)
DICTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", Path: "a path"}
PLURALS = {int: "whole numbers", float: "numbers", str: "texts", Path: "paths"}


def fits(value: Any, annotation: Any) -> bool:
    """Whether `value`, as a config file holds it, can be an argument of that type.

    Classes that a config has no form for are made by registered functions, so no plain value fits them.

    >>> fits(3, float), fits("3", float), fits(True, int), fits(None, int | None)
    (True, False, False, True)
    """
    annotation = _plain(annotation)
    if annotation is Any or isinstance(annotation, (str, TypeVar)) or annotation is object:
        return True
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return any(fits(value, each) for each in arguments)
    if origin is Literal:
        return value in arguments
    kind = origin or annotation
    if kind in LISTS:
        inner = arguments[0] if arguments else Any
        return isinstance(value, (list, tuple)) and all(fits(each, inner) for each in value)
    if kind in DICTS:
        inner = arguments[1] if len(arguments) == 2 else Any
        return isinstance(value, dict) and all(fits(each, inner) for each in value.values())
    return _is_a(value, kind)


def in_words(annotation: Any) -> str:
    """What fits, for a message.

    >>> in_words(int | None)
    'a whole number or null'
    """
    annotation = _plain(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        *first, last = dict.fromkeys(in_words(each) for each in arguments)
        return f"{', '.join(first)} or {last}" if first else last
    if origin is Literal:
        return "one of " + ", ".join(map(repr, arguments))
    kind = origin or annotation
    if kind in LISTS:
        inner = PLURALS.get(_plain(arguments[0])) if arguments else None
        return f"a list of {inner}" if inner else "a list"
    if kind in DICTS:
        return "a section"
    if kind is type(None):
        return "null"
    return WORDS.get(kind, "a registered function (a section with @)")


def _plain(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if isinstance(annotation, typing.NewType):
        return _plain(annotation.__supertype__)
    return annotation


def _is_a(value: Any, kind: Any) -> bool:
    if kind in (None, type(None)):
        return value is None
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind in (bool, str):
        return isinstance(value, kind)
    return kind is Path and isinstance(value, str)
