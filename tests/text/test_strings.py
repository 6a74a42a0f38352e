"""The string store: ids equal spaCy's, and every string comes back."""

from __future__ import annotations

import pickle

import pytest
import spacy
import spacy.strings
import spacy.symbols
from hypothesis import given
from hypothesis import strategies as st

from ferrule import symbols
from ferrule.strings import StringStore, get_string_id, hash_string

texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(texts))
def test_ids_equal_spacys(strings):
    ours, theirs = StringStore(), spacy.strings.StringStore()
    assert [ours.add(string) for string in strings] == [theirs.add(string) for string in strings]
    assert [ours[string] for string in strings] == [theirs[string] for string in strings]
    assert ours.to_bytes().decode() == theirs.to_bytes()


def test_ids_of_a_vocabulary_equal_spacys():
    theirs = spacy.blank("en").vocab.strings
    ours = StringStore(theirs)
    assert len(ours) == len(theirs) > 1000
    assert all(ours.as_int(string) == theirs[string] for string in theirs)
    assert ours.to_bytes().decode() == theirs.to_bytes()


def test_symbols_equal_spacys():
    assert dict(spacy.symbols.IDS) == symbols.IDS
    store = StringStore()
    assert all(store[name] == symbol and store[symbol] == name for name, symbol in symbols.IDS.items())
    assert len(store) == 0


@given(st.lists(texts))
def test_every_string_comes_back(strings):
    store = StringStore(strings)
    assert [store[store[string]] for string in strings] == strings
    expected = [string for string in dict.fromkeys(strings) if string not in symbols.IDS]
    assert list(store) == store.keys() == expected
    assert store.items() == list(zip(store.keys(), store.values(), strict=True))


@given(st.lists(texts))
def test_bytes_and_pickle_round_trip(strings):
    store = StringStore(strings)
    assert StringStore().from_bytes(store.to_bytes()) == store
    assert pickle.loads(pickle.dumps(store)) == store


def test_disk_round_trip_is_spacys_file(tmp_path):
    strings = ["b", "a", "ä", "NOUN", "\n"]
    StringStore(strings).to_disk(tmp_path / "ours.json")
    spacy.strings.StringStore(strings).to_disk(tmp_path / "theirs.json")
    assert (tmp_path / "ours.json").read_bytes() == (tmp_path / "theirs.json").read_bytes()
    assert StringStore().from_disk(tmp_path / "theirs.json").keys() == sorted(set(strings) - {"NOUN"})


def test_a_lone_surrogate_is_refused():
    for call in (StringStore().add, StringStore().__getitem__, StringStore().__contains__):
        with pytest.raises(ValueError, match="lone surrogate at character 1"):
            call("a\ud800")


@pytest.mark.parametrize("key", [None, 1.5, ["a"]])
def test_keys_of_other_types_are_refused(key):
    with pytest.raises(TypeError, match="expected"):
        StringStore()[key]
    with pytest.raises(TypeError, match="expected a str"):
        StringStore().add(key)


def test_an_unknown_id_is_a_key_error_and_an_unknown_string_is_not_stored():
    store = StringStore()
    with pytest.raises(KeyError, match="12345"):
        store[12345]
    with pytest.raises(KeyError, match="between 0"):
        store[-1]
    assert store["never added"] == hash_string("never added")
    assert "never added" not in store
    assert len(store) == 0


def test_membership_and_conversions_are_spacys():
    store = StringStore(["abc"])
    assert "abc" in store and "" in store and "NOUN" in store and 92 in store and store["abc"] in store
    assert (store.as_string("foo"), store.as_int(5), get_string_id(5)) == ("foo", 5, 5)
    assert store[b"abc"] == store["abc"] == store.add(b"abc")


def test_bytes_that_are_no_list_of_strings_are_refused_and_change_nothing(tmp_path):
    store = StringStore(["kept"])
    for data in (b"\x80", b"{}", b'["new", 1]'):
        with pytest.raises(ValueError, match="expected a JSON list"):
            store.from_bytes(data)
    assert store.keys() == ["kept"]
    (tmp_path / "strings.json").write_text("nonsense")
    with pytest.raises(ValueError, match=r"strings\.json"):
        store.from_disk(tmp_path / "strings.json")


def test_a_memory_zone_lets_go_of_transient_strings_only():
    store = StringStore(["before"])
    with store.memory_zone():
        store.add("brought", allow_transient=True)
        store.add("kept")
        assert "brought" in store
    assert store.keys() == ["before", "kept"]
