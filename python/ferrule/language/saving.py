"""Saving and loading a whole pipeline, in spaCy's layout of folders and of bytes."""

from __future__ import annotations

import configparser
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import srsly
from thinc.config import Config

from ferrule._typing import PathOrStr
from ferrule.errors import ConfigError, SerializationError
from ferrule.language.config import SECTION_ORDER, load_config
from ferrule.language.config_expansion import check_expansion
from ferrule.language.description import Description
from ferrule.language.listeners import Listening
from ferrule.language.saved_folder import read_meta, saved_file
from ferrule.storage import (
    checked_name,
    dump_fields,
    field_names,
    load_fields,
    load_folder,
    parse_object,
    save_folder,
    unchanged_on_error,
)

__all__ = ["Saving"]

Self = TypeVar("Self", bound="Saving")


class Saving(Listening, Description):
    """The part of `Language` that writes and reads files."""

    def to_disk(self, path: PathOrStr, *, exclude: Iterable[str] = ()) -> None:
        """Save the pipeline as a folder: config.cfg, meta.json, tokenizer, vocab/, a folder each component.

        exclude: names of entries or components to leave out. The folder is replaced as a whole when
        everything is written; after an error, a crash or a kill at any point it is what it was.
        """
        excluded, tokenizer = field_names(exclude), self.tokenizer
        writers: dict[str, Callable[[Path], Any]] = {}
        if hasattr(tokenizer, "to_disk"):
            writers["tokenizer"] = lambda file: tokenizer.to_disk(file, exclude=["vocab"])
        writers["meta.json"] = lambda file: srsly.write_json(file, self.meta)
        writers["config.cfg"] = lambda file: self.config.to_disk(file, interpolate=False)
        for name, pipe in self._components:
            if hasattr(pipe, "to_disk"):
                writers[checked_name(name, "the component name")] = _without_vocab(pipe.to_disk)
        writers["vocab"] = lambda folder: self.vocab.to_disk(folder, exclude=excluded)
        save_folder(path, writers, excluded)

    def from_disk(
        self: Self,
        path: PathOrStr,
        *,
        exclude: Iterable[str] = (),
        overrides: Mapping[str, Any] | None = None,
    ) -> Self:
        """Load what `to_disk` saved into this pipeline, which must have the same components, and return it.

        overrides: settings to change in the config. Raises FileNotFoundError if there is no such folder;
        SerializationError and ConfigError for one that is damaged or does not fit, with the pipeline as it
        was.
        """
        excluded, tokenizer = field_names(exclude), self.tokenizer
        readers: dict[str, Callable[[Path], Any]] = {
            "config.cfg": lambda file: self._load_config(file, overrides or {}),
            "meta.json": lambda file: self._set_meta(read_meta(file.parent)),
            "vocab": lambda folder: (
                self.vocab.from_disk(folder, exclude=excluded) if folder.is_dir() else None
            ),
        }
        if hasattr(tokenizer, "from_disk"):
            readers["tokenizer"] = lambda file: tokenizer.from_disk(file, exclude=["vocab"])
        for name, pipe in self._components:
            if hasattr(pipe, "from_disk"):
                readers[checked_name(name, "the component name")] = _without_vocab(pipe.from_disk)
        with self._unchanged_on_error():
            load_folder(path, readers, excluded)
        self._path = Path(path)
        self._link_components()
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The pipeline as bytes, with the same fields as the folder."""
        excluded, tokenizer = field_names(exclude), self.tokenizer
        writers: dict[str, Callable[[], Any]] = {"vocab": lambda: self.vocab.to_bytes(exclude=excluded)}
        if hasattr(tokenizer, "to_bytes"):
            writers["tokenizer"] = lambda: tokenizer.to_bytes(exclude=["vocab"])
        writers["meta.json"] = lambda: srsly.json_dumps(self.meta)
        writers["config.cfg"] = lambda: self.config.to_bytes(interpolate=False)
        for name, pipe in self._components:
            if hasattr(pipe, "to_bytes"):
                writers[name] = _bytes_without_vocab(pipe)
        return dump_fields(writers, excluded)

    def from_bytes(self: Self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> Self:
        """Load what `to_bytes` gave into this pipeline, which must have the same components, and return it.

        Raises as `from_disk`, with the pipeline as it was.
        """
        excluded, tokenizer = field_names(exclude), self.tokenizer
        readers: dict[str, Callable[[Any], Any]] = {
            "config.cfg": lambda data: self._set_config(_parsed_config(data)),
            "meta.json": lambda data: self._set_meta(parse_object(data, "meta.json")),
            "vocab": lambda data: self.vocab.from_bytes(data, exclude=excluded),
        }
        if hasattr(tokenizer, "from_bytes"):
            readers["tokenizer"] = lambda data: tokenizer.from_bytes(data, exclude=["vocab"])
        for name, pipe in self._components:
            if hasattr(pipe, "from_bytes"):
                readers[name] = _without_vocab(pipe.from_bytes)
        with self._unchanged_on_error():
            load_fields(bytes_data, readers, excluded)
        self._link_components()
        return self

    def _unchanged_on_error(self) -> Any:
        return unchanged_on_error(self, self.vocab, self.tokenizer, *(pipe for _, pipe in self._components))

    def _load_config(self, file: Path, overrides: Mapping[str, Any]) -> None:
        config = load_config(saved_file(file.parent, file.name), overrides)
        if not (config.get("nlp") or {}).get("lang"):
            raise SerializationError(
                f"{file} does not say what language the pipeline is for: [nlp] lang is missing"
            )
        self._set_config(config)

    def _set_config(self, config: Config) -> None:
        """Take over all but what this object was built by: its language and its components."""
        self.config = config

    def _set_meta(self, meta: dict[str, Any]) -> None:
        self._meta.update(meta)
        # The name of the vectors is how a shared vocabulary finds them again.
        vectors = getattr(self.vocab, "vectors", None)
        name = (meta.get("vectors") or {}).get("name")
        if vectors is not None and name and hasattr(vectors, "name"):
            vectors.name = name


def _without_vocab(method: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda target: method(target, exclude=["vocab"])


def _bytes_without_vocab(pipe: Any) -> Callable[[], Any]:
    return lambda: pipe.to_bytes(exclude=["vocab"])


def _parsed_config(data: Any) -> Config:
    if not isinstance(data, bytes):
        raise SerializationError(f"config.cfg: expected bytes, found {type(data).__name__}")
    try:
        config = Config(section_order=SECTION_ORDER).from_bytes(data, interpolate=False)
        check_expansion(config, "config.cfg")
    except ConfigError:
        raise
    except (ValueError, RecursionError, configparser.Error) as error:
        raise SerializationError(f"config.cfg cannot be read: {error}") from error
    return config
