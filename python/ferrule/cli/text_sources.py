"""Texts from a file or standard input, one at a time."""

from __future__ import annotations

import codecs
import gzip
import json
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

__all__ = ["InputFormat", "format_of", "given_records", "grouped", "read_jsonl", "read_lines"]

Format = TypeVar("Format", bound=Enum)

Record = tuple[str, dict[str, Any]]

LONGEST_TEXT = 20_000
"""Characters of a line that become one document; a longer line is cut at white space, so that memory stays
flat.
"""

CHARACTERS_IN_A_GROUP = 200_000
"""Characters of text that are in work at once."""


class InputFormat(str, Enum):
    """How the texts stand in the input."""

    text = "text"
    jsonl = "jsonl"
    parquet = "parquet"


def given_records(
    text: list[str] | None, source: Path | None, text_key: str, form: InputFormat | None = None
) -> tuple[Iterator[Record], Any]:
    """What a command was given: its texts, or those of a source, whose format is by default as its name says.

    Returns them with the columns of a Parquet file beside the text, else None. Raises ValueError for both.
    """
    if text and source is not None:
        raise ValueError("give either --text or an input file, not both")
    if text:
        return ((one, {}) for one in text), None
    form = form or format_of(source, InputFormat.text)
    if form is InputFormat.parquet:
        from ferrule.cli.parquet import read_parquet

        return read_parquet(source, text_key)
    return read_jsonl(source, text_key) if form is InputFormat.jsonl else read_lines(source), None


def format_of(path: Path | None, otherwise: Format) -> Format:
    """The format that a file's name ends with, a last ``.gz`` aside; `otherwise` if there is none.

    >>> format_of(Path("texts.jsonl.gz"), InputFormat.text).value, format_of(None, InputFormat.text).value
    ('jsonl', 'text')
    """
    name = "" if path is None else path.name.removesuffix(".gz")
    return next((form for form in type(otherwise) if name.endswith(f".{form.value}")), otherwise)


def grouped(records: Iterator[Record], batch_size: int) -> Iterator[list[Record]]:
    """The records in lists of at most `batch_size` and about CHARACTERS_IN_A_GROUP characters.

    What was read before the source fails comes out first, then the source's error.
    """
    group: list[Record] = []
    characters = 0
    failure = None
    while failure is None:
        try:
            record = next(records)
        except StopIteration:
            break
        except Exception as error:
            failure = error
            break
        if group and (len(group) == batch_size or characters + len(record[0]) > CHARACTERS_IN_A_GROUP):
            yield group
            group, characters = [], 0
        group.append(record)
        characters += len(record[0])
    if group:
        yield group
    if failure is not None:
        raise failure


def read_lines(path: Path | None) -> Iterator[Record]:
    """Each line that is not blank, without its line end, and an empty record beside it.

    A line of more than LONGEST_TEXT characters comes in several texts that join up to it; no line is held
    whole. Raises ValueError, with file and line number, for bytes that are not UTF-8.
    """
    waiting = ""
    for piece, ends in _pieces(path):
        waiting += piece
        if ends:
            waiting = waiting.rstrip("\r\n")
        while len(waiting) > LONGEST_TEXT:
            cut = waiting.rfind(" ", 1, LONGEST_TEXT) + 1 or LONGEST_TEXT
            yield waiting[:cut], {}
            waiting = waiting[cut:]
        if ends:
            if waiting.strip():
                yield waiting, {}
            waiting = ""


def read_jsonl(path: Path | None, text_key: str = "text") -> Iterator[Record]:
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
        if "\\u" in line and any("\ud800" <= character <= "\udfff" for character in _characters(record)):
            raise ValueError(
                f"{place}: a lone surrogate (\\ud800 to \\udfff outside a pair) is not a Unicode character; "
                f"drop it or write U+FFFD for it"
            )
        text = record.pop(text_key, None)
        if not isinstance(text, str):
            found = f"keys {', '.join(record) or '(none)'}" if text is None else type(text).__name__
            raise ValueError(f"{place}: expected a string at {text_key!r}, found {found}")
        yield text, record


def _characters(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False)


def _lines(path: Path | None) -> Iterator[tuple[int, str]]:
    number, waiting = 1, []
    for piece, ends in _pieces(path):
        waiting.append(piece)
        if ends:
            yield number, "".join(waiting).rstrip("\r\n")
            number, waiting = number + 1, []


def _pieces(path: Path | None) -> Iterator[tuple[str, bool]]:
    """The text in pieces of at most LONGEST_TEXT characters, and whether the line ends with the piece."""
    decoder = codecs.getincrementaldecoder("utf8")()
    number, done = 1, 0
    with _open(path) as file:
        while True:
            data = file.readline(LONGEST_TEXT)
            ends = not data or data.endswith(b"\n")
            held = len(decoder.getstate()[0])
            try:
                text = decoder.decode(data, final=ends)
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"{path or 'standard input'}, line {number}: not UTF-8, byte "
                    f"{error.object[error.start]:#04x} at column {done - held + error.start + 1}; "
                    f"convert the file to UTF-8 first"
                ) from error
            yield text.removeprefix("\ufeff") if number == 1 and not done else text, ends
            if not data:
                return
            number, done = (number + 1, 0) if ends else (number, done + len(data))


@contextmanager
def _open(path: Path | None) -> Iterator[BinaryIO]:
    if path is None or str(path) == "-":
        yield sys.stdin.buffer
        return
    with path.open("rb") as file:
        if path.suffix != ".gz":
            yield file
            return
        try:
            yield cast(BinaryIO, gzip.GzipFile(fileobj=file))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path}: not a whole gzip file: {error}") from error
