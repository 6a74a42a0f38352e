"""The coarse parts of speech: Universal Dependencies' and SPACE, by name and by symbol id."""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["POS_IDS", "check_pos", "check_pos_id"]

# fmt: off
_NAMES = (
    "ADJ", "ADP", "ADV", "AUX", "CONJ", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART",
    "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X", "EOL", "SPACE",
)
# fmt: on
#: Name to symbol id; the empty string, unset, is 0.
POS_IDS = MappingProxyType({"": 0} | {name: 84 + i for i, name in enumerate(_NAMES)})
_POS_NAMES = {pos_id: name for name, pos_id in POS_IDS.items()}


def check_pos(value: str | None) -> str:
    """`value` itself where it is a part of speech, `""` for None; ValueError otherwise.

    >>> check_pos("NOUN")
    'NOUN'
    """
    if value is None:
        return ""
    if value not in POS_IDS:
        raise ValueError(
            f"pos: {value!r} is no Universal Dependencies part of speech; expected one of "
            f"{', '.join(_NAMES)} (other tags go to `tag`)"
        )
    return value


def check_pos_id(pos_id: int) -> str:
    """The name of a part of speech by its id; KeyError for other ids."""
    name = _POS_NAMES.get(pos_id)
    if name is None:
        raise KeyError(f"pos: {pos_id} is not the id of a part of speech")
    return name
