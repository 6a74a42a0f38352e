"""Entities as tags: IOB and BILUO tag sequences, character offsets and spans, each into the others.

The names and results are those of `spacy.training.iob_utils`. A missing tag is `"-"` or None: nobody said
whether the token is part of an entity, which is something else than `"O"`, outside. In three places this is
stricter than spaCy: an entity that is begun and never closed, `O` or `U-` inside an entity, and two labels in
one entity are refused instead of dropped or swallowed.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferrule.training.token_offsets import token_offsets

__all__ = [
    "biluo_tags_from_offsets",
    "biluo_tags_to_offsets",
    "biluo_tags_to_spans",
    "biluo_to_iob",
    "doc_to_biluo_tags",
    "doc_to_partial_biluo_tags",
    "entity_tags",
    "iob_to_biluo",
    "offsets_from_biluo_tags",
    "offsets_to_biluo_tags",
    "remove_bilu_prefix",
    "spans_from_biluo_tags",
    "split_bilu_label",
    "tags_to_entities",
]

ENT_IOB_OUTSIDE = 2
_PREFIXES = ("B", "I", "L", "U", "E", "S")
_FROM_IOBES = {"E": "L", "S": "U"}


def iob_to_biluo(tags: Iterable[str | None]) -> list[str | None]:
    """The same entities in the BILUO scheme; takes IOB1, IOB2, BILUO and IOBES.

    An `I-X` that follows no `B-X` or `I-X` begins an entity. `"-"` and None are kept: they mean missing.
    Raises ValueError, with the position, for anything else that is not a prefix and a label.

    >>> iob_to_biluo(["O", "B-LOC", "I-LOC", "B-PER", "-"])
    ['O', 'B-LOC', 'L-LOC', 'U-PER', '-']
    """
    given = list(tags)
    out = given.copy()
    start, label = 0, ""  # the entity that is open, if `label` is not empty
    for position, tag in enumerate([*given, "O"]):
        outside = tag is None or tag in ("O", "-")
        prefix, this_label = ("O", "") if outside else _split_entity_tag(given, position)
        if label and (prefix in ("B", "U") or this_label != label):
            out[start:position] = entity_tags(label, start, position)
            label = ""
        if this_label and not label:
            start, label = position, this_label
        if label and prefix in ("L", "U"):
            out[start : position + 1] = entity_tags(label, start, position + 1)
            label = ""
    return out


def biluo_to_iob(tags: Iterable[str | None]) -> list[str | None]:
    """The same entities in the IOB scheme, `U-` becoming `B-` and `L-` becoming `I-`; the rest stays.

    >>> biluo_to_iob(["O", "B-LOC", "L-LOC", "U-PER", None])
    ['O', 'B-LOC', 'I-LOC', 'B-PER', None]
    """
    iob = {"U-": "B-", "L-": "I-"}
    return [tag if tag is None else iob.get(tag[:2], tag[:2]) + tag[2:] for tag in tags]


def tags_to_entities(tags: Iterable[str | None]) -> list[tuple[str, int, int]]:
    """The entities of a BILUO sequence: `(label, first token, last token)`, the last one included.

    A missing tag (`"-"` or None) gives an entity of its own with the label `""`. Raises ValueError, with the
    position, for a sequence that is not well-formed.

    >>> tags_to_entities(["O", "B-LOC", "L-LOC", "-"])
    [('LOC', 1, 2), ('', 3, 3)]
    """
    given = list(tags)
    entities: list[tuple[str, int, int]] = []
    start: int | None = None
    label = ""
    for position, tag in enumerate(given):
        kind = "-" if tag is None else tag[:1]
        if start is not None and kind not in ("I", "L"):
            raise ValueError(
                f"BILUO tags: the entity that begins at token {start} ({given[start]!r}) is not closed "
                f"before token {position} ({tag!r}); it needs an L- tag. {_context(given, position)}"
            )
        if kind == "-":
            entities.append(("", position, position))
        elif kind in ("I", "L") and start is None:
            raise ValueError(
                f"BILUO tags: token {position} has {tag!r}, but no B- tag begins that entity. Convert "
                f"IOB tags with iob_to_biluo first. {_context(given, position)}"
            )
        elif kind == "U":
            entities.append((_entity_label(given, position), position, position))
        elif kind == "B":
            start, label = position, _entity_label(given, position)
        elif start is not None and _entity_label(given, position) != label:
            raise ValueError(
                f"BILUO tags: token {position} has {tag!r}, in the entity that begins at token {start} with "
                f"{given[start]!r}; an entity has one label. {_context(given, position)}"
            )
        elif kind == "L" and start is not None:
            entities.append((label, start, position))
            start = None
        elif kind not in ("O", "I"):
            raise ValueError(
                f"BILUO tags: token {position} has {tag!r}; expected O, - (or None) for missing, or a "
                f"label with one of the prefixes B-, I-, L-, U-. {_context(given, position)}"
            )
    if start is not None:
        raise ValueError(
            f"BILUO tags: the entity that begins at token {start} ({given[start]!r}) is still open at the "
            f"end; it needs an L- tag. {_context(given, start)}"
        )
    return entities


def doc_to_biluo_tags(doc: Any, missing: str | None = "O") -> list[str | None]:
    """The entities of `doc` as one BILUO tag a token; `missing` for every token that is in no entity.

    >>> from ferrule.tokens import Doc
    >>> from ferrule.vocab import Vocab
    >>> doc = Doc(Vocab(), words=["New", "York", "is", "big"], ents=["B-GPE", "I-GPE", "O", "O"])
    >>> doc_to_biluo_tags(doc)
    ['B-GPE', 'L-GPE', 'O', 'O']
    """
    tags: list[str | None] = [missing] * len(doc)
    for span in doc.ents:
        tags[span.start : span.end] = entity_tags(span.label_, span.start, span.end)
    return tags


def doc_to_partial_biluo_tags(doc: Any) -> list[str | None]:
    """Like :func:`doc_to_biluo_tags`, telling outside from missing: `"O"` and `"-"`."""
    tags = doc_to_biluo_tags(doc, missing="-")
    for position, ent_iob in enumerate(doc.to_array(["ENT_IOB"]).ravel().tolist()):
        if ent_iob == ENT_IOB_OUTSIDE:
            tags[position] = "O"
    return tags


def offsets_to_biluo_tags(
    doc: Any, entities: Iterable[tuple[int, int, str | int]], missing: str | None = "O"
) -> list[str | None]:
    """Entities given by character offsets, as one BILUO tag a token.

    `entities`: `(start_char, end_char, label)`, the end excluded; an empty label says that those tokens are
    outside. Tokens that no entity touches get `missing`. Where an entity's ends are not token boundaries,
    its tokens get `"-"` and a UserWarning names it. Raises ValueError for entities that overlap.

    >>> from ferrule.tokens import Doc
    >>> from ferrule.vocab import Vocab
    >>> doc = Doc(Vocab(), words=["I", "like", "New", "York"])
    >>> offsets_to_biluo_tags(doc, [(7, 15, "GPE")])
    ['O', 'O', 'B-GPE', 'L-GPE']
    """
    starts, ends = token_offsets(doc)
    tags: list[str | None] = [missing] * len(doc)
    misaligned: list[tuple[int, int, str | int]] = []
    entities = list(entities)
    _refuse_overlaps(entities)
    for start_char, end_char, label in entities:
        first = int(starts.searchsorted(start_char, side="left"))
        last = int(ends.searchsorted(end_char, side="left"))
        partly = _touched(starts, ends, start_char, end_char)
        if not label:
            after = int(starts.searchsorted(end_char, side="left"))
            tags[first:after] = ["O"] * max(0, after - first)
            partly = [position for position in partly if position < first]
        elif first <= last < len(tags) and starts[first] == start_char and ends[last] == end_char:
            tags[first : last + 1] = entity_tags(label, first, last + 1)
            partly = []
        if partly:
            misaligned.append((start_char, end_char, label))
            for position in partly:
                tags[position] = "-"
    if misaligned:
        warnings.warn(_misaligned_message(doc, misaligned), UserWarning, stacklevel=2)
    return tags


def biluo_tags_to_spans(doc: Any, tags: Iterable[str | None]) -> list[Any]:
    """The entities of a BILUO sequence as spans of `doc`; one span with an empty label for each missing tag.

    Raises ValueError if there is not one tag for each token, or the sequence is not well-formed.
    """
    tags = list(tags)
    if len(tags) != len(doc):
        raise ValueError(
            f"biluo_tags_to_spans: one tag for each token is needed; found {len(tags)} tags "
            f"for {len(doc)} tokens"
        )
    make_span = type(doc[0:0])
    return [make_span(doc, first, last + 1, label=label) for label, first, last in tags_to_entities(tags)]


def biluo_tags_to_offsets(doc: Any, tags: Iterable[str | None]) -> list[tuple[int, int, str]]:
    """The entities of a BILUO sequence as `(start_char, end_char, label)`; the label is `""` where missing.

    >>> from ferrule.tokens import Doc
    >>> from ferrule.vocab import Vocab
    >>> doc = Doc(Vocab(), words=["I", "like", "New", "York"])
    >>> biluo_tags_to_offsets(doc, ["O", "O", "B-GPE", "L-GPE"])
    [(7, 15, 'GPE')]
    """
    return [(span.start_char, span.end_char, span.label_) for span in biluo_tags_to_spans(doc, tags)]


def split_bilu_label(label: str) -> tuple[str, str]:
    """The prefix and the entity label of a tag.

    >>> split_bilu_label("B-WORK-OF-ART")
    ('B', 'WORK-OF-ART')
    """
    prefix, hyphen, rest = label.partition("-")
    if not hyphen:
        raise ValueError(f"split_bilu_label: expected a prefix, a hyphen and a label, found {label!r}")
    return prefix, rest


def remove_bilu_prefix(label: str) -> str:
    """The entity label of a tag.

    >>> remove_bilu_prefix("L-PERSON")
    'PERSON'
    """
    return split_bilu_label(label)[1]


# The names of spaCy 2, which 3.8 still exports.
biluo_tags_from_offsets = offsets_to_biluo_tags
offsets_from_biluo_tags = biluo_tags_to_offsets
spans_from_biluo_tags = biluo_tags_to_spans


def entity_tags(label: str | int, start: int, end: int) -> list[str]:
    """The BILUO tags of one entity over the tokens `start` to `end`, the end excluded."""
    if end - start == 1:
        return [f"U-{label}"]
    return [f"B-{label}", *[f"I-{label}"] * (end - start - 2), f"L-{label}"]


def _split_entity_tag(tags: Sequence[str | None], position: int) -> tuple[str, str]:
    prefix, _, label = (tags[position] or "").partition("-")
    if prefix not in _PREFIXES or not label:
        raise ValueError(
            f"entity tags: token {position} has {tags[position]!r}; expected O, - for missing, or a prefix "
            f"(B-, I-, L-, U-) with a label. {_context(tags, position)}"
        )
    return _FROM_IOBES.get(prefix, prefix), label


def _entity_label(tags: Sequence[str | None], position: int) -> str:
    return _split_entity_tag(tags, position)[1]


def _context(tags: Sequence[str | None], position: int, width: int = 4) -> str:
    around = tags[max(0, position - width) : position + width + 1]
    return f"Tags around it: {list(around)}"


def _touched(starts: NDArray[np.int64], ends: NDArray[np.int64], start_char: int, end_char: int) -> list[int]:
    if end_char <= start_char:
        return []
    touched: list[int] = ((starts < end_char) & (ends > start_char)).nonzero()[0].tolist()
    return touched


def _refuse_overlaps(entities: Iterable[tuple[int, int, str | int]]) -> None:
    labelled = sorted((entity for entity in entities if entity[2]), key=lambda entity: entity[:2])
    for before, entity in itertools.pairwise(labelled):
        if entity[0] < before[1]:
            raise ValueError(
                f"offsets_to_biluo_tags: the entities {before} and {entity} overlap, and a token can be "
                f"in one entity only. Keep one of them, or put overlapping spans into doc.spans."
            )


def _misaligned_message(doc: Any, misaligned: Sequence[tuple[int, int, str | int]]) -> str:
    text = doc.text
    shown = ", ".join(f"{entity} {text[entity[0] : entity[1]]!r}" for entity in misaligned[:5])
    more = f" and {len(misaligned) - 5} more" if len(misaligned) > 5 else ""
    return (
        f"entities whose ends are not token boundaries: {shown}{more}; their tokens count as missing "
        f"and nothing is learned from them. Text: {text[:80]!r}. Mend the offsets or the tokenization."
    )
