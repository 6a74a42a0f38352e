"""Objects as named fields: a file or folder each on disk, a key each of a MessagePack map in bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import srsly
from srsly import msgpack

from ferrule._typing import PathOrStr
from ferrule.errors import FerruleError, SerializationError
from ferrule.storage.folders import saving
from ferrule.storage.reading import reading

__all__ = [
    "dump_fields",
    "field_names",
    "load_fields",
    "load_folder",
    "parse_object",
    "save_folder",
    "unpack",
]


def field_names(exclude: Iterable[str]) -> list[str]:
    """`exclude` as a list; TypeError if it is a string, whose letters would be taken for names.

    >>> field_names(("vocab",))
    ['vocab']
    """
    if isinstance(exclude, str):
        raise TypeError(
            f"exclude must be a list of field names, found the string {exclude!r}; use [{exclude!r}]"
        )
    return list(exclude)


def save_folder(
    path: PathOrStr, writers: Mapping[str, Callable[[Path], Any]], exclude: Iterable[str] = ()
) -> None:
    """Write each field but those excluded with its writer, `writer(folder / field)`; whole or not at all."""
    with saving(path) as folder:
        for name in _wanted(writers, exclude):
            writers[name](folder / name)


def load_folder(
    path: PathOrStr, readers: Mapping[str, Callable[[Path], Any]], exclude: Iterable[str] = ()
) -> None:
    """Read each field with its reader, `reader(folder / field)`, except those excluded; see `reading`."""

    def read(folder: Path) -> None:
        for name in _wanted(readers, exclude):
            try:
                _read_field(readers[name], folder / name, str(folder / name))
            except FileNotFoundError as error:
                raise SerializationError(
                    f"{error.filename or folder / name} is missing; a folder that was saved whole has it. "
                    f"Load another copy, or leave this out with exclude=[{name!r}]"
                ) from error

    reading(path, read)


def dump_fields(writers: Mapping[str, Callable[[], Any]], exclude: Iterable[str] = ()) -> bytes:
    """The fields and what their writers return, except those excluded, as bytes."""
    data: bytes = msgpack.dumps(
        {name: writers[name]() for name in _wanted(writers, exclude)}, use_bin_type=True
    )
    return data


def load_fields(
    data: bytes, readers: Mapping[str, Callable[[Any], Any]], exclude: Iterable[str] = ()
) -> None:
    """Give each field found in `data` to its reader, in the order of `readers`, except those excluded.

    Raises TypeError if `data` is not bytes; SerializationError if it cannot be read as fields.
    """
    fields = unpack(data, "saved fields")
    if not isinstance(fields, dict):
        raise SerializationError(f"These bytes hold {type(fields).__name__}, expected saved fields, a map")
    for name in _wanted(readers, exclude):
        if name in fields:
            _read_field(readers[name], fields[name], f"The saved field {name!r}")


def unpack(data: bytes, what: str) -> Any:
    """The MessagePack value in `data`; `what` names it in errors. Runs no code, whatever the bytes are.

    Raises TypeError if `data` is not bytes; SerializationError if it is no MessagePack, cut, or followed by
    more.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"expected {what} as bytes, found {type(data).__name__}")
    try:
        return msgpack.loads(bytes(data), raw=False, use_list=True)
    except Exception as error:
        raise SerializationError(
            f"These {len(data)} bytes cannot be read as {what}: {error or type(error).__name__}"
        ) from error


def parse_object(text: str | bytes, what: str) -> dict[str, Any]:
    """The JSON object in `text`; SerializationError, which names `what`, if there is none.

    >>> parse_object('{"lang": "en"}', "meta.json")
    {'lang': 'en'}
    """
    try:
        value = srsly.json_loads(text)
    except ValueError as error:
        raise SerializationError(f"{what}: expected a JSON object, found no JSON: {error}") from error
    if not isinstance(value, dict):
        raise SerializationError(f"{what}: expected a JSON object, found {type(value).__name__}")
    return value


def _read_field(reader: Callable[[Any], Any], source: Any, what: str) -> None:
    """Call a reader; what it does not expect itself becomes a SerializationError that names the field."""
    try:
        reader(source)
    except (FerruleError, OSError):
        raise
    except Exception as error:
        raise SerializationError(f"{what} cannot be loaded: {str(error) or type(error).__name__}") from error


def _wanted(fields: Iterable[str], exclude: Iterable[str]) -> list[str]:
    excluded = set(field_names(exclude))
    return [name for name in fields if name not in excluded and name.split(".")[0] not in excluded]
