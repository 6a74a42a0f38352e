"""Parquet in and out of `ferrule annotate`: texts batch by batch, documents in row groups."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ferrule.cli.wording import counted

if TYPE_CHECKING:
    from ferrule.tokens import Doc

__all__ = ["ParquetWriter", "read_parquet"]

TEXTS_READ_AT_ONCE = 256
"""Rows of the input in memory, beside what the Parquet reader holds of a row group."""

TOKENS_IN_A_ROW_GROUP = 100_000
"""Tokens after which a row group is written, so that memory stays flat."""


def read_parquet(source: Path | None, text_key: str) -> tuple[Iterator[tuple[str, dict[str, Any]]], Any]:
    """The texts in the column `text_key` with their rows' other values, and the other columns' schema.

    Raises ValueError if pyarrow is missing, for standard input, a file that is no Parquet, a column that is
    not there or holds no strings, and (when it comes to it) a text that is null, with the number of its row.
    """
    if source is None or str(source) == "-":
        raise ValueError("Parquet cannot be read from standard input; name a file")
    texts = _room().open_texts(source, text_key)
    return texts.records(TEXTS_READ_AT_ONCE), texts.other_columns


class ParquetWriter:
    """Writes documents in the columns of `ferrule.interop.arrow.SCHEMA`, with scores of tags and entities.

    What stood beside a text in Parquet input stays in its columns; beside a text in JSON lines it becomes the
    column ``extra``, as JSON.
    """

    def __init__(self, path: Path, partial: Path, nlp: Any, columns: Any) -> None:
        room = _room()
        room.keep_scores(nlp)
        self.path = path
        self.partial = partial
        self._file = room.ParquetDocs(partial, columns, TOKENS_IN_A_ROW_GROUP)

    def write(self, doc: Doc, rest: dict[str, Any]) -> None:
        """Take one document with what stood beside its text."""
        self._file.add(doc, rest)

    def end_group(self) -> None:
        """Turn the documents so far into Arrow's memory."""
        self._file.convert()

    def close(self) -> None:
        """Write the rest, and give the file its name."""
        self._file.close()
        os.replace(self.partial, self.path.resolve())

    def summary(self) -> list[str]:
        """Where the documents are."""
        return [f"Saved: {self.path} ({counted(self._file.count, 'document')})"]

    def rescue(self) -> list[str]:
        """Close the file with the documents that were done; remove it if there are none."""
        self._file.close()
        if not self._file.count:
            self.partial.unlink()
            return []
        return [f"Kept: {self.partial} ({counted(self._file.count, 'document')} before the error)"]


def _room() -> Any:
    try:
        from ferrule.interop.arrow import parquet
    except ImportError as error:
        if error.name != "pyarrow":
            raise
        raise ValueError(
            'Parquet needs pyarrow, which is not installed: pip install "ferrule[arrow]"'
        ) from error
    return parquet
