"""What a language knows of its words, in the form the core computes lexemes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Lexicon"]


@dataclass(frozen=True)
class Lexicon:
    """A language's share in the attributes of a word type.

    >>> from ferrule.vocab import Vocab
    >>> vocab = Vocab(lexicon=Lexicon(lang="eo", stop_words=frozenset({"kaj"}), norms={"k": "kaj"}))
    >>> vocab["Kaj"].is_stop, vocab["k"].norm_, vocab["k"].lang_
    (True, 'kaj', 'eo')
    """

    lang: str = ""
    """Language code."""
    stop_words: frozenset[str] = frozenset()
    """Words of `is_stop`, in lower case."""
    number_words: frozenset[str] = frozenset()
    """Words of `like_num`, in lower case; numbers in digits need none."""
    ordinal_endings: tuple[str, ...] = ()
    """What makes digits an ordinal, in lower case, such as `th`."""
    norms: Mapping[str, str] = field(default_factory=dict)
    """Normal forms, by word, where they are not the lower-case form."""

    def as_fields(self) -> dict[str, Any]:
        """The fields as plain lists and dicts, which is what `_core.VocabCore` takes."""
        fields = asdict(self)
        for name in ("stop_words", "number_words", "ordinal_endings"):
            fields[name] = sorted(fields[name])
        return {**fields, "norms": dict(self.norms)}
