"""English rules against the gold tokens of EWT: token F1 at least spaCy's."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
import spacy

import ferrule


def sentences(path: Path) -> list[tuple[str, list[str]]]:
    """Each sentence as it was written, and its words; a word of several tokens, as `don't`, by its tokens."""
    found: list[tuple[str, list[str]]] = []
    with gzip.open(path, "rt", encoding="utf8") as lines:
        for line in lines:
            if line.startswith("# text = "):
                found.append((line.removeprefix("# text = ").rstrip("\n"), []))
            elif line[0].isdigit() and line.split("\t")[0].isdigit():
                found[-1][1].append(line.split("\t")[1])
    return found


def spans(text: str, words: list[str]) -> set[tuple[int, int]]:
    """Where the words are, counted in characters that are not white space."""
    found, at = set(), 0
    for word in words:
        length = len("".join(word.split()))
        found.add((at, at + length))
        at += length
    assert at == len("".join(text.split()))
    return found


def token_f1(tokenizer: Any, gold: list[tuple[str, list[str]]]) -> float:
    right = predicted = wanted = 0
    for text, words in gold:
        tokens = spans(text, [token.text for token in tokenizer(text) if not token.is_space])
        expected = spans(text, words)
        right, predicted, wanted = (
            right + len(tokens & expected),
            predicted + len(tokens),
            wanted + len(expected),
        )
    return 2 * right / (predicted + wanted)


@pytest.mark.parametrize("part", ["dev", "test"])
def test_token_f1_is_at_least_spacys(shared_data: Path, part: str):
    gold = sentences(shared_data / "ud_ewt" / f"en_ewt-ud-{part}.conllu.gz")
    # Some sentences have gold tokens that were corrected, and are not what was written.
    gold = [(text, words) for text, words in gold if "".join(words) == "".join(text.split())]
    assert len(gold) > 1900
    ours, theirs = (token_f1(library.blank("en").tokenizer, gold) for library in (ferrule, spacy))
    assert ours >= theirs > 0.9
