"""Filling a new document from the lists that `Doc()` takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ferrule import attrs
from ferrule.tokens.morphanalysis import normalize_features
from ferrule.tokens.parts_of_speech import check_pos

if TYPE_CHECKING:
    from ferrule.tokens.doc import Doc

_MISSING, _INSIDE, _OUTSIDE, _BEGIN = range(4)
_NOT_START = 2**64 - 1


def fill(
    doc: Doc, words: Iterable[Any] | None, spaces: Iterable[Any] | None, annotation: dict[str, Any]
) -> None:
    """Put words, spaces and each given annotation into an empty document. Lengths must agree."""
    if words is None:
        if spaces is not None:
            raise ValueError("Doc: spaces were given without words; a space follows a word")
        for name, values in annotation.items():
            if values is not None:
                raise ValueError(f"Doc: {name} were given without words; there is nothing to annotate")
        return
    words = list(words)
    doc._set_words(words, None if spaces is None else list(spaces))
    doc.has_unknown_spaces = spaces is None
    given = {name: list(values) for name, values in annotation.items() if values is not None}
    for name, values in given.items():
        if len(values) != len(words):
            raise ValueError(
                f"Doc: {len(values)} {name} for {len(words)} words; every list needs one entry for each word"
            )
    if "heads" in given and "deps" not in given:
        raise ValueError(
            'Doc: heads were given without deps; where there are no labels, pass deps=["dep"] * len(heads)'
        )
    _fill_columns(doc, given)


def _fill_columns(doc: Doc, given: dict[str, list[Any]]) -> None:
    for name, attr in (("tags", attrs.TAG), ("lemmas", attrs.LEMMA), ("deps", attrs.DEP)):
        if name in given:
            doc._set_strings(attr, given[name], name)
    if "pos" in given:
        doc._set_strings(attrs.POS, [check_pos(value) for value in given["pos"]], "pos")
    if "morphs" in given:
        morphs = [None if value is None else normalize_features(value) for value in given["morphs"]]
        doc._set_strings(attrs.MORPH, morphs, "morphs")
    if "sent_starts" in given:
        doc._set_values(attrs.SENT_START, [_sent_start(value) for value in given["sent_starts"]])
    if "deps" in given:
        # Without heads each labelled token is a root and a sentence, as in spaCy.
        doc._set_heads(given.get("heads") or list(range(len(doc))))
    if "ents" in given:
        set_iob(doc, given["ents"])


def _sent_start(value: Any) -> int:
    """1 for True, -1 for False, 0 for None and whatever else; 1 and -1 as they are."""
    if value is None:
        return 0
    if value is True or value == 1:
        return 1
    return _NOT_START if value is False or value == -1 else 0


def set_iob(doc: Doc, tags: Sequence[str | None]) -> None:
    """Set the document's entities from one IOB tag a token; `""` and None are missing.

    An `I` that does not continue an entity of its label begins one, as in spaCy.
    """
    iobs, types = [], []
    previous: tuple[int, str] = (_OUTSIDE, "")
    for position, tag in enumerate(tags):
        iob, label = _split_iob(tag, position)
        if iob == _INSIDE and position and (previous[0] not in (_BEGIN, _INSIDE) or previous[1] != label):
            iob = _BEGIN
        iobs.append(iob)
        types.append(label)
        previous = (iob, label)
    if iobs and iobs[0] == _INSIDE:
        iobs[0] = _BEGIN
    doc._set_values(attrs.ENT_IOB, iobs)
    if any(types):
        doc._set_strings(attrs.ENT_TYPE, types, "ents")


def _split_iob(tag: str | None, position: int) -> tuple[int, str]:
    if tag is None or tag == "":
        return _MISSING, ""
    if tag == "O":
        return _OUTSIDE, ""
    prefix, separator, label = tag.partition("-") if isinstance(tag, str) else ("", "", "")
    if prefix not in ("B", "I") or not separator or not label:
        raise ValueError(
            f"Doc: ents[{position}] is {tag!r}; expected 'B-LABEL', 'I-LABEL', 'O', or '' for missing"
        )
    return (_BEGIN if prefix == "B" else _INSIDE), label
