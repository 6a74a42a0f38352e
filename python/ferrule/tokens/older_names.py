"""What spaCy's `Doc` still has under older names."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from ferrule.tokens.doc import Doc


class OlderNames:
    """The part of `Doc` that newer code writes as `has_annotation`; each warns, as in spaCy."""

    __slots__ = ()

    @property
    def is_tagged(self) -> bool:
        """`has_annotation("TAG")`, with a DeprecationWarning."""
        return _has(self, "is_tagged", "TAG")

    @property
    def is_parsed(self) -> bool:
        """`has_annotation("DEP")`, with a DeprecationWarning."""
        return _has(self, "is_parsed", "DEP")

    @property
    def is_sentenced(self) -> bool:
        """`has_annotation("SENT_START")`, with a DeprecationWarning."""
        return _has(self, "is_sentenced", "SENT_START")

    @property
    def is_nered(self) -> bool:
        """`has_annotation("ENT_IOB")`, with a DeprecationWarning."""
        return _has(self, "is_nered", "ENT_IOB")


def _has(doc: OlderNames, name: str, attr: str) -> bool:
    warnings.warn(
        f'doc.{name} is deprecated; use doc.has_annotation("{attr}")', DeprecationWarning, stacklevel=3
    )
    return cast("Doc", doc).has_annotation(attr)
