"""Copies of a document, its other forms, and the way back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from ferrule.tokens.doc import Doc
    from ferrule.tokens.retokenizer import Retokenizer


def _doc(forms: DocForms) -> Doc:
    """What it always is; only the type checker does not know."""
    return cast("Doc", forms)


class DocForms:
    """The part of `Doc` that turns it into something else. The work is in a module for each form."""

    __slots__ = ()

    def copy(self) -> Doc:
        """A document of its own with the same tokens and annotation; user data is copied one level deep."""
        from ferrule.tokens.doc_parts import copy_doc

        return copy_doc(_doc(self))

    @staticmethod
    def from_docs(
        docs: list[Doc], ensure_whitespace: bool = True, attrs: Any = None, *, exclude: Any = ()
    ) -> Doc | None:
        """The documents one after the other as one, None for an empty list; see `join_docs`."""
        from ferrule.tokens.doc_parts import join_docs

        return join_docs(docs, ensure_whitespace=ensure_whitespace, attrs=attrs, exclude=exclude)

    def retokenize(self) -> Retokenizer:
        """A context manager that merges and splits tokens; all changes are made at its end.

        >>> from ferrule.tokens import Doc
        >>> from ferrule.vocab import Vocab
        >>> doc = Doc(Vocab(), words=["New", "York", "!"])
        >>> with doc.retokenize() as retokenizer:
        ...     retokenizer.merge(doc[0:2])
        >>> [token.text for token in doc]
        ['New York', '!']
        """
        from ferrule.tokens.retokenizer import Retokenizer

        return Retokenizer(_doc(self))

    def to_json(self, underscore: list[str] | None = None) -> dict[str, Any]:
        """The document as JSON-ready data in spaCy's form, with the extension attributes that are named."""
        from ferrule.tokens.json_format import doc_to_json

        return doc_to_json(_doc(self), underscore)

    def from_json(self, doc_json: dict[str, Any], *, validate: bool = False) -> Doc:
        """Fill this empty document from what `to_json` gives, and return it.

        It is checked first, `validate` or not; fields of your own may be there. TypeError or ValueError for
        what is no document.
        """
        from ferrule.tokens.json_format import doc_from_json

        return doc_from_json(_doc(self), doc_json, validate=validate)

    def to_dict(self, *, exclude: Iterable[str] = ()) -> dict[str, Any]:
        """The document as a dict of msgpack-ready values in spaCy's form."""
        from ferrule.tokens.doc_bytes import doc_to_dict

        return doc_to_dict(_doc(self), exclude)

    def from_dict(self, msg: dict[str, Any], *, exclude: Iterable[str] = ()) -> Doc:
        """Fill this empty document from what `to_dict` gives, and return it."""
        from ferrule.tokens.doc_bytes import doc_from_dict

        return doc_from_dict(_doc(self), msg, exclude)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The document as bytes, which spaCy reads too.

        `exclude`: any of tensor, cats, spans, user_data, sentiment, activations.
        """
        from ferrule.tokens.doc_bytes import doc_to_bytes

        return doc_to_bytes(_doc(self), exclude)

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> Doc:
        """Fill this empty document from what `to_bytes` gives, and return it."""
        from ferrule.tokens.doc_bytes import doc_from_bytes

        return doc_from_bytes(_doc(self), bytes_data, exclude)

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write `to_bytes` to a file."""
        Path(path).write_bytes(_doc(self).to_bytes(exclude=exclude))

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> Doc:
        """Fill this empty document from a file that `to_disk` wrote, and return it."""
        return _doc(self).from_bytes(Path(path).read_bytes(), exclude=exclude)

    def __reduce__(self) -> Any:
        from ferrule.tokens.doc_bytes import pickle_doc

        return pickle_doc(_doc(self))

    @staticmethod
    def _get_array_attrs() -> tuple[int, ...]:
        """The attributes that `to_bytes` keeps, in spaCy's order."""
        from ferrule.tokens.doc_bytes import SAVED_ATTRIBUTES

        return SAVED_ATTRIBUTES
