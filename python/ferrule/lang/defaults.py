"""What a language brings to a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from thinc.config import Config

from ferrule.lang import affixes, exceptions, norms, urls
from ferrule.lang.stop_words import StopWords
from ferrule.lexicon import Lexicon

__all__ = ["BaseDefaults", "LanguageDefaults", "as_class"]


class BaseDefaults:
    """The class attribute `Defaults` of a `Language` is a subclass of this; each field may be overridden.

    The tokenizer reads `tokenizer_exceptions`, the affixes and the two matches; the vocabulary reads
    `lexicon`, `stop_words`, `lex_attr_getters` and `writing_system`; `config` is merged over the default
    config. The rules here are those that do little harm in any language.
    """

    config: Config | Mapping[str, Any] = Config()
    lexicon: Lexicon | None = Lexicon(norms=norms.EVERYWHERE)
    stop_words: frozenset[str] | set[str] = StopWords()
    lex_attr_getters: Mapping[int, Callable[[str], Any]] = {}
    tokenizer_exceptions: Mapping[str, list[dict[Any, Any]]] = exceptions.EVERYWHERE
    # Lists, as in spaCy, so that `nlp.Defaults.prefixes + ["#"]` goes on working.
    prefixes: ClassVar[list[str] | None] = list(affixes.PREFIXES)
    suffixes: ClassVar[list[str] | None] = list(affixes.SUFFIXES)
    infixes: ClassVar[list[str] | None] = list(affixes.INFIXES)
    token_match: str | Callable[[str], Any] | None = None
    url_match: str | Callable[[str], Any] | None = urls.URL_MATCH
    syntax_iterators: Mapping[str, Callable[..., Any]] = {}
    writing_system: Mapping[str, Any] = {"direction": "ltr", "has_case": True, "has_letters": True}


@dataclass(frozen=True)
class LanguageDefaults:
    """The data of a language: what it knows of words, and the rules of its tokenizer.

    Names are those of spaCy's `Language.Defaults`. The defaults are the multi-language ones.
    """

    lexicon: Lexicon = field(default_factory=lambda: Lexicon(lang="xx", norms=norms.EVERYWHERE))
    """Language code, stop words, number words and normal forms."""
    tokenizer_exceptions: Mapping[str, list[dict[int, str]]] = field(
        default_factory=lambda: exceptions.EVERYWHERE
    )
    """Special cases by string."""
    prefixes: tuple[str, ...] = affixes.PREFIXES
    """Patterns of what is peeled off the front."""
    suffixes: tuple[str, ...] = affixes.SUFFIXES
    """Patterns of what is peeled off the back."""
    infixes: tuple[str, ...] = affixes.INFIXES
    """Patterns of where words are split inside."""
    token_match: str | None = None
    """Pattern of strings that are left in one piece, affixes and all."""
    url_match: str | None = urls.URL_MATCH
    """Pattern of strings that are left in one piece once affixes are peeled off."""
    lex_attr_getters: Mapping[int, Callable[[str], Any]] = field(default_factory=dict)
    """Functions for attributes of words that the core does not compute, by attribute id."""
    syntax_iterators: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """Functions for `Doc.noun_chunks`, by name."""
    writing_system: Mapping[str, Any] = field(
        default_factory=lambda: {"direction": "ltr", "has_case": True, "has_letters": True}
    )
    """Direction of writing, and whether there are letters and capitals."""

    @property
    def stop_words(self) -> frozenset[str]:
        """Words that carry little meaning, in lower case."""
        return self.lexicon.stop_words


def as_class(data: LanguageDefaults, stop_words: StopWords | None = None) -> type[BaseDefaults]:
    """The data as the class that `Language.Defaults` is, for a subclass to override parts of.

    stop_words: the set that people change; without it, one of the data's stop words.
    """
    values = {each.name: getattr(data, each.name) for each in fields(data)}
    values |= {name: list(values[name]) for name in ("prefixes", "suffixes", "infixes")}
    values["stop_words"] = StopWords(data.stop_words) if stop_words is None else stop_words
    return type("Defaults", (BaseDefaults,), values)
