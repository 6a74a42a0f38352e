"""Everyday spaCy code, run with spaCy and with Ferrule: the same values, and errors a caller would catch."""

from __future__ import annotations

import importlib
import random
import re

import pytest

from parity.everyday import SNIPPETS, Snippet, apples, library, outcome

for part in ("documents", "pipelines", "programs", "tokens", "training", "words"):
    importlib.import_module(f"parity.everyday_{part}")


@pytest.mark.parametrize("code", SNIPPETS, ids=lambda code: code.__name__)
def test_the_same_in_both(code: Snippet) -> None:
    (expected, their_error), (found, our_error) = outcome(code, "spacy"), outcome(code, "ferrule")
    assert isinstance(our_error, type(their_error)), (our_error, their_error)
    assert found == expected


# Where Ferrule does something else on purpose; docs/documents.md has the list.


def test_a_list_can_be_added_to_a_span_group() -> None:
    lib = library("ferrule")
    doc = apples(lib)
    group = lib.SpanGroup(doc, spans=[doc[0:1]])
    group += [doc[6:8]]
    assert [span.text for span in group] == ["She", "New York"]


def test_a_span_leaves_its_group() -> None:
    lib = library("ferrule")
    doc = apples(lib)
    group = lib.SpanGroup(doc, spans=[doc[0:1], doc[1:3], doc[0:3]])
    del group[0]
    assert [span.text for span in group] == ["bought two", "She bought two"]
    assert [span.text for span in group[:1]] == ["bought two"]


def test_an_error_while_tokens_are_merged_leaves_them() -> None:
    doc = apples(library("ferrule"))
    with pytest.raises(KeyError), doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
        raise KeyError
    assert len(doc) == 10


def test_an_entity_that_only_goes_on_begins_one() -> None:
    lib = library("ferrule")
    doc = lib.Doc(lib.Vocab(), words=["a", "b", "c"], ents=["B-P", "I-P", "I-Q"])
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("a b", "P"), ("c", "Q")]


def test_an_unknown_attribute_of_a_merge_is_refused() -> None:
    doc = apples(library("ferrule"))
    with pytest.raises(ValueError, match="'nope' is no attribute"), doc.retokenize() as retokenizer:
        retokenizer.merge(doc[6:8], attrs={"nope": 1})


def test_util_names_what_it_has() -> None:
    with pytest.raises(AttributeError, match=r"no 'nothing'.*minibatch"):
        _ = library("ferrule").util.nothing


def test_words_find_their_spaces_as_in_spacy() -> None:
    ours, theirs = (library(name).util.get_words_and_spaces for name in ("ferrule", "spacy"))
    rng = random.Random(0)
    n_made = 0
    for _ in range(2000):
        text = "".join(rng.choices("ab  \n\t", k=rng.randrange(8)))
        words = [word for word in re.split("(a|b)", text) if rng.random() < 0.9]
        try:
            expected = theirs(words, text)
        except ValueError:
            with pytest.raises(ValueError, match="get_words_and_spaces"):
                ours(words, text)
            continue
        assert ours(words, text) == expected
        n_made += 1
    assert n_made > 500
