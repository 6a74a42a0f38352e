"""Lowest common ancestors in dependency trees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ferrule.tokens.doc import Doc


def common_ancestors(doc: Doc, start: int, end: int) -> np.ndarray:
    """Lowest common ancestors of the tokens in `start:end`, int32, relative to `start`; -1 for none there."""
    paths = []
    for i in range(start, end):
        path, head = [i], doc._head(i)
        while head != path[-1]:
            path.append(head)
            head = doc._head(head)
        paths.append(path)
    matrix = np.full((end - start, end - start), -1, dtype=np.int32)
    for row, path in enumerate(paths):
        for column in range(row, end - start):
            above = set(paths[column])
            common = next((i for i in path if i in above), None)
            if common is not None and start <= common < end:
                matrix[row, column] = matrix[column, row] = common - start
    return matrix
