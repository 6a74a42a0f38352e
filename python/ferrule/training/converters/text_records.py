"""Texts with annotations, one a line: JSONL; and texts with categories: CSV, TSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ferrule._typing import PathOrStr
from ferrule.errors import CorpusError
from ferrule.training.annotations import doc_from_annotations
from ferrule.training.converters.source import malformed, numbered_lines, open_text

__all__ = ["jsonl_documents", "table_documents"]

MakeDoc = Callable[[str], Any]
LABEL_COLUMNS = ("label", "labels", "category", "categories", "cats", "intent", "class")
TEXT_COLUMNS = ("text", "sentence", "utterance")


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
        annotations = _json_annotations(record, labels)
        try:
            if isinstance(words, list):
                doc = (doc_class or _doc_class())(vocab)
                annotations = {**annotations, "words": words, "text": text}
            else:
                doc = make_doc(str(text))
            yield doc_from_annotations(doc, annotations) if annotations else doc
        except (ValueError, TypeError) as error:
            raise malformed(path, number, str(error)) from error


def table_documents(
    path: PathOrStr,
    make_doc: MakeDoc,
    *,
    delimiter: str = ",",
    text_column: str | None = None,
    label_column: str | None = None,
    label_separator: str | None = None,
) -> Iterator[Any]:
    """The documents of a CSV or TSV file, streaming: a text and its category a row, a header first.

    Every category of the file gets 1.0 or 0.0 in each document. Columns are found by name (`text`, `label`,
    `category`…) unless given; `label_separator` splits several categories of a row.

    Raises CorpusError with file and line.
    """

    def rows() -> Iterator[tuple[int, str, list[str]]]:
        return _table_rows(path, delimiter, text_column, label_column, label_separator)

    labels = dict.fromkeys(label for _, _, found in rows() for label in found)
    for number, text, found in rows():
        try:
            doc = make_doc(text)
        except ValueError as error:
            raise malformed(path, number, str(error)) from error
        doc.cats = {label: float(label in found) for label in labels}
        yield doc


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
    for _, record in _json_records(path):
        labels.update(dict.fromkeys(_named_labels(record)))
    return list(labels)


def _named_labels(record: Mapping[str, Any]) -> list[str]:
    for name in LABEL_COLUMNS:
        value = record.get(name)
        if isinstance(value, str):
            return [value]
        if isinstance(value, list):
            return [str(label) for label in value]
    return []


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
        annotations["entities"] = [(ent["start"], ent["end"], ent["label"]) for ent in entities]
    return annotations


def _table_rows(
    path: PathOrStr, delimiter: str, text_column: str | None, label_column: str | None, separator: str | None
) -> Iterator[tuple[int, str, list[str]]]:
    with open_text(path) as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
            text_at = _column(path, header, text_column, TEXT_COLUMNS, "text")
            label_at = _column(path, header, label_column, LABEL_COLUMNS, "label")
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    raise malformed(
                        path,
                        reader.line_num,
                        f"expected {len(header)} fields like the header, found {len(row)}",
                    )
                labels = row[label_at].split(separator) if separator else [row[label_at]]
                yield reader.line_num, row[text_at], [label.strip() for label in labels if label.strip()]
        except (csv.Error, UnicodeDecodeError, EOFError, OSError) as error:
            raise malformed(path, reader.line_num, str(error)) from error


def _column(path: PathOrStr, header: list[str], given: str | None, usual: tuple[str, ...], role: str) -> int:
    lowered = [name.lower() for name in header]
    for name in (given.lower(),) if given else usual:
        if name in lowered:
            return lowered.index(name)
    wanted = repr(given) if given else " or ".join(usual)
    raise CorpusError(
        f"{path}:1: no {role} column: looked for {wanted}, found the header {header}. "
        f"Name it with {role}_column."
    )
