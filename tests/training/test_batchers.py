"""Batches of streams; spaCy's batchers are the oracle."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.training import batchers as spacy_batchers
from thinc.api import compounding

from ferrule.registry import registry
from ferrule.training import batchers

lengths = st.lists(st.integers(1, 30).map(lambda n: "x" * n), max_size=60)
sizes = st.one_of(st.integers(1, 40), st.lists(st.integers(1, 40), min_size=1, max_size=5))


def endless(size):
    """spaCy's batchers need an iterator that never ends."""
    return size if isinstance(size, int) else itertools.chain(size, itertools.repeat(size[-1]))


@given(lengths, sizes, st.sampled_from([0.0, 0.2, 0.5]), st.booleans())
def test_batches_by_words_equal_spacys(seqs, size, tolerance, discard):
    expected = spacy_batchers.minibatch_by_words(
        seqs, endless(size), tolerance=tolerance, discard_oversize=discard
    )
    assert list(batchers.minibatch_by_words(seqs, size, tolerance, discard)) == list(expected)


@given(lengths, sizes, st.integers(1, 70), st.booleans())
def test_batches_by_padded_size_equal_spacys(seqs, size, buffer, discard):
    expected = spacy_batchers.minibatch_by_padded_size(
        seqs, endless(size), buffer=buffer, discard_oversize=discard
    )
    assert list(batchers.minibatch_by_padded_size(seqs, size, buffer, discard)) == list(expected)


@given(st.lists(st.integers(), max_size=50), sizes)
def test_minibatch_keeps_every_item_in_order(items, size):
    batches = list(batchers.minibatch(items, size))
    assert list(itertools.chain.from_iterable(batches)) == items
    assert all(batches)


def test_a_generator_of_sizes_goes_on_across_calls():
    batcher = registry.get("batchers", "spacy.batch_by_sequence.v1")(size=compounding(1.0, 8.0, 2.0))
    assert [len(batch) for batch in batcher(range(7))] == [1, 2, 4]
    assert [len(batch) for batch in batcher(range(16))][-1] == 8


def test_a_function_of_the_step_is_a_size():
    assert [len(batch) for batch in batchers.minibatch(range(6), lambda step: step + 1)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("spacy.batch_by_words.v1", {"size": 10, "tolerance": 0.2, "discard_oversize": False}),
        ("spacy.batch_by_padded.v1", {"size": 10, "buffer": 8, "discard_oversize": False}),
        ("spacy.batch_by_sequence.v1", {"size": 10}),
    ],
)
def test_batchers_resolve_from_config_and_lose_nothing(name, settings):
    batcher = registry.resolve({"b": {"@batchers": name, **settings}})["b"]
    items = ["x" * n for n in (3, 9, 1, 20, 4)]
    assert sorted(itertools.chain.from_iterable(batcher(items)), key=len) == sorted(items, key=len)


def test_items_read_before_the_source_fails_are_delivered():
    def source():
        yield from "abc"
        raise RuntimeError("disk gone")

    batches = batchers.minibatch(source(), 2)
    assert next(batches) == ["a", "b"]
    assert next(batches) == ["c"]
    with pytest.raises(RuntimeError, match="disk gone"):
        next(batches)


@pytest.mark.parametrize("size", [0, -3, [2, 0]])
def test_a_size_below_one_is_refused(size):
    with pytest.raises(ValueError, match="at least 1"):
        list(batchers.minibatch(range(9), size))


@pytest.mark.parametrize("size", ["12", 2.5, None])
def test_a_size_of_the_wrong_type_is_refused(size):
    with pytest.raises(TypeError, match="a size must be"):
        list(batchers.minibatch(range(9), size))
