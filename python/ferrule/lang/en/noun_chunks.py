"""English base noun phrases, from the dependency parse. Behaviour as of spaCy 3.8."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["noun_chunks"]

_NOMINAL = frozenset({"NOUN", "PROPN", "PRON"})
# What the head of a phrase is in its sentence, in the labels of spaCy's English parsers.
_ROLES = frozenset(["ROOT", "appos", "attr", "dative", "dobj", "nsubj", "nsubjpass", "oprd", "pcomp", "pobj"])


def noun_chunks(doclike: Any) -> Iterator[tuple[int, int, int]]:
    """Start, end and label (the id of `NP`) of each base noun phrase of a Doc or Span, in order.

    A phrase goes from the leftmost word under a noun, proper noun or pronoun to that word, where the word has
    the role of a phrase, or is coordinated with one that has. No phrase begins inside another.

    Raises ValueError where there is no dependency parse.
    """
    doc = doclike.doc
    if not doc.has_annotation("DEP"):
        raise ValueError(
            "doc.noun_chunks: English noun chunks follow from the dependency parse, and this document has "
            "none. Add a component that parses, or give the Doc its heads and deps."
        )
    label = doc.vocab.strings.add("NP")
    end = 0
    for token in doclike:
        if token.pos_ not in _NOMINAL:
            continue
        start = token.left_edge.i
        if start >= end and _has_role(token):
            end = token.i + 1
            yield start, end, label


def _has_role(token: Any) -> bool:
    if token.dep_ != "conj":
        return token.dep_ in _ROLES
    first = token.head
    while first.dep_ == "conj" and first.head.i < first.i:
        first = first.head
    return first.dep_ in _ROLES
