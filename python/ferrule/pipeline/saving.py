"""Saving and loading of components that have settings, a vocabulary and a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import srsly
from thinc.api import Model

from ferrule._typing import PathOrStr
from ferrule.storage import (
    dump_fields,
    field_names,
    load_fields,
    load_folder,
    load_model,
    parse_object,
    save_folder,
    unchanged_on_error,
)

__all__ = ["SavedField", "SavedPipe"]

Self = TypeVar("Self", bound="SavedPipe")


@dataclass(frozen=True)
class SavedField:
    """How a further part of a component becomes bytes, and is set from such bytes."""

    dump: Callable[[], bytes]
    load: Callable[[bytes], None]


class SavedPipe:
    """The four methods that save and load the fields `cfg`, `vocab` and `model`."""

    vocab: Any
    model: Any
    cfg: dict[str, Any]

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The component as bytes: the fields `cfg`, `vocab` and `model`, except those excluded."""
        exclude = field_names(exclude)
        writers: dict[str, Callable[[], Any]] = {
            "cfg": lambda: srsly.json_dumps(self._cfg()),
            "vocab": lambda: self.vocab.to_bytes(exclude=exclude),
            **{name: field.dump for name, field in self._further_fields().items()},
            "model": lambda: self.model.to_bytes(),
        }
        return dump_fields(self._present(writers), exclude)

    def from_bytes(self: Self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> Self:
        """Load what `to_bytes` gave into this component, and return it.

        Everything is checked first; raises SerializationError, with the component as it was, for data that is
        broken or of another component.
        """
        exclude = field_names(exclude)
        readers: dict[str, Callable[[Any], Any]] = {
            "cfg": lambda text: self._set_cfg(parse_object(text, f"{self._owner()}: the settings")),
            **{name: field.load for name, field in self._further_fields().items()},
            "model": lambda data: self._load_model(data),
            "vocab": lambda data: self.vocab.from_bytes(data, exclude=exclude),
        }
        with unchanged_on_error(self, getattr(self, "vocab", None)):
            load_fields(bytes_data, self._present(readers), exclude)
        return self

    def to_disk(self, path: PathOrStr, *, exclude: Iterable[str] = ()) -> None:
        """Save the component as a folder with the entries `cfg`, `vocab` and `model`, except those excluded.

        The folder is replaced as a whole when everything is written; after an error it is what it was.
        """
        exclude = field_names(exclude)
        writers: dict[str, Callable[[Path], Any]] = {
            "cfg": lambda file: srsly.write_json(file, self._cfg()),
            "vocab": lambda folder: self.vocab.to_disk(folder, exclude=exclude),
            **{name: _writes_file(field) for name, field in self._further_fields().items()},
            "model": lambda file: file.write_bytes(self.model.to_bytes()),
        }
        save_folder(path, self._present(writers), exclude)

    def from_disk(self: Self, path: PathOrStr, *, exclude: Iterable[str] = ()) -> Self:
        """Load the component from a folder that `to_disk` saved, and return it.

        Raises FileNotFoundError if it is missing, and otherwise as `from_bytes`, with the component as it
        was.
        """
        exclude = field_names(exclude)
        readers: dict[str, Callable[[Path], Any]] = {
            "cfg": lambda file: self._set_cfg(
                parse_object(file.read_bytes(), str(file)) if file.exists() else {}
            ),
            **{name: _reads_file(field) for name, field in self._further_fields().items()},
            "model": lambda file: self._load_model(file.read_bytes()),
            "vocab": lambda folder: self.vocab.from_disk(folder, exclude=exclude),
        }
        with unchanged_on_error(self, getattr(self, "vocab", None)):
            load_folder(path, self._present(readers), exclude)
        return self

    def _cfg(self) -> dict[str, Any]:
        return dict(getattr(self, "cfg", None) or {})

    def _set_cfg(self, saved: dict[str, Any]) -> None:
        self.cfg = {**self._cfg(), **saved}

    def _further_fields(self) -> dict[str, SavedField]:
        """What else a component saves, by name; loaded before the model. In a folder each is a file."""
        return {}

    def _load_model(self, data: bytes) -> None:
        load_model(self.model, data, self._owner())

    def _owner(self) -> str:
        return f"{type(self).__name__} {getattr(self, 'name', '')!r}"

    def _present(self, fields: dict[str, Any]) -> dict[str, Any]:
        """`fields` without those this component has nothing to put in."""
        absent = set()
        if not isinstance(getattr(self, "model", None), Model):
            absent.add("model")
        if getattr(self, "vocab", None) is None:
            absent.add("vocab")
        return {name: field for name, field in fields.items() if name not in absent}


def _writes_file(field: SavedField) -> Callable[[Path], Any]:
    return lambda file: file.write_bytes(field.dump())


def _reads_file(field: SavedField) -> Callable[[Path], Any]:
    return lambda file: field.load(file.read_bytes())
