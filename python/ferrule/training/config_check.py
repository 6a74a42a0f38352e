"""Everything wrong with a config that can be seen without a corpus, not only what fails first."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from thinc.config import Config

from ferrule.errors import FerruleError, UnknownNameError, nearest_names
from ferrule.language import Language, load_from_config
from ferrule.language.config import SECTION_ORDER
from ferrule.language.languages import saved_lang_class
from ferrule.registry import registry
from ferrule.training.distillation_settings import DistillationSettings
from ferrule.training.roles import unknown_components
from ferrule.training.setting_types import fits, in_words
from ferrule.training.settings import TrainingSettings

__all__ = ["ConfigProblem", "check_config"]

VARIABLE = re.compile(r"\$\{([^}]*)\}")
FREE_SECTIONS = ("corpora", "paths", "variables")
"""Sections whose settings have names of the user's choice."""

Place = tuple[str, ...]


class ConfigProblem(NamedTuple):
    """What is wrong, and where: the names of the sections and the setting."""

    place: Place
    message: str


def check_config(config: Config) -> list[ConfigProblem]:
    """The problems of `config`, not interpolated, over the defaults; empty for one that can be trained.

    Variables come first, then names and types of all settings; only a config without any such problem is
    built as a pipeline, to find what does not fit together. Paths that are set must exist.
    """
    if not (config.get("nlp") or {}).get("lang"):
        return [ConfigProblem(("nlp",), '`lang` is missing; it names the language, such as "en"')]
    whole = _over_defaults(config)
    problems = list(_variables(whole))
    if problems:
        return problems
    filled = whole.interpolate()
    problems = [
        *_sections(filled),
        *_pipeline(filled),
        *_settings(filled, ("training",), TrainingSettings),
        *_settings(filled, ("distillation",), DistillationSettings),
        *(problem for name in FREE_SECTIONS for problem in _blocks(filled.get(name), (name,))),
        *_blocks(filled.get("nlp"), ("nlp",)),
        *_paths(filled),
        *_corpora(filled),
    ]
    return _where_written(problems, whole) or list(_built(config))


def _where_written(problems: list[ConfigProblem], config: Config) -> list[ConfigProblem]:
    """The problems with the place of the setting that a variable stands for, once each."""
    values = dict(_walk(config, ()))
    found: dict[tuple[Place, str], ConfigProblem] = {}
    for place, message in problems:
        first = place
        while variable := VARIABLE.fullmatch(str(values.get(place))):
            place = tuple(variable[1].split("."))
        found.setdefault((place, "" if place != first else message), ConfigProblem(place, message))
    direct = {place for place, message in found if message}
    return [each for (place, message), each in found.items() if message or place not in direct]


def _over_defaults(config: Config) -> Config:
    lang = (config.get("nlp") or {}).get("lang")
    given = config.copy()
    components = given.pop("components", None)
    whole = Language.default_config.merge(given)
    whole["components"] = components or {}
    whole["nlp"]["lang"] = lang
    return whole


def _variables(config: Config) -> Iterator[ConfigProblem]:
    """`${section.name}` must be there."""
    known = {".".join(place): value for place, value in _walk(config, ())}
    for place, value in list(_walk(config, ())):
        for name in VARIABLE.findall(value) if isinstance(value, str) else ():
            wanted = name.replace(":", ".")
            if wanted not in known:
                near = nearest_names(wanted, known)
                hint = f"; did you mean ${{{near[0]}}}?" if near else ""
                hint = _not_here(wanted, known) or hint
                yield ConfigProblem(place, f"there is no setting ${{{name}}}{hint}")


def _not_here(wanted: str, known: Mapping[str, Any]) -> str:
    """Why a component that is copied from a source cannot be referred to; empty for other settings."""
    block = ".".join(wanted.split(".")[:2])
    if not (block.startswith("components.") and f"{block}.source" in known):
        return ""
    return f": [{block}] is copied from its source, and so are its settings; write the value itself"


def _walk(section: Mapping[str, Any], place: Place) -> Iterator[tuple[Place, Any]]:
    for key, value in section.items():
        yield (*place, key), value
        if isinstance(value, dict):
            yield from _walk(value, (*place, key))


def _sections(config: Config) -> Iterator[ConfigProblem]:
    for name, section in config.items():
        if name not in SECTION_ORDER and isinstance(section, dict):
            near = nearest_names(name, SECTION_ORDER)
            if near:
                yield ConfigProblem((name,), f"nothing reads this section; did you mean [{near[0]}]?")
    for key in config["initialize"]:
        known = Language.default_config["initialize"]
        if key not in known:
            yield _unknown(("initialize", key), key, known)


def _pipeline(config: Config) -> Iterator[ConfigProblem]:
    """The components: named in both places, made by known factories, with settings that fit."""
    blocks = config["components"]
    kind = saved_lang_class(config["nlp"]["lang"])
    for name in config["nlp"].get("pipeline") or ():
        if name not in blocks:
            near = nearest_names(name, blocks)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(blocks) or 'none'}"
            yield ConfigProblem(("nlp", "pipeline"), f"{name!r} has no [components.{name}]; {hint}")
    for name, block in blocks.items():
        place = ("components", name)
        if "source" in block:
            continue
        if "factory" not in block:
            yield ConfigProblem(place, "expected factory = NAME, or source = FOLDER to copy it from")
            continue
        try:
            yield from _factory_settings(kind, name, block)
        except UnknownNameError as error:
            yield ConfigProblem((*place, "factory"), str(error))
            continue
        yield from _upstreams(block, place, blocks)
    for setting in ("frozen_components", "annotating_components"):
        named = config["training"].get(setting)
        for problem in unknown_components(named if isinstance(named, list) else (), blocks):
            yield ConfigProblem(("training", setting), problem)


def _factory_settings(kind: type[Language], name: str, block: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    meta = kind.get_factory_meta(block["factory"])
    given = {key: value for key, value in block.items() if key != "factory"}
    merged = Config({"component": meta.default_config}).merge(Config({"component": given}))["component"]
    function = registry.factories.get(kind._registered_name(block["factory"]) or block["factory"])
    yield from _arguments(function, merged, ("components", name), provided=("nlp", "name"))


def _upstreams(block: Mapping[str, Any], place: Place, blocks: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    """Who is listened to must be a component."""
    for inner, value in _walk(block, place):
        if inner[-1] == "upstream" and isinstance(value, str) and value not in ("*", *blocks):
            near = nearest_names(value, blocks)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield ConfigProblem(inner, f"no component is called {value!r}{hint}")


def _settings(config: Config, place: Place, kind: Any) -> Iterator[ConfigProblem]:
    """A section whose settings are the fields of the dataclass `kind`."""
    section = config.get(place[0]) or {}
    fields = {each.name: each for each in dataclasses.fields(kind)}
    scope = vars(sys.modules[kind.__module__])
    for key, value in section.items():
        if key not in fields:
            yield _unknown((*place, key), key, fields)
            continue
        yield from _value(value, _evaluated(fields[key].type, scope), (*place, key))


def _blocks(value: Any, place: Place) -> Iterator[ConfigProblem]:
    """What `value` has in blocks that registered functions make, however deep."""
    if not isinstance(value, dict):
        return
    kinds = [key for key in value if key.startswith("@")]
    if not kinds:
        for key, inner in value.items():
            yield from _blocks(inner, (*place, key))
        return
    kind = kinds[0].removeprefix("@")
    try:
        function = registry.get(kind, value[kinds[0]])
    except (FerruleError, TypeError) as error:
        yield ConfigProblem((*place, kinds[0]), str(error))
        return
    given = {key: inner for key, inner in value.items() if not key.startswith("@")}
    yield from _arguments(function, given, place)


def _arguments(
    function: Callable[..., Any], given: Mapping[str, Any], place: Place, provided: tuple[str, ...] = ()
) -> Iterator[ConfigProblem]:
    """Whether `given` are arguments of `function`; `provided` are those that the config does not name."""
    parameters = inspect.signature(function).parameters
    open_ended = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    scope = getattr(inspect.unwrap(function), "__globals__", {})
    known = [name for name in parameters if name not in provided]
    for key, value in given.items():
        parameter = parameters.get(key)
        if parameter is None or key in provided:
            if open_ended or key == "*":
                yield from _blocks(value, (*place, key))
            else:
                yield _unknown((*place, key), key, known)
            continue
        yield from _value(value, _evaluated(parameter.annotation, scope), (*place, key))
    for name in known:
        parameter = parameters[name]
        required = parameter.default is parameter.empty and parameter.kind not in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        )
        if required and name not in given:
            words = in_words(_evaluated(parameter.annotation, scope))
            yield ConfigProblem(place, f"{name!r} is missing; expected {words}")


def _value(value: Any, annotation: Any, place: Place) -> Iterator[ConfigProblem]:
    if isinstance(value, dict) and any(key.startswith("@") for key in value):
        yield from _blocks(value, place)
    elif not fits(value, annotation):
        yield ConfigProblem(place, f"expected {in_words(annotation)}, found {value!r}")
    else:
        yield from _blocks(value, place)


def _evaluated(annotation: Any, scope: Mapping[str, Any]) -> Any:
    """The type behind an annotation; Any for none, and for names that only type checkers know."""
    if annotation is inspect.Parameter.empty:
        return Any
    if not isinstance(annotation, str):
        return annotation

    def probe() -> None: ...

    probe.__annotations__ = {"it": annotation}
    try:
        return get_type_hints(probe, dict(scope))["it"]
    except (NameError, TypeError, AttributeError):
        return Any


def _unknown(place: Place, key: str, known: Any) -> ConfigProblem:
    near = nearest_names(key, known)
    hint = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known) or 'none'}"
    return ConfigProblem(place, f"unknown setting; {hint}")


def _paths(config: Config) -> Iterator[ConfigProblem]:
    for name, path in (config.get("paths") or {}).items():
        if isinstance(path, str) and not Path(path).exists():
            yield ConfigProblem(("paths", name), f"there is no file or folder {path!r}")


def _corpora(config: Config) -> Iterator[ConfigProblem]:
    """The corpora that are named must be sections."""
    named = [(("training", key), config["training"].get(key)) for key in ("train_corpus", "dev_corpus")]
    listed = (config.get("distillation") or {}).get("corpus", "corpora.train")
    named += [
        (("distillation", "corpus"), each) for each in ([listed] if isinstance(listed, str) else listed)
    ]
    sections = {".".join(place): value for place, value in _walk(config, ()) if isinstance(value, dict)}
    for place, name in named:
        if isinstance(name, str) and name not in sections:
            near = nearest_names(name, [each for each in sections if each.startswith("corpora.")])
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield ConfigProblem(place, f"there is no section [{name}]{hint}")


def _built(config: Config) -> Iterator[ConfigProblem]:
    """What only building the pipeline shows."""
    try:
        filled = load_from_config(config).config.interpolate()
    except Exception as error:  # whatever a component's own code raises is a finding here
        yield ConfigProblem((), str(error) or type(error).__name__)
        return
    for section, settings in (("training", TrainingSettings), ("distillation", DistillationSettings)):
        try:
            settings.from_config(filled)
        except Exception as error:
            message = str(error) or type(error).__name__
            named = re.match(rf"\[{section}\] (\w+) ", message)
            yield ConfigProblem((section, named[1]) if named else (section,), message)
