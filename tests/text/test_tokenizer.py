"""The tokenizer: no character lost, spaCy's tokens for spaCy's rules, errors that say what to do."""

from __future__ import annotations

import pickle
import random
import re

import pytest
import spacy
from hypothesis import example, given
from hypothesis import strategies as st

import ferrule
from ferrule.lang import get_lang_data
from ferrule.tokenizer import Tokenizer
from ferrule.vocab import Vocab

# Languages whose rules differ most: own affixes, token matches, thousands of special cases.
LANGUAGES = ["en", "xx", "de", "hu", "nl", "ca", "sl", "tr", "bn", "sv"]

PIECES = """
a B don't Can't we'll U.S. e.g. 8pm 10km $5 US$ £3 :) :-( ... -- http://x.com/a?b www.a.org x@y.org C++ - it's
rock'n'roll l'État 50% 3,000.5 a/b ’s “q” 東京 😀 ok! (yes) [no] 2x 1st N.Y. gonna
"""
words = st.sampled_from(PIECES.split())
anything = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("  \n\t.,'\"()-:;!?aZ09"))
texts = st.lists(words | anything, max_size=8).flatmap(
    lambda parts: st.sampled_from(["", " ", "  ", "\n"]).map(lambda joint: joint.join(parts))
)


def shown(doc) -> list[tuple[str, str, str]]:
    return [(token.text, token.whitespace_, token.norm_) for token in doc]


ENGLISH = ferrule.blank("en").tokenizer
THEIR_ENGLISH = spacy.blank("en").tokenizer


@given(texts)
@example(" ")
@example("a\u3000b")
@example("\x1f\x1c")
@example("')'" * 5)
@example("can't:)don't")
def test_no_character_is_lost(text):
    doc = ENGLISH(text)
    assert doc.text == text
    assert "".join(token.text + token.whitespace_ for token in doc) == text
    assert all(len(token.text) for token in doc)


@pytest.fixture(scope="module", params=LANGUAGES)
def saved(request):
    theirs = spacy.blank(request.param).tokenizer
    ours = Tokenizer(Vocab(lexicon=get_lang_data("xx").lexicon)).from_bytes(
        theirs.to_bytes(exclude=["vocab"])
    )
    return ours, theirs


def test_rules_of_a_saved_pipeline_give_the_same_tokens(saved, raw_texts):
    ours, theirs = saved
    assert ours.rules == {
        text: [dict(token) for token in tokens] for text, tokens in sorted(theirs.rules.items())
    }
    for text in raw_texts[::40]:
        assert [token.text for token in ours(text)] == [token.text for token in theirs(text)]

    @given(texts)
    def odd_texts_too(text):
        assert [token.text for token in ours(text)] == [token.text for token in theirs(text)]

    odd_texts_too()


def test_english_equals_spacys_on_the_corpora(raw_texts):
    different = [text for text in raw_texts if shown(ENGLISH(text)) != shown(THEIR_ENGLISH(text))]
    assert different == []


@given(texts)
def test_english_rules_equal_spacys_on_odd_texts(text):
    # Our classes of letters follow the whole of Unicode, spaCy's a choice of scripts.
    text = re.sub(r"[^\x00-\x7f\u2018-\u201d£]", "", text)
    assert [token.text for token in ENGLISH(text)] == [token.text for token in THEIR_ENGLISH(text)]


@given(st.lists(texts, max_size=20), st.integers(1, 7))
def test_pipe_gives_the_documents_of_single_calls(stream, batch_size):
    assert [doc.text for doc in ENGLISH.pipe(stream, batch_size=batch_size)] == stream
    assert [shown(doc) for doc in ENGLISH.pipe(iter(stream))] == [shown(ENGLISH(text)) for text in stream]


def test_threads_give_the_same_tokens(raw_texts):
    sample = raw_texts[:4000]
    fresh = ferrule.blank("en").tokenizer
    before = ferrule.get_num_threads()
    ferrule.set_num_threads(4)
    try:
        assert [shown(doc) for doc in fresh.pipe(sample)] == [shown(ENGLISH(text)) for text in sample]
    finally:
        ferrule.set_num_threads(before)


@pytest.mark.parametrize("own_attribute", [False, True], ids=["built in", "with a getter"])
def test_threads_give_the_same_vocabulary(own_attribute):
    """Words get their lexemes in the order of the texts, and strings theirs, whichever thread is first."""
    numbers = random.Random(0)
    # More than a thread keeps to itself before it shares, and short texts between long ones.
    raw_texts = [
        " ".join(f"w{numbers.randrange(20_000)}" for _ in range(numbers.choice([1, 5, 300])))
        for _ in range(120)
    ]
    seen = []
    before = ferrule.get_num_threads()
    for n_threads in (1, 2, 4, 4):
        ferrule.set_num_threads(n_threads)
        nlp = ferrule.blank("en")
        if own_attribute:
            nlp.vocab.add_flag(lambda word: word.endswith("7"))
        list(nlp.tokenizer.pipe(raw_texts))
        seen.append(([lexeme.text for lexeme in nlp.vocab], list(nlp.vocab.strings)))
    ferrule.set_num_threads(before)
    assert all(each == seen[0] for each in seen)
    words = dict.fromkeys(" ".join(raw_texts).split())
    assert [word for word in seen[0][0] if word in words] == list(words)


@pytest.mark.parametrize("bad", [None, 3, b"bytes"])
def test_what_is_no_text_is_refused(bad):
    with pytest.raises(TypeError, match="expected a str"):
        ENGLISH(bad)


def test_a_refused_text_of_a_stream_costs_nothing_before_it():
    for bad, error in ((None, TypeError), ("\udc80", ValueError)):
        stream = ENGLISH.pipe(["one", "two", bad, "three"])
        assert [next(stream).text, next(stream).text] == ["one", "two"]
        with pytest.raises(error):
            next(stream)


def test_a_source_that_fails_is_read_out_first():
    def source():
        yield "one"
        raise OSError("disk")

    stream = ENGLISH.pipe(source())
    assert next(stream).text == "one"
    with pytest.raises(OSError, match="disk"):
        next(stream)
    with pytest.raises(ValueError, match="at least 1"):
        next(ENGLISH.pipe(["a"], batch_size=0))


def test_explain_names_the_rule_of_each_token(raw_texts):
    explained = ENGLISH.explain("(Visit http://a.org: we don't...)")
    assert explained == [tuple(pair) for pair in THEIR_ENGLISH.explain("(Visit http://a.org: we don't...)")]
    for text in raw_texts[::200]:
        tokens = [string for _, string in ENGLISH.explain(text)]
        assert tokens == [token.text for token in ENGLISH(text) if not token.is_space]


def test_special_cases_are_put_together_across_affixes_and_spaces():
    tokenizer = ferrule.blank("en").tokenizer
    tokenizer.add_special_case("(c)", [{"ORTH": "(c)", "NORM": "copyright"}])
    assert [token.text for token in tokenizer("((c)) ( c )")] == ["(", "(c)", ")", "(", "c", ")"]
    tokenizer.add_special_case("New York", [{65: "New York"}])
    doc = tokenizer("In New York, not New  York.")
    assert [token.text for token in doc] == ["In", "New York", ",", "not", "New", " ", "York", "."]
    assert doc.text == "In New York, not New  York."
    assert tokenizer.rules["(c)"] == [{65: "(c)", 67: "copyright"}]


@pytest.mark.parametrize(
    "tokens",
    [
        [{"ORTH": "dont"}],
        [{"ORTH": "do"}, {"ORTH": ""}, {"ORTH": "n't"}],
        [{"NORM": "x"}],
        [{"ORTH": "don't", "TAG": "X"}],
        [],
    ],
)
def test_special_cases_that_change_the_text_are_refused(tokens):
    with pytest.raises(ValueError, match="special case"):
        ferrule.blank("en").tokenizer.add_special_case("don't", tokens)


def test_affixes_are_found_and_can_be_replaced():
    tokenizer = ferrule.blank("en").tokenizer
    assert (tokenizer.find_prefix("¿que"), tokenizer.find_suffix("10km"), tokenizer.find_prefix("x")) == (
        1,
        2,
        0,
    )
    assert [match.span() for match in tokenizer.find_infix("a...b…c")] == [(1, 4), (5, 6)]
    tokenizer.prefix_search = re.compile("^x").search
    assert [token.text for token in tokenizer("xa (b")] == ["x", "a", "(b"]
    tokenizer.infix_finditer = lambda text: re.finditer("-", text)
    assert [token.text for token in tokenizer("a-b")] == ["a", "-", "b"]
    tokenizer.url_match = tokenizer.token_match = tokenizer.suffix_search = None
    assert tokenizer.suffix_search is None
    assert [token.text for token in tokenizer("b)")] == ["b)"]


def test_a_function_that_fails_is_heard_and_one_that_lies_loses_nothing():
    tokenizer = ferrule.blank("en").tokenizer
    tokenizer.infix_finditer = lambda text: [
        re.search("b.", "abcd"),
        re.search("b", "abcd"),
        re.search(".", "x"),
    ]
    assert tokenizer("abcd").text == "abcd"
    tokenizer.prefix_search = lambda text: re.search("x{9}", "x" * 9)
    assert tokenizer("ab cd").text == "ab cd"

    def fail(text):
        raise ArithmeticError("no")

    # Special cases are looked through when a rule is set, so the function is heard at once, and not taken.
    with pytest.raises(ArithmeticError, match="no"):
        tokenizer.suffix_search = fail
    assert tokenizer("unseen").text == "unseen"
    with pytest.raises(ValueError, match="function"):
        tokenizer.to_bytes()


def test_patterns_that_cannot_be_run_are_refused_and_change_nothing():
    tokenizer = ferrule.blank("en").tokenizer
    before = tokenizer.to_bytes(exclude=["vocab"])
    for pattern in ("(?(1)a|b)", "(a", "a**"):
        with pytest.raises(ValueError, match="cannot be taken over"):
            tokenizer.prefix_search = pattern
    with pytest.raises(ValueError, match="cannot be read as a saved tokenizer"):
        tokenizer.from_bytes(b"\xc1")
    assert tokenizer.to_bytes(exclude=["vocab"]) == before


def test_tokenizers_go_to_spacy_and_come_back(tmp_path, raw_texts):
    ours = ferrule.blank("en").tokenizer
    ours.to_disk(tmp_path / "tokenizer")
    theirs = spacy.blank("xx").tokenizer.from_disk(tmp_path / "tokenizer")
    copies = [pickle.loads(pickle.dumps(ours)), Tokenizer(Vocab()).from_bytes(theirs.to_bytes())]
    for text in raw_texts[::100]:
        expected = [token.text for token in ours(text)]
        assert [token.text for token in theirs(text)] == expected
        assert all([token.text for token in copy(text)] == expected for copy in copies)


def test_a_memory_zone_keeps_the_tokenizer_right():
    nlp = ferrule.blank("en")
    before = nlp.tokenizer("kept words")
    for _ in range(2):
        with nlp.vocab.memory_zone():
            assert shown(nlp.tokenizer("kept xyzzy, don't"))[-1] == ("n't", "", "not")
            inside = nlp.tokenizer("kept plugh.")
        with pytest.raises(ValueError, match="memory zone"):
            _ = inside.text
    assert nlp.tokenizer("kept xyzzy plugh").text == "kept xyzzy plugh"
    assert before.text == "kept words"
