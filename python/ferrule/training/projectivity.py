"""Dependency trees without crossing arcs: the pseudo-projective transformation.

Nivre and Nilsson, "Pseudo-projective dependency parsing", ACL 2005, with their "head" encoding: a lifted
arc's label becomes `label||label of the old head`.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["DELIMITER", "non_projective_arcs", "projectivize"]

DELIMITER = "||"


def projectivize(heads: Sequence[int], labels: Sequence[str]) -> tuple[list[int], list[str]]:
    """`(heads, labels)` of the tree after lifting arcs, shortest first, until no two cross; an arc
    that hangs from a root makes its token a root.

    `heads`: the position of each token's head; a root is its own head. The given lists are not changed.
    Behaviour: spaCy's `nonproj.projectivize`.

    >>> projectivize([2, 2, 2, 1], ["nsubj", "advmod", "ROOT", "obj"])
    ([2, 2, 2, 2], ['nsubj', 'advmod', 'ROOT', 'obj||advmod'])
    """
    new_heads = list(heads)
    while crossing := non_projective_arcs(new_heads):
        child = min(crossing, key=lambda token: (abs(token - new_heads[token]), token))
        head = new_heads[child]
        is_root = new_heads[head] == head
        new_heads[child] = child if is_root else new_heads[head]
    new_labels = [
        label if old == new else f"{label}{DELIMITER}{labels[old]}"
        for label, old, new in zip(labels, heads, new_heads, strict=True)
    ]
    return new_heads, new_labels


def non_projective_arcs(heads: Sequence[int]) -> list[int]:
    """The tokens whose arc to their head passes over a token that does not descend from that head."""
    return [token for token, head in enumerate(heads) if head != token and _is_crossed(token, heads)]


def _is_crossed(token: int, heads: Sequence[int]) -> bool:
    head = heads[token]
    low, high = sorted((token, head))
    return any(not _descends(between, head, heads) for between in range(low + 1, high))


def _descends(token: int, ancestor: int, heads: Sequence[int]) -> bool:
    for _ in range(len(heads)):  # a cycle must not keep us here
        if token == ancestor:
            return True
        if heads[token] == token:
            return False
        token = heads[token]
    return False
