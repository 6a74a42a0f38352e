"""The vocabulary: strings and word types, shared by every document of a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ferrule import _core, attrs
from ferrule.lexeme import Lexeme
from ferrule.lexicon import Lexicon
from ferrule.strings import StringStore

__all__ = ["LexAttrGetters", "Vocab"]


class LexAttrGetters(dict[int, Callable[[str], Any]]):
    """Your own functions for attributes of word types, by attribute id. Built-in attributes need none.

    A function gets the string and returns a str, a number or a bool. It is called once for each word type
    made after it was set.
    """

    def __init__(self, vocab: Vocab, getters: Any = ()) -> None:
        super().__init__(getters)
        self._vocab = vocab
        self._changed()

    def _changed(self) -> None:
        self._vocab._set_getters(list(self.items()))

    def __setitem__(self, attribute: int, getter: Callable[[str], Any]) -> None:
        super().__setitem__(attribute, getter)
        self._changed()

    def __delitem__(self, attribute: int) -> None:
        super().__delitem__(attribute)
        self._changed()

    def update(self, *args: Any, **kwargs: Any) -> None:
        """As of dict."""
        super().update(*args, **kwargs)
        self._changed()


class Vocab(_core.VocabCore):
    """Strings, and one `Lexeme` for each word type: `vocab["word"]`.

    Built-in attributes are computed in the core from the string and from what the language knows (`lexicon`).
    Unlike in spaCy, they are there also in a `Vocab()` of no language.

    lex_attr_getters: your own functions for attributes, by attribute id; they win over the built-in ones.
    strings: a `StringStore` to use, or strings to begin with.
    oov_prob: the `prob` of words without one.
    writing_system: `direction`, `has_case`, `has_letters`.
    get_noun_chunks: function for `Doc.noun_chunks`.
    lexicon: stop words, number words and normal forms of the language.

    >>> vocab = Vocab(lexicon=Lexicon(lang="en", stop_words=frozenset({"the"})))
    >>> vocab["The"].is_stop, "The" in vocab, "An" in vocab, len(vocab)
    (True, True, False, 1)
    """

    strings: StringStore

    def __new__(
        cls,
        lex_attr_getters: dict[int, Callable[[str], Any]] | None = None,
        strings: StringStore | Iterable[str] = (),
        *args: Any,
        lexicon: Lexicon | None = None,
        **kwargs: Any,
    ) -> Vocab:
        store = strings if isinstance(strings, StringStore) else StringStore(strings)
        vocab = super().__new__(cls, store, (lexicon or Lexicon()).as_fields())
        vocab.strings = store
        return vocab

    def __init__(
        self,
        lex_attr_getters: dict[int, Callable[[str], Any]] | None = None,
        strings: StringStore | Iterable[str] = (),
        *,
        oov_prob: float = -20.0,
        writing_system: dict[str, Any] | None = None,
        get_noun_chunks: Callable[..., Any] | None = None,
        lexicon: Lexicon | None = None,
    ) -> None:
        self.lexicon = lexicon or Lexicon()
        self.cfg: dict[str, Any] = {"oov_prob": oov_prob}
        self.writing_system = writing_system or {}
        self.get_noun_chunks = get_noun_chunks
        self._lex_attr_getters = LexAttrGetters(self, lex_attr_getters or {})

    @property
    def lang(self) -> str:
        """Language code; empty where there is none."""
        return self.lexicon.lang

    @property
    def lex_attr_getters(self) -> LexAttrGetters:
        """Your own functions for attributes of word types, by attribute id. Change it in place, or set it."""
        return self._lex_attr_getters

    @lex_attr_getters.setter
    def lex_attr_getters(self, getters: dict[int, Callable[[str], Any]]) -> None:
        self._lex_attr_getters = LexAttrGetters(self, getters)

    # -- lexemes

    def __getitem__(self, key: str | int) -> Lexeme:
        """The lexeme of a string, or of the string with this id.

        Raises KeyError for an id no string has, TypeError for another type, ValueError for a lone surrogate.
        """
        if isinstance(key, str):
            return Lexeme(self, self.lexeme_value(self.lexeme_index(key), attrs.ORTH))
        return Lexeme(self, key)

    def __contains__(self, key: str | int) -> bool:
        """Whether the word type has been seen."""
        found = self.find_lexeme(key) if isinstance(key, str) else self.find_orth(key)
        return found is not None

    def __iter__(self) -> Iterator[Lexeme]:
        for index in range(self.lexeme_count()):
            yield Lexeme(self, self.lexeme_value(index, attrs.ORTH))

    def __len__(self) -> int:
        """How many word types have been seen."""
        return self.lexeme_count()

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<Vocab {self.lang!r} with {len(self)} lexemes>"

    def _index_of_orth(self, orth: int) -> int:
        index = self.find_orth(orth)
        return self.lexeme_index(self.strings.as_string(orth)) if index is None else index

    def add_flag(self, flag_getter: Callable[[str], bool], flag_id: int = -1) -> int:
        """Gives word types a flag of your own, seen and future ones, and returns its id.

        flag_id: 1 to 63; -1 takes the highest that is free.

        Raises ValueError where the id is out of range or none is free.
        """
        if flag_id == -1:
            taken = self._lex_attr_getters.keys()
            free = [flag for flag in range(attrs.FIRST_FREE_FLAG, attrs.LAST_FLAG + 1) if flag not in taken]
            if not free:
                raise ValueError(
                    "Vocab.add_flag: all 45 flags are taken. Give the flag_id of one to replace it."
                )
            flag_id = free[-1]
        elif not 1 <= flag_id <= attrs.LAST_FLAG:
            raise ValueError(
                f"Vocab.add_flag: expected a flag_id from 1 to 63, or -1 for a free one, found {flag_id}."
            )
        for lexeme in self:
            lexeme.set_flag(flag_id, flag_getter(lexeme.text))
        self._lex_attr_getters[flag_id] = flag_getter
        return flag_id

    # -- memory

    @property
    def in_memory_zone(self) -> bool:
        """Whether a memory zone is open."""
        return self.zone() != 0

    @contextmanager
    def memory_zone(self) -> Iterator[None]:
        """Within it, the strings and lexemes that texts bring are kept only until its end.

        Documents and lexemes made within refuse to be used after it. What was there before, and what you add
        yourself with `strings.add`, stays.

        Raises ValueError where a zone is open already.

        >>> vocab = Vocab()
        >>> with vocab.memory_zone():
        ...     word = vocab["ephemeral"]
        >>> "ephemeral" in vocab
        False
        """
        self._begin_zone()
        try:
            yield
        finally:
            self._end_zone()
