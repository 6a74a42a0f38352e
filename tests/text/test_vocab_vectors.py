"""`vocab.prune_vectors`, `vocab.deduplicate_vectors` and `vocab.morphology` are spaCy's."""

from __future__ import annotations

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.vocab import Vocab as SpacyVocab

from ferrule.vectors import Vectors
from ferrule.vocab import Vocab

WORDS = [f"word{number}" for number in range(40)]


def filled(vocab):
    """A vocabulary of either library with vectors, some of them equal."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((len(WORDS), 8)).astype("float32")
    rows[30:] = rows[:10]
    for word, row in zip(WORDS, rows, strict=True):
        vocab.set_vector(word, row)
    return vocab


def test_pruning_maps_words_to_the_same_neighbours_as_spacy():
    ours, theirs = filled(Vocab()), filled(spacy.vocab.Vocab())
    remapped, expected = ours.prune_vectors(12), theirs.prune_vectors(12)
    assert ours.vectors.shape == theirs.vectors.shape == (12, 8)
    assert {word: near for word, (near, _) in remapped.items()} == {
        word: near for word, (near, _) in expected.items()
    }
    for word in WORDS:
        np.testing.assert_array_equal(ours.get_vector(word), theirs.get_vector(word))
    for word, (_, score) in expected.items():
        assert remapped[word][1] == pytest.approx(float(score), abs=2e-4)  # both round to four places


def test_more_probable_words_keep_their_vectors():
    vocab = filled(Vocab())
    vocab["word25"].prob = -1.0
    vocab.prune_vectors(1)
    assert {vocab.get_vector(word).tobytes() for word in WORDS} == {
        filled(Vocab()).get_vector("word25").tobytes()
    }


def test_equal_vectors_are_stored_once():
    ours, theirs = filled(Vocab()), filled(spacy.vocab.Vocab())
    ours.deduplicate_vectors()
    theirs.deduplicate_vectors()
    np.testing.assert_array_equal(ours.vectors.data, theirs.vectors.data)
    assert ours.vectors.key2row == theirs.vectors.key2row
    assert ours.vectors.shape == (30, 8)
    assert ours.vectors.is_full
    before = ours.vectors
    ours.deduplicate_vectors()
    assert ours.vectors is before


def test_what_cannot_be_pruned_is_refused_and_unchanged():
    vocab = filled(Vocab())
    for nr_row in (0, -1):
        with pytest.raises(ValueError, match="1 row or more"):
            vocab.prune_vectors(nr_row)
    assert vocab.vectors.shape == (100, 8)
    floret = Vectors(data=np.zeros((4, 2), dtype="float32"), mode="floret", minn=2, maxn=3)
    vocab.vectors = floret
    for change in (lambda: vocab.prune_vectors(2), vocab.deduplicate_vectors):
        with pytest.raises(ValueError, match="floret"):
            change()
    empty = Vocab()
    empty.deduplicate_vectors()
    assert len(empty.vectors) == 0


names = st.text("ABab", min_size=1, max_size=2)
features = st.dictionaries(names, st.lists(names, min_size=1, max_size=3).map(",".join), max_size=4)
THEIRS = spacy.vocab.Vocab()


@given(features)
def test_morphology_is_spacys(feats):
    ours = Vocab().morphology
    string = "|".join(f"{field}={values}" for field, values in feats.items())
    for given_as in (feats, string):
        # spaCy keeps a value that is given twice, we do not.
        unique = {field: ",".join(dict.fromkeys(values.split(","))) for field, values in feats.items()}
        assert ours.add(given_as) == THEIRS.morphology.add(unique)
        assert ours.get(ours.add(given_as)) == THEIRS.morphology.get(THEIRS.morphology.add(unique))
    normal = ours.normalize_features(feats)
    assert ours.feats_to_dict(normal) == THEIRS.morphology.feats_to_dict(normal)
    assert ours.add(ours.add(normal)) == ours.add(normal)


def test_features_that_are_none_are_refused():
    morphology = Vocab().morphology
    assert morphology.get(2**60) == ""
    assert morphology.dict_to_feats({}) == ""
    for bad, error in (("foo", ValueError), (3.5, TypeError), (2**60, KeyError)):
        with pytest.raises(error):
            morphology.add(bad)


def test_a_word_with_a_vector_has_its_row_as_rank():
    vocab, theirs = Vocab(), SpacyVocab()
    for row, word in enumerate(["cat", "dog"]):
        vocab.set_vector(word, np.ones(3, dtype="f"))
        theirs.set_vector(word, np.ones(3, dtype="f"))
        assert vocab[word].rank == theirs[word].rank == row
