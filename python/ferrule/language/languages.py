"""The `Language` subclass for a language code."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from ferrule.errors import UnknownNameError, nearest_names
from ferrule.lang import get_lang_data
from ferrule.language.defaults import defaults_class
from ferrule.language.language import Language
from ferrule.registry import registry

__all__ = ["English", "MultiLanguage", "get_lang_class", "saved_lang_class"]


class MultiLanguage(Language):
    """Any language: splits at spaces and punctuation, knows no words."""

    lang = "xx"
    Defaults = defaults_class("MultiLanguageDefaults", get_lang_data("xx"))


class English(Language):
    """English."""

    lang = "en"
    Defaults = defaults_class("EnglishDefaults", get_lang_data("en"))


_BUILT_IN: dict[str, type[Language]] = {"en": English, "xx": MultiLanguage}


def get_lang_class(code: str) -> type[Language]:
    """The `Language` subclass for a language code, from `registry.languages` or built in.

    Raises UnknownNameError, naming those there are, if there is none; TypeError if `code` is no string.
    """
    if not isinstance(code, str):
        raise TypeError(f"expected a language code such as 'en', found {type(code).__name__}: {code!r}")
    if code in registry.languages:
        found: type[Language] = registry.languages.get(code)
        return found
    if code in _BUILT_IN:
        return _BUILT_IN[code]
    known = sorted({*_BUILT_IN, *registry.languages.get_all()})
    near = nearest_names(code, known)
    raise UnknownNameError(
        f"There is no language {code!r}. "
        + (f"Did you mean {near[0]!r}? " if near else "")
        + f"There are: {', '.join(known)}; 'xx' serves any. Register your own with registry.languages."
    )


def saved_lang_class(code: str) -> type[Language]:
    """As `get_lang_class`, but other codes get a class for any language: saved pipelines bring rules."""
    try:
        return get_lang_class(code)
    except UnknownNameError:
        if re.fullmatch(r"[a-z]{2,3}", code) is None:
            raise
        return _saved(code)


@cache
def _saved(code: str) -> type[Language]:
    data = get_lang_data("xx")
    data = replace(data, lexicon=replace(data.lexicon, lang=code))
    defaults = defaults_class(f"Language_{code}Defaults", data)
    return type(f"Language_{code}", (Language,), {"lang": code, "Defaults": defaults})
