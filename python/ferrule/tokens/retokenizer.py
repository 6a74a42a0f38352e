"""Merging and splitting tokens of a document."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ferrule import attrs as ids
from ferrule.attrs import IDS
from ferrule.tokens.morphanalysis import MorphAnalysis, normalize_features
from ferrule.tokens.parts_of_speech import check_pos
from ferrule.tokens.span import Span
from ferrule.tokens.span_group import SpanGroup
from ferrule.tokens.token import Token

if TYPE_CHECKING:
    from ferrule.tokens.doc import Doc

__all__ = ["Retokenizer"]

_COPIED = (ids.TAG, ids.POS, ids.MORPH, ids.LEMMA, ids.NORM, ids.DEP, ids.SENT_START)
_ENTITY = (ids.ENT_IOB, ids.ENT_TYPE, ids.ENT_KB_ID, ids.ENT_ID)
_SETTABLE = {
    ids.TAG,
    ids.POS,
    ids.MORPH,
    ids.LEMMA,
    ids.NORM,
    ids.DEP,
    ids.ENT_IOB,
    ids.ENT_TYPE,
    ids.ENT_KB_ID,
    ids.ENT_ID,
}
# A head: of a token of the document, or the n-th piece of one.
Head = Token | tuple[Token, int]


@dataclass
class _Piece:
    """A token of the document to be: its text and where the rest comes from."""

    text: str
    space: bool
    source: int
    values: dict[int, int] = field(default_factory=dict)
    extensions: dict[str, Any] = field(default_factory=dict)
    head: Head | None = None


class Retokenizer:
    """Collects merges and splits, and makes them all when its `with` block ends; none if the block fails.

    Views of the document from before, tokens and spans, hold positions that are no longer right afterwards.
    Span groups follow their tokens; `doc.tensor` keeps the last row of merged tokens, and has zeros for split
    ones.
    """

    def __init__(self, doc: Doc):
        """For `doc`; `doc.retokenize()` is the usual way."""
        self.doc = doc
        self._merges: list[tuple[int, int, dict[Any, Any]]] = []
        self._splits: dict[int, list[_Piece]] = {}
        self._merged: set[int] = set()

    def merge(self, span: Span, attrs: dict[str | int, Any] | None = None) -> None:
        """Make the span one token with its root's attributes; `attrs` sets others, `"_"` extensions.

        The same tokens once more are no error, and change nothing. ValueError for an empty span, one that
        shares a token with another, and for unknown attributes.
        """
        if not isinstance(span, Span):
            raise TypeError(f"retokenizer.merge: expected Span, found {type(span).__name__}")
        self._check_own(span.doc)
        if not len(span):
            raise ValueError(f"retokenizer.merge: the span at {span.start} is empty")
        if any((span.start, span.end) == (start, end) for start, end, _ in self._merges):
            return  # as in spaCy: an entity that is a noun chunk too
        for token in span:
            if token.i in self._merged:
                raise ValueError(
                    f"retokenizer.merge: token {token.i} ({token.text!r}) is already part of another merge; "
                    "spans to merge must not overlap"
                )
        values = _normalized(self.doc, attrs or {})
        self._merged.update(range(span.start, span.end))
        self._merges.append((span.start, span.end, values))

    def split(
        self,
        token: Token,
        orths: list[str],
        heads: list[Head],
        attrs: dict[str | int, list[Any]] | None = None,
    ) -> None:
        """Make several tokens of one. The pieces must spell it; `attrs` has a list of values an attribute.

        `heads`: for each piece a token, or `(token, n)` for the n-th piece of a token that is split.
        """
        if not isinstance(token, Token):
            raise TypeError(f"retokenizer.split: expected Token, found {type(token).__name__}")
        self._check_own(token.doc)
        if "".join(orths) != token.text or not all(orths):
            raise ValueError(f"retokenizer.split: {orths!r} does not spell {token.text!r}")
        if len(heads) != len(orths):
            raise ValueError(f"retokenizer.split: {len(heads)} heads for {len(orths)} pieces; each needs one")
        for name, values in (attrs or {}).items():
            if len(values) != len(orths):
                raise ValueError(f"retokenizer.split: {len(values)} values of {name} for {len(orths)} pieces")
        has_lemma = self.doc.has_annotation("LEMMA")
        pieces = []
        for i, orth in enumerate(orths):
            given = _normalized(self.doc, {name: choices[i] for name, choices in (attrs or {}).items()})
            extensions = given.pop("_", {})
            space = bool(token.whitespace_) and i + 1 == len(orths)
            own = {ids.NORM: 0} | ({ids.LEMMA: self.doc.vocab.strings.add(orth)} if has_lemma else {})
            pieces.append(_Piece(orth, space, token.i, {**own, **given}, extensions, heads[i]))
        self._splits[token.i] = pieces

    def __enter__(self) -> Retokenizer:
        self._merges, self._splits, self._merged = [], {}, set()
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is None and (self._merges or self._splits):
            self._apply()

    def _check_own(self, doc: Doc) -> None:
        if doc is not self.doc:
            raise ValueError("retokenizer: the span or token is from another document")

    def _apply(self) -> None:
        lost = self._merged & set(self._splits)
        if lost:
            raise IndexError(f"retokenizer: token {min(lost)} is to be split and merged; do one of the two")
        doc = self.doc
        pieces: list[_Piece] = []
        first_new = np.zeros(len(doc) + 1, dtype=np.int64)  # where each old token begins in the new document
        merges = {start: (end, values) for start, end, values in self._merges}
        position = 0
        while position < len(doc):
            end = position + 1
            if position in merges:
                end, values = merges[position]
                first_new[position:end] = len(pieces)
                pieces.append(_merged_piece(doc, position, end, values))
            else:
                first_new[position] = len(pieces)
                pieces.extend(self._splits.get(position) or [_kept_piece(doc, position)])
            position = end
        first_new[len(doc)] = len(pieces)
        _rebuild(doc, pieces, first_new)


def _kept_piece(doc: Doc, i: int) -> _Piece:
    token = doc[i]
    return _Piece(token.text, bool(token.whitespace_), i)


def _merged_piece(doc: Doc, start: int, end: int, values: dict[Any, Any]) -> _Piece:
    span = doc[start:end]
    given, root = dict(values), span.root
    extensions = given.pop("_", {})
    own: dict[int, int] = {}
    if end - start > 1:
        own[ids.NORM] = 0
        own[ids.SENT_START] = doc._get(ids.SENT_START, start)
        if doc.has_annotation("LEMMA"):
            own[ids.LEMMA] = doc.vocab.strings.add(span.lemma_)
        begins = any(doc[i].ent_iob_ == "B" and doc[i].ent_type == root.ent_type for i in range(start, end))
        if root.ent_iob_ in ("B", "I"):
            own[ids.ENT_IOB] = 3 if begins else 1
    return _Piece(span.text, bool(doc[end - 1].whitespace_), root.i, {**own, **given}, extensions)


def _normalized(doc: Doc, given: dict[Any, Any]) -> dict[Any, Any]:
    """Attribute ids with ids as values, and `"_"` with extension attributes; ValueError for others."""
    values: dict[Any, Any] = {}
    for name, value in given.items():
        if name == "_":
            if not isinstance(value, dict):
                raise ValueError(f"retokenizer: '_' takes a dict of extensions, found {value!r}")
            for extension in value:
                found = Token.get_extension(extension)
                if found is None:
                    raise ValueError(
                        f"retokenizer: there is no extension {extension!r}; add it with Token.set_extension"
                    )
                if found[1] or (found[2] and not found[3]):
                    raise ValueError(
                        f"retokenizer: the extension {extension!r} cannot be set; it is computed"
                    )
            values["_"] = dict(value)
            continue
        attr = IDS.get(name.upper()) if isinstance(name, str) else name
        if attr not in _SETTABLE:
            known = ", ".join(sorted(key for key, attr_id in IDS.items() if attr_id in _SETTABLE))
            raise ValueError(f"retokenizer: {name!r} is no attribute to set; expected one of {known} or '_'")
        if attr == ids.MORPH and not isinstance(value, int):
            value = str(value) if isinstance(value, MorphAnalysis) else value
            value = normalize_features(value)
        elif attr == ids.POS and isinstance(value, str):
            value = check_pos(value)
        values[attr] = doc.vocab.strings.add(value) if isinstance(value, str) else int(value)
    return values


def _rebuild(doc: Doc, pieces: list[_Piece], first_new: np.ndarray) -> None:
    """Replace the document's tokens by the pieces; nothing has changed where something is refused."""
    columns = [*_COPIED, *_ENTITY]
    sources = np.asarray([piece.source for piece in pieces])
    rows = doc._rows(columns)[sources]
    has_starts = doc.has_annotation("SENT_START")
    for i, piece in enumerate(pieces):
        later_piece = i > 0 and pieces[i - 1].source == piece.source
        if later_piece and rows[i, columns.index(ids.ENT_IOB)] == 3 and rows[i, columns.index(ids.ENT_TYPE)]:
            rows[i, columns.index(ids.ENT_IOB)] = 1
        if later_piece and has_starts:
            rows[i, columns.index(ids.SENT_START)] = 2**64 - 1
        for attr, value in piece.values.items():
            rows[i, columns.index(attr)] = value
    _begin_cut_entities(rows, columns)
    new = type(doc).__new__(type(doc), doc.vocab)
    new._set_words([piece.text for piece in pieces], [piece.space for piece in pieces])
    heads = _new_heads(doc, pieces, first_new)
    relative = (heads - np.arange(len(pieces))).astype(np.uint64)
    new._set_rows([*columns, ids.HEAD], np.column_stack([rows, relative]))
    new.has_unknown_spaces = doc.has_unknown_spaces
    tensor = _new_tensor(doc.tensor, pieces, first_new) if doc.tensor.size else None
    doc._copy_columns(new)
    if tensor is not None:
        doc.tensor = tensor
    _move_groups(doc, first_new)
    for i, piece in enumerate(pieces):
        for name, value in piece.extensions.items():
            doc[i]._.set(name, value)


def _begin_cut_entities(rows: np.ndarray, columns: list[int]) -> None:
    """An inside token that follows no token of its entity begins one."""
    iob, label = columns.index(ids.ENT_IOB), columns.index(ids.ENT_TYPE)
    for i in range(len(rows)):
        if rows[i, iob] == 1 and (
            i == 0 or rows[i - 1, iob] not in (1, 3) or rows[i - 1, label] != rows[i, label]
        ):
            rows[i, iob] = 3


def _new_heads(doc: Doc, pieces: list[_Piece], first_new: np.ndarray) -> np.ndarray:
    heads = np.zeros(len(pieces), dtype=np.int64)
    for i, piece in enumerate(pieces):
        if piece.head is None:
            head = first_new[doc._head(piece.source)]
        else:
            token, offset = piece.head if isinstance(piece.head, tuple) else (piece.head, 0)
            head = first_new[token.i] + offset
            if not first_new[token.i] <= head < first_new[token.i + 1]:
                raise IndexError(f"retokenizer.split: token {token.i} has no piece {offset} to be a head")
        heads[i] = head
    return heads


def _new_tensor(tensor: np.ndarray, pieces: list[_Piece], first_new: np.ndarray) -> np.ndarray:
    rows = np.zeros((len(pieces), *tensor.shape[1:]), dtype=tensor.dtype)
    counts = np.bincount([piece.source for piece in pieces], minlength=len(tensor))
    for old in range(len(tensor)):
        if counts[old] <= 1:
            rows[first_new[old]] = tensor[old]
    return rows


def _move_groups(doc: Doc, first_new: np.ndarray) -> None:
    """Span groups keep the text they had, and take in the whole of a merged token that they touched."""
    for group in getattr(doc, "_spans", {}).values():
        _move_group(group, first_new)


def _move_group(group: SpanGroup, first_new: np.ndarray) -> None:
    def new_range(start: int, end: int) -> tuple[int, int]:
        new_start = int(first_new[start])
        return new_start, max(int(first_new[end]), int(first_new[end - 1]) + 1) if end > start else new_start

    group._move(new_range)
