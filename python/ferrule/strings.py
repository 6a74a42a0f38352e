"""The string store: strings by 64-bit ids, the same ids as spaCy's."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import srsly

from ferrule import _core
from ferrule._core import hash_string
from ferrule._typing import PathOrStr

__all__ = ["StringStore", "get_string_id", "hash_string"]


class StringStore(_core.StringStore):
    """Strings by id: `store[id]` is the string, `store[string]` its id, stored or not.

    Ids are spaCy's: the MurmurHash64A of the UTF-8 bytes, except that `""` is 0 and the names of
    `ferrule.symbols` have their small numbers. Those are known without being stored. Safe to share between
    threads.

    Raises TypeError for keys of other types, ValueError for a text with a lone surrogate, KeyError for an id
    that no string has.

    >>> store = StringStore(["coffee"])
    >>> store["coffee"]
    3197928453018144401
    >>> store[3197928453018144401], "coffee" in store, "tea" in store, store["NOUN"]
    ('coffee', True, False, 92)
    """

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def values(self) -> list[int]:
        """Ids of the stored strings, in the order of `keys`."""
        return [self.as_int(string) for string in self.keys()]

    def items(self) -> list[tuple[str, int]]:
        """Stored strings with their ids."""
        return [(string, self.as_int(string)) for string in self.keys()]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _core.StringStore):
            return NotImplemented
        return set(self.keys()) == set(other.keys())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<StringStore with {len(self)} strings>"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.keys(),)

    @contextmanager
    def memory_zone(self) -> Iterator[None]:
        """Within it, strings added with `allow_transient=True` are let go of at the end.

        A vocabulary opens one for its own strings: use `Vocab.memory_zone` for lexemes and documents.
        """
        self._begin_zone()
        try:
            yield
        finally:
            self._end_zone()

    def to_bytes(self, **kwargs: Any) -> bytes:
        """The stored strings, sorted, as a JSON list in UTF-8. (spaCy returns the same as a str.)"""
        text: str = srsly.json_dumps(sorted(self.keys()))
        return text.encode("utf8")

    def from_bytes(self, bytes_data: bytes, **kwargs: Any) -> StringStore:
        """Adds the strings of `to_bytes` and returns the store. Strings it has stay.

        Raises ValueError where the bytes are not a JSON list of strings; the store is as before then.
        """
        self._add_all(_parse_strings(bytes_data, "StringStore.from_bytes"))
        return self

    def to_disk(self, path: PathOrStr) -> None:
        """Writes the stored strings, sorted, to a JSON file."""
        srsly.write_json(Path(path), sorted(self.keys()))

    def from_disk(self, path: PathOrStr) -> StringStore:
        """Adds the strings of a file that `to_disk` wrote, and returns the store. Strings it has stay.

        Raises ValueError with the file's name where it is not a JSON list of strings.
        """
        path = Path(path)
        self._add_all(_parse_strings(path.read_bytes(), f"StringStore.from_disk: {path}"))
        return self

    def _add_all(self, strings: Iterable[str]) -> None:
        for string in strings:
            self.add(string)

    def _reset_and_load(self, strings: Iterable[str]) -> None:
        self._reset(list(strings))


def _parse_strings(data: bytes, where: str) -> list[str]:
    try:
        strings = srsly.json_loads(data)
    except ValueError as error:
        raise ValueError(
            f"{where}: expected a JSON list of strings, found bytes that are no JSON: {error}"
        ) from None
    if not isinstance(strings, list) or not all(isinstance(string, str) for string in strings):
        raise ValueError(
            f"{where}: expected a JSON list of strings, found other JSON. Was it saved by `to_disk`?"
        )
    return strings


def get_string_id(key: str | int) -> int:
    """The id of a string, stored or not; a number unchanged.

    >>> get_string_id("NOUN"), get_string_id(5)
    (92, 5)
    """
    return _core.string_id(key) if isinstance(key, str) else operator.index(key)
