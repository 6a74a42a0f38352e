"""The languages Ferrule brings data for, each a `Language` subclass."""

from __future__ import annotations

from ferrule.lang import LanguageDefaults, get_lang_data
from ferrule.language.defaults import BaseDefaults
from ferrule.language.language import Language

__all__ = ["LANGUAGE_CLASSES", "English", "MultiLanguage"]


def _as_defaults(data: LanguageDefaults) -> type[BaseDefaults]:
    fields = {name: getattr(data, name) for name in LanguageDefaults.__dataclass_fields__}
    return type("Defaults", (BaseDefaults,), {**fields, "stop_words": data.stop_words})


class MultiLanguage(Language):
    """Any language: splits at spaces and punctuation, knows no words."""

    lang = "xx"
    Defaults = _as_defaults(get_lang_data("xx"))


class English(Language):
    """English."""

    lang = "en"
    Defaults = _as_defaults(get_lang_data("en"))


LANGUAGE_CLASSES: dict[str, type[Language]] = {"en": English, "xx": MultiLanguage}
"""By language code."""
