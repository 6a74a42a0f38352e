"""Changing which components a pipeline has, in what order, and which of them run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from thinc.config import Config

from ferrule.errors import ConfigError
from ferrule.language.building import Building
from ferrule.pipeline.factories import FactoryMeta
from ferrule.storage import checked_name

__all__ = ["DisabledPipes", "Editing"]

# Names of what a saved pipeline's folder holds besides its components.
_RESERVED_NAMES = frozenset({"vocab", "tokenizer", "meta.json", "config.cfg", "ferrule.sha256"})


class Editing(Building):
    """The part of `Language` that adds, removes, moves, renames and switches components."""

    def add_pipe(
        self,
        factory_name: str,
        name: str | None = None,
        *,
        before: str | int | None = None,
        after: str | int | None = None,
        first: bool | None = None,
        last: bool | None = None,
        source: Any = None,
        config: Mapping[str, Any] | None = None,
        raw_config: Config | None = None,
        validate: bool = True,
    ) -> Any:
        """Make a component, add it to the pipeline, and return it.

        `name` is the factory's unless given. `before` and `after` take a component's name or position; at
        most one of them, `first` and `last` may be given; without them the component comes last. `source`
        is another pipeline to copy the component `factory_name` from, with its weights.

        Raises ValueError for a name that is taken or cannot be a folder's, or for contradictory positions;
        UnknownNameError for an unknown factory; ConfigError for settings the factory does not take.
        """
        if not isinstance(factory_name, str):
            raise TypeError(
                f"add_pipe: expected the name of a registered factory, found {type(factory_name).__name__}: "
                f"{factory_name!r}. Register the function with @Language.component('name') and pass the name."
            )
        name = factory_name if name is None else name
        self._check_new_name(name)
        position = self._position(before, after, first, last)
        if source is not None:
            pipe, factory_name = self.create_pipe_from_source(factory_name, source, name=name)
        else:
            pipe = self.create_pipe(
                factory_name, name=name, config=config, raw_config=raw_config, validate=validate
            )
        self._components.insert(position, (name, pipe))
        return pipe

    def _add_foreign(self, name: str, pipe: Any, meta: FactoryMeta, config: Config) -> None:
        """Add a component that another library made, last, with the settings it was made by there."""
        self._check_new_name(name)
        self._pipe_configs[name] = config
        self._pipe_meta[name] = meta
        pipe.vocab = self.vocab
        self._components.append((name, pipe))

    def remove_pipe(self, name: str) -> tuple[str, Any]:
        """Take a component out of the pipeline; returns its name and the component.

        Raises ComponentNotFoundError if there is none of that name.
        """
        removed = self._components.pop(self._index(name))
        del self._pipe_meta[name], self._pipe_configs[name]
        self._disabled.discard(name)
        self._config["initialize"]["components"].pop(name, None)
        return removed

    def replace_pipe(
        self, name: str, factory_name: str, *, config: Mapping[str, Any] | None = None, validate: bool = True
    ) -> Any:
        """Put a new component made by `factory_name` in the place of `name`, and return it.

        Raises as `add_pipe` does, with the pipeline as it was.
        """
        position = self._index(name)
        before = self._pipe_meta[name], self._pipe_configs[name]
        try:
            pipe = self.create_pipe(factory_name, name=name, config=config, validate=validate)
        except Exception:
            self._pipe_meta[name], self._pipe_configs[name] = before
            raise
        self._components[position] = (name, pipe)
        return pipe

    def rename_pipe(self, old_name: str, new_name: str) -> None:
        """Give a component another name, in its losses and its folder too.

        Raises ComponentNotFoundError if there is no `old_name`, ValueError if `new_name` will not do.
        """
        position = self._index(old_name)
        self._check_new_name(new_name)
        pipe = self._components[position][1]
        self._components[position] = (new_name, pipe)
        if hasattr(pipe, "name"):
            pipe.name = new_name
        self._pipe_meta[new_name] = self._pipe_meta.pop(old_name)
        self._pipe_configs[new_name] = self._pipe_configs.pop(old_name)
        if old_name in self._disabled:
            self._disabled.remove(old_name)
            self._disabled.add(new_name)
        settings = self._config["initialize"]["components"]
        if old_name in settings:
            settings[new_name] = settings.pop(old_name)

    def disable_pipe(self, name: str) -> None:
        """Let a component stay in the pipeline but not run; nothing happens if it is disabled already."""
        self._index(name)
        self._disabled.add(name)

    def enable_pipe(self, name: str) -> None:
        """Let a disabled component run again; nothing happens if it is enabled."""
        self._index(name)
        self._disabled.discard(name)

    def select_pipes(
        self, *, disable: str | Iterable[str] | None = None, enable: str | Iterable[str] | None = None
    ) -> DisabledPipes:
        """Disable some components, or all but the `enable`d; until `restore()` or the end of a `with` block.

        Raises ValueError if neither is given or both contradict each other, ComponentNotFoundError for a name
        that is not in the pipeline.
        """
        if disable is None and enable is None:
            raise ValueError("select_pipes: say which components to disable, or which to enable")
        disable = _names(disable)
        if enable is not None:
            kept = _names(enable) or []
            for name in kept:
                self._index(name)
            others = [name for name in self.pipe_names if name not in kept]
            if disable is not None and set(disable) != set(others):
                raise ValueError(
                    f"select_pipes: enable={kept} and disable={disable} contradict each other in the "
                    "pipeline "
                    f"{self.pipe_names}; give one of them"
                )
            disable = others
        disable = disable or []
        for name in disable:
            self._index(name)
        return DisabledPipes(self, [name for name in disable if name not in self._disabled])

    def _check_new_name(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"a component's name must be a string, found {type(name).__name__}: {name!r}")
        if name in self.component_names:
            raise ValueError(
                f"There is a component {name!r} in the pipeline already ({', '.join(self.component_names)}); "
                f"give the new one another name: add_pipe(factory, name=…)"
            )
        checked_name(name, "the component name")
        if name in _RESERVED_NAMES:
            raise ValueError(f"{name!r} is part of every saved pipeline, so no component can be called that")
        if "." in name or re.search(r"[\[\]\n\r]", name):
            raise ConfigError(
                f"The component name {name!r} cannot be a section of a config; use no dots and no brackets"
            )

    def _position(
        self, before: str | int | None, after: str | int | None, first: bool | None, last: bool | None
    ) -> int:
        if sum((before is not None, after is not None, bool(first), bool(last))) > 1:
            raise ValueError(
                f"add_pipe: give at most one of before={before!r}, after={after!r}, first={first!r} and "
                f"last={last!r}"
            )
        if first:
            return 0
        if before is not None:
            return self._place(before, "before")
        if after is not None:
            return self._place(after, "after") + 1
        return len(self._components)

    def _place(self, place: str | int, argument: str) -> int:
        if isinstance(place, bool) or not isinstance(place, str | int):
            raise TypeError(f"add_pipe: {argument} must be a name or a position, found {place!r}")
        if isinstance(place, str):
            return self._index(place)
        n_components = len(self._components)
        if not -n_components <= place < max(n_components, 1):
            raise ValueError(
                f"add_pipe: {argument}={place} is out of range; the pipeline has {n_components} components"
            )
        return place % n_components if n_components else 0


class DisabledPipes(list[str]):
    """The names of components that were switched off, until `restore()` or the end of a `with` block."""

    def __init__(self, nlp: Editing, names: list[str]) -> None:
        super().__init__(names)
        self.nlp = nlp
        for name in names:
            nlp.disable_pipe(name)

    def __enter__(self) -> DisabledPipes:
        return self

    def __exit__(self, *error: object) -> None:
        self.restore()

    def restore(self) -> None:
        """Enable those components again that are still part of the pipeline."""
        for name in self:
            if name in self.nlp.component_names:
                self.nlp.enable_pipe(name)
        self[:] = []


def _names(names: str | Iterable[str] | None) -> list[str] | None:
    return None if names is None else [names] if isinstance(names, str) else list(names)
