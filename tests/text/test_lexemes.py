"""Attributes of word types: equal to spaCy's, for every word of the corpora and for odd ones."""

from __future__ import annotations

import pickle

import pytest
import spacy
from hypothesis import example, given
from hypothesis import strategies as st

from ferrule import attrs
from ferrule.lang import get_lang_data
from ferrule.lexicon import Lexicon
from ferrule.vocab import Vocab

STRINGS = ["lower_", "norm_", "shape_", "prefix_", "suffix_", "lang_", "orth_", "text"]
IDS = ["orth", "lower", "norm", "shape", "prefix", "suffix", "lang", "rank", "flags"]
FLAGS = [name.lower() for name in attrs.IDS if name.startswith(("IS_", "LIKE_")) and "OOV" not in name]
ODD_CHARACTERS = "0123456789+-±~,./@wW:ht²thndIiİςΣ'`"
ODD = st.text(st.characters(exclude_categories=["Cs", "Cn"]) | st.sampled_from(ODD_CHARACTERS))


def attributes(lexeme) -> dict[str, object]:
    return {name: getattr(lexeme, name) for name in [*STRINGS, *IDS, *FLAGS]}


def vocabs(language: str) -> tuple[Vocab, spacy.vocab.Vocab]:
    return Vocab(lexicon=get_lang_data(language).lexicon), spacy.blank(language).vocab


@pytest.fixture(scope="module", params=["en", "xx"])
def both(request) -> tuple[Vocab, spacy.vocab.Vocab]:
    return vocabs(request.param)


def test_attributes_of_the_corpora_equal_spacys(both, word_types):
    ours, theirs = both
    different = [word for word in word_types if attributes(ours[word]) != attributes(theirs[word])]
    assert different == []


BOTH = vocabs("en")


@given(ODD.filter(bool))
@example("1,000TH")
@example("+-1/2")
@example("www.")
@example("Ǆungla")
@example("ⅷ")
@example("\x1c")
@example("a" * 100)
@example("a@b.c")
@example("http://")
@example("x.co.uk:8080")
@example("8.8.8.8/path?q")
@example("10.1.2.3")
@example("ftp://a-b.example:8")
@example("ΑΣ")
def test_attributes_of_odd_strings_equal_spacys(word):
    ours, theirs = BOTH
    assert attributes(ours[word]) == attributes(theirs[word])


def test_your_own_getters_win_and_are_called_once_a_word_type():
    seen = []

    def is_vowel(text: str) -> bool:
        seen.append(text)
        return text in "aeiou"

    vocab = Vocab({attrs.FLAG20: is_vowel, attrs.NORM: lambda text: f"<{text}>"})
    assert [vocab[text].check_flag(attrs.FLAG20) for text in ["a", "b", "a"]] == [True, False, True]
    assert seen == ["a", "b"]
    assert vocab["b"].norm_ == "<b>"
    vocab.lex_attr_getters[attrs.LIKE_NUM] = lambda text: text == "umpteen"
    assert vocab["umpteen"].like_num and not vocab["12"].like_num


def test_an_error_of_a_getter_comes_through():
    def fail(text: str) -> bool:
        raise LookupError(f"no {text}")

    with pytest.raises(LookupError, match="no word"):
        Vocab({attrs.FLAG20: fail})["word"]


def test_added_flags_hold_for_old_and_new_word_types():
    vocab = Vocab()
    old = vocab["old"]
    flag = vocab.add_flag(lambda text: "o" in text)
    assert flag == 63 and vocab.add_flag(lambda text: True) == 62
    assert old.check_flag(flag) and vocab["owl"].check_flag(flag) and not vocab["cat"].check_flag(flag)
    with pytest.raises(ValueError, match="from 1 to 63"):
        vocab.add_flag(lambda text: True, 64)


def test_changes_are_seen_everywhere():
    vocab = Vocab()
    vocab["gonna"].set_attrs(norm="going to", is_stop=True)
    assert (vocab["gonna"].norm_, vocab["gonna"].is_stop) == ("going to", True)
    with pytest.raises(ValueError, match="no attribute"):
        vocab["gonna"].set_attrs(nonsense=1)


def test_a_vocabulary_knows_what_it_has_seen():
    vocab = Vocab()
    assert "word" not in vocab and len(vocab) == 0
    word = vocab["word"]
    assert "word" in vocab and word.orth in vocab and vocab[word.orth] == word and [*vocab] == [word]
    with pytest.raises(KeyError, match="12345"):
        vocab[12345]
    with pytest.raises(TypeError, match="expected"):
        vocab[1.5]  # type: ignore[index]


def test_a_memory_zone_lets_go_of_its_word_types():
    vocab = Vocab()
    before = vocab["before"]
    with vocab.memory_zone():
        brought = vocab["brought"]
        assert vocab["before"] == before and vocab.in_memory_zone
        with pytest.raises(ValueError, match="zone is open"), vocab.memory_zone():
            pass
    assert before.text == "before" and "brought" not in vocab and "brought" not in vocab.strings
    for use in (lambda: brought.text, lambda: brought.norm_, lambda: brought.flags):
        with pytest.raises(ValueError, match="memory zone"):
            use()
    with vocab.memory_zone(), pytest.raises(ValueError, match="memory zone"):
        vocab["another"]
        _ = brought.text


def test_a_vocabulary_survives_pickling():
    vocab = Vocab(lexicon=Lexicon(lang="eo", norms={"k": "kaj"}))
    vocab.strings.add("saluton")
    copied = pickle.loads(pickle.dumps(vocab))
    assert copied.lang == "eo" and copied["k"].norm_ == "kaj" and "saluton" in copied.strings
