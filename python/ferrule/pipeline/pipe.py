"""`Pipe`: the base class of every pipeline component, trainable or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from ferrule._typing import ErrorHandler, Scores
from ferrule.errors import LabelError
from ferrule.pipeline.streams import batches

__all__ = ["Pipe", "ignore_error", "reraise"]


def reraise(name: str, component: Any, docs: list[Any], error: Exception) -> NoReturn:
    """The default error handler: raises `error` as it is."""
    raise error


def ignore_error(name: str, component: Any, docs: list[Any], error: Exception) -> None:
    """An error handler that leaves documents out which a component cannot process, without a word."""


class Pipe:
    """A component that annotates documents; subclasses implement `__call__`.

    >>> from ferrule.pipeline import Pipe
    >>> class Marker(Pipe):
    ...     name = "marker"
    ...     def __call__(self, doc):
    ...         return doc
    >>> list(Marker().pipe(["any", "document"]))
    ['any', 'document']
    """

    name: str
    vocab: Any = None
    scorer: Callable[..., Scores] | None = None
    error_handler: ErrorHandler | None = None

    def __call__(self, doc: Any) -> Any:
        """Annotate one document in place and return it. Subclasses implement this."""
        raise self._not_implemented("__call__")

    def pipe(self, stream: Iterable[Any], *, batch_size: int = 128) -> Iterator[Any]:
        """Annotated documents, in order.

        A document that fails goes to the error handler, which by default raises; where it returns instead,
        the document is left out. When the source of documents fails, those already read are yielded first.

        Raises ValueError if `batch_size` is below 1.
        """
        for docs in batches(stream, batch_size, owner=self._label("pipe")):
            for doc in docs:
                try:
                    done = self(doc)
                except Exception as error:
                    self._handle_error([doc], error)
                else:
                    yield done

    def initialize(self, get_examples: Callable[[], Iterable[Any]], *, nlp: Any = None) -> None:
        """Prepare the component before training; there is nothing to prepare unless a subclass says so."""

    def score(self, examples: Iterable[Any], **kwargs: Any) -> Scores:
        """The scores of `examples`, as given by `scorer`; empty if there is none.

        The scorer is called with the component's settings (`cfg`), overridden by `kwargs`.
        """
        if self.scorer is None:
            return {}
        settings = dict(getattr(self, "cfg", None) or {})
        settings.update(kwargs)
        return self.scorer(examples, **settings)

    @property
    def is_trainable(self) -> bool:
        """Whether the component has something to learn."""
        return False

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels the component may assign."""
        return ()

    @property
    def label_data(self) -> Any:
        """What `initialize(labels=…)` takes to give the component these labels again; None if it has none."""
        return None

    @property
    def hide_labels(self) -> bool:
        """Whether the labels are internal and not listed in the pipeline's `meta` and `pipe_labels`."""
        return False

    def set_error_handler(self, error_handler: ErrorHandler) -> None:
        """Call `error_handler(name, component, docs, error)` for documents that fail, instead of raising.

        Raises TypeError if it cannot be called.
        """
        if not callable(error_handler):
            raise TypeError(
                f"{self._label('set_error_handler')}: expected a function of (name, component, docs, error), "
                f"found {type(error_handler).__name__}"
            )
        self.error_handler = error_handler

    def get_error_handler(self) -> ErrorHandler:
        """The handler that was set, or one that raises the error."""
        return self.error_handler if self.error_handler is not None else reraise

    def _handle_error(self, docs: list[Any], error: Exception) -> None:
        self.get_error_handler()(getattr(self, "name", type(self).__name__), self, docs, error)

    def _require_labels(self) -> None:
        """Raise LabelError unless the component has labels."""
        if not self.labels or tuple(self.labels) == ("",):
            raise LabelError(
                f"{self._label()} has no labels. Give it some with add_label, initialize(labels=…), or "
                "examples "
                f"that carry the annotation it learns."
            )

    def _label(self, method: str = "") -> str:
        """How messages name this component: `Tagger 'tagger'` or `Tagger.update ('tagger')`."""
        name = getattr(self, "name", None)
        what = f"{type(self).__name__}.{method}" if method else type(self).__name__
        return what if name is None else f"{what} ({name!r})" if method else f"{what} {name!r}"

    def _not_implemented(self, method: str) -> NotImplementedError:
        return NotImplementedError(
            f"{self._label()} has no method {method!r} of its own: {type(self).__name__}.{method} must be "
            f"implemented by the subclass to be used."
        )
