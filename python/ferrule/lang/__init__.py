"""Language data: English (`en`) and a default for many languages (`xx`)."""

from __future__ import annotations

import importlib
from functools import cache

from ferrule.errors import UnknownNameError
from ferrule.lang.defaults import LanguageDefaults

__all__ = ["LANGUAGES", "LanguageDefaults", "get_lang_data"]

LANGUAGES = ("en", "xx")
"""Codes of the languages there is data for."""


@cache
def get_lang_data(code: str) -> LanguageDefaults:
    """The data of the language with this code.

    Raises UnknownNameError, with the codes there are, for another language.

    >>> get_lang_data("en").lexicon.lang, "the" in get_lang_data("en").stop_words
    ('en', True)
    """
    if code not in LANGUAGES:
        raise UnknownNameError(
            f"There is no data for the language {code!r}; there is for {', '.join(LANGUAGES)}. 'xx' has "
            "the rules that serve any, and saved pipelines bring their own."
        )
    defaults: LanguageDefaults = importlib.import_module(f"ferrule.lang.{code}").DEFAULTS
    return defaults
