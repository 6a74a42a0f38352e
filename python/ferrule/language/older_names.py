"""What parts of a `Language` were called before, where people still write it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ferrule.language.editing import DisabledPipes, Editing
from ferrule.language.learning import Learning

__all__ = ["OlderNames"]


class OlderNames(Editing, Learning):
    """The part of `Language` with the older names; spaCy 3 has them too."""

    def disable_pipes(self, *names: Any) -> DisabledPipes:
        """The same as `select_pipes(disable=names)`; names, or one list of them."""
        listed = names[0] if len(names) == 1 and not isinstance(names[0], str) else names
        return self.select_pipes(disable=list(listed))

    def begin_training(
        self, get_examples: Callable[[], Iterable[Any]] | None = None, *, sgd: Any = None
    ) -> Any:
        """The same as `initialize`."""
        return self.initialize(get_examples, sgd=sgd)
