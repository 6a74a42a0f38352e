"""What is special about a language: the data its `Language` subclass is built from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any

from thinc.config import Config

from ferrule.lang import LanguageDefaults
from ferrule.lexicon import Lexicon

__all__ = ["BaseDefaults", "defaults_class"]

_EVERYWHERE = LanguageDefaults()


class BaseDefaults:
    """The class attribute `Defaults` of a `Language` is a subclass of this; each field may be overridden.

    The tokenizer reads `tokenizer_exceptions`, the affixes and the two matches; the vocabulary reads
    `lexicon`, `stop_words`, `lex_attr_getters` and `writing_system`; `config` is merged over the default
    config. The values here serve any language.
    """

    config: Config | Mapping[str, Any] = Config()
    lexicon: Lexicon = _EVERYWHERE.lexicon
    stop_words: Iterable[str] = _EVERYWHERE.stop_words
    lex_attr_getters: Mapping[int, Callable[[str], Any]] = _EVERYWHERE.lex_attr_getters
    tokenizer_exceptions: Mapping[str, list[dict[int, str]]] = _EVERYWHERE.tokenizer_exceptions
    prefixes: Iterable[str] | None = _EVERYWHERE.prefixes
    suffixes: Iterable[str] | None = _EVERYWHERE.suffixes
    infixes: Iterable[str] | None = _EVERYWHERE.infixes
    token_match: Any = _EVERYWHERE.token_match
    url_match: Any = _EVERYWHERE.url_match
    syntax_iterators: Mapping[str, Callable[..., Any]] = {}
    writing_system: Mapping[str, Any] = _EVERYWHERE.writing_system


def defaults_class(name: str, data: LanguageDefaults) -> type[BaseDefaults]:
    """A class of defaults with the values of `data`."""
    values = {field.name: getattr(data, field.name) for field in fields(data)}
    return type(name, (BaseDefaults,), {**values, "stop_words": data.stop_words, "__doc__": f"{name}."})
