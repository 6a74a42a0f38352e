"""Texts with categories, a row each: CSV and TSV."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ferrule._typing import PathOrStr
from ferrule.errors import CorpusError
from ferrule.training.converters.source import malformed, open_text

__all__ = ["LABEL_COLUMNS", "table_documents"]

LABEL_COLUMNS = ("label", "labels", "category", "categories", "cats", "intent", "class")
TEXT_COLUMNS = ("text", "sentence", "utterance")
USUAL_DELIMITERS = ",;\t|"


def table_documents(
    path: PathOrStr,
    make_doc: Callable[[str], Any],
    *,
    delimiter: str = ",",
    text_column: str | None = None,
    label_column: str | None = None,
    label_separator: str | None = None,
) -> Iterator[Any]:
    """The documents of a CSV or TSV file, streaming: a text and its category a row, a header first.

    Every category of the file gets 1.0 or 0.0 in each document. Columns are found by name (`text`, `label`,
    `category`…) unless given; `label_separator` splits several categories of a row.

    Raises CorpusError with file and line; of a record that goes over several lines, the first. ValueError
    where `delimiter` is not one character.
    """
    if len(delimiter) != 1:
        raise ValueError(f"delimiter must be one character, found {delimiter!r}; a TSV file needs none")

    def rows() -> Iterator[tuple[int, str, list[str]]]:
        return _rows(path, delimiter, text_column, label_column, label_separator)

    labels = dict.fromkeys(label for _, _, found in rows() for label in found)
    for number, text, found in rows():
        try:
            doc = make_doc(text)
        except ValueError as error:
            raise malformed(path, number, str(error)) from error
        doc.cats = {label: float(label in found) for label in labels}
        yield doc


def _rows(
    path: PathOrStr, delimiter: str, text_column: str | None, label_column: str | None, separator: str | None
) -> Iterator[tuple[int, str, list[str]]]:
    records = _records(path, delimiter)
    header = [name.strip() for name in next(records, (1, []))[1]]
    text_at = _column(path, header, delimiter, text_column, TEXT_COLUMNS, "text")
    label_at = _column(path, header, delimiter, label_column, LABEL_COLUMNS, "label")
    for number, record in records:
        if len(record) != len(header):
            raise malformed(
                path,
                number,
                f"expected {len(header)} fields like the header, found {len(record)}; put a field that has "
                f"{delimiter!r} in it between quotation marks",
            )
        labels = record[label_at].split(separator) if separator else [record[label_at]]
        yield number, record[text_at], [label.strip() for label in labels if label.strip()]


def _records(path: PathOrStr, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The records that are not empty, each with the number of its first line."""
    with open_text(path) as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        first = 1
        try:
            for record in reader:
                if record:
                    yield first, record
                first = reader.line_num + 1
        except UnicodeDecodeError as error:
            found = error.object[error.start]
            raise malformed(
                path,
                first,
                f"expected UTF-8, found the byte {found:#04x} here or soon after; save the file as UTF-8",
            ) from error
        except csv.Error as error:
            raise malformed(
                path,
                first,
                f"{error}; a field that begins with a quotation mark ends at the next single one: double "
                f"those within it, and put such a field between quotation marks",
            ) from error
        except (EOFError, OSError) as error:
            raise malformed(path, first, f"the file cannot be read further: {error}") from error


def _column(
    path: PathOrStr, header: list[str], delimiter: str, given: str | None, usual: Sequence[str], role: str
) -> int:
    lowered = [name.lower() for name in header]
    for name in (given.lower(),) if given else usual:
        if lowered.count(name) > 1:
            raise CorpusError(f"{path}:1: {lowered.count(name)} columns are called {name!r}; rename one.")
        if name in lowered:
            return lowered.index(name)
    wanted = repr(given) if given else " or ".join(usual)
    others = [mark for mark in USUAL_DELIMITERS if mark != delimiter and any(mark in name for name in header)]
    remedy = f"Name it with {role}_column (--{role}-column)."
    if len(header) == 1 and others:
        remedy = f"If {others[0]!r} separates the fields, say so with delimiter (--delimiter)."
    raise CorpusError(f"{path}:1: no {role} column: looked for {wanted}, found the header {header}. {remedy}")
