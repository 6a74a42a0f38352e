"""`ferrule debug config`: every problem of a config, with its line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ferrule.cli.options import Code
from ferrule.cli.wording import counted

if TYPE_CHECKING:
    from thinc.config import Config

    from ferrule.training.config_check import ConfigProblem

__all__ = ["all_problems_named", "debug_config"]


def debug_config(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(help="The config file.", exists=True, dir_okay=False)],
    code: Code = None,
) -> None:
    """Name each problem of a config: its line, what was expected, the nearest name. The exit code is 1 if
    there is any.
    """
    from ferrule.cli.overrides import parse_overrides, read_config, run_code
    from ferrule.training.config_check import check_config

    run_code(code)
    overrides = parse_overrides(context.args)
    settings = read_config(config, overrides)
    problems = check_config(settings)
    for line in _lines(config, problems, settings, overrides):
        typer.echo(line)
    if problems:
        typer.echo(counted(len(problems), "problem"))
        raise typer.Exit(1)
    names = settings["nlp"].get("pipeline") or []
    typer.echo(f"{config}: no problems; a pipeline of {', '.join(names) or 'no components'}")


@contextmanager
def all_problems_named(config: Path, settings: Config, overrides: dict[str, Any]) -> Iterator[None]:
    """A ConfigError raised in the block becomes one that names all problems of the config, with lines."""
    from ferrule.errors import ConfigError, UnknownNameError

    try:
        yield
    except (ConfigError, UnknownNameError) as error:
        from ferrule.training.config_check import check_config

        lines = _lines(config, check_config(settings), settings, overrides)
        if not lines:
            raise
        raise ConfigError("\n".join(lines)) from error


def _lines(
    config: Path, problems: list[ConfigProblem], settings: Config, overrides: dict[str, Any]
) -> list[str]:
    """One line a problem, in the order of the file."""
    from ferrule.language.config_text import ConfigText

    text = ConfigText.of(config.read_text(encoding="utf8"))
    found = []
    for place, message in problems:
        number = text.line_of(place)
        where = f"{config}, line {number}" if number else str(config)
        if ".".join(place) in overrides:
            where = f"--{'.'.join(place)}"
        found.append((number or 0, f"{where}: {_named(place, message, settings)}"))
    return [line for _, line in sorted(found, key=lambda each: each[0])]


def _named(place: tuple[str, ...], message: str, settings: Config) -> str:
    """The message, headed by the section and the setting: `[training] dropout: …`."""
    if not place or message.startswith("["):
        return message
    value: Any = settings
    for name in place:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, dict) or len(place) == 1:
        return f"[{'.'.join(place)}]: {message}"
    return f"[{'.'.join(place[:-1])}] {place[-1]}: {message}"
