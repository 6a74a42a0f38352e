"""The exceptions Ferrule raises on purpose.

Each derives from :class:`FerruleError` and from the built-in class that says what kind of mistake it is,
so `except ValueError` and `except FerruleError` both work. A message says what was wrong, what was expected,
what was found, and how to mend it; it is written where it is raised.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = [
    "AlignmentError",
    "AnnotationError",
    "ComponentNotFoundError",
    "ConcurrentUpdateError",
    "ConfigError",
    "CorpusError",
    "CorruptedFileError",
    "FerruleError",
    "LabelError",
    "NonFiniteLossError",
    "NotInitializedError",
    "SerializationError",
    "UnknownNameError",
    "UnsafePathError",
    "WorkerError",
    "nearest_names",
]


class FerruleError(Exception):
    """The base of every exception defined here."""

    def __str__(self) -> str:
        # KeyError would show its message in quotes, with newlines escaped.
        return str(self.args[0]) if self.args else ""


class UnknownNameError(FerruleError, ValueError):
    """A registered function, factory or language was asked for by a name nobody registered."""


class AlignmentError(FerruleError, ValueError):
    """Two documents have different texts, so their tokens cannot be matched."""


class AnnotationError(FerruleError, KeyError, ValueError):
    """A dictionary of annotations has an unknown field or one that does not fit its document.

    Both a KeyError and a ValueError, because spaCy raises the first for an unknown field and the second
    for the rest.
    """


class CorpusError(FerruleError, ValueError):
    """A corpus is missing, empty or has a malformed line; the message names the file and the line."""


class ComponentNotFoundError(FerruleError, KeyError, ValueError):
    """A pipeline has no component of that name.

    Both a KeyError and a ValueError, because spaCy raises the first from `get_pipe` and the second from
    `remove_pipe`, `rename_pipe` and `replace_pipe`.
    """


class ConfigError(FerruleError, ValueError):
    """A config section or setting is missing, misplaced, or of the wrong kind."""


class NotInitializedError(FerruleError, ValueError):
    """A component was asked to predict or learn before its model had weights."""


class LabelError(FerruleError, ValueError):
    """A label is unknown, of the wrong type, or cannot be added."""


class NonFiniteLossError(FerruleError, ValueError):
    """A loss or gradient came out as NaN or infinite; nothing was changed."""


class ConcurrentUpdateError(FerruleError, RuntimeError):
    """Two threads tried to train one component at the same time; the second was refused."""


class SerializationError(FerruleError, ValueError):
    """Saved data does not fit the object it is loaded into, or cannot be read."""


class CorruptedFileError(SerializationError):
    """A saved file is cut short or differs from the hash recorded when it was written."""


class UnsafePathError(SerializationError):
    """A name in a saved pipeline points outside its folder."""


class WorkerError(FerruleError, RuntimeError):
    """A worker process ended before its work was done."""


def nearest_names(name: str, names: Iterable[str], *, limit: int = 3) -> list[str]:
    """Up to `limit` of `names`, the most similar to `name` first; empty when none is close.

    >>> nearest_names("taggr", ["tagger", "ner", "tok2vec"])
    ['tagger']
    """
    from difflib import get_close_matches

    candidates = sorted(set(names))
    lowered = {candidate.lower(): candidate for candidate in candidates}
    found = get_close_matches(str(name).lower(), list(lowered), n=limit, cutoff=0.6)
    return [lowered[match] for match in found]
