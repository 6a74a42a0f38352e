"""`Language()` itself, of no language, cuts texts as spaCy's does."""

from __future__ import annotations

import pytest
import spacy.language

from ferrule.language import Language

TEXTS = [
    "Hello, world! (It's 3.5km.) e.g. U.S.A. don't http://x.com/a?b=1 foo@bar.com",
    "$100-200 «quoted» a/b x--y It costs 5€. :-) C'est ça… „Na“ ... 12:30, 3.14",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_pipeline_of_no_language_has_the_rules_of_any(text: str) -> None:
    expected = [(token.text, token.norm_) for token in spacy.language.Language()(text)]
    assert [(token.text, token.norm_) for token in Language()(text)] == expected


def test_a_language_of_ones_own_inherits_them() -> None:
    class Custom(Language):
        class Defaults(Language.Defaults):
            stop_words = frozenset({"foo"})

    doc = Custom()("(Foo, bar)")
    assert [token.text for token in doc] == ["(", "Foo", ",", "bar", ")"]
    assert doc[1].is_stop
