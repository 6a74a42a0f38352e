"""Vocabularies, vectors and lookups: files and bytes in spaCy's format, both ways."""

from __future__ import annotations

import numpy as np
import pytest
import spacy
from spacy.lookups import Lookups as TheirLookups
from spacy.vectors import Vectors as TheirVectors
from spacy.vocab import Vocab as TheirVocab

from ferrule.lookups import Lookups, Table
from ferrule.vectors import Vectors
from ferrule.vocab import Vocab

DATA = np.arange(12, dtype="float32").reshape(3, 4)
FLORET = {"mode": "floret", "minn": 2, "maxn": 3, "hash_count": 2, "hash_seed": 7}
WORDS = ["hello", "ä", "a much longer word than sixteen bytes", "日本語"]


def filled(vocab):
    vocab.strings.add("kept")
    vocab.set_vector("cat", np.ones(5, dtype="float32"))
    vocab.lookups.add_table("lexeme_norm", {"cos": "because"})
    return vocab


def same(ours, theirs) -> bool:
    tables = {name: dict(ours.lookups.get_table(name)) for name in ours.lookups.tables}
    return (
        sorted(ours.strings.keys()) == sorted(theirs.strings)
        and np.array_equal(ours.vectors.data, theirs.vectors.data)
        and ours.vectors.key2row == dict(theirs.vectors.key2row)
        and tables == {name: dict(theirs.lookups.get_table(name)) for name in theirs.lookups.tables}
    )


def test_vocabularies_go_to_spacy_and_come_back(tmp_path):
    ours, theirs = filled(Vocab()), spacy.vocab.Vocab()
    theirs.from_bytes(ours.to_bytes())
    assert same(ours, theirs)
    assert same(Vocab().from_bytes(theirs.to_bytes()), theirs)
    theirs.to_disk(tmp_path / "theirs")
    ours = Vocab().from_disk(tmp_path / "theirs")
    assert same(ours, theirs) and ours["cos"].norm_ == "because"
    ours.to_disk(tmp_path / "ours")
    assert same(ours, spacy.vocab.Vocab().from_disk(tmp_path / "ours"))


def test_a_vocabulary_that_cannot_be_loaded_changes_nothing(tmp_path):
    vocab = filled(Vocab())
    before = vocab.to_bytes()
    vocab.to_disk(tmp_path)
    (tmp_path / "lookups.bin").write_bytes(b"\xc1")
    (tmp_path / "strings.json").write_text('["new"]')
    with pytest.raises(ValueError, match="Lookups"):
        vocab.from_disk(tmp_path)
    assert vocab.to_bytes() == before


def test_vectors_go_to_spacy_and_come_back(tmp_path):
    ours = Vectors(data=DATA, keys=["a", "b"])
    theirs = TheirVectors().from_bytes(ours.to_bytes())
    assert np.array_equal(theirs["b"], ours["b"]) and list(theirs.keys()) == list(ours.keys())
    theirs.to_disk(tmp_path)
    ours = Vectors().from_disk(tmp_path)
    assert np.array_equal(ours.data, DATA) and ours["a"].tolist() == [0, 1, 2, 3] and not ours.is_full
    assert Vectors().from_bytes(theirs.to_bytes()).key2row == ours.key2row


def test_floret_vectors_equal_spacys():
    data = np.random.default_rng(0).random((50, 5)).astype("float32")
    ours, theirs = Vectors(data=data, **FLORET), TheirVectors(data=data, **FLORET)
    for word in WORDS:
        np.testing.assert_allclose(ours[word], theirs[word], rtol=1e-6)
    loaded = Vectors().from_bytes(theirs.to_bytes())
    assert np.array_equal(loaded["hello"], ours["hello"]) and (loaded.mode, loaded.hash_seed) == ("floret", 7)
    with pytest.raises(ValueError, match="floret"):
        ours.find(key="hello")
    with pytest.raises(ValueError, match="hash_count"):
        Vectors(data=data, **{**FLORET, "hash_count": 5})


def test_rows_are_found_shared_and_refused_when_full():
    ours, theirs = Vectors(data=DATA, keys=["a", "b"]), TheirVectors(data=DATA, keys=["a", "b"])
    for vectors in (ours, theirs):
        vectors.add("c", row=0)
    assert ours.find(key="c") == theirs.find(key="c") == 0
    assert ours.find(keys=["a", "none"]).tolist() == theirs.find(keys=["a", "none"]).tolist() == [0, -1]
    assert ours.is_full and theirs.is_full  # the third row is nobody's, and yet taken
    for vectors in (ours, theirs):
        vectors.resize((4, 4))
        assert not vectors.is_full
        assert vectors.add("d", vector=np.ones(4, dtype="float32")) == 2
        assert vectors.add("f", vector=np.zeros(4, dtype="float32")) == 3 and vectors.is_full
    with pytest.raises(ValueError, match="resize"):
        ours.add("e")
    with pytest.raises(ValueError, match="from 0 to 3"):
        ours.add("e", row=4)
    assert ours.get_batch(["none", "d"]).tolist() == [[0] * 4, [1] * 4]
    with pytest.raises(KeyError, match="none"):
        ours["none"]


def test_tables_are_equal_where_keys_and_rows_are():
    for kind in (Vectors, TheirVectors):
        tables = [kind(data=DATA.copy(), keys=["a", "b"]) for _ in range(3)]
        tables[2].data[0] += 1
        assert tables[0] == tables[1] and tables[0] != tables[2]


def test_a_vocabulary_of_strings_has_their_lexemes():
    for kind in (Vocab, TheirVocab):
        assert sorted(lexeme.text for lexeme in kind(strings=["pear", "fig"])) == ["fig", "pear"]


def test_nearest_vectors_equal_spacys():
    data = np.random.default_rng(1).standard_normal((20, 6)).astype("float32")
    keys = [f"w{row}" for row in range(20)]
    ours, theirs = Vectors(data=data, keys=keys), TheirVectors(data=data, keys=keys)
    for mine, other in zip(ours.most_similar(data[:5], n=3), theirs.most_similar(data[:5], n=3), strict=True):
        np.testing.assert_allclose(mine.astype(float), other.astype(float), atol=1e-4)


def test_forged_rows_are_refused():
    forged = TheirVectors(data=DATA, keys=["a"])
    forged.key2row[1] = 7
    with pytest.raises(ValueError, match="row 7"):
        Vectors().from_bytes(forged.to_bytes())


def test_lookups_go_to_spacy_and_come_back(tmp_path):
    ours = Lookups()
    ours.add_table("lemmas", {"went": "go", "feet": ["foot"]})
    assert TheirLookups().from_bytes(ours.to_bytes()).get_table("lemmas")["went"] == "go"
    assert Lookups().from_bytes(ours.to_bytes()) == ours
    ours.to_disk(tmp_path)
    assert Lookups().from_disk(tmp_path) == ours and Lookups().from_disk(tmp_path / "nowhere").tables == []
    assert spacy.lookups.Table().from_bytes(ours.get_table("lemmas").to_bytes())["feet"] == ["foot"]
    assert Table().from_bytes(ours.get_table("lemmas").to_bytes()) == ours.get_table("lemmas")
    with pytest.raises(ValueError, match="already"):
        ours.add_table("lemmas")
    with pytest.raises(KeyError, match="no table 'nouns'"):
        ours.get_table("nouns")
