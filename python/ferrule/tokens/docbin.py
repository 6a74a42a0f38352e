"""Many documents in one compressed message: spaCy's `.spacy` format."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import srsly

from ferrule import attrs
from ferrule._core import NewStrings, docs_from_rows
from ferrule.tokens import doc_bytes
from ferrule.tokens.activations import activations_from_message, activations_to_message
from ferrule.tokens.arrays import attribute_ids
from ferrule.tokens.doc import Doc
from ferrule.tokens.message import MAX_EXPANSION, inflate, unpack, unpack_any
from ferrule.tokens.span_groups import SpanGroups

if TYPE_CHECKING:
    from ferrule.vocab import Vocab

__all__ = ["DocBin"]

_VERSION = "0.1"
_PER_DOCUMENT = ("tokens", "spaces", "cats", "span_groups", "flags", "user_data", "activations")
_DEFAULT_ATTRIBUTES = tuple(
    attr for attr in doc_bytes.SAVED_ATTRIBUTES if attr not in (attrs.LENGTH, attrs.SPACY)
)


class DocBin:
    """Documents to be saved together, or read back.

    Words, spaces, the attributes asked for, categories and span groups are kept; user data on request. A file
    that Ferrule writes is read by spaCy and the other way round; activations are in a field that spaCy skips.

    >>> from ferrule.vocab import Vocab
    >>> doc_bin = DocBin(docs=[Doc(Vocab(), words=["Hello", "world"], tags=["UH", "NN"])])
    >>> [[token.tag_ for token in doc] for doc in DocBin().from_bytes(doc_bin.to_bytes()).get_docs(Vocab())]
    [['UH', 'NN']]
    """

    def __init__(
        self,
        attrs: Iterable[str | int] = _DEFAULT_ATTRIBUTES,
        store_user_data: bool = False,
        docs: Iterable[Doc] = (),
    ):
        """`attrs`: names or ids of the attributes to keep; ORTH always is, SPACY is kept separately."""
        self.attrs = _with_orth(attribute_ids(attrs))
        self.store_user_data = store_user_data
        self.tokens: list[np.ndarray] = []
        self.spaces: list[np.ndarray] = []
        self.cats: list[dict[str, float]] = []
        self.span_groups: list[bytes] = []
        self.flags: list[dict[str, Any]] = []
        self.user_data: list[bytes | None] = []
        self.activations: list[dict[str, Any]] = []
        self.strings: set[str] = set()
        self._new_strings = NewStrings()
        for doc in docs:
            self.add(doc)

    def __len__(self) -> int:
        """Number of documents."""
        return len(self.tokens)

    def add(self, doc: Doc) -> None:
        """Add a copy of the document's data."""
        groups = _NO_GROUPS
        if getattr(doc, "_spans", None):
            groups = doc.spans.to_bytes()
            self.strings.update(doc_bytes.strings_in_groups(doc))
        user_data = srsly.msgpack_dumps(doc.user_data) if self.store_user_data else None
        activations = activations_to_message(doc.activations) if getattr(doc, "_activations", None) else {}
        self.strings.update(self._new_strings.of_doc(doc))
        self.tokens.append(doc._rows(self.attrs))
        self.spaces.append(doc._spaces())
        self.cats.append(dict(getattr(doc, "_cats", {})))
        self.span_groups.append(groups)
        self.flags.append({"has_unknown_spaces": doc.has_unknown_spaces})
        self.user_data.append(user_data)
        self.activations.append(activations)

    def get_docs(self, vocab: Vocab) -> Iterator[Doc]:
        """The documents, with their strings added to `vocab`; ValueError for data that is no document's."""
        for string in self.strings:
            vocab.strings.add(string)
        has_extras = self._with_extras()
        for start in range(0, len(self), _DOCS_AT_ONCE):
            docs = self._some_docs(vocab, start, min(start + _DOCS_AT_ONCE, len(self)))
            for i, doc in enumerate(docs, start):
                if has_extras[i]:
                    self._restore_extras(doc, i)
                yield doc

    def _some_docs(self, vocab: Vocab, start: int, end: int) -> Iterable[Doc]:
        try:
            return self._docs_of_rows(vocab, start, end)
        except (KeyError, ValueError):
            # One by one, so that those before the one that is refused come out.
            return (self._one_doc(vocab, i) for i in range(start, end))

    def _one_doc(self, vocab: Vocab, i: int) -> Doc:
        try:
            return next(self._docs_of_rows(vocab, i, i + 1))
        except KeyError as error:
            raise ValueError(f"DocBin: document {i} has a word whose string is missing: {error}") from error

    def _docs_of_rows(self, vocab: Vocab, start: int, end: int) -> Iterator[Doc]:
        rows, spaces = self.tokens[start:end], self.spaces[start:end]
        lengths = [len(of_doc) for of_doc in rows]
        orth = self.attrs.index(attrs.ORTH)
        docs: Iterator[Doc] = docs_from_rows(
            Doc, vocab, self.attrs, orth, np.concatenate(rows), np.concatenate(spaces), lengths
        )
        return docs

    def _with_extras(self) -> list[bool]:
        """Whether a document has more than words and their attributes; most have not."""
        parts = zip(self.flags, self.cats, self.span_groups, self.user_data, self.activations, strict=True)
        return [
            bool(cats or user_data is not None or activations)
            or groups != _NO_GROUPS
            or flags.get("has_unknown_spaces", False)
            for flags, cats, groups, user_data, activations in parts
        ]

    def _restore_extras(self, doc: Doc, i: int) -> None:
        if self.flags[i].get("has_unknown_spaces", False):
            doc.has_unknown_spaces = True
        if self.cats[i]:
            doc.cats = dict(self.cats[i])
        if self.span_groups[i] != _NO_GROUPS:
            doc.spans.from_bytes(self.span_groups[i])
        user_data = self.user_data[i]
        if self.store_user_data and user_data is not None:
            doc.user_data = unpack_any(user_data, "DocBin: user_data", use_list=False)
        if self.activations[i]:
            doc.activations = activations_from_message(self.activations[i])

    def merge(self, other: DocBin) -> None:
        """Add the other's documents; ValueError where it keeps other attributes, or one alone user data."""
        if self.attrs != other.attrs:
            raise ValueError(f"DocBin.merge: the other keeps attributes {other.attrs}, this one {self.attrs}")
        if self.store_user_data != other.store_user_data:
            raise ValueError("DocBin.merge: only one keeps user data; set store_user_data on both")
        for name in _PER_DOCUMENT:
            getattr(self, name).extend(getattr(other, name))
        self.strings.update(other.strings)

    # --- bytes and files ---
    def to_bytes(self) -> bytes:
        """The documents as zlib-compressed msgpack in spaCy's form."""
        empty_rows = np.zeros((0, len(self.attrs)), dtype="<u8")
        lengths = np.asarray([len(rows) for rows in self.tokens], dtype="<i4")
        message: dict[str, Any] = {
            "version": _VERSION,
            "attrs": self.attrs,
            "tokens": np.vstack([empty_rows, *self.tokens]).astype("<u8").tobytes("C"),
            "spaces": np.concatenate([np.zeros(0, dtype=bool), *self.spaces]).tobytes("C"),
            "lengths": lengths.tobytes("C"),
            "strings": sorted(self.strings | {""}),
            "cats": self.cats,
            "flags": self.flags,
            "span_groups": self.span_groups,
        }
        if self.store_user_data:
            message["user_data"] = self.user_data
        if any(self.activations):
            message["activations"] = self.activations
        return zlib.compress(srsly.msgpack_dumps(message))

    def from_bytes(self, bytes_data: bytes, *, max_expansion: int = MAX_EXPANSION) -> DocBin:
        """Replace the documents by those of `to_bytes`, spaCy's or Ferrule's, and return this object.

        ValueError, with nothing changed, for data that is damaged, cut short or inconsistent, or that
        decompresses to more than `max_expansion` times its size (and more than 32 MiB).
        """
        if not isinstance(bytes_data, bytes):
            raise TypeError(f"DocBin.from_bytes: expected bytes, found {type(bytes_data).__name__}")
        what = "DocBin.from_bytes"
        message = unpack(inflate(bytes_data, what, max_expansion=max_expansion), what)
        fields = _checked_fields(message)
        self.__dict__.update(fields)
        self._new_strings = NewStrings()
        return self

    def to_disk(self, path: str | Path) -> None:
        """Write `to_bytes` to a file."""
        Path(path).write_bytes(self.to_bytes())

    def from_disk(self, path: str | Path, *, max_expansion: int = MAX_EXPANSION) -> DocBin:
        """Read a `.spacy` file; see `from_bytes`. Errors name the file."""
        data = Path(path).read_bytes()
        try:
            return self.from_bytes(data, max_expansion=max_expansion)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error


_NO_GROUPS = SpanGroups.EMPTY_BYTES
_DOCS_AT_ONCE = 128


def _with_orth(attr_ids: Iterable[int]) -> list[int]:
    """Sorted, ORTH among them, SPACY not, as spaCy orders them."""
    return sorted({attrs.ORTH, *attr_ids} - {attrs.SPACY})


def _checked_fields(message: dict[str, Any]) -> dict[str, Any]:
    """A message's content as a DocBin's attributes; ValueError where something is missing or does not fit."""
    for name in ("attrs", "tokens", "spaces", "lengths", "strings", "cats", "flags"):
        if name not in message:
            raise ValueError(f"DocBin.from_bytes: the message has no field {name!r}; it is not a DocBin's")
    attr_ids = message["attrs"]
    if not isinstance(attr_ids, list) or not all(isinstance(attr, int) and attr >= 0 for attr in attr_ids):
        raise ValueError("DocBin.from_bytes: attrs is not a list of ids")
    if attrs.ORTH not in attr_ids:
        raise ValueError("DocBin.from_bytes: the attributes have no ORTH, so there are no words")
    lengths = _array(message, "lengths", "<i4")
    tokens, spaces = _array(message, "tokens", "<u8"), _array(message, "spaces", "?")
    n_tokens = int(lengths.sum(dtype=np.int64))
    if (lengths < 0).any() or tokens.size != n_tokens * len(attr_ids) or spaces.size != n_tokens:
        raise ValueError(
            f"DocBin.from_bytes: lengths add up to {n_tokens} tokens, with {tokens.size} values "
            f"for {len(attr_ids)} attributes and {spaces.size} spaces"
        )
    strings = message["strings"]
    if not isinstance(strings, list) or not all(isinstance(string, str) for string in strings):
        raise ValueError("DocBin.from_bytes: strings is not a list of strings")
    n_docs = len(lengths)
    rows = tokens.reshape(n_tokens, len(attr_ids))
    ends = np.cumsum(lengths, dtype=np.int64).tolist()
    cuts = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
    return {
        "attrs": attr_ids,
        "tokens": [rows[cut] for cut in cuts],
        "spaces": [spaces[cut] for cut in cuts],
        "strings": set(strings),
        "cats": _per_doc(message, "cats", dict, n_docs),
        "flags": _per_doc(message, "flags", dict, n_docs),
        "span_groups": _per_doc(message, "span_groups", bytes, n_docs, missing=_NO_GROUPS),
        "user_data": _per_doc(message, "user_data", bytes | None, n_docs, missing=None),
        "activations": _per_doc(message, "activations", dict, n_docs, missing={}),
        "store_user_data": "user_data" in message,
    }


def _array(message: dict[str, Any], name: str, dtype: str) -> np.ndarray:
    data, size = message[name], np.dtype(dtype).itemsize
    if not isinstance(data, bytes) or len(data) % size:
        raise ValueError(f"DocBin.from_bytes: {name} is not an array of {np.dtype(dtype).name}")
    if dtype == "?":
        # Any other byte than 0 and 1 is no bool that NumPy could hold.
        return np.frombuffer(data, dtype="u1") != 0
    return np.frombuffer(data, dtype=dtype)


def _per_doc(message: dict[str, Any], name: str, kind: Any, n_docs: int, *, missing: Any = None) -> list[Any]:
    if name not in message:
        return [missing] * n_docs
    values = message[name]
    if (
        not isinstance(values, list)
        or len(values) != n_docs
        or not all(isinstance(one, kind) for one in values)
    ):
        raise ValueError(
            f"DocBin.from_bytes: {name} does not have one entry of the right kind for each document"
        )
    return values
