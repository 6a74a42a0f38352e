"""The document: a text as tokens, with everything that is known about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from ferrule._core import doc_entities, set_doc_entities
from ferrule.tokens import char_spans, construction
from ferrule.tokens.arrays import attribute_ids, has_values, read_array, utf8_array, write_array
from ferrule.tokens.doc_extras import DocExtras
from ferrule.tokens.doc_forms import DocForms
from ferrule.tokens.older_names import OlderNames
from ferrule.tokens.similarity import cosine_similarity
from ferrule.tokens.span import Span, slice_range
from ferrule.tokens.token import Token, make_token
from ferrule.tokens.underscore import ExtensionMethods

if TYPE_CHECKING:
    from ferrule.vocab import Vocab

__all__ = ["Doc"]


class Doc(DocExtras, DocForms, OlderNames, ExtensionMethods):
    """A sequence of tokens. Annotation is kept in columns; tokens and spans are views made when asked for.

    >>> from ferrule.vocab import Vocab
    >>> words, spaces = ["New", "York", "!"], [True, False, False]
    >>> doc = Doc(Vocab(), words, spaces, ents=["B-GPE", "I-GPE", "O"])
    >>> doc.text, len(doc), doc[-1], [(ent.text, ent.label_) for ent in doc.ents]
    ('New York!', 3, !, [('New York', 'GPE')])
    """

    __slots__ = ()

    def __init__(
        self,
        vocab: Vocab,
        words: Iterable[str | int] | None = None,
        spaces: Iterable[bool] | None = None,
        *,
        user_data: dict[Any, Any] | None = None,
        tags: Sequence[str | None] | None = None,
        pos: Sequence[str | None] | None = None,
        morphs: Sequence[str | None] | None = None,
        lemmas: Sequence[str | None] | None = None,
        heads: Sequence[int | None] | None = None,
        deps: Sequence[str | None] | None = None,
        sent_starts: Sequence[bool | int | None] | None = None,
        ents: Sequence[str | None] | None = None,
    ):
        """Lists have one entry a word, None where it is not known.

        words: strings, or ids of strings that the vocabulary knows; none is empty.
        spaces: whether a space follows; left out, one follows every word and `has_unknown_spaces` is set.
        heads: positions in the document, which must form trees. They need `deps`, and decide the sentences in
            place of `sent_starts`.
        ents: IOB tags.
        user_data: kept as it is.

        ValueError for unequal lengths, an empty word, cyclic or far heads, unknown `pos`, malformed `morphs`
        and `ents`; TypeError for what is no string.
        """
        if user_data is not None:
            self._user_data = user_data
        annotation = {
            "tags": tags,
            "pos": pos,
            "morphs": morphs,
            "lemmas": lemmas,
            "heads": heads,
            "deps": deps,
            "sent_starts": sent_starts,
            "ents": ents,
        }
        construction.fill(self, words, spaces, annotation)

    # --- text and tokens ---
    @property
    def doc(self) -> Doc:
        """The document itself, so that a Doc can stand where a Span does."""
        return self

    @property
    def text(self) -> str:
        """The text the document was made from, each character of it."""
        return self._text(0, len(self), True)

    @property
    def text_with_ws(self) -> str:
        """The same as `text`."""
        return self.text

    @property
    def lang(self) -> int:
        """Id of the vocabulary's language."""
        return self.vocab.strings.add(self.lang_)

    @property
    def lang_(self) -> str:
        """Language of the vocabulary."""
        return self.vocab.lang

    def __iter__(self) -> Iterator[Token]:
        return (make_token(self, i) for i in range(len(self)))

    @overload
    def __getitem__(self, key: int) -> Token: ...
    @overload
    def __getitem__(self, key: slice) -> Span: ...
    def __getitem__(self, key: int | slice) -> Token | Span:
        """The token at a position, negative from the end; a slice is a Span. IndexError outside."""
        n_tokens = len(self)
        if isinstance(key, slice):
            return Span(self, *slice_range(key, n_tokens))
        try:
            position = key.__index__()
        except AttributeError:
            raise TypeError(f"Doc: positions are int or slice, found {type(key).__name__}") from None
        position += n_tokens if position < 0 else 0
        if not 0 <= position < n_tokens:
            raise IndexError(f"token {key} is outside the document, which has {n_tokens} tokens")
        return make_token(self, position)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def __bytes__(self) -> bytes:
        return self.text.encode("utf8")

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
        """The span from character `start_idx` to `end_idx`, or None where it does not end at tokens' bounds.

        `alignment_mode` "contract" takes only whole tokens inside, "expand" every token touched.
        """
        found = char_spans.find(self, start_idx, end_idx, alignment_mode)
        if found is None:
            return None
        return Span(self, *found, label=label, vector=vector, kb_id=kb_id, span_id=span_id)

    # --- annotation ---
    @property
    def ents(self) -> tuple[Span, ...]:
        """The named entities in order; they do not overlap. Set them from spans or (label, start, end)."""
        hook = self.user_hooks.get("ents")
        if hook:
            return tuple(hook(self))
        return tuple(
            Span(self, start, end, label=label, kb_id=kb_id, span_id=ent_id)
            for start, end, label, kb_id, ent_id in doc_entities(self)
        )

    @ents.setter
    def ents(self, entities: Iterable[Any]) -> None:
        self.set_ents([self._entity(entity) for entity in entities], default="outside")

    def _entity(self, entity: Any) -> Span:
        if isinstance(entity, Span):
            return entity
        try:
            fields = tuple(entity)
        except TypeError:
            raise TypeError(f"doc.ents: expected Spans or tuples, found {type(entity).__name__}") from None
        if len(fields) == 3:
            return Span(self, fields[1], fields[2], label=fields[0])
        if len(fields) == 4:
            return Span(self, fields[2], fields[3], label=fields[0], kb_id=fields[1])
        if len(fields) == 5:
            return Span(self, fields[3], fields[4], label=fields[0], span_id=fields[1], kb_id=fields[2])
        raise ValueError(f"doc.ents: a tuple is (label, start, end), found one of {len(fields)} entries")

    def set_ents(
        self,
        entities: Iterable[Span],
        *,
        blocked: Iterable[Span] | None = None,
        missing: Iterable[Span] | None = None,
        outside: Iterable[Span] | None = None,
        default: str = "outside",
    ) -> None:
        """Set the entities, and tokens that may be none (blocked), are unknown (missing) or none (outside).

        Other tokens become `default`: "outside", "missing", "blocked" or "unmodified".
        ValueError where two spans share a token; nothing has changed then.
        """
        spans = list(entities)
        for span in spans:
            if not isinstance(span, Span):
                raise TypeError(f"set_ents: expected Spans, found {type(span).__name__}")
        # As in spaCy, what has no label is no entity.
        rows = [(span.start, span.end, span.label, span.kb_id, span.id) for span in spans if span.label]

        def ranges(group: Iterable[Span] | None) -> list[tuple[int, int]]:
            return [(span.start, span.end) for span in group or ()]

        set_doc_entities(self, rows, ranges(blocked), ranges(missing), ranges(outside), default)

    @property
    def sents(self) -> Iterator[Span]:
        """The sentences in order; ValueError where boundaries are unset."""
        hook = self.user_hooks.get("sents")
        if hook:
            return iter(hook(self))
        if not self.has_annotation("SENT_START"):
            raise ValueError(
                "doc.sents: sentence boundaries are unset. Add a component that sets them "
                "(sentencizer, senter, parser) or set token.is_sent_start"
            )
        return (Span(self, start, end) for start, end in self._sentences())

    @property
    def noun_chunks(self) -> Iterator[Span]:
        """Base noun phrases by the language's `vocab.get_noun_chunks`; NotImplementedError without it."""
        find = getattr(self, "noun_chunks_iterator", None) or getattr(self.vocab, "get_noun_chunks", None)
        if find is None:
            raise NotImplementedError(
                f"doc.noun_chunks: the language {self.lang_!r} has no rules for noun chunks"
            )
        chunks = [Span(self, start, end, label=label) for start, end, label in find(self)]
        return iter(chunks)

    def has_annotation(self, attr: str | int, *, require_complete: bool = False) -> bool:
        """Whether some token (or with `require_complete` every one) has the attribute; True for no tokens.

        >>> from ferrule.vocab import Vocab
        >>> doc = Doc(Vocab(), words=["a", "b"], tags=["X", None])
        >>> doc.has_annotation("TAG"), doc.has_annotation("TAG", require_complete=True)
        (True, False)
        """
        try:
            (attr_id,) = attribute_ids([attr])
        except KeyError:
            raise ValueError(
                f"has_annotation: {attr!r} is no token attribute; see ferrule.attrs.IDS"
            ) from None
        return has_values(self, attr_id, require_complete)

    # --- arrays ---
    def to_array(self, py_attr_ids: Any) -> np.ndarray:
        """Attributes as uint64: (n_tokens, n_attrs) for a list of names or ids, (n_tokens,) for a single one.

        HEAD is relative to the token; HEAD and SENT_START are signed, as two's complement.
        """
        return read_array(self, py_attr_ids)

    def to_utf8_array(self, nr_char: int = -1) -> np.ndarray:
        """The words' UTF-8 bytes, by turns from start and end, then 255: uint8 (n_tokens, nr_char).

        Longer words lose their middle; `nr_char=-1` leaves the longest word all of its bytes.
        """
        return utf8_array(self, nr_char)

    def from_array(self, attrs: Any, array: np.ndarray) -> Doc:
        """Set attributes from what `to_array` gives, all or nothing, and return the document.

        ValueError for another shape, a dtype that is not of integers, heads that leave the document or form a
        cycle, and values an attribute does not take. Lexemes' attributes are skipped.
        """
        write_array(self, attrs, array)
        return self

    def count_by(self, attr_id: int, exclude: Callable[[Token], bool] | None = None) -> dict[int, int]:
        """How often each value of an attribute occurs; tokens for which `exclude` holds are left out."""
        values = self.to_array(attr_id)
        if exclude is not None:
            values = values[[not exclude(token) for token in self]]
        found, counts = np.unique(values, return_counts=True)
        return {int(value): int(count) for value, count in zip(found, counts, strict=True)}

    def get_lca_matrix(self) -> np.ndarray:
        """Lowest common ancestors, int32 (n_tokens, n_tokens); -1 for none."""
        from ferrule.tokens.ancestors import common_ancestors

        return common_ancestors(self, 0, len(self))

    def extend_tensor(self, tensor: np.ndarray) -> None:
        """Append columns to `doc.tensor`."""
        self.tensor = np.hstack((self.tensor, tensor)) if self.tensor.size else np.asarray(tensor)

    # --- vectors ---
    @property
    def has_vector(self) -> bool:
        """Whether some token has a vector."""
        hook = self.user_hooks.get("has_vector")
        if hook:
            return hook(self)
        if self.vocab.vectors_length:
            return any(token.has_vector for token in self)
        return bool(self.tensor.size)

    @property
    def vector(self) -> np.ndarray:
        """Mean of the tokens' vectors, float32 (width,); zeros for an empty document. Can be set."""
        hook = self.user_hooks.get("vector")
        if hook:
            return hook(self)
        vector = getattr(self, "_vector", None)
        if vector is None:
            if len(self) and self.vocab.vectors_length:
                vector = np.mean([token.vector for token in self], axis=0)
            elif len(self) and self.tensor.size:
                vector = self.tensor.mean(axis=0)
            else:
                vector = np.zeros((self.vocab.vectors_length,), dtype="float32")
            self._vector = vector
        return vector

    @vector.setter
    def vector(self, value: np.ndarray) -> None:
        self._vector = value

    @property
    def vector_norm(self) -> float:
        """Euclidean length of the vector. Can be set."""
        hook = self.user_hooks.get("vector_norm")
        if hook:
            return hook(self)
        return self._lazy("_vector_norm", lambda: float(np.linalg.norm(self.vector)))

    @vector_norm.setter
    def vector_norm(self, value: float) -> None:
        self._vector_norm = value

    def similarity(self, other: Any) -> float:
        """Cosine of the two vectors, 0.0 where either is zero; `other` is a Doc, Span, Token or Lexeme."""
        hook = self.user_hooks.get("similarity")
        return hook(self, other) if hook else cosine_similarity(self, other)
