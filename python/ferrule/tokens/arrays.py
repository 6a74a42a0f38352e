"""A document's attributes as NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ferrule.attrs import DEP, HEAD, ID, IDS, ORTH, SPACY

if TYPE_CHECKING:
    from ferrule.tokens.doc import Doc


def attribute_ids(names: Iterable[str | int]) -> list[int]:
    """Attribute ids of names (in any case) and ids; KeyError, with the names there are, for others."""
    ids = []
    for name in names:
        if isinstance(name, str):
            if name.upper() not in IDS:
                raise KeyError(
                    f"{name!r} is no token attribute; expected one of {', '.join(filter(None, IDS))}"
                )
            ids.append(IDS[name.upper()])
        else:
            ids.append(int(name))
    return ids


def is_single(attributes: Any) -> bool:
    """Whether this is one attribute's name or id, and not a list or array of them."""
    return isinstance(attributes, str | int | np.integer)


def read_array(doc: Doc, attributes: Any) -> np.ndarray:
    """See `Doc.to_array`."""
    if is_single(attributes):
        return doc._rows(attribute_ids([attributes]))[:, 0]
    names = list(attributes)
    rows = doc._rows(attribute_ids(names))
    return rows[:, 0] if len(names) == 1 else rows


def write_array(doc: Doc, attributes: Any, array: np.ndarray) -> None:
    """See `Doc.from_array`."""
    ids = attribute_ids([attributes] if is_single(attributes) else attributes)
    rows = np.asarray(array)
    if rows.ndim == 1 and len(ids) == 1:
        rows = rows[:, None]
    if rows.ndim != 2 or rows.shape != (len(doc), len(ids)):
        raise ValueError(
            f"from_array: the array has shape {np.shape(array)}; expected ({len(doc)}, {len(ids)}), "
            "a row for each token and a column for each attribute"
        )
    if rows.dtype != np.uint64:
        if not np.issubdtype(rows.dtype, np.integer):
            raise ValueError(f"from_array: the array is of {rows.dtype}; expected integers (uint64)")
        rows = rows.astype(np.int64).astype(np.uint64)
    doc._set_rows(ids, np.ascontiguousarray(rows))


def has_values(doc: Doc, attr_id: int, complete: bool) -> bool:
    """See `Doc.has_annotation`."""
    if attr_id == HEAD:
        return doc._has_annotation(DEP, complete)
    if attr_id == SPACY or 0 < attr_id < ID:
        values = doc._rows([attr_id])[:, 0] != 0
        return not len(values) or bool(values.all() if complete else values.any())
    return doc._has_annotation(attr_id, complete)


def utf8_array(doc: Doc, nr_char: int) -> np.ndarray:
    """See `Doc.to_utf8_array`."""
    strings = doc.vocab.strings
    words = [strings[orth].encode("utf8") for orth in doc._rows([ORTH])[:, 0].tolist()]
    width = max(map(len, words), default=0) if nr_char < 0 else nr_char
    rows = b"".join(_from_both_ends(word)[:width].ljust(width, b"\xff") for word in words)
    return np.frombuffer(rows, dtype="uint8").reshape(len(words), width).copy()


def _from_both_ends(word: bytes) -> bytes:
    """First byte, last, second, last but one, ..."""
    turned = bytearray(word)
    turned[0::2] = word[: (len(word) + 1) // 2]
    turned[1::2] = word[::-1][: len(word) // 2]
    return bytes(turned)
