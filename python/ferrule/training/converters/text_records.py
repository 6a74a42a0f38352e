"""Texts with annotations, one a line: JSONL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ferrule._typing import PathOrStr
from ferrule.training.annotations import doc_from_annotations
from ferrule.training.converters.source import malformed, numbered_lines
from ferrule.training.converters.tables import LABEL_COLUMNS

__all__ = ["jsonl_documents"]

MakeDoc = Callable[[str], Any]


def jsonl_documents(path: PathOrStr, make_doc: MakeDoc, vocab: Any, doc_class: Any = None) -> Iterator[Any]:
    """The documents of a JSONL file, streaming: a dict a line with `text`, or `words` (and `spaces`).

    Annotations as in `Example.from_dict`: `entities` (offsets, BILUO or IOB tags, or dicts with `start`,
    `end`, `label`), `cats` (a dict, or a list of the labels that hold), `label`, `tags`, `pos`,
    `heads`, `spans`…. Labels that other lines have count as 0.0 where `label` or a list of labels is given.

    Raises CorpusError with file and line.
    """
    labels = _json_labels(path)
    for number, record in _json_records(path):
        text, words = record.pop("text", None), record.get("words", record.pop("tokens", None))
        if not isinstance(text, str) and not isinstance(words, list):
            raise malformed(path, number, f"expected 'text' or 'words', found the fields {sorted(record)}")
        try:
            annotations = _json_annotations(record, labels)
            _check_cats(annotations.get("cats"))
            if isinstance(words, list):
                doc = (doc_class or _doc_class())(vocab)
                annotations = {**annotations, "words": words, "text": text}
            else:
                doc = make_doc(str(text))
            yield doc_from_annotations(doc, annotations) if annotations else doc
        except (ValueError, TypeError) as error:
            raise malformed(path, number, str(error)) from error


def _doc_class() -> Any:
    from ferrule.tokens import Doc

    return Doc


def _json_records(path: PathOrStr) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in numbered_lines(path):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise malformed(path, number, f"expected a JSON object, {error}: {line[:60]!r}") from error
        if not isinstance(record, dict):
            raise malformed(
                path, number, f"expected a JSON object, found {type(record).__name__}: {line[:60]!r}"
            )
        yield number, record


def _json_labels(path: PathOrStr) -> list[str]:
    """Every category that is named by label, over the whole file."""
    labels: dict[str, None] = {}
    for number, record in _json_records(path):
        try:
            labels.update(dict.fromkeys(_named_labels(record)))
        except TypeError as error:
            raise malformed(path, number, str(error)) from error
    return list(labels)


def _named_labels(record: Mapping[str, Any]) -> list[str]:
    """The labels that a record names. Raises TypeError for what is neither text, whole number nor list."""
    for name in LABEL_COLUMNS:
        value = record.get(name)
        if value is None or (isinstance(value, dict) and name == "cats"):
            continue
        labels = value if isinstance(value, list) else [value]
        for label in labels:
            if not isinstance(label, str | int) or isinstance(label, bool):
                raise TypeError(
                    f"{name!r} must be a label, a whole number or a list of these, found {value!r}; "
                    "whether a label holds is said by 'cats': {label: 1 or 0}"
                )
        return [str(label) for label in labels]
    return []


def _check_cats(cats: Any) -> None:
    for label, value in cats.items() if isinstance(cats, dict) else ():
        if not isinstance(value, int | float):
            raise TypeError(f"'cats' must have a number for each label, found {value!r} for {label!r}")


def _json_annotations(record: dict[str, Any], labels: list[str]) -> dict[str, Any]:
    found = _named_labels(record)
    annotations = {
        name: value
        for name, value in record.items()
        if name not in LABEL_COLUMNS or (name == "cats" and isinstance(value, dict))
    }
    for name in ("meta", "id", "_input_hash", "_task_hash", "answer"):
        annotations.pop(name, None)
    if found:
        annotations["cats"] = {label: float(label in found) for label in labels}
    spans = annotations.get("spans")
    if isinstance(spans, list):  # a list of dicts is how annotation tools write entities
        annotations["entities"] = annotations.pop("spans")
    entities = annotations.get("entities")
    if isinstance(entities, list) and entities and isinstance(entities[0], dict):
        for ent in entities:
            if missing := {"start", "end", "label"} - set(ent):
                raise ValueError(f"the entity {ent} has no {' and no '.join(map(repr, sorted(missing)))}")
        annotations["entities"] = [(ent["start"], ent["end"], ent["label"]) for ent in entities]
    return annotations
