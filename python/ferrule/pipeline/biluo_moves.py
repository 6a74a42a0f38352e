"""The actions of an entity recognizer: which there are, in which order, and how spaCy saves them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import srsly

from ferrule.errors import SerializationError
from ferrule.storage.fields import unpack

__all__ = ["BEGIN", "IN", "LAST", "MISSING", "OUT", "UNIT", "BiluoMoves", "action_of"]

MISSING, BEGIN, IN, LAST, UNIT, OUT = range(6)
_LETTERS = "MBILUO"
_OF_ENTITIES = (BEGIN, IN, LAST, UNIT)


class BiluoMoves:
    """Actions, each a kind (B, I, L, U, O) and a label, in the order of the model's outputs.

    `frequencies` has, for each kind, the number of gold tokens of each label. It sets the order: frequent
    labels first. A label that was added later has a negative number and comes behind, in the order of adding.
    One U action has no label: it marks a token that must not be in an entity.
    """

    def __init__(self) -> None:
        self.frequencies: dict[int, dict[str, int]] = {}
        self.actions: list[tuple[int, str]] = []

    @property
    def names(self) -> list[str]:
        """The actions' names, ``"B-PER"`` and the like; the one for blocked tokens is left out."""
        return [name for name in self.output_names if name != f"{_LETTERS[UNIT]}-"]

    @property
    def output_names(self) -> list[str]:
        """One name for each output of the model; ``"U-"`` is the action for blocked tokens."""
        return [
            _LETTERS[kind] if kind == OUT else f"{_LETTERS[kind]}-{label}" for kind, label in self.actions
        ]

    @property
    def labels(self) -> tuple[str, ...]:
        """The entity labels, sorted."""
        return tuple(sorted({label for _, label in self.actions if label}))

    def initialize(self, frequencies: Mapping[Any, Mapping[str, int]]) -> None:
        """Set up the actions of `frequencies`, a mapping from kinds to labels and their numbers.

        Raises ValueError for another kind than 0 to 5, TypeError for labels or numbers of another type.
        """
        checked = {_kind(kind): _labels(labels) for kind, labels in frequencies.items()}
        self.frequencies = {kind: checked[kind] for kind in sorted(checked)}
        first = [
            (kind, label)
            for kind, labels in self.frequencies.items()
            for number, label in sorted(((n, label) for label, n in labels.items()), reverse=True)
            if number >= 0
        ]
        later: dict[tuple[int, str], list[int]] = {}
        for kind, labels in self.frequencies.items():
            for label, number in labels.items():
                if number < 0:
                    later.setdefault((number, label), []).append(kind)
        added = [(kind, key[1]) for key in sorted(later, reverse=True) for kind in later[key]]
        self.actions = []
        for action in (*first, *added):
            if _is_action(*action) and action not in self.actions:
                self.actions.append(action)

    def initialize_from_labels(self, numbers: Mapping[str, int]) -> None:
        """Set up the actions for labels with these numbers of gold tokens, keeping those there are."""
        frequencies: dict[int, dict[str, int]] = {kind: dict(numbers) for kind in _OF_ENTITIES}
        frequencies[MISSING] = {}
        frequencies[UNIT][""] = 1
        frequencies[OUT] = {"": 1}
        for kind, labels in self.frequencies.items():
            for label, number in labels.items():
                frequencies[kind].setdefault(label, number)
        self.initialize(frequencies)

    def add_label(self, label: str) -> bool:
        """Add the actions of a new label behind the others; returns False if it is there."""
        if label in self.labels:
            return False
        if not self.actions:
            self.initialize_from_labels({})
        for kind in _OF_ENTITIES:
            labels = self.frequencies.setdefault(kind, {})
            labels[label] = min(0, *labels.values(), 0) - 1
            self.actions.append((kind, label))
        return True

    def places_of(self, actions: Iterable[tuple[int, str]]) -> npt.NDArray[np.int32]:
        """Which own action, by its place, each of another recognizer's `actions` is; -1 for none.

        Where the other one begins an entity of a label that is unknown here, this one stays outside.
        """
        places = {action: place for place, action in enumerate(self.actions)}
        outside = places.get((OUT, ""), -1)
        unknown = {BEGIN: outside, UNIT: outside}
        return np.array(
            [places.get(action, unknown.get(action[0], -1) if action[1] else -1) for action in actions],
            dtype=np.int32,
        )

    def rows(
        self, label_index: Mapping[str, int], extra_labels: Iterable[int] = ()
    ) -> npt.NDArray[np.uint32]:
        """The actions as Rust takes them: uint32 (n_actions, 2), kinds and label indices.

        extra_labels: labels of entities that are set in documents and that the model does not know. Their
        actions come behind those that are scored, and are taken only where nothing else is allowed.
        """
        rows = [(kind, label_index[label]) for kind, label in self.actions]
        rows += [(kind, label) for label in extra_labels for kind in _OF_ENTITIES]
        if (UNIT, "") not in self.actions:
            rows.append((UNIT, 0))
        return np.array(rows, dtype=np.uint32).reshape(len(rows), 2)

    def to_bytes(self, settings: Mapping[str, Any]) -> bytes:
        """The actions as spaCy saves them, with `settings` beside them."""
        frequencies = {str(kind): labels for kind, labels in self.frequencies.items()}
        data: bytes = srsly.msgpack_dumps({"moves": srsly.json_dumps(frequencies), "cfg": dict(settings)})
        return data

    @classmethod
    def from_bytes(cls, data: bytes, owner: str) -> BiluoMoves:
        """The actions that `to_bytes`, or spaCy, saved; SerializationError, naming `owner`, for others."""
        message = unpack(data, f"the actions of {owner}")
        moves = cls()
        try:
            moves.initialize(srsly.json_loads(message["moves"]))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise SerializationError(f"{owner}: the saved actions are broken: {error}") from error
        return moves


def action_of(name: str) -> tuple[int, str]:
    """Kind and label of the action with this name, ``"B-PER"`` and the like; MISSING for other names."""
    letter, _, label = name.partition("-")
    kind = _LETTERS.find(letter) if len(letter) == 1 else MISSING
    return max(kind, MISSING), label


def _is_action(kind: int, label: str) -> bool:
    if kind == OUT:
        return not label
    return kind == UNIT or (kind != MISSING and bool(label))


def _kind(kind: Any) -> int:
    number = int(kind)
    if not MISSING <= number <= OUT:
        raise ValueError(f"a kind of action is {kind!r}; expected 0 to 5")
    return number


def _labels(labels: Any) -> dict[str, int]:
    for label, number in labels.items():
        if not isinstance(label, str) or isinstance(number, bool) or not isinstance(number, int):
            raise TypeError(f"a label is {label!r}: {number!r}; expected a string and a whole number")
    return dict(labels)
