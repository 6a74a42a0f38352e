"""A token's place in the dependency tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ferrule import attrs

if TYPE_CHECKING:
    from ferrule.tokens.doc import Doc
    from ferrule.tokens.token import Token


class TokenTree:
    """The part of `Token` that walks the tree: a document, a position, and where heads lead from there."""

    __slots__ = ("doc", "i")

    doc: Doc
    i: int

    def has_dep(self) -> bool:
        """Whether a dependency label is set."""
        return self.doc._get(attrs.DEP, self.i) != 0

    def has_head(self) -> bool:
        """Whether a head is set, which is where a dependency label is."""
        return self.doc._get(attrs.DEP, self.i) != 0

    @property
    def head(self) -> Token:
        """The syntactic parent; the token itself for a root, and, as in spaCy, without a dependency label."""
        return self.doc[self.doc._head(self.i) if self.has_head() else self.i]

    @head.setter
    def head(self, new_head: Token) -> None:
        if not isinstance(new_head, TokenTree):
            raise TypeError(f"token.head: expected Token, found {type(new_head).__name__}")
        if new_head.doc is not self.doc:
            raise ValueError("token.head: the head is from another document; it must be from the token's own")
        self.doc._set(attrs.HEAD, self.i, (new_head.i - self.i) % 2**64)

    def _tokens(self, positions: list[int]) -> Iterator[Token]:
        return (self.doc[i] for i in positions)

    @property
    def children(self) -> Iterator[Token]:
        """The token's immediate children, in order."""
        return self._tokens(self.doc._children(self.i))

    @property
    def lefts(self) -> Iterator[Token]:
        """Children before the token, in order."""
        return self._tokens([i for i in self.doc._children(self.i) if i < self.i])

    @property
    def rights(self) -> Iterator[Token]:
        """Children behind the token, in order."""
        return self._tokens([i for i in self.doc._children(self.i) if i > self.i])

    @property
    def n_lefts(self) -> int:
        """Number of children before the token."""
        return sum(i < self.i for i in self.doc._children(self.i))

    @property
    def n_rights(self) -> int:
        """Number of children behind the token."""
        return sum(i > self.i for i in self.doc._children(self.i))

    @property
    def subtree(self) -> Iterator[Token]:
        """The token and everything below it, in order."""
        return self._tokens(self.doc._subtree(self.i))

    @property
    def left_edge(self) -> Token:
        """The leftmost token of the subtree."""
        return self.doc[self.doc._edges(self.i)[0]]

    @property
    def right_edge(self) -> Token:
        """The rightmost token of the subtree."""
        return self.doc[self.doc._edges(self.i)[1]]

    @property
    def ancestors(self) -> Iterator[Token]:
        """The token's head, the head's head, and so on to the root."""
        below, position = self.i, self.doc._head(self.i)
        while position != below:
            yield self.doc[position]
            below, position = position, self.doc._head(position)

    def is_ancestor(self, descendant: TokenTree) -> bool:
        """Whether this token is above `descendant` in the same tree."""
        return descendant.doc is self.doc and any(token.i == self.i for token in descendant.ancestors)

    @property
    def conjuncts(self) -> tuple[Token, ...]:
        """The tokens coordinated with this one, itself not included, nearest to the first conjunct first."""
        first = self.doc[self.i]
        while first.dep_ == "conj" and first.head.i != first.i:
            first = first.head
        found = [first]
        for token in found:
            found.extend(child for child in token.rights if child.dep_ == "conj")
        return tuple(token for token in found if token.i != self.i)
