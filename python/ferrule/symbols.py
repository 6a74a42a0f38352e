"""The fixed symbols: names whose string ids are small integers, as in spaCy.

Attributes, coarse parts of speech, dependency labels and entity types are among them. Every name is an
attribute of this module.

>>> from ferrule import symbols
>>> symbols.NOUN, symbols.nsubj, symbols.IDS["ORTH"], symbols.NAMES[92]
(92, 429, 65, 'NOUN')
"""

from __future__ import annotations

from ferrule import _core

NAMES: list[str] = _core.symbol_names()
"""Names by id."""

IDS: dict[str, int] = {name: symbol for symbol, name in enumerate(NAMES)}
"""Ids by name."""


def __getattr__(name: str) -> int:
    try:
        return IDS[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no symbol {name!r}") from None


def __dir__() -> list[str]:
    return ["IDS", "NAMES", *filter(None, NAMES)]
