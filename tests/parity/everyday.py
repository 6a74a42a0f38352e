"""What runs everyday code with spaCy's public names and with Ferrule's."""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any, TypeAlias

__all__ = ["SNIPPETS", "TEXT", "Snippet", "apples", "library", "outcome", "snippet"]

Snippet: TypeAlias = Callable[[Any], Any]
TEXT = "Apple is looking at buying U.K. startup for $1 billion. It isn't cheap!"
SNIPPETS: list[Snippet] = []
# Where the public names are, below `spacy` and below `ferrule`.
PLACES = {
    "": ["Language", "blank", "load"],
    ".tokens": ["Doc", "DocBin", "MorphAnalysis", "Span", "SpanGroup", "Token"],
    ".training": [
        "Alignment",
        "Corpus",
        "Example",
        "biluo_tags_to_offsets",
        "biluo_tags_to_spans",
        "biluo_to_iob",
        "iob_to_biluo",
        "offsets_to_biluo_tags",
    ],
    ".lookups": ["Lookups"],
    ".scorer": ["Scorer"],
    ".strings": ["StringStore"],
    ".vectors": ["Vectors"],
    ".vocab": ["Vocab"],
}
MODULES = ["attrs", "lang.char_classes", "symbols", "tokenizer", "training.augment", "util"]


@cache
def library(name: str) -> Any:
    """The public names of a library as snippets use them, and `nlp`, a pipeline that none changes."""
    found = {each.rpartition(".")[2]: importlib.import_module(f"{name}.{each}") for each in MODULES}
    for place, names in PLACES.items():
        found |= {each: getattr(importlib.import_module(name + place), each) for each in names}
    lib = SimpleNamespace(**found)
    lib.nlp = lib.blank("en")
    return lib


def outcome(code: Snippet, name: str) -> tuple[str, BaseException | None]:
    """What a snippet returns, as it prints, and what it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _plain(code(library(name))), None
        except Exception as error:
            return "", error


def _plain(value: Any) -> str:
    """How a value prints, whichever kind of float it holds and in whatever order a dict was filled."""
    return re.sub(r"np\.float64\(([^)]*)\)", r"\1", repr(_ordered(value)))


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((repr(key), _ordered(entry)) for key, entry in value.items())
    return [_ordered(entry) for entry in value] if isinstance(value, list | tuple) else value


def snippet(code: Snippet) -> Snippet:
    """Has `code` compared."""
    SNIPPETS.append(code)
    return code


def apples(lib: Any, nlp: Any = None) -> Any:
    """A sentence with every kind of annotation."""
    nlp = nlp or lib.nlp
    return lib.Doc(
        nlp.vocab,
        words=["She", "bought", "two", "red", "apples", "in", "New", "York", "yesterday", "."],
        tags=["PRP", "VBD", "CD", "JJ", "NNS", "IN", "NNP", "NNP", "NN", "."],
        pos=["PRON", "VERB", "NUM", "ADJ", "NOUN", "ADP", "PROPN", "PROPN", "NOUN", "PUNCT"],
        lemmas=["she", "buy", "two", "red", "apple", "in", "New", "York", "yesterday", "."],
        heads=[1, 1, 4, 4, 1, 1, 7, 5, 1, 1],
        deps=["nsubj", "ROOT", "nummod", "amod", "dobj", "prep", "compound", "pobj", "npadvmod", "punct"],
        ents=["O", "O", "B-CARDINAL", "O", "O", "O", "B-GPE", "I-GPE", "B-DATE", "O"],
        morphs=["Case=Nom|Number=Sing"] + [""] * 9,
    )
