"""Names for the types that travel between rooms.

Protocols stand in for classes of higher rooms, so that a lower room can say what it takes without importing
upward.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from os import PathLike
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from thinc.config import Config

__all__ = [
    "ErrorHandler",
    "ExamplesGetter",
    "LanguageLike",
    "Losses",
    "PathOrStr",
    "PipeCallable",
    "Scores",
    "SupportsNext",
]

PathOrStr: TypeAlias = "str | PathLike[str]"
"""A path, as text or as any object with `__fspath__`."""

Losses: TypeAlias = dict[str, float]
"""Loss per component name; components add to what is there."""

Scores: TypeAlias = dict[str, Any]
"""Score name -> float, None (nothing to score) or a dict of scores per label."""

ErrorHandler: TypeAlias = Callable[[str, Any, list[Any], Exception], Any]
"""Called as `handler(component_name, component, docs, error)`; may raise, or return to drop the documents."""

PipeCallable: TypeAlias = Callable[[Any], Any]
"""A pipeline component: takes a Doc, returns a Doc."""

ExamplesGetter: TypeAlias = Callable[[], Iterable[Any]]
"""Returns the examples for `initialize`, afresh each time it is called."""

T_co = TypeVar("T_co", covariant=True)


class SupportsNext(Protocol[T_co]):
    """Anything `next` works on."""

    def __next__(self) -> T_co:
        """The next item."""
        ...


class LanguageLike(Protocol):
    """What components may ask of the pipeline they are in; Ferrule's `Language` and spaCy's have it all."""

    lang: str

    @property
    def vocab(self) -> Any:
        """The shared vocabulary."""
        ...

    @property
    def config(self) -> Config:
        """The whole config of the pipeline."""
        ...

    @property
    def pipeline(self) -> Iterable[tuple[str, PipeCallable]]:
        """The enabled components with their names, in order."""
        ...

    @property
    def pipe_names(self) -> Iterable[str]:
        """The names of the enabled components, in order."""
        ...

    def get_pipe(self, name: str) -> PipeCallable:
        """The component of that name."""
        ...

    def pipe(self, texts: Iterable[Any], **kwargs: Any) -> Iterator[Any]:
        """Annotated documents, in order."""
        ...
