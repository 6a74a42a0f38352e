"""Extension attributes known on one side, made known on the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from spacy.tokens.underscore import Underscore as TheirUnderscore

from ferrule.tokens.underscore import Underscore as OurUnderscore

__all__ = ["share_extensions"]

_TABLES = ("doc_extensions", "span_extensions", "token_extensions")


def share_extensions(user_data: Mapping[Any, Any] | Iterable[Any], *, to_spacy: bool) -> None:
    """Register the extensions whose values `user_data` holds on the other side, where it lacks the name.

    Values live in ``doc.user_data`` under ``("._.", name, start, end)`` in both libraries, so they need no
    more than this to be readable as ``doc._.name``.
    """
    names = {key[1] for key in user_data if isinstance(key, tuple) and len(key) == 4 and key[0] == "._."}
    here, there = (OurUnderscore, TheirUnderscore) if to_spacy else (TheirUnderscore, OurUnderscore)
    for table in _TABLES:
        known, missing = getattr(here, table), getattr(there, table)
        for name in names:
            if name in known and name not in missing:
                missing[name] = known[name]
