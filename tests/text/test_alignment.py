"""Character alignment: equal to spaCy's wherever spaCy aligns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.training import Alignment

from ferrule import _core

# Characters where case, white space and alignment meet: `İ` becomes two characters in lower case.
characters = st.lists(st.sampled_from("aAbBİß \n\u3000\x1ćé.'"), max_size=30)
cuts = st.lists(st.booleans(), min_size=30, max_size=30)


def cut(text: list[str], where: list[bool]) -> list[str]:
    words: list[str] = []
    for character, is_cut in zip(text, where, strict=False):
        if is_cut or not words:
            words.append("")
        words[-1] += character
    return words


def rows_of(theirs, words) -> tuple[list[int], list[int]]:
    # spaCy appends an empty row for no word where a word ends in white space the other side lacks.
    lengths = theirs.lengths.tolist()
    assert not any(lengths[len(words) :])
    return lengths[: len(words)], theirs.data.tolist()


@given(characters, cuts, cuts, st.booleans())
def test_alignment_equals_spacys(text, cuts_x, cuts_y, drop_spaces):
    words_x, words_y = cut(text, cuts_x), cut(text, cuts_y)
    if drop_spaces:
        words_y = [word.upper() for word in words_y if not word.isspace() and "ß" not in word]
    try:
        theirs = Alignment.from_strings(words_x, words_y)
    except ValueError:
        with pytest.raises(ValueError, match="they part at token"):
            _core.align(words_x, words_y)
        return
    lengths_x, data_x, lengths_y, data_y = _core.align(words_x, words_y)
    assert (lengths_x.tolist(), data_x.tolist()) == rows_of(theirs.x2y, words_x)
    assert (lengths_y.tolist(), data_y.tolist()) == rows_of(theirs.y2x, words_y)


def test_different_texts_are_refused_with_the_place():
    with pytest.raises(ValueError, match=r'token 1 \("b"\) of the first and token 1 \("c"\) of the second'):
        _core.align(["a", "b"], ["a", "c"])
    with pytest.raises(ValueError, match=r"the end\) of the second"):
        _core.align(["a"], [])
    with pytest.raises(TypeError, match="expected a str, found int"):
        _core.align(["a"], [1])


def test_empty_words_are_aligned_with_nothing():
    lengths_x, data_x, lengths_y, data_y = _core.align(["a", "", "b"], ["ab"])
    assert (lengths_x.tolist(), data_x.tolist()) == ([1, 0, 1], [0, 0])
    assert (lengths_y.tolist(), data_y.tolist()) == ([2], [0, 2])
