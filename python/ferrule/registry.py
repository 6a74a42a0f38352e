"""Functions found by name: architectures, factories, readers, scorers and the rest.

The names are spaCy's and thinc's (`spacy.Tagger.v2`, `Adam.v1`), so their config files work here. Functions
registered here live in their own namespace and leave spaCy's and thinc's registries alone; what is not found
here is looked up in thinc's.

>>> from ferrule.registry import registry
>>> @registry.misc("docs.shout.v1")
... def make_shout(mark: str = "!"):
...     return lambda text: text.upper() + mark
>>> registry.resolve({"f": {"@misc": "docs.shout.v1", "mark": "?"}})["f"]("who")
'WHO?'
"""

from __future__ import annotations

import importlib
from typing import Any, ClassVar

import catalogue
import confection

from ferrule._builtin_names import PROVIDERS
from ferrule.errors import UnknownNameError, nearest_names

__all__ = ["Catalogue", "registry"]


class Catalogue(catalogue.Registry):
    """One kind of registered function, by name.

    A name is looked for, in this order: among the functions registered here; in the module of Ferrule that is
    known to register it (imported then, and not before); among installed packages' entry points in the group
    `ferrule_<kind>`; in thinc's catalogue of the same kind.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(("ferrule", kind), entry_points=True)
        self.kind = kind
        self._providers = PROVIDERS.get(kind, {})

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) is not None

    def get(self, name: str) -> Any:
        """The function registered as `name`.

        Raises TypeError if `name` is no string; UnknownNameError, with the nearest names, if there is none.
        """
        if not isinstance(name, str):
            raise TypeError(
                f"registry.{self.kind}: a name must be a string, found {type(name).__name__}: {name!r}"
            )
        function = self._find(name)
        if function is None:
            raise UnknownNameError(self._unknown(name))
        return function

    def get_own(self, name: str) -> Any | None:
        """The function registered in Ferrule's namespace so far, without importing anything; else None."""
        return catalogue.REGISTRY.get((*self.namespace, name))

    def get_all(self) -> dict[str, Any]:
        """Every function that can be found, by name; imports all the modules that register some."""
        for module in {*self._providers.values()}:
            importlib.import_module(module)
        thincs = self._thinc_catalogue()
        functions = {} if thincs is None else dict(thincs.get_all())
        functions.update(super().get_all())
        return functions

    def _find(self, name: str) -> Any | None:
        own = self.get_own(name)
        for provided in (name, "*"):
            if own is None and provided in self._providers:
                importlib.import_module(self._providers[provided])
                own = self.get_own(name)
        if own is not None:
            return own
        from_entry_point = self.get_entry_point(name)
        if from_entry_point is not None:
            return from_entry_point
        thincs = self._thinc_catalogue()
        return thincs.get(name) if thincs is not None and name in thincs else None

    def _thinc_catalogue(self) -> catalogue.Registry | None:
        import thinc.api  # registers thinc's own functions

        return getattr(thinc.registry, self.kind, None)

    def _unknown(self, name: str) -> str:
        names = sorted(self.get_all())
        near = nearest_names(name, names)
        if near:
            remedy = f"Did you mean {' or '.join(map(repr, near))}?"
        elif names:
            remedy = f"Registered are: {', '.join(names)}."
        else:
            remedy = "Nothing is registered there."
        return (
            f"registry.{self.kind} has no function {name!r}. {remedy} A function of your own must be "
            f"imported before the config that names it is read (on the command line: --code your_module.py)."
        )


class registry(confection.registry):
    """Every catalogue, and config resolution over them; used as a class, never instantiated.

    `@registry.architectures("my.Model.v1")` registers, `registry.get("architectures", "my.Model.v1")` finds,
    `registry.resolve(config)` builds what a config describes.
    """

    architectures: ClassVar[Catalogue] = Catalogue("architectures")
    augmenters: ClassVar[Catalogue] = Catalogue("augmenters")
    batchers: ClassVar[Catalogue] = Catalogue("batchers")
    callbacks: ClassVar[Catalogue] = Catalogue("callbacks")
    cli: ClassVar[Catalogue] = Catalogue("cli")
    datasets: ClassVar[Catalogue] = Catalogue("datasets")
    displacy_colors: ClassVar[Catalogue] = Catalogue("displacy_colors")
    factories: ClassVar[Catalogue] = Catalogue("factories")
    initializers: ClassVar[Catalogue] = Catalogue("initializers")
    languages: ClassVar[Catalogue] = Catalogue("languages")
    layers: ClassVar[Catalogue] = Catalogue("layers")
    lemmatizers: ClassVar[Catalogue] = Catalogue("lemmatizers")
    loggers: ClassVar[Catalogue] = Catalogue("loggers")
    lookups: ClassVar[Catalogue] = Catalogue("lookups")
    losses: ClassVar[Catalogue] = Catalogue("losses")
    misc: ClassVar[Catalogue] = Catalogue("misc")
    models: ClassVar[Catalogue] = Catalogue("models")
    ops: ClassVar[Catalogue] = Catalogue("ops")
    optimizers: ClassVar[Catalogue] = Catalogue("optimizers")
    readers: ClassVar[Catalogue] = Catalogue("readers")
    schedules: ClassVar[Catalogue] = Catalogue("schedules")
    scorers: ClassVar[Catalogue] = Catalogue("scorers")
    tokenizers: ClassVar[Catalogue] = Catalogue("tokenizers")
    vectors: ClassVar[Catalogue] = Catalogue("vectors")

    @classmethod
    def create(cls, registry_name: str, entry_points: bool = True) -> None:
        """Add a catalogue of your own. Raises ValueError if there is one of that name."""
        if hasattr(cls, registry_name):
            raise ValueError(
                f"registry.create: there is a catalogue {registry_name!r} already; use it as it is"
            )
        new = Catalogue(registry_name)
        new.entry_points = entry_points
        setattr(cls, registry_name, new)

    @classmethod
    def get_registry_names(cls) -> list[str]:
        """The names of all catalogues, sorted."""
        return sorted(name for name in dir(cls) if isinstance(getattr(cls, name), Catalogue))

    @classmethod
    def has(cls, registry_name: str, func_name: str) -> bool:
        """Whether `registry.<registry_name>` has a function of that name."""
        found = getattr(cls, registry_name, None)
        return isinstance(found, Catalogue) and func_name in found

    @classmethod
    def get(cls, registry_name: str, func_name: str) -> Any:
        """The function `func_name` of the catalogue `registry_name`.

        Raises UnknownNameError, with the nearest names, if the catalogue or the function is unknown.
        """
        return cls._catalogue(registry_name).get(func_name)

    @classmethod
    def find(cls, registry_name: str, func_name: str) -> dict[str, Any]:
        """Where a function is defined: its `module`, `file`, `line_no` and `docstring`."""
        found = cls._catalogue(registry_name)
        found.get(func_name)
        return dict(found.find(func_name))

    @classmethod
    def _catalogue(cls, registry_name: str) -> Catalogue:
        found = getattr(cls, registry_name, None)
        if isinstance(found, Catalogue):
            return found
        names = cls.get_registry_names()
        near = nearest_names(registry_name, names)
        raise UnknownNameError(
            f"There is no registry {registry_name!r}. "
            + (f"Did you mean {near[0]!r}? " if near else "")
            + f"Available: {', '.join(names)}."
        )


def __getattr__(name: str) -> Any:
    """Lets the module stand for the class, because `ferrule.registry` names both."""
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(registry, name)
