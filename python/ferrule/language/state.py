"""What a pipeline consists of, and the simplest questions about it; the base of the parts of `Language`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from thinc.config import Config
from thinc.optimizers import Optimizer

from ferrule._typing import ErrorHandler
from ferrule.errors import ComponentNotFoundError, nearest_names
from ferrule.lang.defaults import BaseDefaults
from ferrule.pipeline.factories import FactoryMeta

__all__ = ["PipelineState"]


class PipelineState:
    """The components, in order, with their factories and settings."""

    lang: ClassVar[str | None] = None
    Defaults: ClassVar[type[BaseDefaults]] = BaseDefaults
    default_config: ClassVar[Config]

    vocab: Any
    tokenizer: Any
    batch_size: int
    max_length: int
    default_error_handler: ErrorHandler

    _components: list[tuple[str, Any]]
    _disabled: set[str]
    _pipe_meta: dict[str, FactoryMeta]
    _pipe_configs: dict[str, Config]
    _config: Config
    _meta: dict[str, Any]
    _optimizer: Optimizer | None
    _path: Path | None

    @property
    def path(self) -> Path | None:
        """The folder the pipeline was loaded from, if it was."""
        return self._path

    @property
    def components(self) -> list[tuple[str, Any]]:
        """All components with their names, in order, disabled ones included."""
        return list(self._components)

    @property
    def component_names(self) -> list[str]:
        """The names of all components, in order, disabled ones included."""
        return [name for name, _ in self._components]

    @property
    def pipeline(self) -> list[tuple[str, Any]]:
        """The enabled components with their names, in order."""
        return [(name, pipe) for name, pipe in self._components if name not in self._disabled]

    @property
    def pipe_names(self) -> list[str]:
        """The names of the enabled components, in order."""
        return [name for name, _ in self.pipeline]

    @property
    def disabled(self) -> list[str]:
        """The names of the disabled components, in order."""
        return [name for name in self.component_names if name in self._disabled]

    @property
    def pipe_factories(self) -> dict[str, str]:
        """Component name -> the factory it was made by, in order."""
        return {name: self._pipe_meta[name].factory for name in self.component_names}

    @property
    def pipe_labels(self) -> dict[str, list[str]]:
        """Component name -> its labels, for the components that show theirs."""
        labels = {}
        for name, pipe in self._components:
            if getattr(pipe, "hide_labels", False) is True:
                continue
            found = getattr(pipe, "labels", None)
            if found:
                labels[name] = list(found)
        return labels

    def has_pipe(self, name: str) -> bool:
        """Whether there is a component of that name, and it is enabled."""
        return name in self.pipe_names

    def get_pipe(self, name: str) -> Any:
        """The component of that name; ComponentNotFoundError, a KeyError, if there is none."""
        for component_name, pipe in self._components:
            if component_name == name:
                return pipe
        raise self._not_found(name)

    def get_pipe_meta(self, name: str) -> FactoryMeta:
        """What was declared about the factory of the component `name`."""
        if name not in self._pipe_meta:
            raise self._not_found(name)
        return self._pipe_meta[name]

    def get_pipe_config(self, name: str) -> Config:
        """The settings the component `name` was made with, its factory among them."""
        if name not in self._pipe_configs:
            raise self._not_found(name)
        return self._pipe_configs[name]

    def _not_found(self, name: str) -> ComponentNotFoundError:
        near = nearest_names(str(name), self.component_names)
        return ComponentNotFoundError(
            f"There is no component {name!r} in the pipeline. "
            + (f"Did you mean {near[0]!r}? " if near else "")
            + f"The components are: {', '.join(self.component_names) or 'none'}."
        )

    def _index(self, name: str) -> int:
        if name not in self.component_names:
            raise self._not_found(name)
        return self.component_names.index(name)
