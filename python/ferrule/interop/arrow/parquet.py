"""Texts from Parquet files and documents to them, a piece at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ferrule.interop.arrow.schema import SCHEMA
from ferrule.interop.arrow.scores import keep_scores
from ferrule.interop.arrow.writing import docs_to_batch
from ferrule.tokens import Doc

__all__ = ["ParquetDocs", "ParquetTexts", "keep_scores", "open_texts"]

_EXTRA = pa.schema([pa.field("extra", pa.string())])


def open_texts(path: Path, text_column: str) -> ParquetTexts:
    """The texts of a Parquet file; ValueError for another file, and for a column that holds no texts."""
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise ValueError(f"{path}: not a Parquet file: {error}") from error
    schema = file.schema_arrow
    if text_column not in schema.names:
        raise ValueError(f"{path}: there is no column {text_column!r}; found {', '.join(schema.names)}")
    kind = schema.field(text_column).type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise ValueError(f"{path}: the column {text_column!r} holds {kind}, expected strings")
    return ParquetTexts(file, path, text_column)


class ParquetTexts:
    """The texts of a Parquet file, and the schema of the columns beside them."""

    def __init__(self, file: pq.ParquetFile, path: Path, text_column: str) -> None:
        self._file = file
        self._path = path
        self._text_column = text_column
        others = [field for field in file.schema_arrow if field.name != text_column]
        self.other_columns = pa.schema(others)

    def records(self, batch_size: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each text with the other values of its row. Raises ValueError for a null, with its row."""
        number = 0
        for batch in self._file.iter_batches(batch_size=batch_size):
            for row in batch.to_pylist():
                text = row.pop(self._text_column)
                if text is None:
                    raise ValueError(f"{self._path}, row {number}: the text is null; expected a string")
                yield text, row
                number += 1


class ParquetDocs:
    """A Parquet file that documents are written to.

    columns: the schema of the values beside each document; None for one column ``extra`` of JSON. tokens:
    how many make a row group.

    Raises ValueError if a column beside the documents has the name of one of theirs.
    """

    def __init__(self, path: Path, columns: pa.Schema | None, tokens: int) -> None:
        self._columns = columns
        beside = _EXTRA if columns is None else columns
        taken = sorted(set(beside.names) & set(SCHEMA.names))
        if taken:
            raise ValueError(
                f"the input has a column {taken[0]!r}, which the documents have too; rename it, or, if it "
                f"holds the texts, name it as the column of the texts"
            )
        self._schema = pa.schema([*beside, *SCHEMA])
        self._writer = pq.ParquetWriter(path, self._schema)
        self._tokens = tokens
        self._docs: list[tuple[Doc, dict[str, Any]]] = []
        self._batches: list[pa.RecordBatch] = []
        self._n_tokens = 0
        self.count = 0

    def add(self, doc: Doc, beside: dict[str, Any]) -> None:
        """Take a document, which must stay as it is until `convert`."""
        self._docs.append((doc, beside))

    def convert(self) -> None:
        """Take over what is in the documents added; write a row group if there is enough for one."""
        if not self._docs:
            return
        taken, self._docs = self._docs, []
        docs = [doc for doc, _ in taken]
        batch = docs_to_batch(docs)
        columns = [*self._beside([values for _, values in taken]), *batch.columns]
        self._batches.append(pa.RecordBatch.from_arrays(columns, schema=self._schema))
        self._n_tokens += sum(map(len, docs))
        self.count += len(docs)
        if self._n_tokens >= self._tokens:
            self._write()

    def close(self) -> None:
        """Write what is left and close the file."""
        self.convert()
        self._write()
        self._writer.close()

    def _beside(self, rows: list[dict[str, Any]]) -> list[pa.Array]:
        if self._columns is None:
            lines = [json.dumps(row, ensure_ascii=False) if row else None for row in rows]
            return [pa.array(lines, pa.string())]
        return [pa.array([row.get(field.name) for row in rows], field.type) for field in self._columns]

    def _write(self) -> None:
        if self._batches:
            table = pa.Table.from_batches(self._batches, schema=self._schema)
            self._writer.write_table(table, row_group_size=max(1, table.num_rows))
        self._batches = []
        self._n_tokens = 0
