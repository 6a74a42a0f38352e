"""Declaring how a component is made: the factory, its default settings, and what it reads and writes.

`Language.factory` and `Language.component` call the two functions here; the built-in components, which sit
below `Language`, use them directly.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ferrule.errors import UnknownNameError
from ferrule.registry import registry

__all__ = ["FactoryMeta", "component", "factory", "factory_meta"]

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class FactoryMeta:
    """What is declared about a factory.

    `factory` is its name, `default_config` the settings it is called with unless a config says otherwise,
    `assigns` and `requires` the attributes the component writes and reads (`"token.tag"`, `"doc.ents"`),
    `retokenizes` whether it changes token boundaries, `scores` the names of its scores, and
    `default_score_weights` how those count in the final score (None: reported but not counted).
    `own_settings` has the settings that spaCy's factory of that name refuses, with the defaults at which a
    saved config leaves them out.
    """

    factory: str
    default_config: dict[str, Any] = field(default_factory=dict)
    assigns: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    retokenizes: bool = False
    scores: tuple[str, ...] = ()
    default_score_weights: dict[str, float | None] = field(default_factory=dict)
    own_settings: dict[str, Any] = field(default_factory=dict)


_METAS: dict[str, FactoryMeta] = {}


def factory(
    name: str,
    *,
    default_config: Mapping[str, Any] | None = None,
    assigns: Iterable[str] = (),
    requires: Iterable[str] = (),
    retokenizes: bool = False,
    default_score_weights: Mapping[str, float | None] | None = None,
    own_settings: Mapping[str, Any] | None = None,
    func: F | None = None,
    lang: str | None = None,
) -> Any:
    """Register a function that makes a component; a decorator unless `func` is given.

    The function takes `nlp`, `name` and one argument for each key of `default_config`. With `lang` the
    factory serves pipelines of that language only, before the general one of the same name. `own_settings`:
    see `FactoryMeta`.

    Raises TypeError if `name` is no string; ValueError if it contains a dot, is taken by another function, or
    if the function lacks `nlp` or `name`.

    >>> @factory("docs_marker", default_config={"mark": "*"})
    ... def make_marker(nlp, name, mark):
    ...     return lambda doc: doc
    >>> factory_meta("docs_marker").default_config
    {'mark': '*'}
    """
    _check_name(name, "factory")
    weights = dict(default_score_weights or {})
    meta = FactoryMeta(
        factory=name,
        default_config=deepcopy(dict(default_config or {})),
        assigns=tuple(assigns),
        requires=tuple(requires),
        retokenizes=retokenizes,
        scores=tuple(weights),
        default_score_weights=weights,
        own_settings=dict(own_settings or {}),
    )
    registered_name = f"{lang}.{name}" if lang else name

    def register(function: F) -> F:
        _check_arguments(registered_name, function)
        known = registry.factories.get_own(registered_name)
        if known is not None and not _same_function(known, function):
            raise ValueError(
                f"A factory named {registered_name!r} exists already: {_describe(known)}. "
                f"Choose another name for {_describe(function)}."
            )
        registry.factories.register(registered_name, func=function)
        _METAS[registered_name] = meta
        return function

    return register if func is None else register(func)


def component(
    name: str,
    *,
    assigns: Iterable[str] = (),
    requires: Iterable[str] = (),
    retokenizes: bool = False,
    func: F | None = None,
    lang: str | None = None,
) -> Any:
    """Register a function `(Doc) -> Doc` as a component without settings; a decorator unless `func` is given.

    Raises as :func:`factory` does.
    """
    _check_name(name, "component")

    def register(function: F) -> F:
        if not callable(function):
            raise TypeError(f"component {name!r}: expected a function, found {type(function).__name__}")

        def make_component(nlp: Any, name: str) -> F:
            return function

        make_component.wrapped = function  # type: ignore[attr-defined]
        factory(
            name, assigns=assigns, requires=requires, retokenizes=retokenizes, func=make_component, lang=lang
        )
        return function

    return register if func is None else register(func)


def factory_meta(name: str) -> FactoryMeta:
    """What was declared about the factory registered as `name`.

    Raises UnknownNameError, with the nearest names, if there is none.
    """
    registry.factories.get(name)
    if name not in _METAS:
        raise UnknownNameError(
            f"The factory {name!r} was registered with registry.factories, which records no settings. "
            f"Register it with @Language.factory({name!r})."
        )
    return _METAS[name]


def _check_name(name: str, kind: str) -> None:
    if not isinstance(name, str):
        raise TypeError(
            f"{kind}: expected the name as a string, found {type(name).__name__}. "
            f"Use the decorator with its name: @Language.{kind}('my_{kind}')."
        )
    if "." in name:
        raise ValueError(
            f"{kind}: the name {name!r} contains a dot, which separates config sections; use '_'"
        )


def _check_arguments(name: str, function: Callable[..., Any]) -> None:
    parameters = inspect.signature(function).parameters
    missing = [required for required in ("nlp", "name") if required not in parameters]
    if missing:
        raise ValueError(
            f"factory {name!r}: the function must take the arguments 'nlp' and 'name', found "
            f"({', '.join(parameters)}); add {' and '.join(map(repr, missing))}"
        )


def _same_function(first: Callable[..., Any], second: Callable[..., Any]) -> bool:
    """Whether both come from the same place in the same source, as when a module or cell is run twice."""
    return _origin(first) == _origin(second)


def _origin(function: Callable[..., Any]) -> tuple[str, str]:
    function = getattr(function, "wrapped", function)
    return (getattr(function, "__module__", ""), getattr(function, "__qualname__", repr(function)))


def _describe(function: Callable[..., Any]) -> str:
    return ".".join(_origin(function))
