"""Whatever a vocabulary, its tables or a tokenizer hold comes back from their bytes and pickles."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ferrule.lookups import Lookups, Table
from ferrule.strings import StringStore
from ferrule.tokenizer import Tokenizer
from ferrule.vectors import Vectors
from ferrule.vocab import Vocab

string = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
word = string.filter(bool)
value = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | string,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(string, inner, max_size=3),
    max_leaves=6,
)
tables = st.dictionaries(word, st.dictionaries(string, value, max_size=5), max_size=3)
# Tokens of a special case: it is cut at any places, and a part may have a norm of its own.
special_case = st.lists(st.tuples(word, st.none() | word), min_size=1, max_size=3)


def same_lookups(found: Lookups, tables: dict[str, dict[str, Any]]) -> bool:
    return {name: dict(found.get_table(name)) for name in found.tables} == {
        name: dict(Table.from_dict(table)) for name, table in tables.items()
    }


@given(tables)
@settings(deadline=None)
def test_lookups_come_back(tables: dict[str, dict[str, Any]]) -> None:
    lookups = Lookups()
    for name, table in tables.items():
        lookups.add_table(name, table)
    assert same_lookups(Lookups().from_bytes(lookups.to_bytes()), tables)
    for name, table in tables.items():
        assert all(key in lookups.get_table(name) for key in table)
        again = Table().from_bytes(lookups.get_table(name).to_bytes())
        assert again.name == name and dict(again) == dict(lookups.get_table(name))


@given(st.lists(string), tables, st.lists(word, max_size=5))
@settings(deadline=None, max_examples=50)
def test_vocabularies_come_back(strings: list[str], tables: dict[str, Any], words: list[str]) -> None:
    vocab = Vocab(strings=StringStore(strings))
    for name, table in tables.items():
        vocab.lookups.add_table(name, table)
    for each in words:
        vocab.set_vector(each, np.arange(3, dtype="f") + len(each))
    for again in (Vocab().from_bytes(vocab.to_bytes()), pickle.loads(pickle.dumps(vocab))):
        assert set(again.strings) == set(vocab.strings)
        assert same_lookups(again.lookups, tables)
        assert all((again.get_vector(each) == vocab.get_vector(each)).all() for each in words)
        assert all(again[each].orth_ == each for each in words)


@given(st.lists(word, unique=True, max_size=6), st.integers(1, 4), st.integers(0, 3), st.randoms())
@settings(deadline=None, max_examples=50)
def test_vectors_come_back(words: list[str], width: int, free: int, rng: Any) -> None:
    strings = StringStore(words)
    data = np.array([[rng.random() for _ in range(width)] for _ in words + [""] * free], dtype="f")
    vectors = Vectors(strings=strings, data=data.reshape(-1, width), keys=words)
    for again in (
        Vectors(strings=strings).from_bytes(vectors.to_bytes()),
        pickle.loads(pickle.dumps(vectors)),
    ):
        assert (again.data == vectors.data).all() and again.shape == vectors.shape
        assert dict(again.key2row) == dict(vectors.key2row)
        assert all((again[each] == vectors[each]).all() for each in words)


@given(st.lists(word, max_size=4), st.integers(1, 3), st.integers(1, 2), st.integers(0, 2**31))
@settings(deadline=None, max_examples=50)
def test_floret_vectors_come_back(words: list[str], width: int, hash_count: int, seed: int) -> None:
    data = np.random.default_rng(seed).random((20, width), dtype="f")
    settings_of_floret = {"mode": "floret", "minn": 2, "maxn": 3, "hash_count": hash_count, "hash_seed": seed}
    vectors = Vectors(strings=StringStore(), data=data, **settings_of_floret)
    again = Vectors(strings=StringStore()).from_bytes(vectors.to_bytes())
    assert again.mode == vectors.mode and (again.data == vectors.data).all()
    assert all((again[each] == vectors[each]).all() for each in words)


@given(st.lists(special_case, max_size=4), st.booleans(), string)
@settings(deadline=None, max_examples=50)
def test_tokenizers_come_back(cases: list[Any], faster_heuristics: bool, text: str) -> None:
    rules = {
        "".join(orth for orth, _ in case): [
            {"ORTH": orth} if norm is None else {"ORTH": orth, "NORM": norm} for orth, norm in case
        ]
        for case in cases
    }
    tokenizer = Tokenizer(
        Vocab(),
        rules,
        r"^[(]",
        r"[).]$",
        r"-|\.\.",
        r"\d+$",
        r"\w+\.\w+$",
        faster_heuristics=faster_heuristics,
    )
    sentence = " ".join([text, *rules, *(f"({case})." for case in rules)])
    for again in (Tokenizer(Vocab()).from_bytes(tokenizer.to_bytes()), pickle.loads(pickle.dumps(tokenizer))):
        assert again.rules == tokenizer.rules
        assert again.faster_heuristics == faster_heuristics
        assert again.explain(sentence) == tokenizer.explain(sentence)
        assert [(token.text, token.norm_) for token in again(sentence)] == [
            (token.text, token.norm_) for token in tokenizer(sentence)
        ]
