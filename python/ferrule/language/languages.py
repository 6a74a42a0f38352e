"""The `Language` subclass for a language code."""

from __future__ import annotations

import importlib
import re
from functools import cache
from typing import Any

from ferrule.errors import UnknownNameError, nearest_names
from ferrule.lang.stop_words import StopWords
from ferrule.language.language import Language
from ferrule.registry import registry

__all__ = ["get_lang_class", "saved_lang_class"]


def get_lang_class(code: str) -> type[Language]:
    """The `Language` subclass for a language code, from `registry.languages` or built in.

    English has rules and words of its own. The other languages spaCy knows get a class with the general rules
    (`xx`) and their code and direction of writing, without stop words. Those whose words spaces do not show
    get one that needs another tokenizer in its config.

    Raises UnknownNameError, naming those there are, if there is none; TypeError if `code` is no string.
    """
    from ferrule.lang import LANGUAGES  # whose modules import Language in turn
    from ferrule.lang.others import SERVED, UNSEGMENTED

    if not isinstance(code, str):
        raise TypeError(f"expected a language code such as 'en', found {type(code).__name__}: {code!r}")
    if code in registry.languages:
        found: type[Language] = registry.languages.get(code)
        return found
    if code in LANGUAGES:
        module = importlib.import_module(f"ferrule.lang.{code}")
        built_in = (each for each in vars(module).values() if isinstance(each, type))
        return next(each for each in built_in if issubclass(each, Language) and each.lang == code)
    if code in SERVED or code in UNSEGMENTED:
        return _by_general_rules(code)
    known = sorted({*LANGUAGES, *registry.languages.get_all()})
    near = nearest_names(code, known)
    raise UnknownNameError(
        f"There is no language {code!r}. "
        + (f"Did you mean {near[0]!r}? " if near else "")
        + f"There are: {', '.join(known)}, and by general rules: {', '.join(sorted(SERVED))}. 'xx' serves "
        "any. Register your own with registry.languages."
    )


def saved_lang_class(code: str) -> type[Language]:
    """As `get_lang_class`, but other codes get a class for any language: saved pipelines bring rules."""
    try:
        return get_lang_class(code)
    except UnknownNameError:
        if re.fullmatch(r"[a-z]{2,3}", code) is None:
            raise
        return _by_general_rules(code)


@cache
def _by_general_rules(code: str) -> type[Language]:
    from ferrule.lang.others import UNSEGMENTED, writing_system

    fields: dict[str, Any] = {"writing_system": writing_system(code), "stop_words": StopWords()}
    if code in UNSEGMENTED:
        fields["config"] = {"nlp": {"tokenizer": {"@tokenizers": UNSEGMENTED[code]}}}
    defaults = type("Defaults", (get_lang_class("xx").Defaults,), fields)
    return type(f"Language_{code}", (Language,), {"lang": code, "Defaults": defaults})
