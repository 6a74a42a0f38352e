"""Languages other than English: what `ferrule.blank(code)` gives, and what it says where it gives nothing."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import spacy
from spacy.util import get_lang_class

import ferrule
from ferrule.attrs import IS_STOP
from ferrule.errors import ConfigError
from ferrule.lang.others import SERVED, UNSEGMENTED
from ferrule.registry import registry
from ferrule.tokens import Doc

# Those spaCy 3.8 has, of which two have data of their own here.
SPACYS = sorted(
    path.name for path in Path(spacy.__path__[0], "lang").iterdir() if (path / "__init__.py").is_file()
)


def test_every_language_of_spacy_is_known():
    assert {*SPACYS} == {"en", "xx"} | SERVED | UNSEGMENTED.keys()


@pytest.mark.parametrize("code", ["ar", "de", "el", "fa", "hi", "nb", "ti"])
def test_a_blank_pipeline_has_the_code_and_the_direction_of_writing(code: str):
    nlp = ferrule.blank(code)
    assert (nlp.lang, nlp.vocab.lang) == (code, code)
    assert nlp.vocab.writing_system == get_lang_class(code).Defaults.writing_system
    assert [token.text for token in nlp("Eins, zwei!")] == ["Eins", ",", "zwei", "!"]


def test_it_is_saved_and_pickled_under_its_code(tmp_path: Path):
    nlp = ferrule.blank("de")
    nlp.to_disk(tmp_path / "de")
    assert ferrule.load(tmp_path / "de").lang == "de"
    assert spacy.load(tmp_path / "de").lang == "de"
    assert pickle.loads(pickle.dumps(nlp)).lang == "de"


def test_numbers_in_digits_are_known_and_stop_words_can_be_given():
    nlp = ferrule.blank("de")
    assert [token.like_num for token in nlp("10 zehn 3,5")] == [True, False, True]
    assert not nlp.vocab["und"].is_stop
    nlp.vocab.add_flag(lambda word: word.lower() in {"und"}, flag_id=IS_STOP)
    assert [token.is_stop for token in nlp("Und Haus und")] == [True, False, True]


@pytest.mark.parametrize("code", sorted(UNSEGMENTED))
def test_a_language_without_spaces_names_the_ways_out(code: str):
    with pytest.raises(ConfigError, match=r"registry\.tokenizers.*\"xx\".*spacy\.Tokenizer\.v1"):
        ferrule.blank(code)
    nlp = ferrule.blank(code, config={"nlp": {"tokenizer": {"@tokenizers": "spacy.Tokenizer.v1"}}})
    assert nlp.lang == code


def test_a_saved_pipeline_of_such_a_language_says_the_same(tmp_path: Path):
    spacy.blank("zh").to_disk(tmp_path / "zh")
    with pytest.raises(ConfigError, match="no segmenter"):
        ferrule.load(tmp_path / "zh")


def test_it_takes_a_tokenizer_of_the_users():
    @registry.tokenizers("test.characters.v1")
    def create():
        return lambda nlp: lambda text: Doc(nlp.vocab, words=list(text), spaces=[False] * len(text))

    nlp = ferrule.blank("zh", config={"nlp": {"tokenizer": {"@tokenizers": "test.characters.v1"}}})
    assert [token.text for token in nlp("你好")] == ["你", "好"]
