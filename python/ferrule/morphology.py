"""Morphological features: their one normal form, and `vocab.morphology`, which keeps them as strings."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ferrule.strings import StringStore

__all__ = ["EMPTY_FEATURES", "Morphology", "normalize_features"]

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


class Morphology:
    """The morphological features of a vocabulary: strings in normal form, and their ids.

    As in spaCy; but what is malformed or of another type is refused, where spaCy warns and stores `_`.

    strings: the store that keeps them.

    >>> from ferrule.vocab import Vocab
    >>> morphology = Vocab().morphology
    >>> morphology.get(morphology.add({"Number": "Sing", "Case": "Nom,Acc"}))
    'Case=Acc,Nom|Number=Sing'
    """

    FEATURE_SEP = "|"
    FIELD_SEP = "="
    VALUE_SEP = ","
    EMPTY_MORPH = EMPTY_FEATURES

    def __init__(self, strings: StringStore) -> None:
        self.strings = strings

    def add(self, features: str | int | dict[str, Any]) -> int:
        """The id of features, kept from here on: of a string, a dict of fields, or the id of such a string.

        Raises ValueError for a malformed string, KeyError for an unknown id, TypeError for another type.
        """
        given = self.strings.as_string(features) if isinstance(features, int) else features
        return self.strings.add(normalize_features(given))

    def get(self, morph: int) -> str:
        """The features with this id, in normal form; "" where the id was never added."""
        known = morph in self.strings
        return self.strings[morph] if known else ""

    def normalize_features(self, features: str | dict[str, Any]) -> str:
        """Features in normal form, without keeping them; see `normalize_features`."""
        return normalize_features(features)

    @staticmethod
    def feats_to_dict(feats: str) -> dict[str, str]:
        """The fields of features and the values of each, as strings.

        >>> Morphology.feats_to_dict("Case=Acc,Nom|Number=Sing")
        {'Case': 'Acc,Nom', 'Number': 'Sing'}
        """
        normal = normalize_features(feats)
        if normal == EMPTY_FEATURES:
            return {}
        return dict(pair.split("=", 1) for pair in normal.split("|"))

    @staticmethod
    def dict_to_feats(feats_dict: dict[str, str]) -> str:
        """The features of a dict of fields, in normal form; "" for none.

        >>> Morphology.dict_to_feats({"Number": "Sing", "Case": "Nom,Acc"})
        'Case=Acc,Nom|Number=Sing'
        """
        return normalize_features(feats_dict) if feats_dict else ""
