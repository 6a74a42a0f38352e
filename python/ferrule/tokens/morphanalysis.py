"""Morphological features of a token, and their one normal form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ferrule.morphology import EMPTY_FEATURES, normalize_features

if TYPE_CHECKING:
    from ferrule.vocab import Vocab

__all__ = ["EMPTY_FEATURES", "MorphAnalysis", "normalize_features"]


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
