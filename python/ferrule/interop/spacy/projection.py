"""Scores of one tokenisation of a text, carried over to another by characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["action_probabilities", "overlaps", "project_actions", "project_rows", "token_bounds"]

Float32 = npt.NDArray[np.float32]
Bounds = npt.NDArray[np.int64]


def token_bounds(doc: Any) -> Bounds:
    """First character and the one behind the last of each token: int64 (n_tokens, 2)."""
    bounds = [(token.idx, token.idx + len(token)) for token in doc]
    return np.array(bounds, dtype=np.int64).reshape(len(doc), 2)


def overlaps(to: Bounds, source: Bounds) -> Float32:
    """The share of each token of `to` that each token of `source` covers: float32, rows sum to 1.

    A token that nothing covers, which only white space can be, belongs to the token before it, or else to the
    first one.

    >>> overlaps(np.array([[0, 4]]), np.array([[0, 1], [1, 4]])).tolist()
    [[0.25, 0.75]]
    """
    first = np.maximum(to[:, None, 0], source[None, :, 0])
    last = np.minimum(to[:, None, 1], source[None, :, 1])
    shared = np.maximum(last - first, 0).astype(np.float32)
    for row in np.flatnonzero(shared.sum(axis=1) == 0):
        before = int(np.searchsorted(source[:, 0], to[row, 0], side="right")) - 1
        shared[row, max(before, 0)] = 1.0
    totals: Float32 = shared / shared.sum(axis=1, keepdims=True)
    return totals


def project_rows(rows: Float32, to: Bounds, source: Bounds) -> Float32:
    """Each token's row: the mean of the rows of the tokens that share characters with it, by their number."""
    if np.array_equal(to, source):
        return rows
    projected: Float32 = overlaps(to, source) @ rows
    return projected


def project_actions(
    scores: Float32,
    names: Sequence[str],
    entities: Sequence[tuple[int, int]],
    to: Bounds,
    source: Bounds,
) -> Float32:
    """Scores of an entity recognizer's actions (``"B-PER"``, ``"O"``) for tokens they were not made for.

    scores: logits, a row a token of `source` and a column for each of `names`. entities: those it decided on,
    first character and the one behind the last. A token is in an entity where it shares a character
    with it; its place there (B, I, L or U) is that among the tokens of `to`. The probability of each label
    goes to the action of that label at that place. Returns logarithms of probabilities.
    """
    if np.array_equal(to, source):
        return scores
    probabilities = project_rows(action_probabilities(scores), to, source)
    letters = _letters(entities, to)
    columns = {name: column for column, name in enumerate(names)}
    labels = [name.partition("-")[2] for name in names]
    for row, letter in enumerate(letters):
        if letter == "O":
            continue
        moved = np.zeros(len(names), dtype=np.float32)
        for column, label in enumerate(labels):
            target = columns.get(f"{letter}-{label}", column) if label else column
            moved[target] += probabilities[row, column]
        probabilities[row] = moved
    logarithms: Float32 = np.log(np.maximum(probabilities, 1e-7))
    return logarithms


def action_probabilities(scores: Float32) -> Float32:
    """The softmax of each row."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
    probabilities: Float32 = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return probabilities


def _letters(entities: Sequence[tuple[int, int]], to: Bounds) -> list[str]:
    """The place of each token in an entity: B, I, L, U, or O for none."""
    letters = ["O"] * len(to)
    for start, end in entities:
        inside = [row for row in np.flatnonzero((to[:, 0] < end) & (to[:, 1] > start)) if letters[row] == "O"]
        for number, row in enumerate(inside):
            is_first, is_last = number == 0, number == len(inside) - 1
            letters[row] = "U" if is_first and is_last else "B" if is_first else "L" if is_last else "I"
    return letters
