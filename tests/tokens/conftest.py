"""The same documents in Ferrule and in spaCy."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.tokens import Doc as SpacyDoc

from ferrule.tokens import Doc
from ferrule.vocab import Vocab

N_SENTENCES = 400


@pytest.fixture(scope="session")
def treebank(shared_data: Path) -> list[dict[str, Any]]:
    """Arguments of `Doc` for sentences of a treebank, with entities made up from its proper nouns."""
    return list(islice(read_conllu(shared_data / "ud_ewt" / "en_ewt-ud-dev.conllu.gz"), N_SENTENCES))


def read_conllu(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf8") as lines:
        rows: list[list[str]] = []
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            if len(fields) == 10 and fields[0].isdigit():
                rows.append(fields)
            elif not line.strip() and rows:
                yield arguments(rows)
                rows = []


def arguments(rows: list[list[str]]) -> dict[str, Any]:
    ents, previous = [], ""
    for row in rows:
        is_name = row[3] == "PROPN"
        ents.append(("I-NAME" if previous.endswith("NAME") else "B-NAME") if is_name else "O")
        previous = ents[-1]
    return {
        "words": [row[1] for row in rows],
        "spaces": ["SpaceAfter=No" not in row[9] for row in rows],
        "tags": [row[4] for row in rows],
        "pos": ["" if row[3] == "_" else row[3] for row in rows],
        "morphs": [row[5] for row in rows],
        "lemmas": [row[2] for row in rows],
        "heads": [int(row[6]) - 1 if row[6] != "0" else i for i, row in enumerate(rows)],
        "deps": [row[7] for row in rows],
        "ents": ents,
    }


@pytest.fixture(scope="session")
def vocab() -> Vocab:
    return Vocab()


@pytest.fixture(scope="session")
def spacy_vocab() -> Any:
    return spacy.blank("xx").vocab


@pytest.fixture(scope="session")
def pairs(treebank: list[dict[str, Any]], vocab: Vocab, spacy_vocab: Any) -> list[tuple[Doc, SpacyDoc]]:
    """Each sentence as our document and as spaCy's; not to be changed."""
    return [(Doc(vocab, **one), SpacyDoc(spacy_vocab, **one)) for one in treebank]
