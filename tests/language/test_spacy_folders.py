"""A pipeline saved here loads in spaCy 3.8, and one saved there loads here, with the same predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import spacy

import ferrule
from ferrule.language import Language
from ferrule.training.example import Example

TEXTS = ["Anna sees the small boat, doesn't she?", "Ben bakes bread.", "", "  two  spaces "]


def tags(docs: Any) -> list[list[tuple[str, str]]]:
    return [[(token.text, token.tag_) for token in doc] for doc in docs]


def trained(tagger: tuple[Language, list[Example]]) -> Language:
    nlp, examples = tagger
    for _ in range(5):
        nlp.update(examples)
    return nlp


def test_a_folder_saved_here_loads_there(tagger: tuple[Language, list[Example]], tmp_path: Path) -> None:
    nlp = trained(tagger)
    nlp.to_disk(tmp_path / "model")
    there = spacy.load(tmp_path / "model")
    assert tags(there.pipe(TEXTS)) == tags(nlp.pipe(TEXTS))
    assert there.get_pipe("tagger").labels == nlp.get_pipe("tagger").labels


def test_a_folder_saved_there_loads_here(tagger: tuple[Language, list[Example]], tmp_path: Path) -> None:
    nlp = trained(tagger)
    nlp.to_disk(tmp_path / "model")
    there = spacy.load(tmp_path / "model")
    there.to_disk(tmp_path / "theirs")
    assert not (tmp_path / "theirs" / "ferrule.sha256").exists()
    here = ferrule.load(tmp_path / "theirs")
    assert tags(here.pipe(TEXTS)) == tags(there.pipe(TEXTS))


def test_bytes_go_both_ways(tagger: tuple[Language, list[Example]], tmp_path: Path) -> None:
    nlp = trained(tagger)
    nlp.to_disk(tmp_path / "model")
    there = spacy.load(tmp_path / "model")
    expected = tags(nlp.pipe(TEXTS))
    there.from_bytes(nlp.to_bytes())
    assert tags(there.pipe(TEXTS)) == expected
    again = ferrule.load(tmp_path / "model").from_bytes(there.to_bytes())
    assert tags(again.pipe(TEXTS)) == expected
