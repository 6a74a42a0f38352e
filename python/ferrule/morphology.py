"""Morphological features: their one normal form, and `vocab.morphology`, which keeps them as strings."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from ferrule.strings import StringStore

__all__ = ["EMPTY_FEATURES", "Morphology", "normalize_features"]

#: What "analysed, and has no features" is stored as.
EMPTY_FEATURES = "_"


def normalize_features(features: str | dict[str, Any]) -> str:
    """Universal Dependencies' FEATS in normal form: fields sorted, values of a field sorted, `_` for none.

    As in spaCy a field may have an empty value (`Case=`). The values of a field given twice are put together,
    where spaCy keeps the last, and a value given twice is one.

    TypeError for anything but a str or a dict of strings; ValueError for what is malformed.

    >>> normalize_features("Number=Sing|Case=Nom,Acc")
    'Case=Acc,Nom|Number=Sing'
    >>> normalize_features({})
    '_'
    """
    if isinstance(features, str):
        return _normalize_string(features)
    if isinstance(features, dict):
        pairs = [f"{field}={_values(field, given)}" for field, given in features.items()]
        return _normalize_string("|".join(pairs))
    raise TypeError(
        f"morphological features: expected a string such as 'Case=Nom|Number=Sing' or a dict, "
        f"found {type(features).__name__}"
    )


def _values(field: Any, given: Any) -> str:
    values = [given] if isinstance(given, str) else given
    if not isinstance(values, Iterable) or not all(isinstance(value, str) for value in values):
        raise TypeError(
            f"morphological features: the value of {field!r} is {given!r}; expected a string, as 'Nom,Acc'"
        )
    return ",".join(values)


@lru_cache(maxsize=4096)
def _normalize_string(features: str) -> str:
    if features in ("", EMPTY_FEATURES):
        return EMPTY_FEATURES
    values_of: dict[str, set[str]] = {}
    for pair in features.split("|"):
        field, *values = pair.split("=")
        if not field or len(values) != 1:
            raise ValueError(
                f"morphological features: {pair!r} in {features!r} is no 'Field=Value'; join pairs with '|'"
            )
        values_of.setdefault(field, set()).update(values[0].split(","))
    return "|".join(f"{field}={','.join(sorted(values_of[field]))}" for field in sorted(values_of))


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
