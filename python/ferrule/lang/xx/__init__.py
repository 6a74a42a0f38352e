"""Any language: rules that do little harm anywhere."""

from __future__ import annotations

from ferrule.lang.defaults import LanguageDefaults, as_class
from ferrule.language import Language

__all__ = ["DEFAULTS", "MultiLanguage"]

DEFAULTS = LanguageDefaults()
"""The data every language starts from."""


class MultiLanguage(Language):
    """A pipeline for any language."""

    lang = "xx"
    Defaults = as_class(DEFAULTS)
