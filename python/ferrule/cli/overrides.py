"""Settings of a config given on the command line, as in `--training.max_steps 200`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ferrule.errors import ConfigError, nearest_names

if TYPE_CHECKING:
    from thinc.config import Config

__all__ = ["override", "parse_overrides", "read_config", "run_code"]


def parse_overrides(arguments: Sequence[str]) -> dict[str, Any]:
    """`section.key` -> value for each `--section.key value` or `--section.key=value`.

    A value is read as JSON where it is JSON, else taken as text; an option without a value is true. Raises
    ConfigError for anything that is not such an option.

    >>> parse_overrides(["--training.max_steps", "200", "--paths.train=corpus.spacy"])
    {'training.max_steps': 200, 'paths.train': 'corpus.spacy'}
    """
    found: dict[str, Any] = {}
    waiting = list(arguments)
    while waiting:
        option = waiting.pop(0)
        name, has_value, value = option.removeprefix("--").partition("=")
        if not option.startswith("--") or "." not in name:
            raise ConfigError(
                f"{option!r} is not an option of this command; a setting of the config is given by its "
                "section and name, such as --training.max_steps 200"
            )
        if not has_value:
            value = waiting.pop(0) if waiting and not waiting[0].startswith("--") else "true"
        try:
            found[name] = json.loads(value)
        except json.JSONDecodeError:
            found[name] = value
    return found


def read_config(path: Path, overrides: dict[str, Any]) -> Config:
    """The config file at `path`, not interpolated, with `overrides` put in.

    Raises FileNotFoundError, or ConfigError if the file is not a config or an override names a section that
    is not there.
    """
    from ferrule.language.config import load_config

    config = load_config(path)
    override(config, overrides)
    return config


def override(config: Config, overrides: dict[str, Any]) -> None:
    """Put `overrides` into `config`.

    Raises ConfigError for a section that is not there, and for a path that nothing in the config uses.
    """
    for name, value in overrides.items():
        _check_path(config, name)
        _set(config, name, value)


def _check_path(config: Config, name: str) -> None:
    """Refuse a new path that no setting refers to: it would do nothing, and is a slip."""
    section, _, key = name.partition(".")
    known = config.get(section)
    if section != "paths" or not isinstance(known, dict) or key in known:
        return
    from ferrule.language import Language

    known = {**Language.default_config["paths"], **known}
    if key not in known and f"${{{name}}}" not in config.to_str(interpolate=False):
        near = nearest_names(key, known)
        hint = f"did you mean --paths.{near[0]}?" if near else f"there are: {', '.join(known) or 'none'}"
        raise ConfigError(f"--{name}: nothing in the config uses that path; {hint}")


def _set(config: dict[str, Any], name: str, value: Any) -> None:
    section: Any = config
    *path, key = name.split(".")
    for depth, part in enumerate(path):
        if not isinstance(section.get(part), dict):
            place = ".".join(path[: depth + 1])
            near = nearest_names(part, [k for k, v in section.items() if isinstance(v, dict)])
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"--{name}: the config has no section [{place}]{hint}")
        section = section[part]
    section[key] = value


def run_code(path: Path | None) -> None:
    """Import the Python file at `path`, so that what it registers can be named in a config; nothing for
    None.

    Raises ValueError for a file that is not there, and with file and line for what the code raises.
    """
    if path is None:
        return
    import importlib.util
    import sys

    spec = importlib.util.spec_from_file_location(path.stem, path.resolve())
    if not path.is_file() or spec is None or spec.loader is None:
        raise ValueError(f"--code {path}: there is no Python file of that name")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ValueError(_in_code(path, error)) from error


def _in_code(path: Path, error: Exception) -> str:
    """Where in the file at `path` the error comes from, and what it is."""
    import traceback

    if isinstance(error, SyntaxError):
        line = error.lineno
        what = f"SyntaxError: {error.msg}"
    else:
        frames = traceback.extract_tb(error.__traceback__)
        file = str(path.resolve())
        line = next((frame.lineno for frame in reversed(frames) if frame.filename == file), None)
        what = f"{type(error).__name__}: {error}"
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == "spacy":
        what += ". Import the same names from ferrule: what registers with spaCy is not known here"
    return f"--code {path}{f', line {line}' if line else ''}: {what}"
