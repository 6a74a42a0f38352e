"""`Language`: a pipeline, put together from its parts, each in a module of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any, TypeVar

from thinc.config import Config

from ferrule.lang.defaults import BaseDefaults
from ferrule.lang.stop_words import StopWords
from ferrule.language.assembly import assembled
from ferrule.language.config import default_config
from ferrule.language.older_names import OlderNames
from ferrule.language.quantizing import Quantizing
from ferrule.language.saving import Saving
from ferrule.language.state import PipelineState
from ferrule.lexicon import Lexicon
from ferrule.pipeline.pipe import reraise
from ferrule.registry import registry
from ferrule.vocab import Vocab

__all__ = ["Language"]

Self = TypeVar("Self", bound="Language")


class _DefaultConfig:
    """The config a new pipeline of a language starts from: a new one each time it is asked for."""

    def __get__(self, instance: Any, owner: type[PipelineState]) -> Config:
        return default_config().merge(owner.Defaults.config or {})


class Language(OlderNames, Quantizing, Saving):
    """A tokenizer, a vocabulary, and components that annotate documents one after the other.

    Subclasses stand for languages: they set `lang` and `Defaults`. A pipeline is usually made by
    `ferrule.blank` or `ferrule.load`, or from a config by `Language.from_config`.

    >>> import ferrule
    >>> @Language.component("docs_count_words")
    ... def count_words(doc):
    ...     doc.user_data["n_words"] = len(doc)
    ...     return doc
    >>> nlp = ferrule.blank("en")
    >>> _ = nlp.add_pipe("docs_count_words")
    >>> nlp("Two words").user_data["n_words"]
    2
    """

    default_config = _DefaultConfig()

    def __init__(
        self,
        vocab: Vocab | bool = True,
        *,
        max_length: int = 10**6,
        meta: Mapping[str, Any] | None = None,
        create_tokenizer: Callable[[Language], Callable[[str], Any]] | None = None,
        create_vectors: Callable[[Vocab], Any] | None = None,
        batch_size: int = 1000,
        **kwargs: Any,
    ) -> None:
        """Make an empty pipeline.

        vocab: a vocabulary to share; True for a new one. max_length: characters of the longest text
        accepted. meta: name, version and so on. create_tokenizer: function that makes the tokenizer, of the
        pipeline. create_vectors: function that makes empty word vectors, of the vocabulary. batch_size:
        documents a batch in `pipe` and `evaluate`.

        Raises TypeError for a `vocab` that is none.
        """
        self._config = type(self).default_config
        self._components = []
        self._disabled = set()
        self._pipe_meta = {}
        self._pipe_configs = {}
        self._meta = dict(meta or {})
        self._optimizer = None
        self._path = None
        self.max_length = max_length
        self.batch_size = batch_size
        self.default_error_handler = reraise
        new = vocab is True
        if new:
            vocab = self._new_vocab()
        if not isinstance(vocab, Vocab):
            raise TypeError(
                f"Language: expected a Vocab, or True for a new one, found {type(vocab).__name__}"
            )
        self.vocab = vocab
        if create_vectors is not None and new:
            vectors = create_vectors(vocab)
            if vectors is not None:
                vocab.vectors = vectors
        if create_tokenizer is None:
            create_tokenizer = registry.resolve({"tokenizer": self._config["nlp"]["tokenizer"]})["tokenizer"]
        self.tokenizer = create_tokenizer(self)

    @classmethod
    def _new_vocab(cls) -> Vocab:
        defaults: type[BaseDefaults] = cls.Defaults
        stop_words = frozenset(word.lower() for word in defaults.stop_words)
        lexicon = replace(defaults.lexicon or Lexicon(), lang=cls.lang or "", stop_words=stop_words)
        vocab = Vocab(
            lex_attr_getters=dict(defaults.lex_attr_getters),
            writing_system=dict(defaults.writing_system),
            get_noun_chunks=defaults.syntax_iterators.get("noun_chunks"),
            lexicon=lexicon,
        )
        if isinstance(defaults.stop_words, StopWords):
            defaults.stop_words.tell(vocab)
        return vocab

    @classmethod
    def from_config(
        cls: type[Self],
        config: Mapping[str, Any] | None = None,
        *,
        vocab: Vocab | bool = True,
        disable: str | Iterable[str] = (),
        enable: str | Iterable[str] = (),
        exclude: str | Iterable[str] = (),
        meta: Mapping[str, Any] | None = None,
        auto_fill: bool = True,
        validate: bool = True,
    ) -> Self:
        """The pipeline that a config describes, without weights.

        disable: components to load but not run, in addition to the config's. enable: the only ones to run.
        exclude: components to leave out. auto_fill: add what the config lacks from the default config.

        Raises ConfigError for missing or unknown settings, and for a config of another language;
        UnknownNameError for functions nobody registered.
        """
        return assembled(
            cls,
            Config(config or {}) if not isinstance(config, Config) else config,
            vocab=vocab,
            disable=disable,
            enable=enable,
            exclude=exclude,
            meta=meta,
            auto_fill=auto_fill,
            validate=validate,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as config and bytes, so its components must be registered where it is read."""
        from ferrule.language.languages import saved_lang_class

        # Classes of other languages are made when a saved pipeline needs them, so they travel as their code.
        built_in = self.lang is not None and saved_lang_class(self.lang) is type(self)
        kind = self.lang if built_in else type(self)
        return _unpickled, (kind, self.config.to_str(interpolate=False), self.to_bytes(), self._settings())

    def _settings(self) -> dict[str, Any]:
        return {
            "max_length": self.max_length,
            "batch_size": self.batch_size,
            "default_error_handler": self.default_error_handler,
        }

    def __deepcopy__(self: Self, memo: dict[int, Any]) -> Self:
        """A pipeline that shares nothing with this one."""
        copied = type(self).__new__(type(self))
        memo[id(self)] = copied
        for name, value in self.__dict__.items():
            setattr(copied, name, deepcopy(value, memo))
        return copied


def _unpickled(kind: str | type[Language], config: str, data: bytes, settings: dict[str, Any]) -> Language:
    from ferrule.language.languages import saved_lang_class

    cls = saved_lang_class(kind) if isinstance(kind, str) else kind
    nlp = cls.from_config(Config().from_str(config, interpolate=False))
    nlp.from_bytes(data)
    for name, value in settings.items():
        setattr(nlp, name, value)
    return nlp
