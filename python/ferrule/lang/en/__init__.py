"""English."""

from __future__ import annotations

from ferrule.lang import exceptions, norms
from ferrule.lang.affixes import infixes
from ferrule.lang.defaults import LanguageDefaults, as_class
from ferrule.lang.en.abbreviations import ABBREVIATIONS
from ferrule.lang.en.contractions import CONTRACTIONS
from ferrule.lang.en.noun_chunks import noun_chunks
from ferrule.lang.en.stop_words import STOP_WORDS
from ferrule.lang.en.words import NUMBER_WORDS, ORDINAL_ENDINGS
from ferrule.language import Language
from ferrule.lexicon import Lexicon

__all__ = ["DEFAULTS", "English"]

DEFAULTS = LanguageDefaults(
    lexicon=Lexicon(
        lang="en",
        stop_words=frozenset(STOP_WORDS),
        number_words=NUMBER_WORDS,
        ordinal_endings=ORDINAL_ENDINGS,
        norms=norms.EVERYWHERE,
    ),
    tokenizer_exceptions=exceptions.EVERYWHERE | ABBREVIATIONS | CONTRACTIONS,
    # `mid-1990s-style`: also a digit may stand before a hyphen.
    infixes=infixes(before_hyphen="0-9"),
    syntax_iterators={"noun_chunks": noun_chunks},
)
"""The data of English."""


class English(Language):
    """A pipeline for English."""

    lang = "en"
    Defaults = as_class(DEFAULTS, STOP_WORDS)
