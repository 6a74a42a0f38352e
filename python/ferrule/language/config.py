"""Reading, filling and checking the config of a pipeline."""

from __future__ import annotations

import configparser
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from thinc.config import Config

from ferrule._typing import PathOrStr
from ferrule.errors import ConfigError, nearest_names
from ferrule.language.config_expansion import check_expansion
from ferrule.language.config_text import ConfigText
from ferrule.registry import registry

__all__ = [
    "SECTION_ORDER",
    "combined_score_weights",
    "default_config",
    "interpolated",
    "load_config",
    "resolved_section",
    "setting",
]

SECTION_ORDER = [
    "paths",
    "variables",
    "system",
    "nlp",
    "components",
    "corpora",
    "training",
    "distillation",
    "pretraining",
    "initialize",
]


def default_config() -> Config:
    """A copy of the config a new pipeline starts from, with its variables as they are written."""
    return _parsed_default_config().copy()


@cache
def _parsed_default_config() -> Config:
    text = resources.files("ferrule.language").joinpath("default_config.cfg").read_text("utf8")
    config = Config(section_order=SECTION_ORDER)
    return config.from_str(text, interpolate=False)


def load_config(
    path: PathOrStr, overrides: Mapping[str, Any] | None = None, interpolate: bool = False
) -> Config:
    """The config in the file `path`, with the settings of `overrides` (`{"training.dropout": 0.2}`) in place.

    Raises FileNotFoundError if there is no such file, and ConfigError, with its name, if it cannot be read.
    """
    config = Config(section_order=SECTION_ORDER)
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"{file}: there is no config file of that name")
    try:
        text = file.read_bytes().decode("utf8")
        config.from_str(text, interpolate=False, overrides=dict(overrides or {}))
        check_expansion(config, str(file))
    except ConfigError:
        raise
    except (ValueError, RecursionError, configparser.Error) as error:
        raise ConfigError(_unreadable(file, error)) from error
    return interpolated(config, str(file)) if interpolate else config


def load_config_from_str(
    text: str, overrides: Mapping[str, Any] | None = None, interpolate: bool = False
) -> Config:
    """The config that `text` writes down, with the settings of `overrides`; ConfigError if it cannot be read.

    >>> load_config_from_str('[nlp]\\nlang = "en"')["nlp"]["lang"]
    'en'
    """
    config = Config(section_order=SECTION_ORDER)
    try:
        config.from_str(text, interpolate=False, overrides=dict(overrides or {}))
        check_expansion(config, "config")
    except ConfigError:
        raise
    except (ValueError, RecursionError, configparser.Error) as error:
        raise ConfigError(f"config: the text cannot be read as one: {str(error).strip()}") from error
    return interpolated(config) if interpolate else config


def interpolated(config: Config, what: str = "config") -> Config:
    """A copy of `config` with its variables replaced; ConfigError, naming `what`, where that cannot be."""
    check_expansion(config, what)
    try:
        return config.interpolate()
    except (ValueError, RecursionError, configparser.Error) as error:
        reason = str(error).strip().removeprefix("Config validation error").strip()
        raise ConfigError(f"{what}: a variable cannot be replaced. {reason}") from error


def _unreadable(file: Path, error: Exception) -> str:
    problems = ConfigText.of(file.read_bytes().decode("utf8", "replace")).problems
    if not problems:
        return f"{file} cannot be read as a config: {str(error).strip()}"
    return "\n".join(f"{file}, line {number}: {message}" for number, message in problems)


def setting(config: Mapping[str, Any], name: str) -> Any:
    """The value at `name`, its sections separated by dots; ConfigError, naming what is there, if none is.

    >>> setting({"training": {"dropout": 0.1}}, "training.dropout")
    0.1
    """
    value: Any = config
    for depth, part in enumerate(name.split(".")):
        if not isinstance(value, Mapping) or part not in value:
            where = ".".join(name.split(".")[:depth]) or "the config"
            there = ", ".join(map(str, value)) if isinstance(value, Mapping) else repr(value)
            raise ConfigError(f"config: there is no setting {name!r}; {where} has: {there or 'nothing'}")
        value = value[part]
    return value


def resolved_section(config: Config, name: str, known: Sequence[str] | None = None) -> dict[str, Any]:
    """The section `name` with its variables replaced and its registered functions called.

    Raises ConfigError if the section has a key that is not in `known`, naming the nearest.
    """
    section = setting(config, name)
    if known is not None:
        for key in section:
            if key not in known:
                near = nearest_names(key, known)
                raise ConfigError(
                    f"config: [{name}] has an unknown setting {key!r}. "
                    + (f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(known)}.")
                )
    return dict(registry.resolve({name: deepcopy(section)})[name])


def combined_score_weights(
    weights: Iterable[Mapping[str, float | None]], overrides: Mapping[str, float | None]
) -> dict[str, float | None]:
    """One weight a score, rounded to hundredths and together 1, or all zero; `overrides` win over `weights`.

    >>> combined_score_weights([{"tag_acc": 1.0}, {"ents_f": 1.0, "ents_p": 0.0}], {})
    {'tag_acc': 0.5, 'ents_f': 0.5, 'ents_p': 0.0}
    """
    combined: dict[str, float | None] = {}
    for each in (*weights, overrides):
        combined.update(each)
    total = sum(weight for weight in combined.values() if weight)
    if not total:
        return combined
    return {name: round(weight / total, 2) if weight else weight for name, weight in combined.items()}
