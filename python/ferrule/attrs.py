"""Attribute ids: the numbers by which feature lists, `Doc.to_array` and saved documents name attributes.

They are spaCy's. The ids up to 63 are the flags of a word type, the id being the bit.

>>> from ferrule.attrs import IDS, ORTH, intify_attr
>>> ORTH, IDS["LOWER"], intify_attr("shape")
(65, 66, 68)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

NULL_ATTR = 0
IS_ALPHA = 1
IS_ASCII = 2
IS_DIGIT = 3
IS_LOWER = 4
IS_PUNCT = 5
IS_SPACE = 6
IS_TITLE = 7
IS_UPPER = 8
LIKE_URL = 9
LIKE_NUM = 10
LIKE_EMAIL = 11
IS_STOP = 12
IS_OOV_DEPRECATED = 13
IS_BRACKET = 14
IS_QUOTE = 15
IS_LEFT_PUNCT = 16
IS_RIGHT_PUNCT = 17
IS_CURRENCY = 18
FIRST_FREE_FLAG = 19
LAST_FLAG = 63
ID = 64
ORTH = 65
LOWER = 66
NORM = 67
SHAPE = 68
PREFIX = 69
SUFFIX = 70
LENGTH = 71
LEMMA = 73
POS = 74
TAG = 75
DEP = 76
ENT_IOB = 77
ENT_TYPE = 78
HEAD = 79
SENT_START = 80
SPACY = 81
LANG = 83
ENT_KB_ID = 452
MORPH = 453
ENT_ID = 454
IDX = 455

IDS: dict[str, int] = {
    "": NULL_ATTR,
    "IS_ALPHA": IS_ALPHA,
    "IS_ASCII": IS_ASCII,
    "IS_DIGIT": IS_DIGIT,
    "IS_LOWER": IS_LOWER,
    "IS_PUNCT": IS_PUNCT,
    "IS_SPACE": IS_SPACE,
    "IS_TITLE": IS_TITLE,
    "IS_UPPER": IS_UPPER,
    "LIKE_URL": LIKE_URL,
    "LIKE_NUM": LIKE_NUM,
    "LIKE_EMAIL": LIKE_EMAIL,
    "IS_STOP": IS_STOP,
    "IS_OOV_DEPRECATED": IS_OOV_DEPRECATED,
    "IS_BRACKET": IS_BRACKET,
    "IS_QUOTE": IS_QUOTE,
    "IS_LEFT_PUNCT": IS_LEFT_PUNCT,
    "IS_RIGHT_PUNCT": IS_RIGHT_PUNCT,
    "IS_CURRENCY": IS_CURRENCY,
    **{f"FLAG{flag}": flag for flag in range(FIRST_FREE_FLAG, LAST_FLAG + 1)},
    "ID": ID,
    "ORTH": ORTH,
    "LOWER": LOWER,
    "NORM": NORM,
    "SHAPE": SHAPE,
    "PREFIX": PREFIX,
    "SUFFIX": SUFFIX,
    "LENGTH": LENGTH,
    "LEMMA": LEMMA,
    "POS": POS,
    "TAG": TAG,
    "DEP": DEP,
    "ENT_IOB": ENT_IOB,
    "ENT_TYPE": ENT_TYPE,
    "HEAD": HEAD,
    "SENT_START": SENT_START,
    "SPACY": SPACY,
    "LANG": LANG,
    "ENT_KB_ID": ENT_KB_ID,
    "MORPH": MORPH,
    "ENT_ID": ENT_ID,
    "IDX": IDX,
}
"""Attribute ids by name, in the order of the ids except for the late-comers 452 to 455."""

NAMES: list[str] = sorted(IDS, key=IDS.__getitem__)
"""Attribute names, by rising id."""

IOB_STRINGS = ("", "I", "O", "B")
"""What the values of `ENT_IOB` mean: 0 nothing known, 1 inside, 2 outside, 3 begin."""


class _AddsStrings(Protocol):
    def add(self, string: str, /) -> int: ...


def intify_attr(name: str | int) -> int | None:
    """The id of an attribute: that of a name in any case, a number unchanged, None for an unknown name.

    >>> intify_attr("orth"), intify_attr(65), intify_attr("nonsense")
    (65, 65, None)
    """
    if isinstance(name, int):
        return name
    return IDS.get(name.upper())


def intify_attrs(stringy_attrs: Mapping[Any, Any], strings_map: _AddsStrings | None = None) -> dict[int, Any]:
    """The same attributes with ids as keys; text values become string ids where `strings_map` is given.

    Keys that are no attribute are left out, as spaCy does.

    >>> intify_attrs({"ORTH": "do", "nonsense": 1})
    {65: 'do'}
    """
    by_id: dict[int, Any] = {}
    for name, value in stringy_attrs.items():
        attribute = intify_attr(name)
        if attribute is None:
            continue
        if strings_map is not None and isinstance(value, str):
            value = strings_map.add(value)
        by_id[attribute] = value
    return by_id


def __getattr__(name: str) -> int:
    """`FLAG19` to `FLAG63`, which have no meaning of their own and no line above."""
    if name.startswith("FLAG") and name in IDS:
        return IDS[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
