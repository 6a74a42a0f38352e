"""The vocabulary: strings and word types, shared by every document of a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from ferrule import _core, attrs
from ferrule.lexeme import Lexeme
from ferrule.lexicon import Lexicon
from ferrule.lookups import Lookups
from ferrule.morphology import Morphology
from ferrule.strings import StringStore
from ferrule.vector_pruning import deduplicated, pruned
from ferrule.vectors import Vectors
from ferrule.vocab_files import SavedVocab

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


class Vocab(SavedVocab, _core.VocabCore):
    """Strings, and one `Lexeme` for each word type: `vocab["word"]`.

    Built-in attributes are computed in the core from the string and from what the language knows (`lexicon`).
    Unlike in spaCy, they are there also in a `Vocab()` of no language.

    lex_attr_getters: your own functions for attributes, by attribute id; they win over the built-in ones.
    strings: a `StringStore` to use, or strings to begin with.
    lookups: tables by name; of `lexeme_norm`, normal forms are taken.
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
        lookups: Lookups | None = None,
        *,
        oov_prob: float = -20.0,
        vectors_name: str | None = None,
        writing_system: dict[str, Any] | None = None,
        get_noun_chunks: Callable[..., Any] | None = None,
        lexicon: Lexicon | None = None,
    ) -> None:
        self.lexicon = lexicon or Lexicon()
        self.cfg: dict[str, Any] = {"oov_prob": oov_prob}
        self.writing_system = writing_system or {}
        self.get_noun_chunks = get_noun_chunks
        self._lex_attr_getters = LexAttrGetters(self, lex_attr_getters or {})
        self._vectors = Vectors(strings=self.strings, name=vectors_name)
        self.lookups = Lookups() if lookups is None else lookups
        self.morphology = Morphology(self.strings)
        if not isinstance(strings, StringStore):
            for string in self.strings:
                self.lexeme_index(string)

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
        if not hasattr(key, "__index__"):
            raise TypeError(f"Vocab: expected a str, or the id of one, found {type(key).__name__}.")
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

    # -- lookups

    @property
    def lookups(self) -> Lookups:
        """Tables by name. Set, they give future word types the normal forms of the table `lexeme_norm`."""
        return self._lookups

    @lookups.setter
    def lookups(self, lookups: Lookups) -> None:
        self._lookups = lookups
        self._take_norms()

    def take_stop_words(self, words: Iterable[str]) -> None:
        """Has the words, in whatever case, be the stop words of word types to come."""
        self.lexicon = replace(self.lexicon, stop_words=frozenset(word.lower() for word in words))
        self._set_lexicon(self.lexicon.as_fields())
        self._take_norms()

    def _take_norms(self) -> None:
        """Has the core use the norms of the lookups, where the language has none of its own for a word."""
        table = self._lookups.get_table("lexeme_norm", None)
        if table:
            self._set_lexicon({**self.lexicon.as_fields(), "norms_by_id": dict(table)})

    # -- vectors

    @property
    def vectors(self) -> Vectors:
        """The word vectors."""
        return self._vectors

    @vectors.setter
    def vectors(self, vectors: Vectors) -> None:
        for string in vectors.strings:
            self.strings.add(string)
        vectors.strings = self.strings
        self._vectors = vectors

    @property
    def vectors_length(self) -> int:
        """The width of the vectors."""
        return self._vectors.vectors_length

    def has_vector(self, orth: str | int) -> bool:
        """Whether a string, or the string of an id, has a vector."""
        return orth in self._vectors

    def get_vector(self, orth: str | int) -> np.ndarray:
        """The vector of a string or id, `(vectors_length,)`; zeros where it has none."""
        if orth in self._vectors:
            return self._vectors[orth]
        return np.zeros((self.vectors_length,), dtype="float32")

    def set_vector(self, orth: str | int, vector: np.ndarray) -> None:
        """Gives a string or id a vector, whose row is the word's `rank` then; a full table grows.

        Raises ValueError for another width than the table's.
        """
        if self._vectors.is_full and orth not in self._vectors:
            rows = max(100, int(len(self._vectors) * 1.3))
            self._vectors.resize((rows, self.vectors_length or len(vector)))
        row = self._vectors.add(self.strings.add(orth) if isinstance(orth, str) else orth, vector=vector)
        self[orth].rank = row

    def reset_vectors(self, *, width: int | None = None, shape: tuple[int, int] | None = None) -> None:
        """Empties the table: of this shape, or of as many rows as before and this width."""
        if width is not None and shape is not None:
            raise ValueError("Vocab.reset_vectors: expected width or shape, found both.")
        if shape is None:
            shape = (len(self._vectors), self.vectors_length if width is None else width)
        self._vectors = Vectors(strings=self.strings, shape=shape, name=self._vectors.name)

    def prune_vectors(self, nr_row: int, batch_size: int = 1024) -> dict[str, tuple[str, float]]:
        """Keeps the vectors of `nr_row` words, the most probable first, then by row; each other word gets the
        row of the word nearest by cosine. Returns for each of those words that nearest one and the cosine.

        batch_size: vectors compared at a time.

        Raises ValueError for `nr_row` or `batch_size` below 1 and for floret vectors.
        """
        vectors, strings = self._vectors, self.strings
        self._vectors, nearest = pruned(vectors, strings, lambda key: self[key].prob, nr_row, batch_size)
        return nearest

    def deduplicate_vectors(self) -> None:
        """Stores equal vectors once, sorted, and no unused rows. Raises ValueError for floret vectors."""
        self._vectors = deduplicated(self._vectors, self.strings)

    # -- whole vocabularies

    def _strings_restorer(self) -> Callable[[], None]:
        """A function that takes back the strings added since, unless word types came too, which use them."""
        n_strings, n_lexemes = self.strings._kept_len(), len(self)

        def restore() -> None:
            if len(self) == n_lexemes:
                self.strings._take_back_to(n_strings)

        return restore

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle_vocab, (
            self.lexicon,
            dict(self._lex_attr_getters),
            self.cfg,
            self.writing_system,
            self.get_noun_chunks,
            self.to_bytes(),
        )

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


def _unpickle_vocab(
    lexicon: Lexicon,
    getters: dict[int, Callable[[str], Any]],
    cfg: dict[str, Any],
    writing_system: dict[str, Any],
    get_noun_chunks: Callable[..., Any] | None,
    data: bytes,
) -> Vocab:
    vocab = Vocab(getters, writing_system=writing_system, get_noun_chunks=get_noun_chunks, lexicon=lexicon)
    vocab.cfg.update(cfg)
    return vocab.from_bytes(data)
