"""How much the variables of a config would expand to, counted before they do.

A variable may stand for a whole section, and for values with variables of their own, so a few lines could
grow to more than any memory holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ferrule.errors import ConfigError

__all__ = ["check_expansion"]

#: Values a config may have when all its variables are replaced; large real ones have some hundreds.
MOST_VALUES = 20_000
#: Characters of those values together.
MOST_CHARACTERS = 2_000_000

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


class _Size(NamedTuple):
    values: int
    characters: int


def check_expansion(config: Mapping[str, Any], what: str) -> None:
    """ConfigError, naming `what`, if the variables of `config` refer to themselves or expand to too much.

    `config` is one whose variables are not replaced yet. Variables that name nothing are left to the
    replacement, which says so.

    >>> check_expansion({"paths": {"train": "a"}, "corpus": {"path": "${paths.train}"}}, "config.cfg")
    """
    total = _Expansion(config, what).size(())
    if total.values > MOST_VALUES or total.characters > MOST_CHARACTERS:
        raise ConfigError(
            f"{what}: with its variables replaced it would have {total.values} values of {total.characters} "
            f"characters; at most {MOST_VALUES} and {MOST_CHARACTERS} are allowed. Refer to fewer whole "
            "sections, or to shorter values."
        )


class _Expansion:
    """The sizes of the parts of one config, each computed once."""

    def __init__(self, config: Mapping[str, Any], what: str) -> None:
        self._config = config
        self._what = what
        self._sizes: dict[tuple[str, ...], _Size] = {}
        self._open: list[tuple[str, ...]] = []

    def size(self, path: tuple[str, ...]) -> _Size:
        """What the value or the section at `path` is with its variables replaced."""
        if path in self._sizes:
            return self._sizes[path]
        if path in self._open:
            circle = [*self._open[self._open.index(path) :], path]
            raise ConfigError(
                f"{self._what}: the variables refer to themselves: {' → '.join(map('.'.join, circle))}"
            )
        found, value = self._value(path)
        if not found:
            return _Size(0, 0)
        self._open.append(path)
        if isinstance(value, Mapping):
            parts = [self.size((*path, str(key))) for key in value]
        else:
            text = str(value)
            names = [re.split(r"[.:]", name.strip()) for name in _VARIABLE.findall(text)]
            parts = [_Size(1, len(text)), *(self.size(tuple(name)) for name in names)]
        self._open.pop()
        total = _Size(sum(part.values for part in parts), sum(part.characters for part in parts))
        self._sizes[path] = total
        return total

    def _value(self, path: tuple[str, ...]) -> tuple[bool, Any]:
        value: Any = self._config
        for part in path:
            if not isinstance(value, Mapping) or part not in value:
                return False, None
            value = value[part]
        return True, value
