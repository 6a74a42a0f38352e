"""The stop words of a language, which may change after vocabularies were made with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any
from weakref import WeakSet

from ferrule.vocab import Vocab

__all__ = ["StopWords"]


class StopWords(set[str]):
    """A set of words that tells vocabularies of its changes.

    As in spaCy, a change of `nlp.Defaults.stop_words` counts for words that a vocabulary has not seen yet;
    those it has seen keep their `is_stop`, which can be set.

    >>> import ferrule
    >>> nlp = ferrule.blank("en")
    >>> nlp.Defaults.stop_words.add("btw")
    >>> nlp("btw")[0].is_stop
    True
    >>> nlp.Defaults.stop_words.remove("btw")
    """

    def __init__(self, words: Iterable[str] = ()) -> None:
        super().__init__(words)
        self._vocabs: WeakSet[Vocab] = WeakSet()

    def tell(self, vocab: Vocab) -> None:
        """Have changes from here on count in `vocab`."""
        self._vocabs.add(vocab)

    def __reduce__(self) -> Any:
        return StopWords, (list(self),)


def _telling(name: str) -> Callable[..., Any]:
    change = getattr(set, name)

    @wraps(change)
    def changed(words: StopWords, *args: Any) -> Any:
        result = change(words, *args)
        for vocab in words._vocabs:
            vocab.take_stop_words(words)
        return result

    return changed


for _name in (
    *("add", "clear", "difference_update", "discard", "intersection_update", "pop", "remove"),
    *("symmetric_difference_update", "update", "__iand__", "__ior__", "__isub__", "__ixor__"),
):
    setattr(StopWords, _name, _telling(_name))
