"""Annotations as dictionaries: the format of `Example.from_dict` and `Example.to_dict`.

    {"token_annotation": {"ORTH": [...], "SPACY": [...], "TAG": [...], ...},
     "doc_annotation": {"cats": {...}, "entities": [...], "spans": {...}, "links": {...}}}

or flat, with the friendlier names `words`, `spaces`, `tags`, `pos`, `morphs`, `lemmas`, `heads`, `deps`,
`sent_starts` for the first half. A field that is left out, and a None in a list, means: not annotated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ferrule.errors import AnnotationError, nearest_names
from ferrule.training.iob_utils import (
    biluo_tags_to_spans,
    doc_to_biluo_tags,
    iob_to_biluo,
    offsets_to_biluo_tags,
)

__all__ = ["doc_from_annotations", "doc_to_annotations", "normalize_annotations"]

TOKEN_FIELDS = {
    "words": "ORTH",
    "spaces": "SPACY",
    "tags": "TAG",
    "pos": "POS",
    "morphs": "MORPH",
    "lemmas": "LEMMA",
    "heads": "HEAD",
    "deps": "DEP",
    "sent_starts": "SENT_START",
}
ARGUMENTS = {field: argument for argument, field in TOKEN_FIELDS.items()}
DOC_FIELDS = ("cats", "entities", "links", "spans")
IGNORED_FIELDS = ("text", "raw", "ids", "brackets")
STRING_FIELDS = ("TAG", "POS", "LEMMA", "DEP")


def normalize_annotations(annotations: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """`(token annotations, document annotations)` under their upper-case and their plain names.

    Takes both shapes, and `ner` for `entities`. Raises AnnotationError for an unknown field, with the nearest
    names. As in spaCy, `heads` wins over `sent_starts` when both are given.
    """
    if not isinstance(annotations, Mapping):
        raise TypeError(
            f"Example.from_dict: annotations must be a dict, found {type(annotations).__name__}: "
            f"{str(annotations)[:80]}"
        )
    tokens: dict[str, Any] = {}
    document: dict[str, Any] = {}
    for name, value in _flattened(annotations):
        field = TOKEN_FIELDS.get(name.lower(), name)
        if field in ARGUMENTS:
            tokens[field] = value
        elif name in DOC_FIELDS or name == "ner":
            document["entities" if name == "ner" else name] = value
        elif name not in IGNORED_FIELDS:
            known = [*TOKEN_FIELDS, *ARGUMENTS, *DOC_FIELDS]
            near = nearest_names(name, known)
            raise AnnotationError(
                f"Example.from_dict: unknown field {name!r}. "
                + (f"Did you mean {' or '.join(map(repr, near))}? " if near else "")
                + f"Known fields: {', '.join([*TOKEN_FIELDS, *DOC_FIELDS])}."
            )
    text = annotations.get("text", annotations.get("raw"))
    if tokens.get("ORTH") and not tokens.get("SPACY") and text is not None:
        tokens["SPACY"] = _spaces_from_text(text, tokens["ORTH"])
    if "HEAD" in tokens:
        tokens.pop("SENT_START", None)
    return tokens, document


def doc_from_annotations(predicted: Any, annotations: Mapping[str, Any]) -> Any:
    """A new document of `predicted`'s class and vocabulary that carries `annotations`.

    It has the given `words`, or else the tokens of `predicted`. Raises AnnotationError where a list's length
    differs from the number of words, where spans and links do not fit the tokens, and for unknown fields.
    """
    tokens, document = normalize_annotations(annotations)
    if tokens.get("ORTH") is None:
        tokens["ORTH"] = [token.text for token in predicted]
        tokens["SPACY"] = [bool(token.whitespace_) for token in predicted]
    arguments = _doc_arguments(tokens)
    # Labels alone say nothing of sentences; given to `Doc()`, they would make each token one.
    deps = arguments.pop("deps", ()) if "heads" not in arguments else ()
    doc = type(predicted)(predicted.vocab, **arguments)
    for token, dep in zip(doc, deps, strict=False):
        token.dep_ = dep
    _set_entities(doc, document.get("entities"))
    _set_spans(doc, document.get("spans"))
    _set_links(doc, document.get("links"))
    doc.cats.update(_checked_mapping("cats", document.get("cats")))
    return doc


def doc_to_annotations(doc: Any) -> dict[str, dict[str, Any]]:
    """The annotations of `doc` in the nested shape that :func:`doc_from_annotations` reads."""
    return {
        "doc_annotation": {
            "cats": dict(doc.cats),
            "entities": doc_to_biluo_tags(doc),
            "spans": {
                key: [(span.start_char, span.end_char, span.label_, span.kb_id_) for span in doc.spans[key]]
                for key in doc.spans
            },
            "links": {(ent.start_char, ent.end_char): {ent.kb_id_: 1.0} for ent in doc.ents if ent.kb_id_},
        },
        "token_annotation": {
            "ORTH": [token.text for token in doc],
            "SPACY": [bool(token.whitespace_) for token in doc],
            "TAG": [token.tag_ for token in doc],
            "LEMMA": [token.lemma_ for token in doc],
            "POS": [token.pos_ for token in doc],
            "MORPH": [str(token.morph) for token in doc],
            "HEAD": [token.head.i for token in doc],
            "DEP": [token.dep_ for token in doc],
            "SENT_START": [int(bool(token.is_sent_start)) for token in doc],
        },
    }


def _flattened(annotations: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in annotations.items():
        if name in ("token_annotation", "doc_annotation"):
            yield from _checked_mapping(name, value).items()
        elif value is not None:
            yield name, value


def _checked_mapping(name: str, value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise AnnotationError(
            f"Example.from_dict: {name!r} must be a dict, found {type(value).__name__}: {str(value)[:80]}"
        )
    return value


def _doc_arguments(tokens: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `Doc(vocab, …)`, each as long as the words."""
    n_words = len(tokens["ORTH"])
    arguments: dict[str, Any] = {}
    for field, values in tokens.items():
        argument = ARGUMENTS[field]
        if values is None:
            continue
        values = list(values)
        if not values and n_words and field != "ORTH":
            continue
        if len(values) != n_words:
            raise AnnotationError(
                f"Example.from_dict: {argument!r} has {len(values)} values, but there are {n_words} words; "
                f"give one value for each word, None where it is not annotated"
            )
        if field in STRING_FIELDS:
            values = _checked_strings(argument, values)
        elif field == "MORPH":
            values = ["" if value is None else value for value in values]
        elif field == "SENT_START":
            values = [_ternary(value) for value in values]
        elif field == "SPACY":
            values = [bool(value) for value in values]
        elif field == "HEAD":
            _check_heads(values, n_words)
            values = [position if head is None else head for position, head in enumerate(values)]
        arguments[argument] = values
    if "heads" in arguments and "deps" not in arguments:
        raise AnnotationError(
            "Example.from_dict: 'heads' without 'deps': a head counts as annotated only where there is a "
            "label; give 'deps', such as ['dep'] * len(heads)"
        )
    return arguments


def _checked_strings(argument: str, values: Sequence[Any]) -> list[str]:
    for position, value in enumerate(values):
        if value is not None and not isinstance(value, str):
            raise TypeError(
                f"Example.from_dict: {argument!r} must hold strings (None where not annotated), found "
                f"{type(value).__name__} at token {position}: {value!r}"
            )
    return [value or "" for value in values]


def _check_heads(heads: Sequence[Any], n_words: int) -> None:
    for position, head in enumerate(heads):
        if head is not None and not 0 <= head < n_words:
            raise AnnotationError(
                f"Example.from_dict: the head of token {position} is {head}; heads are absolute token "
                f"positions and must lie in 0…{n_words - 1}"
            )


def _ternary(value: Any) -> bool | None:
    """True, False or None, from spaCy's 1, -1 (or 0 written as False) and 0 (unknown)."""
    if value is True or value == 1:
        return True
    return False if value is False or value == -1 else None


def _set_entities(doc: Any, entities: Any) -> None:
    if entities is None:
        return
    if not isinstance(entities, list | tuple):
        raise AnnotationError(
            f"Example.from_dict: 'entities' must be a list of (start_char, end_char, label) or of BILUO "
            f"tags, found {type(entities).__name__}: {str(entities)[:80]}"
        )
    if not entities:
        doc.ents = []
        return
    if isinstance(entities[0], str) or entities[0] is None:
        spans = biluo_tags_to_spans(doc, _as_biluo(entities))
    elif hasattr(entities[0], "label_"):
        spans = list(entities)
    else:
        spans = biluo_tags_to_spans(doc, offsets_to_biluo_tags(doc, _checked_offsets(entities)))
    doc.set_ents([span for span in spans if span.label], missing=[span for span in spans if not span.label])


def _checked_offsets(entities: Sequence[Any]) -> list[tuple[int, int, str]]:
    for position, entity in enumerate(entities):
        if not isinstance(entity, list | tuple) or len(entity) != 3:
            raise AnnotationError(
                f"Example.from_dict: entities[{position}] is {entity!r}; "
                "expected (start_char, end_char, label)"
            )
    return [tuple(entity) for entity in entities]


def _as_biluo(tags: Sequence[str | None]) -> Sequence[str | None]:
    """The tags; IOB tags, in which no entity has an end of its own (`L-`, `U-`), as BILUO.

    spaCy drops entities of IOB tags, and counts their tokens as outside.
    """
    is_biluo = any(isinstance(tag, str) and tag.startswith(("L-", "U-")) for tag in tags)
    return tags if is_biluo else iob_to_biluo(tags)


def _set_spans(doc: Any, groups: Any) -> None:
    shape = "{group: [(start_char, end_char, label, kb_id), …]}, label and kb_id optional"
    for key, rows in _checked_mapping("spans", groups).items():
        spans = []
        if not isinstance(rows, list):
            raise AnnotationError(f"Example.from_dict: 'spans' must be {shape}; group {key!r} is {rows!r}")
        for row in rows:
            if not isinstance(row, list | tuple) or not 2 <= len(row) <= 4:
                raise AnnotationError(
                    f"Example.from_dict: 'spans' must be {shape}; group {key!r} has {row!r}"
                )
            start_char, end_char, label, kb_id = (*row, "", "")[:4] if len(row) > 2 else (*row, "", "")
            span = doc.char_span(start_char, end_char, label=label, kb_id=kb_id)
            if span is None:
                raise AnnotationError(
                    f"Example.from_dict: spans[{key!r}] has {tuple(row)}, which is "
                    f"{doc.text[start_char:end_char]!r}; its ends are not token boundaries. Leave it out "
                    f"or mend the offsets or the tokenization"
                )
            spans.append(span)
        doc.spans[key] = spans


def _set_links(doc: Any, links: Any) -> None:
    for offsets, kb_ids in _checked_mapping("links", links).items():
        true_ids = [kb_id for kb_id, probability in kb_ids.items() if probability == 1.0]
        span = doc.char_span(*offsets)
        if span is None:
            raise AnnotationError(
                f"Example.from_dict: 'links' has {offsets}, whose ends are not token boundaries of "
                f"{doc.text[:80]!r}"
            )
        if len(true_ids) > 1:
            raise AnnotationError(
                f"Example.from_dict: 'links' gives {len(true_ids)} true ids for {offsets}: {true_ids}; "
                f"one is allowed"
            )
        for token in span if true_ids else ():
            token.ent_kb_id_ = true_ids[0]


def _spaces_from_text(text: str, words: Sequence[str]) -> list[bool]:
    """Whether a space follows each word in `text`; True for a word that is not found there."""
    spaces = []
    position = 0
    for word in words:
        start = text.find(word, position)
        if start < 0:
            spaces.append(True)
            continue
        position = start + len(word)
        spaces.append(text[position : position + 1] == " ")
    return spaces
