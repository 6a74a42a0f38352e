"""Morphological features of a token, and their one normal form."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ferrule.vocab import Vocab

__all__ = ["EMPTY_FEATURES", "MorphAnalysis", "normalize_features"]

#: What "analysed, and has no features" is stored as.
EMPTY_FEATURES = "_"


def normalize_features(features: str | dict[str, Any]) -> str:
    """Universal Dependencies' FEATS in normal form: fields sorted, values of a field sorted, `_` for none.

    A field without values is left out. TypeError for anything but a str or dict; ValueError for a string
    that is malformed.

    >>> normalize_features("Number=Sing|Case=Nom,Acc")
    'Case=Acc,Nom|Number=Sing'
    >>> normalize_features({})
    '_'
    """
    if isinstance(features, str):
        return _normalize_string(features)
    if isinstance(features, dict):
        pairs = [
            (str(field), value.split(",") if isinstance(value, str) else [str(one) for one in value])
            for field, value in features.items()
        ]
        return _join(pairs)
    raise TypeError(
        f"morphological features: expected a string such as 'Case=Nom|Number=Sing' or a dict, "
        f"found {type(features).__name__}"
    )


@lru_cache(maxsize=4096)
def _normalize_string(features: str) -> str:
    if features in ("", EMPTY_FEATURES):
        return EMPTY_FEATURES
    pairs = []
    for pair in features.split("|"):
        field, separator, values = pair.partition("=")
        if not separator or not field:
            raise ValueError(
                f"morphological features: {pair!r} in {features!r} is no 'Field=Value'; join pairs with '|'"
            )
        pairs.append((field, values.split(",")))
    return _join(pairs)


def _join(pairs: list[tuple[str, list[str]]]) -> str:
    merged: dict[str, set[str]] = {}
    for field, values in pairs:
        merged.setdefault(field, set()).update(value for value in values if value)
    joined = "|".join(
        f"{field}={','.join(sorted(merged[field]))}" for field in sorted(merged) if merged[field]
    )
    return joined or EMPTY_FEATURES


class MorphAnalysis:
    """The features of one token; immutable.

    >>> from ferrule.vocab import Vocab
    >>> morph = MorphAnalysis(Vocab(), "Number=Sing|Case=Nom")
    >>> str(morph), morph.get("Number"), "Case=Nom" in morph
    ('Case=Nom|Number=Sing', ['Sing'], True)
    """

    __slots__ = ("key", "vocab")

    def __init__(self, vocab: Vocab, features: str | dict[str, str] = ""):
        """Normalise `features` and keep them in the vocabulary's strings."""
        self.vocab = vocab
        self.key: int = vocab.strings.add(normalize_features(features))

    @classmethod
    def from_id(cls, vocab: Vocab, key: int) -> MorphAnalysis:
        """The analysis stored under a string id; 0 is "not analysed"."""
        analysis = cls.__new__(cls)
        analysis.vocab = vocab
        analysis.key = key
        return analysis

    def __str__(self) -> str:
        features = self.vocab.strings[self.key] if self.key else ""
        return "" if features == EMPTY_FEATURES else features

    def __repr__(self) -> str:
        return str(self)

    def to_json(self) -> str:
        """The features as a string, empty for none."""
        return str(self)

    def _pairs(self) -> list[str]:
        features = str(self)
        return features.split("|") if features else []

    def to_dict(self) -> dict[str, str]:
        """Field to value; several values of a field are joined by commas."""
        return dict(pair.split("=", 1) for pair in self._pairs())

    def get(self, field: str, default: list[str] | None = None) -> list[str]:
        """The values of a field; `default` or an empty list where it has none."""
        value = self.to_dict().get(field)
        if value is None:
            return [] if default is None else default
        return value.split(",")

    def __contains__(self, feature: str) -> bool:
        return feature in list(self)

    def __iter__(self) -> Iterator[str]:
        for field, values in self.to_dict().items():
            for value in values.split(","):
                yield f"{field}={value}"

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MorphAnalysis) and self.key == other.key
