"""The tokenizer reads a text a bounded number of times: bytes are counted, not seconds."""

from __future__ import annotations

from itertools import pairwise

import pytest
import spacy

import ferrule
from ferrule.lang import get_lang_data
from ferrule.tokenizer import Tokenizer
from ferrule.vocab import Vocab

# Each is repeated, or put between others, to the length wanted; none has white space.
SHAPES = {
    "opening brackets": lambda size: "(" * size,
    "closing brackets": lambda size: ")" * size,
    "mixed brackets": lambda size: "([{<>}])" * (size // 8),
    "nested brackets": lambda size: "(" * (size // 2) + ")" * (size // 2),
    "double quotes": lambda size: '"' * size,
    "single quotes": lambda size: "'" * size,
    "quotes around letters": lambda size: "'a'\"b\"" * (size // 6),
    "dots": lambda size: "." * size,
    "dots after letters": lambda size: "a" * (size // 2) + "." * (size // 2),
    "letters and dots": lambda size: "a." * (size // 2),
    "capitals and dots": lambda size: "A." * (size // 2),
    "letters and apostrophes": lambda size: "a's" * (size // 3),
    "hyphens": lambda size: "-" * size,
    "letters and hyphens": lambda size: "ab-" * (size // 3),
    "a url": lambda size: "http://example.com/" + "a/b?c=d&" * (size // 8),
    "a url in brackets": lambda size: "(" * (size // 2) + "http://a.org/" + ")" * (size // 2),
    "hosts": lambda size: "www.a.org." * (size // 10),
    "digits and units": lambda size: "10km" * (size // 4),
    "currency": lambda size: "$5%" * (size // 3),
    "emoticons": lambda size: ":)" * (size // 2),
    "commas": lambda size: "a," * (size // 2),
    "one letter": lambda size: "a" * size,
    "Chinese": lambda size: "東京。" * (size // 3),
    "emoji": lambda size: "😀" * size,
}
SIZES = (2000, 4000, 8000)
# Twice the text may cost twice as much; the tenth is for ends, which count more in short texts.
MOST_GROWTH = 2.2


def assert_linear(tokenizer: Tokenizer, shape: str) -> None:
    costs = [tokenizer._cost(SHAPES[shape](size)) for size in SIZES]
    assert costs[0] > 0, "nothing was counted"
    growth = [later / earlier for earlier, later in pairwise(costs)]
    assert max(growth) <= MOST_GROWTH, f"bytes read at {SIZES} characters of {shape}: {costs}"


@pytest.mark.parametrize("shape", SHAPES)
def test_english_rules_read_a_text_a_bounded_number_of_times(shape):
    assert_linear(ferrule.blank("en").tokenizer, shape)


# The languages whose rules try whole matches, and those whose suffixes differ most from English.
@pytest.mark.parametrize("lang", ["xx", "fr", "hu", "de", "tr", "ca"])
def test_rules_of_saved_pipelines_do_too(lang):
    saved = spacy.blank(lang).tokenizer.to_bytes(exclude=["vocab"])
    tokenizer = Tokenizer(Vocab(lexicon=get_lang_data("xx").lexicon)).from_bytes(saved)
    for shape in SHAPES:
        assert_linear(tokenizer, shape)


def test_rules_that_read_everything_again_are_found_out():
    # A prefix that is not tied to the front, and looks at the whole rest for each character.
    tokenizer = Tokenizer(Vocab(), prefix_search=r"\((?=.*x)|\(")
    with pytest.raises(AssertionError, match="bytes read"):
        assert_linear(tokenizer, "opening brackets")


@pytest.mark.parametrize("shape", SHAPES)
def test_long_texts_come_back_whole(shape):
    text = SHAPES[shape](8000)
    doc = ferrule.blank("en").tokenizer(text)
    assert doc.text == text
