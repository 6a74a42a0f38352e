"""What hangs on a document beside its tokens, each made when first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ferrule._core import DocCore
from ferrule.tokens.span_groups import SpanGroups
from ferrule.tokens.underscore import Underscore

if TYPE_CHECKING:
    from ferrule.tokens.doc import Doc


class DocExtras(DocCore):
    """The part of `Doc` that is plain Python values: user data, categories, span groups, arrays, hooks."""

    # Set when first asked for: the tokenizer makes documents by `__new__` alone.
    __slots__ = (
        "_activations",
        "_cats",
        "_context",
        "_sentiment",
        "_spans",
        "_tensor",
        "_user_data",
        "_user_hooks",
        "_user_span_hooks",
        "_user_token_hooks",
        "_vector",
        "_vector_norm",
        "noun_chunks_iterator",
    )

    def _lazy(self, name: str, make: Callable[[], Any]) -> Any:
        try:
            return getattr(self, name)
        except AttributeError:
            setattr(self, name, make())
            return getattr(self, name)

    @property
    def has_unknown_spaces(self) -> bool:
        """Whether the spaces were not given, so that the text is only presumed."""
        return self._has_unknown_spaces()

    @has_unknown_spaces.setter
    def has_unknown_spaces(self, value: bool) -> None:
        self._set_has_unknown_spaces(value)

    @property
    def user_data(self) -> dict[Any, Any]:
        """Whatever users keep with the document; extension attributes live here too."""
        return self._lazy("_user_data", dict)

    @user_data.setter
    def user_data(self, value: dict[Any, Any]) -> None:
        self._user_data = value

    @property
    def cats(self) -> dict[str, float]:
        """Score of each text category."""
        return self._lazy("_cats", dict)

    @cats.setter
    def cats(self, value: dict[str, float]) -> None:
        self._cats = value

    @property
    def spans(self) -> SpanGroups:
        """Named groups of spans, which may overlap."""
        return self._lazy("_spans", lambda: SpanGroups(cast("Doc", self)))

    @property
    def tensor(self) -> np.ndarray:
        """A row a token from a model, float32 (n_tokens, width), or empty."""
        return self._lazy("_tensor", lambda: np.zeros((0,), dtype="float32"))

    @tensor.setter
    def tensor(self, value: np.ndarray) -> None:
        self._tensor = value

    @property
    def activations(self) -> dict[str, dict[str, Any]]:
        """Arrays that components keep when `save_activations` is on: component name, then array name."""
        return self._lazy("_activations", dict)

    @activations.setter
    def activations(self, value: dict[str, dict[str, Any]]) -> None:
        self._activations = value

    @property
    def user_hooks(self) -> dict[str, Callable[..., Any]]:
        """Functions that stand in for the document's own properties, by name."""
        return self._lazy("_user_hooks", dict)

    @user_hooks.setter
    def user_hooks(self, value: dict[str, Callable[..., Any]]) -> None:
        self._user_hooks = value

    @property
    def user_token_hooks(self) -> dict[str, Callable[..., Any]]:
        """Functions that stand in for tokens' properties, by name."""
        return self._lazy("_user_token_hooks", dict)

    @user_token_hooks.setter
    def user_token_hooks(self, value: dict[str, Callable[..., Any]]) -> None:
        self._user_token_hooks = value

    @property
    def user_span_hooks(self) -> dict[str, Callable[..., Any]]:
        """Functions that stand in for spans' properties, by name."""
        return self._lazy("_user_span_hooks", dict)

    @user_span_hooks.setter
    def user_span_hooks(self, value: dict[str, Callable[..., Any]]) -> None:
        self._user_span_hooks = value

    @property
    def sentiment(self) -> float:
        """A score that users may set."""
        return self._lazy("_sentiment", float)

    @sentiment.setter
    def sentiment(self, value: float) -> None:
        self._sentiment = value

    @property
    def _(self) -> Underscore:
        """The extension attributes."""
        return Underscore(Underscore.doc_extensions, self)
