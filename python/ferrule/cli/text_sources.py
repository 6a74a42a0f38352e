"""Texts from a file or standard input, one at a time."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

__all__ = ["read_jsonl", "read_lines"]

LONGEST_TEXT = 100_000
"""Characters of a line that become one document; a longer line is cut at white space, so that memory stays
flat.
"""


def read_lines(path: Path | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line that is not blank, without its line end, and an empty record beside it.

    A line of more than LONGEST_TEXT characters comes in several texts that join up to it. Raises
    ValueError, with file and line number, for bytes that are not UTF-8.
    """
    for _, line in _lines(path):
        while len(line) > LONGEST_TEXT:
            cut = line.rfind(" ", 1, LONGEST_TEXT) + 1 or LONGEST_TEXT
            yield line[:cut], {}
            line = line[cut:]
        if line.strip():
            yield line, {}


def read_jsonl(path: Path | None, text_key: str = "text") -> Iterator[tuple[str, dict[str, Any]]]:
    """The text of each JSON object and the object's other keys; blank lines are passed over.

    Raises ValueError, with file and line number, for a line that is not a JSON object with a string at
    `text_key`.
    """
    for number, line in _lines(path):
        if not line.strip():
            continue
        place = f"{path or 'standard input'}, line {number}"
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{place}: not JSON: {error.msg} at column {error.colno}") from error
        if not isinstance(record, dict):
            raise ValueError(f"{place}: expected a JSON object, found {type(record).__name__}")
        text = record.pop(text_key, None)
        if not isinstance(text, str):
            found = f"keys {', '.join(record) or '(none)'}" if text is None else type(text).__name__
            raise ValueError(f"{place}: expected a string at {text_key!r}, found {found}")
        yield text, record


def _lines(path: Path | None) -> Iterator[tuple[int, str]]:
    with _open(path) as file:
        for number, line in enumerate(file, 1):
            try:
                decoded = line.decode("utf8")
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"{path or 'standard input'}, line {number}: not UTF-8, byte {line[error.start]:#04x} at "
                    f"column {error.start + 1}; convert the file to UTF-8 first"
                ) from error
            yield number, decoded.removeprefix("\ufeff" if number == 1 else "").rstrip("\r\n")


@contextmanager
def _open(path: Path | None) -> Iterator[BinaryIO]:
    if path is None or str(path) == "-":
        yield sys.stdin.buffer
    else:
        with path.open("rb") as file:
            yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if path.suffix == ".gz" else file
