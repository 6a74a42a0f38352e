"""Raw text to documents, beside spaCy 3.8's English tokenizer with the same rules, one and two threads.

`cold` takes every word apart for the first time, with an empty vocabulary; `warm` has seen the words before,
as in a running service. spaCy has one thread in both lines. Texts: the sentences of EWT as they were written.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import spacy

import ferrule
from pairing import fastest

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "ud_ewt"
MARKER = "# text = "
ROUNDS = 7

Report = Callable[[str, dict[str, float], str], None]


@pytest.fixture(scope="module")
def texts() -> list[str]:
    if not DATA.is_dir():
        pytest.skip(f"the corpus is not at {DATA}")
    found = []
    for path in sorted(DATA.glob("*.conllu.gz")):
        with gzip.open(path, "rt", encoding="utf8") as lines:
            found += [line.removeprefix(MARKER).rstrip("\n") for line in lines if line.startswith(MARKER)]
    return found


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def n_threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = ferrule.get_num_threads()
    ferrule.set_num_threads(request.param)
    yield request.param
    ferrule.set_num_threads(before)


def run(tokenizer: Any, texts: list[str]) -> None:
    """Makes every document and lets go of it, as a stream does."""
    for _ in tokenizer.pipe(texts):
        pass


def test_warm(texts: list[str], n_threads: int, report: Report, benchmark: Any) -> None:
    ours, theirs = ferrule.blank("en").tokenizer, spacy.blank("en").tokenizer
    assert all(
        [token.text for token in ours(text)] == [token.text for token in theirs(text)] for text in texts[:999]
    )
    contestants = {"ferrule": lambda: run(ours, texts), "spaCy": lambda: run(theirs, texts)}
    report(f"tokenize warm, {n_threads} thread(s)", fastest(contestants, rounds=ROUNDS), "ferrule")
    benchmark.pedantic(contestants["ferrule"], rounds=3)


def test_cold(texts: list[str], n_threads: int, report: Report, benchmark: Any) -> None:
    # A pipeline for each call, made before the clock starts; one call of each does not count.
    ours = [ferrule.blank("en").tokenizer for _ in range(ROUNDS + 1)]
    theirs = [spacy.blank("en").tokenizer for _ in range(ROUNDS + 1)]
    contestants = {"ferrule": lambda: run(ours.pop(), texts), "spaCy": lambda: run(theirs.pop(), texts)}
    report(f"tokenize cold, {n_threads} thread(s)", fastest(contestants, rounds=ROUNDS), "ferrule")
    benchmark.pedantic(run, setup=lambda: ((ferrule.blank("en").tokenizer, texts), {}), rounds=3)
