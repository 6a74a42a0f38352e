"""`ferrule.blank` and `ferrule.load`: pipelines by language, folder or package."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import srsly

from ferrule._typing import PathOrStr
from ferrule.errors import ConfigError, SerializationError
from ferrule.language.config import load_config
from ferrule.language.language import Language
from ferrule.language.languages import get_lang_class, saved_lang_class
from ferrule.storage import checked_name, reading

__all__ = ["blank", "load", "load_from_config"]


def blank(
    name: str,
    *,
    vocab: Any = True,
    config: Mapping[str, Any] | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Language:
    """An empty pipeline for a language: a tokenizer, a vocabulary, no components.

    name: language code, such as "en"; "xx" for any language. config: settings over the default ones.

    Raises UnknownNameError for a language that is not there.
    """
    return get_lang_class(name).from_config(config or {}, vocab=vocab, meta=meta)


def load(
    name: PathOrStr,
    *,
    vocab: Any = True,
    disable: str | Iterable[str] = (),
    enable: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    config: Mapping[str, Any] | None = None,
) -> Language:
    """A saved pipeline, from a folder or from an installed package.

    disable: components to load but not run. enable: the only ones to run. exclude: components not to load.
    config: settings to change, nested or with dots (`{"nlp.batch_size": 64}`).

    Nothing in the folder is run as code: functions come from the registry, by name. Raises
    FileNotFoundError if there is no such folder or package; CorruptedFileError, SerializationError or
    ConfigError for one that is damaged or does not fit; UnknownNameError for functions nobody registered.
    """
    folder = _folder_of(name)

    def read(folder: Path) -> Language:
        return _load_folder(
            folder,
            vocab=vocab,
            disable=disable,
            enable=enable,
            exclude=exclude,
            overrides=_flat(config or {}),
        )

    nlp = reading(folder, read)
    nlp._path = folder
    return nlp


def load_from_config(config: Mapping[str, Any], **settings: Any) -> Language:
    """The pipeline a config describes, of the class its [nlp] lang names; see `Language.from_config`.

    Raises ConfigError if the config does not name a language.
    """
    lang = (config.get("nlp") or {}).get("lang")
    if not lang:
        raise ConfigError('config: [nlp] lang is missing; it names the language, such as "en"')
    return saved_lang_class(lang).from_config(config, **settings)


def _load_folder(
    folder: Path,
    *,
    vocab: Any,
    disable: str | Iterable[str],
    enable: str | Iterable[str],
    exclude: str | Iterable[str],
    overrides: dict[str, Any],
) -> Language:
    config_file = folder / "config.cfg"
    if not config_file.is_file():
        raise SerializationError(
            f"{folder} holds no config.cfg, so it is no saved pipeline; expected a folder that "
            "nlp.to_disk wrote"
        )
    config = load_config(config_file, overrides)
    for name in config.get("components") or {}:
        checked_name(str(name), f"{config_file}: the component name")
    lang = (config.get("nlp") or {}).get("lang")
    if not lang:
        raise SerializationError(
            f"{config_file} does not say what language the pipeline is for: [nlp] lang is missing"
        )
    excluded = [exclude] if isinstance(exclude, str) else list(exclude)
    nlp = saved_lang_class(lang).from_config(
        config, vocab=vocab, disable=disable, enable=enable, exclude=excluded, meta=_meta(folder)
    )
    return nlp.from_disk(folder, exclude=excluded, overrides=overrides)


def _meta(folder: Path) -> dict[str, Any]:
    file = folder / "meta.json"
    if not file.is_file():
        raise SerializationError(f"{file} is missing; a saved pipeline has a meta.json")
    try:
        meta = srsly.json_loads(file.read_bytes())
    except ValueError as error:
        raise SerializationError(f"{file} is no JSON: {error}") from error
    if not isinstance(meta, dict):
        raise SerializationError(f"{file} holds {type(meta).__name__}, expected an object")
    return meta


def _folder_of(name: PathOrStr) -> Path:
    """The folder itself, or the one inside the package of that name; FileNotFoundError if neither is."""
    path = Path(name)
    if path.exists() or not isinstance(name, str):
        return path
    if re.fullmatch(r"\w+", name):
        spec = importlib.util.find_spec(name)
        for location in (spec.submodule_search_locations or []) if spec is not None else []:
            package = Path(location)
            if (package / "meta.json").is_file():
                meta = _meta(package)
                inner = package / f"{meta.get('lang')}_{meta.get('name')}-{meta.get('version')}"
                return inner if inner.is_dir() else package
    if path.parent.is_dir() and (path.parent / f".{path.name}.ferrule-previous").is_dir():
        return path
    raise FileNotFoundError(
        f"There is no pipeline {str(name)!r}: neither a folder nor an installed package has that name"
    )


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"nlp": {"lang": "en"}}` as `{"nlp.lang": "en"}`."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            flat.update(_flat(value, f"{name}."))
        else:
            flat[name] = value
    return flat
