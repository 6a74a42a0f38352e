"""Putting a pipeline together from a config."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any, NamedTuple, TypeVar

from thinc.config import Config

from ferrule.errors import ComponentNotFoundError, ConfigError, nearest_names
from ferrule.language.config import SECTION_ORDER, interpolated, resolved_section
from ferrule.pipeline.factories import FactoryMeta
from ferrule.registry import registry

__all__ = ["ForeignPart", "assembled"]

N = TypeVar("N")


class ForeignPart(NamedTuple):
    """A component that another library runs, and what is declared about the factory it came from."""

    pipe: Any
    meta: FactoryMeta


_NLP = (
    "lang",
    "pipeline",
    "disabled",
    "before_creation",
    "after_creation",
    "after_pipeline_creation",
    "batch_size",
    "tokenizer",
    "vectors",
    "vocab",
    "load_vocab_data",
)


def assembled(
    cls: type[N],
    config: Config,
    *,
    vocab: Any,
    disable: str | Iterable[str],
    enable: str | Iterable[str],
    exclude: str | Iterable[str],
    meta: Mapping[str, Any] | None,
    auto_fill: bool = True,
    validate: bool = True,
    foreign: Mapping[str, ForeignPart] | None = None,
) -> N:
    """A pipeline of the class `cls` as `config` describes it; see `Language.from_config`.

    foreign: components that are there already, by name, which need no factory.
    """
    disable, enable, exclude = _names(disable), _names(enable), _names(exclude)
    filled = _filled(cls, config) if auto_fill else config.copy()
    whole = interpolated(filled)
    components = whole.get("components") or {}
    plain = Config({**whole, "components": {}})
    settings = resolved_section(plain, "nlp", _NLP)
    batch_size = _checked_batch_size(settings.get("batch_size", 1000))
    kind = _called(
        settings.get("before_creation"), cls, "before_creation", lambda made: isinstance(made, type)
    )
    nlp: Any = kind(
        vocab=vocab,
        meta=dict(meta or {}),
        create_tokenizer=settings.get("tokenizer"),
        create_vectors=settings.get("vectors"),
        batch_size=batch_size,
    )
    nlp = _called(settings.get("after_creation"), nlp, "after_creation", lambda made: isinstance(made, cls))
    _add_components(nlp, settings, components, filled, exclude, validate, foreign or {})
    names = nlp.component_names
    nlp._disabled = set(_disabled(names, [*settings.get("disabled", []), *disable], enable, exclude))
    nlp.config = filled
    nlp._link_components()
    return _called(
        settings.get("after_pipeline_creation"),
        nlp,
        "after_pipeline_creation",
        lambda made: isinstance(made, cls),
    )


def _filled(cls: Any, config: Config) -> Config:
    """`config` over the default one. Variables stay as they are written, wherever there are any."""
    base: Config = cls.default_config
    given = config.copy()
    lang = (given.get("nlp") or {}).get("lang") if isinstance(given.get("nlp", {}), dict) else None
    if lang is not None and cls.lang is not None and lang != cls.lang:
        raise ConfigError(
            f"This config is for the language {lang!r}, not {cls.lang!r} ({cls.__name__}). Use "
            "ferrule.load, or "
            f"from_config of the class for {lang!r}."
        )
    components = given.pop("components", None) or {}
    base.pop("components", None)
    merged = base.merge(given)
    merged["components"] = components
    merged.setdefault("nlp", {})
    merged["nlp"]["lang"] = cls.lang if cls.lang is not None else lang
    return Config(merged, section_order=SECTION_ORDER, is_interpolated=merged.is_interpolated)


def _add_components(
    nlp: Any,
    settings: Mapping[str, Any],
    components: Mapping[str, Any],
    filled: Config,
    exclude: list[str],
    validate: bool,
    foreign: Mapping[str, ForeignPart],
) -> None:
    sources: dict[str, Any] = {}
    for name in settings.get("pipeline", []):
        if name not in components:
            near = nearest_names(name, components)
            raise ConfigError(
                f"config: [nlp] pipeline names {name!r}, but there is no [components.{name}]. "
                + (f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(components) or 'none'}.")
            )
        if name in exclude:
            continue
        block = deepcopy(dict(components[name]))
        if name in foreign:
            nlp._add_foreign(name, *foreign[name], Config(filled["components"][name]))
        elif "factory" in block:
            factory = block.pop("factory")
            raw = Config(filled["components"][name])
            nlp.add_pipe(factory, name=name, config=block, validate=validate, raw_config=raw)
        elif "source" in block:
            _add_sourced(nlp, name, block, sources)
        else:
            raise ConfigError(
                f"config: [components.{name}] needs `factory = …`, the name of a registered factory, or "
                f"`source = …`, the name or folder of a saved pipeline to copy the component from"
            )


def _add_sourced(nlp: Any, name: str, block: Mapping[str, Any], sources: dict[str, Any]) -> None:
    load = registry.misc.get("ferrule.load.v1")
    origin = str(block["source"])
    if origin not in sources:
        sources[origin] = load(origin)
    source = sources[origin]
    source_name = block.get("component", name)
    if block.get("replace_listeners"):
        for upstream_name, upstream in source.pipeline:
            if source_name in getattr(upstream, "listening_components", ()):
                source.replace_listeners(upstream_name, source_name, block["replace_listeners"])
    nlp.add_pipe(source_name, source=source, name=name)


def _disabled(names: list[str], disabled: list[str], enable: list[str], exclude: list[str]) -> list[str]:
    unknown = [name for name in (*disabled, *enable) if name not in names and name not in exclude]
    if unknown:
        near = nearest_names(unknown[0], names)
        raise ComponentNotFoundError(
            f"Cannot enable or disable {unknown[0]!r}: it is no component of this pipeline. "
            + (f"Did you mean {near[0]!r}?" if near else f"Those are: {', '.join(names) or 'none'}.")
        )
    if enable:
        contradictory = sorted(set(enable) & set(disabled))
        if contradictory:
            raise ConfigError(f"{contradictory} cannot be enabled and disabled both")
        return [name for name in names if name not in enable]
    return [name for name in disabled if name in names]


def _called(
    callback: Callable[[Any], Any] | None, argument: Any, name: str, fits: Callable[[Any], bool]
) -> Any:
    if callback is None:
        return argument
    made = callback(argument)
    if not fits(made):
        raise ConfigError(
            f"config: [nlp] {name} returned {type(made).__name__}, expected what it was given, or a "
            "changed one; "
            f"end the function with `return`"
        )
    return made


def _checked_batch_size(batch_size: Any) -> int:
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ConfigError(f"config: [nlp] batch_size must be a whole number above 0, found {batch_size!r}")
    return batch_size


def _names(names: str | Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)
