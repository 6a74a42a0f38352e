"""What older spaCy code asks a document for."""

from __future__ import annotations

from typing import Any

import pytest
from spacy.tokens import Doc as SpacyDoc
from spacy.vocab import Vocab as SpacyVocab

from ferrule.tokens import Doc
from ferrule.vocab import Vocab

NAMES = ["is_tagged", "is_parsed", "is_sentenced", "is_nered"]
ANNOTATIONS: list[dict[str, Any]] = [
    {},
    {"tags": ["A", ""]},
    {"heads": [0, 0], "deps": ["ROOT", "x"]},
    {"sent_starts": [True, False]},
    {"ents": ["O", "B-X"]},
]


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=["none", "tags", "parse", "sentences", "entities"])
def test_they_are_has_annotation_with_a_warning(annotation: dict[str, Any]) -> None:
    ours = Doc(Vocab(), words=["a", "b"], **annotation)
    theirs = SpacyDoc(SpacyVocab(), words=["a", "b"], **annotation)
    for name in NAMES:
        with pytest.warns(DeprecationWarning, match=f"{name}.*has_annotation"):
            found = getattr(ours, name)
        with pytest.warns(DeprecationWarning):
            assert found == getattr(theirs, name), name


@pytest.mark.parametrize("n_bytes", [-1, 0, 1, 2, 3, 4, 7, 12])
def test_the_bytes_of_words_are_spacys(n_bytes: int) -> None:
    words = ["abcdef", "é", "xy", "日本語", "!"]
    ours = Doc(Vocab(), words=words).to_utf8_array(n_bytes)
    theirs = SpacyDoc(SpacyVocab(), words=words).to_utf8_array(n_bytes)
    assert ours.dtype == theirs.dtype and ours.tolist() == theirs.tolist()


def test_no_words_have_no_bytes() -> None:
    assert Doc(Vocab()).to_utf8_array(4).shape == (0, 4)
    assert Doc(Vocab()).to_utf8_array().shape == (0, 0)
