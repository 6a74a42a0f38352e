"""A vocabulary's strings, vectors and tables as bytes and as files, in spaCy's form."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import srsly

from ferrule._typing import PathOrStr
from ferrule.lookups import Lookups
from ferrule.strings import StringStore
from ferrule.vectors import Vectors

__all__ = ["SavedVocab"]

V = TypeVar("V", bound="SavedVocab")


class SavedVocab:
    """The part of `Vocab` that is written and read."""

    strings: StringStore
    vectors: Vectors
    lookups: Lookups

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The vocabulary as the bytes spaCy writes; `exclude`: `strings`, `vectors`, `lookups`.

        Lexemes are not saved: they are computed from their strings.
        """
        parts: dict[str, Callable[[], Any]] = {
            "strings": lambda: self.strings.to_bytes().decode("utf8"),
            "vectors": lambda: self.vectors.to_bytes(exclude=["strings"]),
            "lookups": self.lookups.to_bytes,
        }
        data: bytes = srsly.msgpack_dumps(
            {name: part() for name, part in parts.items() if name not in set(exclude)}
        )
        return data

    def from_bytes(self: V, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> V:
        """Takes saved parts in place of its own (strings are added), and returns the vocabulary.

        Raises ValueError where a part is no saved one; nothing is changed then.
        """
        message = srsly.msgpack_loads(bytes_data)
        if not isinstance(message, dict):
            raise ValueError(
                f"Vocab.from_bytes: expected a saved vocabulary, found a {type(message).__name__}."
            )
        parts = {name: part for name, part in message.items() if name not in set(exclude)}
        strings = parts.get("strings") or "[]"
        loaded_strings = StringStore().from_bytes(
            strings.encode("utf8") if isinstance(strings, str) else strings
        )
        loaded_vectors = (
            Vectors(name=self.vectors.name).from_bytes(parts["vectors"]) if parts.get("vectors") else None
        )
        loaded_lookups = Lookups().from_bytes(parts["lookups"]) if parts.get("lookups") else None
        self._take_over(loaded_strings, loaded_vectors, loaded_lookups)
        return self

    def to_disk(self, path: PathOrStr, *, exclude: Iterable[str] = ()) -> None:
        """Writes the vocabulary to a folder, as spaCy does; `exclude`: `strings`, `vectors`, `lookups`."""
        folder, excluded = Path(path), set(exclude)
        folder.mkdir(parents=True, exist_ok=True)
        if "strings" not in excluded:
            self.strings.to_disk(folder / "strings.json")
        if "vectors" not in excluded:
            self.vectors.to_disk(folder, exclude=["strings"])
        if "lookups" not in excluded:
            self.lookups.to_disk(folder)

    def from_disk(self: V, path: PathOrStr, *, exclude: Iterable[str] = ()) -> V:
        """Takes the parts of a folder that `to_disk` wrote, ours or spaCy's, and returns the vocabulary.

        Strings are added, vectors and lookups replaced. Raises ValueError where a file is no saved part;
        nothing is changed then.
        """
        folder, excluded = Path(path), set(exclude)
        strings, vectors, lookups = StringStore(), None, None
        if "strings" not in excluded:
            strings.from_disk(folder / "strings.json")
        if "vectors" not in excluded:
            vectors = Vectors(name=self.vectors.name).from_disk(folder, exclude=["strings"])
        if "lookups" not in excluded:
            lookups = Lookups().from_disk(folder)
        self._take_over(strings, vectors, lookups)
        return self

    def _take_over(self, strings: StringStore, vectors: Vectors | None, lookups: Lookups | None) -> None:
        for string in strings:
            self.strings.add(string)
        if vectors is not None:
            self.vectors = vectors
        if lookups is not None:
            self.lookups = lookups
