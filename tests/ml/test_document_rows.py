"""Joining the documents of a batch into one block."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferrule.ml.rows import join_rows, split_rows


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(0, 3), st.integers(0, 2))
def test_splitting_and_joining_gives_the_block_back(lengths: list[int], width: int, before: int) -> None:
    owner = np.arange((sum(lengths) + before) * width, dtype="float32").reshape(-1, width or 1)
    owner = owner if width else np.zeros((sum(lengths) + before, 0), dtype="float32")
    block = owner[before:]
    joined = join_rows(split_rows(block, lengths))
    np.testing.assert_array_equal(joined, block)
    assert joined.flags.c_contiguous


def test_views_into_one_block_are_not_copied() -> None:
    block = np.zeros((5, 3), dtype="float32")
    assert np.shares_memory(join_rows(split_rows(block, [2, 0, 3])), block)


@pytest.mark.parametrize(
    "order",
    [[1, 0], [0, 2], [0, 0]],
    ids=["swapped", "with a gap", "repeated"],
)
def test_views_in_another_order_are_copied_right(order: list[int]) -> None:
    parts = split_rows(np.arange(18, dtype="float32").reshape(6, 3), [1, 2, 3])
    chosen = [parts[index] for index in order]
    np.testing.assert_array_equal(join_rows(chosen), np.concatenate(chosen))


def test_strided_views_are_copied_right() -> None:
    block = np.arange(24, dtype="float32").reshape(6, 4)
    parts = [block[:2, :3], block[2:, :3]]
    np.testing.assert_array_equal(join_rows(parts), block[:, :3])
    np.testing.assert_array_equal(join_rows([block[::2]]), block[::2])


def test_transposed_parts_are_put_in_order() -> None:
    parts = [np.asfortranarray(np.arange(6, dtype="float32").reshape(3, 2)) for _ in range(2)]
    joined = join_rows(parts)
    assert joined.flags.c_contiguous
    np.testing.assert_array_equal(joined, np.concatenate(parts))


def test_no_documents_are_refused() -> None:
    with pytest.raises(ValueError, match="no documents"):
        join_rows([])


def test_split_rows_join_without_a_copy_until_an_item_is_replaced() -> None:
    block = np.arange(12, dtype=np.float32).reshape(6, 2)
    parts = split_rows(block, [1, 0, 3])
    assert np.shares_memory(join_rows(parts), block)
    np.testing.assert_array_equal(join_rows(parts), block[:4])
    parts[0] = parts[0] * 10
    np.testing.assert_array_equal(join_rows(parts), np.concatenate(parts))
    parts.reverse()
    np.testing.assert_array_equal(join_rows(parts), np.concatenate(parts))


def test_copies_of_split_rows_are_joined_as_they_are() -> None:
    parts = copy.deepcopy(split_rows(np.zeros((3, 2)), [1, 2]))
    parts[1][:] = 5
    assert join_rows(parts).sum() == 20
    assert type(parts) is list
