"""A span: a slice of a document, with an optional label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from ferrule.tokens.arrays import is_single
from ferrule.tokens.similarity import cosine_similarity
from ferrule.tokens.token import Token, make_token
from ferrule.tokens.underscore import ExtensionMethods, Underscore

if TYPE_CHECKING:
    from ferrule.tokens.doc import Doc
    from ferrule.vocab import Vocab

__all__ = ["Span"]


class _StringOf:
    """The string of the id in another field of the span; setting it adds the string to the vocabulary."""

    def __init__(self, field: str, doc: str):
        self.field = field
        self.__doc__ = doc

    def __get__(self, span: Span | None, owner: type) -> Any:
        if span is None:
            return self
        return span.doc.vocab.strings[getattr(span, self.field)]

    def __set__(self, span: Span, value: str) -> None:
        setattr(span, self.field, span.doc.vocab.strings.add(value))


class Span(ExtensionMethods):
    """Tokens `start` to `end` (not included) of a document.

    Spans are equal where document, offsets, label, kb_id and id are; they are ordered by the last five.

    >>> from ferrule.tokens import Doc
    >>> from ferrule.vocab import Vocab
    >>> doc = Doc(Vocab(), words=["I", "like", "New", "York"])
    >>> span = Span(doc, 2, 4, label="GPE")
    >>> span.text, span.label_, span.start_char, len(span)
    ('New York', 'GPE', 7, 2)
    """

    __slots__ = ("_vector", "_vector_norm", "doc", "end", "id", "kb_id", "label", "start")

    doc: Doc
    start: int
    end: int
    label: int
    kb_id: int
    id: int

    def __init__(
        self,
        doc: Doc,
        start: int,
        end: int,
        label: str | int = 0,
        vector: np.ndarray | None = None,
        vector_norm: float | None = None,
        kb_id: str | int = 0,
        span_id: str | int = 0,
    ):
        """Label, kb_id and span_id are strings, which the vocabulary then keeps, or their ids.

        IndexError where start and end are no range of the document.
        """
        if not 0 <= start <= end <= len(doc):
            raise IndexError(
                f"Span: tokens {start} to {end} are no range of the document, which has {len(doc)} tokens"
            )
        self.doc = doc
        self.start = start
        self.end = end
        self.label = _string_id(doc, "label", label)
        self.kb_id = _string_id(doc, "kb_id", kb_id)
        self.id = _string_id(doc, "span_id", span_id)
        self._vector = vector
        self._vector_norm = vector_norm

    label_ = _StringOf("label", "The label.")
    kb_id_ = _StringOf("kb_id", "The knowledge base id.")
    id_ = _StringOf("id", "The span's id.")

    @property
    def ent_id(self) -> int:
        """Id of the entity id of the span's root token."""
        return self.root.ent_id

    @property
    def ent_id_(self) -> str:
        """The entity id of the span's root token."""
        return self.root.ent_id_

    # --- text ---
    @property
    def vocab(self) -> Vocab:
        """The document's vocabulary."""
        return self.doc.vocab

    @property
    def text(self) -> str:
        """The text, without a space behind it."""
        return self.doc._text(self.start, self.end, False)

    @property
    def text_with_ws(self) -> str:
        """The text, with the space behind it if there is one."""
        return self.doc._text(self.start, self.end, True)

    @property
    def orth_(self) -> str:
        """The same as `text`."""
        return self.text

    @property
    def lemma_(self) -> str:
        """The tokens' lemmas with the text's spaces, without outer whitespace."""
        return "".join(token.lemma_ + token.whitespace_ for token in self).strip()

    @property
    def start_char(self) -> int:
        """Offset of the first character in the text."""
        if self.start == len(self.doc):
            return len(self.doc.text)
        return self.doc._char_range(self.start)[0]

    @property
    def end_char(self) -> int:
        """Offset behind the last character in the text."""
        return self.doc._char_range(self.end - 1)[1] if self.end > self.start else self.start_char

    def char_span(
        self,
        start_idx: int,
        end_idx: int,
        label: str | int = 0,
        kb_id: str | int = 0,
        vector: np.ndarray | None = None,
        alignment_mode: str = "strict",
        span_id: str | int = 0,
    ) -> Span | None:
        """The span from character `start_idx` to `end_idx` of this span's text; see `Doc.char_span`."""
        offset = self.start_char
        return self.doc.char_span(
            start_idx + offset,
            end_idx + offset,
            label=label,
            kb_id=kb_id,
            vector=vector,
            alignment_mode=alignment_mode,
            span_id=span_id,
        )

    # --- tokens ---
    def __len__(self) -> int:
        return self.end - self.start

    def __iter__(self) -> Iterator[Token]:
        doc = self.doc
        return (make_token(doc, i) for i in range(self.start, self.end))

    @overload
    def __getitem__(self, key: int) -> Token: ...
    @overload
    def __getitem__(self, key: slice) -> Span: ...
    def __getitem__(self, key: int | slice) -> Token | Span:
        if isinstance(key, slice):
            start, end = slice_range(key, len(self))
            return Span(self.doc, self.start + start, self.start + end)
        position = int(key.__index__())
        position += len(self) if position < 0 else 0
        if not 0 <= position < len(self):
            raise IndexError(f"token {key} is outside the span, which has {len(self)} tokens")
        return make_token(self.doc, self.start + position)

    def to_array(self, py_attr_ids: Any) -> np.ndarray:
        """Attribute rows of the span's tokens, as `Doc.to_array`, but a list of one gives a column too."""
        rows = self.doc.to_array(py_attr_ids)[self.start : self.end]
        return rows[:, None] if rows.ndim == 1 and not is_single(py_attr_ids) else rows

    def as_doc(self, *, copy_user_data: bool = False, array_head: Any = None, array: Any = None) -> Doc:
        """A document of its own with a copy of the span's tokens, annotation and (if asked for) user data.

        A head outside the span becomes the token's nearest ancestor inside it, else the token is a root.
        `array_head` and `array`, attributes and rows to use in place of the tokens' own, are spaCy's.
        """
        from ferrule.tokens.doc_parts import span_as_doc

        return span_as_doc(self, copy_user_data=copy_user_data, array_head=array_head, array=array)

    @property
    def ents(self) -> list[Span]:
        """The document's entities that lie in the span."""
        return [ent for ent in self.doc.ents if ent.start >= self.start and ent.end <= self.end]

    @property
    def sent(self) -> Span:
        """The sentence that the span starts in; ValueError where boundaries are unset."""
        hook = self.doc.user_span_hooks.get("sent") or self.doc.user_hooks.get("sent")
        if hook:
            return hook(self)
        for sent in self.doc.sents:
            if sent.start <= self.start < sent.end or sent.end == len(self.doc):
                return sent
        return self

    @property
    def sents(self) -> Iterator[Span]:
        """The sentences that the span touches."""
        hook = self.doc.user_span_hooks.get("sents")
        if hook:
            yield from hook(self)
            return
        for sent in self.doc.sents:
            is_last = sent.end == len(self.doc)
            if sent.start < max(self.end, self.start + 1) and (self.start < sent.end or is_last):
                yield sent

    @property
    def noun_chunks(self) -> Iterator[Span]:
        """The document's noun chunks that lie in the span."""
        return (
            chunk for chunk in self.doc.noun_chunks if self.start <= chunk.start and chunk.end <= self.end
        )

    # --- dependency tree ---
    @property
    def root(self) -> Token:
        """The first token that is its own head, else the one nearest to its tree's root."""
        hook = self.doc.user_span_hooks.get("root") or self.doc.user_hooks.get("root")
        if hook:
            return hook(self)
        if self.start == self.end:
            return self.doc[self.start]
        heads = [self.doc._head(i) for i in range(self.start, self.end)]
        for i, head in zip(range(self.start, self.end), heads, strict=True):
            if head == i:
                return self.doc[i]
        # As in spaCy, punctuation and whitespace stand back; of nothing else the first token is the root.
        words = [token for token in self if not (token.is_punct or token.is_space)]
        depths = [(sum(1 for _ in token.ancestors), token.i) for token in words]
        return self.doc[min(depths)[1] if depths else self.start]

    @property
    def conjuncts(self) -> tuple[Token, ...]:
        """The tokens coordinated with the span's root."""
        return self.root.conjuncts

    @property
    def lefts(self) -> Iterator[Token]:
        """Tokens before the span whose heads are in it."""
        # As in spaCy, those of the span's last token come first.
        return (left for token in reversed(list(self)) for left in token.lefts if left.i < self.start)

    @property
    def rights(self) -> Iterator[Token]:
        """Tokens behind the span whose heads are in it."""
        return (right for token in self for right in token.rights if right.i >= self.end)

    @property
    def n_lefts(self) -> int:
        """Number of `lefts`."""
        return sum(1 for _ in self.lefts)

    @property
    def n_rights(self) -> int:
        """Number of `rights`."""
        return sum(1 for _ in self.rights)

    @property
    def subtree(self) -> Iterator[Token]:
        """Tokens in the span and everything below them: `lefts`' subtrees, the span, `rights`' subtrees."""
        for token in self.lefts:
            yield from token.subtree
        yield from self
        for token in self.rights:
            yield from token.subtree

    def get_lca_matrix(self) -> np.ndarray:
        """Lowest common ancestors, int32 (len, len), positions in the span; -1 for none in it."""
        from ferrule.tokens.ancestors import common_ancestors

        return common_ancestors(self.doc, self.start, self.end)

    # --- vectors ---
    @property
    def has_vector(self) -> bool:
        """Whether some token has a vector."""
        hook = self.doc.user_span_hooks.get("has_vector")
        if hook:
            return hook(self)
        if self.vocab.vectors_length:
            return any(token.has_vector for token in self)
        return bool(self.doc.tensor.size)

    @property
    def vector(self) -> np.ndarray:
        """Mean of the tokens' vectors, float32 (width,); zeros for an empty span."""
        hook = self.doc.user_span_hooks.get("vector")
        if hook:
            return hook(self)
        if self._vector is None:
            if not len(self) or not (self.vocab.vectors_length or self.doc.tensor.size):
                self._vector = np.zeros(self.vocab.vectors_length, dtype="f")
            else:
                self._vector = np.mean([token.vector for token in self], axis=0)
        return self._vector

    @property
    def vector_norm(self) -> float:
        """Euclidean length of the vector."""
        hook = self.doc.user_span_hooks.get("vector_norm")
        if hook:
            return hook(self)
        if self._vector_norm is None:
            self._vector_norm = float(np.linalg.norm(self.vector))
        return self._vector_norm

    @property
    def tensor(self) -> np.ndarray:
        """The span's rows of `doc.tensor`; empty where the document has none."""
        return self.doc.tensor[self.start : self.end]

    @property
    def sentiment(self) -> float:
        """Mean of the tokens' sentiments (or what the user hook says)."""
        hook = self.doc.user_span_hooks.get("sentiment")
        if hook:
            return hook(self)
        return sum(token.sentiment for token in self) / len(self) if len(self) else 0.0

    def similarity(self, other: Any) -> float:
        """Cosine of the two vectors, 0.0 where either is zero; `other` is a Doc, Span, Token or Lexeme."""
        hook = self.doc.user_span_hooks.get("similarity")
        return hook(self, other) if hook else cosine_similarity(self, other)

    # --- as an object ---
    @property
    def _(self) -> Underscore:
        """The extension attributes."""
        return Underscore(Underscore.span_extensions, self, start=self.start_char, end=self.end_char)

    def __repr__(self) -> str:
        return self.text

    def __reduce__(self) -> Any:
        raise NotImplementedError("a Span is a view and cannot be pickled; pickle its Doc, or span.as_doc()")

    def _order(self) -> tuple[int, int, int, int, int]:
        return (self.start_char, self.end_char, self.label, self.kb_id, self.id)

    def __hash__(self) -> int:
        return hash((self.doc, *self._order()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Span) and self.doc is other.doc and self._order() == other._order()

    def __lt__(self, other: object) -> bool:
        return self._order() < other._order() if isinstance(other, Span) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self._order() <= other._order() if isinstance(other, Span) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self._order() > other._order() if isinstance(other, Span) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self._order() >= other._order() if isinstance(other, Span) else NotImplemented


def slice_range(key: slice, length: int) -> tuple[int, int]:
    """Start and end of a slice of something `length` long, as lists cut it; steps are refused."""
    start, end, step = key.indices(length)
    if step != 1:
        raise ValueError("a span has no gaps, so slices take no step; use list(doc)[start:end:step]")
    return start, max(start, end)


def _string_id(doc: Doc, what: str, value: str | int) -> int:
    if isinstance(value, str):
        return doc.vocab.strings.add(value)
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"Span: {what} is of type {type(value).__name__}; expected a string or the id of one")
    return int(value.__index__())
