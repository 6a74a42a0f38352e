"""The corpora as raw texts, and as word types."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest


def _lines(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf8") as lines:
        return lines.read().splitlines()


@pytest.fixture(scope="session")
def raw_texts(shared_data: Path) -> list[str]:
    """Sentences of EWT and questions of Banking77, as they were written."""
    marker = "# text = "
    ewt = [line for path in sorted((shared_data / "ud_ewt").glob("*.gz")) for line in _lines(path)]
    texts = [line.removeprefix(marker) for line in ewt if line.startswith(marker)]
    for path in sorted((shared_data / "banking77").glob("*.gz")):
        texts.extend(row[0] for row in csv.reader(_lines(path)))
    assert len(texts) > 20_000
    return texts


@pytest.fixture(scope="session")
def word_types(shared_data: Path) -> list[str]:
    """The words of EWT and WNUT17."""
    words = set()
    for folder, column in (("ud_ewt", 1), ("wnut17", 0)):
        for path in sorted((shared_data / folder).glob("*.gz")):
            for line in _lines(path):
                fields = line.split("\t")
                if len(fields) > column and not line.startswith("# "):
                    words.add(fields[column])
    words.discard("")
    assert len(words) > 20_000
    return sorted(words)
