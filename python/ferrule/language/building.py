"""Making components: from their factory and settings, or from another pipeline."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any

from thinc.config import Config, ConfigValidationError

from ferrule.errors import ComponentNotFoundError, ConfigError, UnknownNameError, nearest_names
from ferrule.language.attributes import check_attributes
from ferrule.language.state import PipelineState
from ferrule.pipeline import factories
from ferrule.pipeline.factories import FactoryMeta
from ferrule.registry import registry

__all__ = ["Building"]

# Factories of spaCy 3.8 and its transformer packages that have no counterpart here.
_ONLY_IN_SPACY = [
    "attribute_ruler",
    "curated_transformer",
    "doc_cleaner",
    "entity_linker",
    "entity_ruler",
    "future_entity_ruler",
    "lemmatizer",
    "merge_entities",
    "merge_noun_chunks",
    "merge_subtokens",
    "morphologizer",
    "parser",
    "senter",
    "sentencizer",
    "span_cleaner",
    "span_finder",
    "span_ruler",
    "spancat",
    "spancat_singlelabel",
    "token_splitter",
    "trainable_lemmatizer",
    "transformer",
]


class Building(PipelineState):
    """The part of `Language` that makes components."""

    @classmethod
    def factory(
        cls,
        name: str,
        *,
        default_config: Mapping[str, Any] | None = None,
        assigns: Iterable[str] = (),
        requires: Iterable[str] = (),
        retokenizes: bool = False,
        default_score_weights: Mapping[str, float | None] | None = None,
        func: Callable[..., Any] | None = None,
    ) -> Any:
        """Register a function `(nlp, name, **settings) -> component`; a decorator unless `func` is given.

        Called on a subclass for a language, the factory serves that language only. Raises ValueError for
        names and functions that will not do, see :func:`ferrule.pipeline.factories.factory`.
        """
        return factories.factory(
            name,
            default_config=default_config,
            assigns=check_attributes(assigns),
            requires=check_attributes(requires),
            retokenizes=retokenizes,
            default_score_weights=default_score_weights,
            func=func,
            lang=cls.lang,
        )

    @classmethod
    def component(
        cls,
        name: str,
        *,
        assigns: Iterable[str] = (),
        requires: Iterable[str] = (),
        retokenizes: bool = False,
        func: Callable[[Any], Any] | None = None,
    ) -> Any:
        """Register a function `(Doc) -> Doc` as a component; a decorator unless `func` is given."""
        return factories.component(
            name,
            assigns=check_attributes(assigns),
            requires=check_attributes(requires),
            retokenizes=retokenizes,
            func=func,
            lang=cls.lang,
        )

    @classmethod
    def has_factory(cls, name: str) -> bool:
        """Whether a component can be made by that name, in this language."""
        return cls._registered_name(name) is not None

    @classmethod
    def get_factory_meta(cls, name: str) -> FactoryMeta:
        """What was declared about the factory `name`; UnknownNameError, naming the nearest, if none is."""
        registered = cls._registered_name(name)
        if registered is None:
            raise cls._unknown_factory(name)
        return factories.factory_meta(registered)

    @property
    def factory_names(self) -> list[str]:
        """The names of all factories this language can use, sorted."""
        prefix = f"{self.lang}."
        names = {name.removeprefix(prefix) for name in registry.factories.get_all()}
        return sorted(name for name in names if "." not in name)

    @classmethod
    def _registered_name(cls, name: str) -> str | None:
        candidates = (f"{cls.lang}.{name}", name) if cls.lang else (name,)
        return next((each for each in candidates if each in registry.factories), None)

    @classmethod
    def _unknown_factory(cls, name: str) -> UnknownNameError:
        if name in _ONLY_IN_SPACY:
            return UnknownNameError(
                f"Ferrule has no {name!r}, which is a component of spaCy. spaCy, installed beside Ferrule, "
                'runs it as part of a saved pipeline: ferrule.load(folder, foreign="spacy"). Or write a '
                "component of your own with @Language.component."
            )
        names = sorted(each for each in registry.factories.get_all() if "." not in each)
        near = nearest_names(name, names)
        return UnknownNameError(
            f"There is no component factory {name!r}. "
            + (
                f"Did you mean {' or '.join(map(repr, near))}? "
                if near
                else f"There are: {', '.join(names)}. "
            )
            + "Register a component of your own with @Language.factory or @Language.component, and have its "
            "module imported, before it is used (in commands: --code FILE)."
        )

    def create_pipe(
        self,
        factory_name: str,
        name: str | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        raw_config: Config | None = None,
        validate: bool = True,
    ) -> Any:
        """A new component, not yet part of the pipeline; `add_pipe` is what you want usually.

        Raises UnknownNameError for a factory nobody registered and ConfigError for settings it does not take.
        """
        name = factory_name if name is None else name
        if not isinstance(config, Mapping | None):
            raise TypeError(
                f"create_pipe: expected config as a dict, found {type(config).__name__}: {config!r}"
            )
        registered = self._registered_name(factory_name)
        if registered is None:
            raise self._unknown_factory(factory_name)
        meta = factories.factory_meta(registered)
        given = Config({"component": deepcopy(dict(config or {}))})
        # Defaults count only as far as the given settings do not name other functions.
        merged = Config({"component": deepcopy(meta.default_config)}).merge(given)["component"]
        block = {**merged, "nlp": self, "name": name, "@factories": registered}
        try:
            filled = registry.fill({"component": block}, validate=validate)["component"]
            pipe = registry.resolve({"component": block}, validate=validate)["component"]
        except ConfigValidationError as error:
            raise ConfigError(_without_objects(factory_name, name, error, registered)) from error
        kept = {key: value for key, value in filled.items() if key not in ("nlp", "name", "@factories")}
        for key, default in {"save_activations": False, **meta.own_settings}.items():
            if key in kept and kept[key] == default:
                del kept[key]  # spaCy 3.8 refuses settings it does not know, even at their default
        kept["factory"] = factory_name
        self._remember(name, meta, Config(kept), raw_config)
        return pipe

    def create_pipe_from_source(self, source_name: str, source: Any, *, name: str) -> tuple[Any, str]:
        """A copy of the component `source_name` of the pipeline `source`, and the name of its factory.

        The copy uses this pipeline's vocabulary, and shares nothing with the original: training one leaves
        the other as it is. Raises TypeError unless `source` is a pipeline, ComponentNotFoundError if it has
        no such component. A warning says when the word vectors of the two differ.
        """
        if not isinstance(source, PipelineState):
            raise TypeError(
                f"Cannot copy the component {source_name!r}: expected a loaded pipeline as source, found "
                f"{type(source).__name__}; load one with ferrule.load"
            )
        if source_name not in source.component_names:
            raise ComponentNotFoundError(
                f"Cannot copy the component {source_name!r}: the source has "
                f"{', '.join(source.component_names) or 'none'}"
            )
        if _vectors_differ(self.vocab, source.vocab):
            warnings.warn(
                f"The component {source_name!r} comes from a pipeline with other word vectors; if it uses "
                "them "
                f"its predictions will be wrong.",
                stacklevel=3,
            )
        for string in source.vocab.strings:
            self.vocab.strings.add(string)
        shared = {id(source.vocab): self.vocab, id(source): self}
        original = source.get_pipe(source_name)
        pipe = deepcopy(original, shared)
        if hasattr(pipe, "name"):
            pipe.name = name
        meta = source.get_pipe_meta(source_name)
        self._remember(name, meta, source.get_pipe_config(source_name).copy(), None)
        return pipe, meta.factory

    def _remember(self, name: str, meta: FactoryMeta, config: Config, raw_config: Config | None) -> None:
        """Keep what the component `name` was made of; variables of the config stay as they are written."""
        if raw_config is not None:
            config = config.merge(Config(raw_config))
        self._pipe_configs[name] = config
        self._pipe_meta[name] = meta


def _without_objects(factory_name: str, name: str, error: ConfigValidationError, registered: str) -> str:
    """The text of a config error, with the names of the settings, and without the pipeline object."""
    problems = []
    for problem in error.errors:
        where = " -> ".join(str(part) for part in problem.get("loc", ()) if part != "component")
        problems.append(f"{where}: {problem.get('msg')}" if where else str(problem.get("msg")))
    parameters = inspect.signature(registry.factories.get(registered)).parameters
    known = ", ".join(each for each in parameters if each not in ("nlp", "name")) or "none"
    return (
        f"The settings of component {name!r} do not fit its factory {factory_name!r}: {'; '.join(problems)}. "
        f"Its settings are: {known}."
    )


def _vectors_differ(one: Any, other: Any) -> bool:
    first, second = getattr(one, "vectors", None), getattr(other, "vectors", None)
    if first is None or second is None or one is other:
        return False
    return bool(getattr(first, "shape", None) != getattr(second, "shape", None))
