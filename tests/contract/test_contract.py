"""Every built-in component, and components as users write them, keep the whole contract."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable

import pytest
from user_components import short_and_long_words

from ferrule.testing import BrokenContractError, Subject, check_pipe, parametrize_with_checks

NGRAMS = {"@architectures": "ferrule.TextCatNgrams.v1", "length": 4096}
BUILT_IN = [
    "tok2vec",
    "tagger",
    "textcat",
    Subject("textcat", config={"model": {**NGRAMS, "exclusive_classes": True}}),
    "textcat_multilabel",
    Subject("textcat_multilabel", config={"model": {**NGRAMS, "exclusive_classes": False}}),
    "ner",
]
USER = [Subject("word_length_tagger", examples=short_and_long_words), "numpy_counter"]
if importlib.util.find_spec("torch") is not None:
    importlib.import_module("torch_component")
    USER.append(Subject("torch_word_length", examples=short_and_long_words))


@parametrize_with_checks([*BUILT_IN, *USER])
def test_the_contract(check: Callable[[], None]) -> None:
    check()


def test_check_pipe_says_in_plain_words_what_is_broken() -> None:
    with pytest.raises(BrokenContractError) as caught:
        check_pipe("forgetful_counter")
    broken = {problem.check for problem in caught.value.problems}
    assert "predict_changes_nothing" in broken
    assert "update_adds_to_the_losses" in broken
    assert "bytes_bring_everything_back" in broken
    assert "says_what_it_is" not in broken
    assert "`predict` leaves documents as they are." in str(caught.value)
    assert "found: documents were changed" in str(caught.value)
