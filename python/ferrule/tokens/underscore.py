"""Extension attributes: what users hang on documents, spans and tokens under `._`."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from ferrule.tokens.doc import Doc

__all__ = ["Extension", "ExtensionMethods", "Underscore"]

#: default, method, getter, setter; exactly one of the first three is in use.
Extension = tuple[Any, Callable[..., Any] | None, Callable[..., Any] | None, Callable[..., Any] | None]

_MUTABLE = (dict, list, set)


class Underscore:
    """The extension attributes of one object; values live in `doc.user_data["._.", name, start, end]`."""

    doc_extensions: ClassVar[dict[str, Extension]] = {}
    span_extensions: ClassVar[dict[str, Extension]] = {}
    token_extensions: ClassVar[dict[str, Extension]] = {}

    __slots__ = ("_end", "_extensions", "_obj", "_start")

    def __init__(
        self,
        extensions: dict[str, Extension],
        obj: Any,
        start: int | None = None,
        end: int | None = None,
    ):
        """`obj` with the table of its class; `start` and `end` are its character offsets."""
        for name, value in (("_extensions", extensions), ("_obj", obj), ("_start", start), ("_end", end)):
            object.__setattr__(self, name, value)

    def __dir__(self) -> list[str]:
        """The extension attributes, and the methods that reach them by name."""
        return sorted({"get", "has", "set", *self._extensions})

    def __getattr__(self, name: str) -> Any:
        default, method, getter, _ = self._find(name)
        if getter is not None:
            return getter(self._obj)
        if method is not None:
            return functools.wraps(method)(functools.partial(method, self._obj))
        key, user_data = self._key(name), self._doc.user_data
        if key in user_data:
            return user_data[key]
        if isinstance(default, _MUTABLE):
            # One shared list for every document would surprise; keep a copy here.
            user_data[key] = copy.copy(default)
            return user_data[key]
        return default

    def __setattr__(self, name: str, value: Any) -> None:
        _, method, getter, setter = self._find(name)
        if setter is not None:
            setter(self._obj, value)
        elif getter is not None:
            raise AttributeError(f"._.{name} has a getter and no setter, so it cannot be set")
        elif method is not None:
            raise AttributeError(f"._.{name} is a method, so it cannot be set")
        else:
            self._doc.user_data[self._key(name)] = value

    def get(self, name: str) -> Any:
        """The value of the attribute `name`."""
        return getattr(self, name)

    def set(self, name: str, value: Any) -> None:
        """Set the attribute `name`."""
        setattr(self, name, value)

    def has(self, name: str) -> bool:
        """Whether there is an attribute `name`."""
        return name in self._extensions

    @property
    def _doc(self) -> Doc:
        return self._obj.doc

    def _key(self, name: str) -> tuple[str, str, int | None, int | None]:
        return ("._.", name, self._start, self._end)

    def _find(self, name: str) -> Extension:
        if name not in self._extensions:
            kind = type(self._obj).__name__
            raise AttributeError(
                f"._.{name}: no extension attribute of that name on {kind}; "
                f"register it with {kind}.set_extension({name!r}, default=...)"
            )
        return self._extensions[name]

    @classmethod
    def get_state(cls) -> tuple[dict[str, Extension], ...]:
        """The three tables, to hand to another process."""
        return cls.token_extensions, cls.span_extensions, cls.doc_extensions

    @classmethod
    def load_state(cls, state: tuple[dict[str, Extension], ...]) -> None:
        """Take over the tables of another process."""
        cls.token_extensions, cls.span_extensions, cls.doc_extensions = state


class ExtensionMethods:
    """`set_extension` and its companions, for the class whose `_table` names its extensions."""

    __slots__ = ()

    @classmethod
    def _table(cls) -> dict[str, Extension]:
        for kind in cls.__mro__:
            table = getattr(Underscore, f"{kind.__name__.lower()}_extensions", None)
            if table is not None:
                return table
        raise TypeError(f"{cls.__name__} has no extension attributes; Doc, Span and Token do")

    @classmethod
    def set_extension(cls, name: str, **kwargs: Any) -> None:
        """Register the extension attribute `name`: give `default`, `method`, or `getter` (and `setter`).

        ValueError where the name is taken (unless `force=True`), or for another combination of arguments.

        >>> from ferrule.tokens import Doc
        >>> from ferrule.vocab import Vocab
        >>> Doc.set_extension("source", default="unknown", force=True)
        >>> Doc(Vocab(), words=["Hi"])._.source
        'unknown'
        """
        if cls.has_extension(name) and not kwargs.pop("force", False):
            raise ValueError(
                f"{cls.__name__} has an extension {name!r} already; overwrite it with force=True"
            )
        kwargs.pop("force", None)
        cls._table()[name] = _extension(name, **kwargs)

    @classmethod
    def get_extension(cls, name: str) -> Extension | None:
        """`(default, method, getter, setter)` of the attribute, None where there is none."""
        return cls._table().get(name)

    @classmethod
    def has_extension(cls, name: str) -> bool:
        """Whether the attribute is registered."""
        return name in cls._table()

    @classmethod
    def remove_extension(cls, name: str) -> Extension:
        """Take the attribute away and return what it was; ValueError where there is none."""
        if not cls.has_extension(name):
            raise ValueError(f"{cls.__name__} has no extension {name!r} to remove; see set_extension")
        return cls._table().pop(name)


def _extension(name: str, **kwargs: Any) -> Extension:
    unknown = kwargs.keys() - {"default", "method", "getter", "setter"}
    if unknown:
        raise ValueError(
            f"set_extension({name!r}): unknown argument {sorted(unknown)[0]!r}; "
            "expected default, method, getter, setter or force"
        )
    getter, setter, method = kwargs.get("getter"), kwargs.get("setter"), kwargs.get("method")
    for role, function in (("getter", getter), ("setter", setter), ("method", method)):
        if function is not None and not callable(function):
            raise ValueError(
                f"set_extension({name!r}): the {role} is not callable but {type(function).__name__}"
            )
    if setter is not None and getter is None:
        raise ValueError(f"set_extension({name!r}): a setter needs a getter")
    if sum(("default" in kwargs, method is not None, getter is not None)) != 1:
        raise ValueError(f"set_extension({name!r}): give exactly one of default, method and getter")
    return kwargs.get("default"), method, getter, setter
