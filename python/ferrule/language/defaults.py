"""What is special about a language: the data its `Language` subclass is built from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from thinc.config import Config

from ferrule.lexicon import Lexicon

__all__ = ["BaseDefaults"]


class BaseDefaults:
    """The class attribute `Defaults` of a `Language` is a subclass of this; each field may be overridden.

    The tokenizer reads `tokenizer_exceptions`, the affixes and the two matches; the vocabulary reads
    `lexicon`, `stop_words`, `lex_attr_getters` and `writing_system`; `config` is merged over the default
    config.
    """

    config: Config | Mapping[str, Any] = Config()
    lexicon: Lexicon | None = None
    stop_words: frozenset[str] | set[str] = frozenset()
    lex_attr_getters: Mapping[int, Callable[[str], Any]] = {}
    tokenizer_exceptions: Mapping[str, list[dict[Any, Any]]] = {}
    prefixes: Sequence[str] | None = None
    suffixes: Sequence[str] | None = None
    infixes: Sequence[str] | None = None
    token_match: Callable[[str], Any] | None = None
    url_match: Callable[[str], Any] | None = None
    syntax_iterators: Mapping[str, Callable[..., Any]] = {}
    writing_system: Mapping[str, Any] = {"direction": "ltr", "has_case": True, "has_letters": True}
