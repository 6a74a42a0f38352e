"""The insides of character classes under spaCy's names, for affixes of your own.

>>> import re
>>> from ferrule.lang.char_classes import ALPHA
>>> bool(re.search(f"(?<=[{ALPHA}]),(?=[{ALPHA}])", "a,b"))
True
"""

from __future__ import annotations

from ferrule.lang.affixes import CONCATENATED_QUOTES, CURRENCY_SIGNS, ELLIPSIS, HYPHENS, PUNCTUATION, QUOTES
from ferrule.lang.characters import LETTERS, LOWER, SYMBOLS, UPPER

__all__ = [
    "ALPHA",
    "ALPHA_LOWER",
    "ALPHA_UPPER",
    "CONCAT_QUOTES",
    "CURRENCY",
    "HYPHENS",
    "LIST_ELLIPSES",
    "LIST_ICONS",
    "LIST_PUNCT",
    "LIST_QUOTES",
]

ALPHA, ALPHA_LOWER, ALPHA_UPPER = LETTERS, LOWER, UPPER
CONCAT_QUOTES = CONCATENATED_QUOTES
CURRENCY = f"[{CURRENCY_SIGNS}]"
LIST_ELLIPSES = [ELLIPSIS, "…"]
LIST_ICONS = [f"[{SYMBOLS}]"]
LIST_PUNCT = [f"[{PUNCTUATION}]"]
LIST_QUOTES = [f"[{QUOTES}]"]
