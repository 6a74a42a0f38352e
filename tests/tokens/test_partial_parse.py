"""Heads without labels: which of them count; spaCy's documents are the oracle."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from spacy.tokens import Doc as SpacyDoc
from spacy.vocab import Vocab as SpacyVocab

from ferrule.tokens import Doc
from ferrule.vocab import Vocab

WORDS = ["a", "b", "c"]


def is_forest(heads: tuple[int, ...]) -> bool:
    for start in range(len(heads)):
        token = start
        for _ in heads:
            token = heads[token]
        if heads[token] != token:
            return False
    return True


def small_parses() -> Iterator[tuple[list[int], list[str]]]:
    """Every forest of three words with every choice of words that have a label."""
    for heads in itertools.product(range(3), repeat=3):
        for deps in itertools.product(["", "dep"], repeat=3) if is_forest(heads) else ():
            yield list(heads), list(deps)


def test_heads_sentences_and_columns_are_spacys() -> None:
    vocab, spacy_vocab = Vocab(), SpacyVocab()
    for heads, deps in small_parses():
        for starts in (None, [True, False, True]):
            ours = Doc(vocab, words=WORDS, heads=heads, deps=deps, sent_starts=starts)
            theirs = SpacyDoc(spacy_vocab, words=WORDS, heads=heads, deps=deps, sent_starts=starts)
            names = ["HEAD", "DEP", "SENT_START"]
            assert ours.to_array(names).tolist() == theirs.to_array(names).tolist(), (heads, deps, starts)
            assert [token.head.i for token in ours] == [token.head.i for token in theirs], (heads, deps)
            assert [token.has_head() for token in ours] == [token.has_head() for token in theirs]


def test_children_follow_heads_in_a_labelled_document() -> None:
    vocab, spacy_vocab = Vocab(), SpacyVocab()
    for heads, deps in small_parses():
        if not any(deps):
            continue  # spaCy builds no tree then; ours stays what the heads say
        ours = Doc(vocab, words=WORDS, heads=heads, deps=deps)
        theirs = SpacyDoc(spacy_vocab, words=WORDS, heads=heads, deps=deps)
        for our_token, their_token in zip(ours, theirs, strict=True):
            assert [t.i for t in our_token.children] == [t.i for t in their_token.children], (heads, deps)
            assert [t.i for t in our_token.ancestors] == [t.i for t in their_token.ancestors], (heads, deps)
