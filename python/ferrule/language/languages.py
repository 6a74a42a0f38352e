"""The `Language` subclass for a language code."""

from __future__ import annotations

import importlib
import re
from functools import cache

from ferrule.errors import UnknownNameError, nearest_names
from ferrule.language.language import Language
from ferrule.registry import registry

__all__ = ["get_lang_class", "saved_lang_class"]


def get_lang_class(code: str) -> type[Language]:
    """The `Language` subclass for a language code, from `registry.languages` or built in.

    Raises UnknownNameError, naming those there are, if there is none; TypeError if `code` is no string.
    """
    from ferrule.lang import LANGUAGES  # whose modules import Language in turn

    if not isinstance(code, str):
        raise TypeError(f"expected a language code such as 'en', found {type(code).__name__}: {code!r}")
    if code in registry.languages:
        found: type[Language] = registry.languages.get(code)
        return found
    if code in LANGUAGES:
        module = importlib.import_module(f"ferrule.lang.{code}")
        built_in = (each for each in vars(module).values() if isinstance(each, type))
        return next(each for each in built_in if issubclass(each, Language) and each.lang == code)
    known = sorted({*LANGUAGES, *registry.languages.get_all()})
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
    any_language = get_lang_class("xx")
    return type(f"Language_{code}", (Language,), {"lang": code, "Defaults": any_language.Defaults})
