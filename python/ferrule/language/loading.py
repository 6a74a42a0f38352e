"""`ferrule.blank` and `ferrule.load`: pipelines by language, folder or package."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from thinc.config import Config

from ferrule import _core
from ferrule._typing import PathOrStr
from ferrule.errors import ConfigError, SerializationError, UnknownNameError
from ferrule.language.assembly import ForeignPart, assembled
from ferrule.language.config import interpolated, load_config
from ferrule.language.language import Language
from ferrule.language.languages import get_lang_class, saved_lang_class
from ferrule.language.saved_folder import find_folder, read_meta, saved_file
from ferrule.registry import registry
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


@registry.misc("ferrule.load.v1")
def load(
    name: PathOrStr,
    *,
    vocab: Any = True,
    disable: str | Iterable[str] = (),
    enable: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    config: Mapping[str, Any] | None = None,
    foreign: str | None = None,
) -> Language:
    """A saved pipeline, from a folder or from an installed package.

    disable: components to load but not run. enable: the only ones to run. exclude: components not to load.
    config: settings to change, nested or with dots (`{"nlp.batch_size": 64}`). foreign: who runs components
    that Ferrule does not have; "spacy", which must be installed, or None, for nobody.

    Nothing in the folder is run as code: functions come from the registry, by name. Raises
    FileNotFoundError if there is no such folder or package; CorruptedFileError, SerializationError or
    ConfigError for one that is damaged or does not fit; UnknownNameError for functions nobody registered,
    and for components that Ferrule does not have unless `foreign` is given; ValueError for another `foreign`.
    """
    if foreign not in (None, "spacy"):
        raise ValueError(f"ferrule.load: foreign is {foreign!r}; expected 'spacy' or None")
    folder = find_folder(name)

    def read(folder: Path) -> Language:
        return _load_folder(
            folder,
            vocab=vocab,
            disable=disable,
            enable=enable,
            exclude=exclude,
            overrides=_flat(config or {}),
            foreign=foreign,
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
    foreign: str | None,
) -> Language:
    config_file = saved_file(folder, "config.cfg")
    config = load_config(config_file, overrides)
    for name in config.get("components") or {}:
        checked_name(str(name), f"{config_file}: the component name")
    lang = (config.get("nlp") or {}).get("lang")
    if not lang:
        raise SerializationError(
            f"{config_file} does not say what language the pipeline is for: [nlp] lang is missing"
        )
    excluded = [exclude] if isinstance(exclude, str) else list(exclude)
    kind = saved_lang_class(lang)
    nlp = assembled(
        kind,
        config,
        vocab=vocab,
        disable=disable,
        enable=enable,
        exclude=excluded,
        meta=_meta(folder),
        foreign=_foreign_parts(kind, config, folder, excluded, overrides, foreign),
    )
    return nlp.from_disk(folder, exclude=excluded, overrides=overrides)


def _foreign_parts(
    kind: type[Language],
    config: Config,
    folder: Path,
    excluded: list[str],
    overrides: dict[str, Any],
    foreign: str | None,
) -> Mapping[str, ForeignPart]:
    """The components that another library runs, by name; UnknownNameError if some are needed and none may."""
    whole = interpolated(config, str(folder / "config.cfg"))
    blocks = whole.get("components") or {}
    factories = {
        name: str(blocks[name]["factory"])
        for name in whole["nlp"].get("pipeline") or ()
        if name not in excluded and "factory" in blocks.get(name, {})
    }
    lacking = {name: factory for name, factory in factories.items() if not kind.has_factory(factory)}
    if not lacking:
        return {}
    if foreign is None:
        raise UnknownNameError(_without_foreign(folder, lacking, excluded))
    make_parts = registry.misc.get(f"ferrule.foreign.{foreign}.v1")
    parts: Mapping[str, ForeignPart] = make_parts(folder, list(lacking), list(blocks), overrides)
    return parts


def _without_foreign(folder: Path, lacking: Mapping[str, str], excluded: list[str]) -> str:
    listed = ", ".join(f"{name!r} (factory {factory!r})" for name, factory in lacking.items())
    names = [*excluded, *lacking]
    return (
        f"{folder} has components that Ferrule does not: {listed}. Leave them out with ferrule.load(…, "
        f"exclude={names}), or let spaCy, installed beside Ferrule, run them with ferrule.load(…, "
        'foreign="spacy"); commands have --exclude and --foreign for it. For a component of your own, import '
        "the module that registers its factory first (in commands: --code FILE)."
    )


def _meta(folder: Path) -> dict[str, Any]:
    meta = read_meta(folder)
    _warn_if_newer(folder, meta.get("ferrule_version"))
    return meta


def _warn_if_newer(folder: Path, saved_by: Any) -> None:
    """Say that a pipeline comes from a newer Ferrule, which may have written what this one does not know."""
    numbers = re.match(r"(\d+)\.(\d+)", str(saved_by or ""))
    own = re.match(r"(\d+)\.(\d+)", _core.__version__)
    if numbers and own and tuple(map(int, numbers.groups())) > tuple(map(int, own.groups())):
        warnings.warn(
            f"{folder} was saved by Ferrule {saved_by}, and this is {_core.__version__}: it may fail to "
            "load, or predict otherwise. Upgrade Ferrule, or save the pipeline with this version.",
            stacklevel=2,
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
