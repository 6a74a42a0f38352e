"""Tables of strings that come with a language or a pipeline: lemmas, normal forms, probabilities."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import srsly

from ferrule._typing import PathOrStr
from ferrule.strings import get_string_id

__all__ = ["Lookups", "Table"]


class Table(OrderedDict[int, Any]):
    """A dict whose keys are string ids; strings as keys become their ids.

    >>> table = Table.from_dict({"went": "go"}, name="lemmas")
    >>> table["went"], "gone" in table, table.get("gone", "?")
    ('go', False, '?')
    """

    def __init__(self, name: str | None = None, data: Mapping[Any, Any] | None = None) -> None:
        super().__init__()
        self.name = name
        if data:
            self.update(data)

    @classmethod
    def from_dict(cls, data: Mapping[Any, Any], name: str | None = None) -> Table:
        """A table of the entries of a dict."""
        return cls(name=name, data=data)

    def __setitem__(self, key: str | int, value: Any) -> None:
        super().__setitem__(get_string_id(key), value)

    def set(self, key: str | int, value: Any) -> None:
        """The same as `table[key] = value`."""
        self[key] = value

    def __getitem__(self, key: str | int) -> Any:
        return super().__getitem__(get_string_id(key))

    def __delitem__(self, key: str | int) -> None:
        super().__delitem__(get_string_id(key))

    def get(self, key: str | int, default: Any = None) -> Any:
        """The value of a key, or `default`."""
        return super().get(get_string_id(key), default)

    def __contains__(self, key: object) -> bool:
        return super().__contains__(get_string_id(key) if isinstance(key, str) else key)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """As of dict."""
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, dict(self))

    def to_bytes(self) -> bytes:
        """The table as bytes that spaCy's `Table.from_bytes` takes."""
        from preshed.bloom import BloomFilter

        bloom = BloomFilter.from_error_rate(max(len(self), 1))
        for key in self:
            bloom.add(key)
        data: bytes = srsly.msgpack_dumps({"name": self.name, "dict": dict(self), "bloom": bloom.to_bytes()})
        return data

    def from_bytes(self, bytes_data: bytes) -> Table:
        """Takes the entries of saved bytes in place of its own, and returns the table."""
        message = srsly.msgpack_loads(bytes_data)
        if not isinstance(message, dict) or not isinstance(message.get("dict"), dict):
            raise ValueError("Table.from_bytes: expected the bytes of a saved table, found other data.")
        self.clear()
        self.name = message.get("name")
        self.update(message["dict"])
        return self


class Lookups:
    """Tables by name.

    >>> lookups = Lookups()
    >>> table = lookups.add_table("lemmas", {"went": "go"})
    >>> lookups.tables, lookups.get_table("lemmas")["went"]
    (['lemmas'], 'go')
    """

    def __init__(self) -> None:
        self._tables: dict[str, Table] = {}

    def __contains__(self, name: str) -> bool:
        return self.has_table(name)

    def __len__(self) -> int:
        return len(self._tables)

    @property
    def tables(self) -> list[str]:
        """Names of the tables."""
        return list(self._tables)

    def add_table(self, name: str, data: Mapping[Any, Any] | None = None) -> Table:
        """Adds a table and returns it. Raises ValueError where there is one of that name."""
        if name in self._tables:
            raise ValueError(
                f"Lookups.add_table: there is a table {name!r} already. Use set_table to replace it."
            )
        table = Table(name=name, data=data)
        self._tables[name] = table
        return table

    def set_table(self, name: str, table: Table) -> None:
        """Puts a table in, in place of one of that name."""
        self._tables[name] = table

    def get_table(self, name: str, default: Any = ...) -> Any:
        """The table of that name, or `default`. Raises KeyError where there is neither."""
        if name in self._tables:
            return self._tables[name]
        if default is not ...:
            return default
        raise KeyError(f"Lookups: no table {name!r}; there are {self.tables}.")

    def remove_table(self, name: str) -> Table:
        """Takes a table out and returns it. Raises KeyError where there is none of that name."""
        if name not in self._tables:
            raise KeyError(f"Lookups: no table {name!r}; there are {self.tables}.")
        return self._tables.pop(name)

    def has_table(self, name: str) -> bool:
        """Whether there is a table of that name."""
        return name in self._tables

    def to_bytes(self, **kwargs: Any) -> bytes:
        """The tables as the bytes spaCy writes: msgpack of `{table: {string id: value}}`."""
        data: bytes = srsly.msgpack_dumps({name: dict(table) for name, table in self._tables.items()})
        return data

    def from_bytes(self, bytes_data: bytes, **kwargs: Any) -> Lookups:
        """Takes saved tables in place of its own, and returns itself.

        Raises ValueError for bytes that are no saved tables; nothing is changed then.
        """
        try:
            message = srsly.msgpack_loads(bytes_data)
        except Exception as error:
            raise ValueError(
                f"Lookups.from_bytes: expected saved tables, found no msgpack: {error}"
            ) from None
        if not isinstance(message, dict) or not all(isinstance(table, dict) for table in message.values()):
            raise ValueError("Lookups.from_bytes: expected saved tables by name, found other data.")
        self._tables = {name: Table(name=name, data=table) for name, table in message.items()}
        return self

    def to_disk(self, path: PathOrStr, filename: str = "lookups.bin", **kwargs: Any) -> None:
        """Writes the tables to a file in the folder `path`, which is made where it is missing."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / filename).write_bytes(self.to_bytes())

    def from_disk(self, path: PathOrStr, filename: str = "lookups.bin", **kwargs: Any) -> Lookups:
        """Takes the tables of a file in the folder `path`; without one, nothing is changed."""
        file = Path(path) / filename
        return self.from_bytes(file.read_bytes()) if file.exists() else self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lookups) and self._tables == other._tables

    __hash__ = None  # type: ignore[assignment]
