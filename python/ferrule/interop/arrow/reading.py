"""Arrow tables and data frames to documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from ferrule.interop.arrow.schema import SCHEMA
from ferrule.tokens import Doc, Span
from ferrule.vocab import Vocab

__all__ = ["docs_from_arrow"]


def docs_from_arrow(data: Any, vocab: Vocab) -> Iterator[Doc]:
    """The documents of an Arrow table, a record batch, an iterable of those, a pandas or a polars data frame.

    Columns are those of `SCHEMA`, of which ``ents``, ``cats`` and ``spans`` may be missing, and so may
    fields of tokens but ``text``; others are passed over. Scores of tags and entities are not read. One batch
    is held at a time.

    Raises ValueError for columns that are missing or do not fit, and for annotation that does not, with the
    number of the row.
    """
    number = 0
    for batch in _batches(data):
        missing = [name for name in ("text", "tokens") if name not in batch.schema.names]
        if missing:
            raise ValueError(
                f"docs_from_arrow: there is no column {missing[0]!r}; found {', '.join(batch.schema.names)}"
            )
        columns = {
            name: batch.column(name).to_pylist() for name in batch.schema.names if name in SCHEMA.names
        }
        for index in range(batch.num_rows):
            try:
                yield _doc({name: values[index] for name, values in columns.items()}, vocab)
            except (TypeError, ValueError, KeyError, IndexError) as error:
                raise ValueError(f"docs_from_arrow: row {number}: {error}") from error
            number += 1


def _batches(data: Any) -> Iterator[pa.RecordBatch]:
    if isinstance(data, pa.RecordBatch):
        yield data
    elif isinstance(data, pa.Table):
        yield from data.to_batches()
    elif type(data).__module__.partition(".")[0] == "pandas":
        fields = [SCHEMA.field(name) for name in data.columns if name in SCHEMA.names]
        yield from pa.Table.from_pandas(data, schema=pa.schema(fields), preserve_index=False).to_batches()
    elif hasattr(data, "to_arrow"):  # polars
        yield from data.to_arrow().to_batches()
    elif isinstance(data, Iterable):
        for each in data:
            yield from _batches(each)
    else:
        raise TypeError(
            f"docs_from_arrow: expected an Arrow table, record batches or a data frame, found "
            f"{type(data).__name__}"
        )


def _doc(row: dict[str, Any], vocab: Vocab) -> Doc:
    tokens = list(row["tokens"]) if row["tokens"] is not None else []

    def column(name: str) -> list[Any] | None:
        values = [token.get(name) for token in tokens]
        return None if all(value is None for value in values) else values

    deps = column("dep")
    doc = Doc(
        vocab,
        words=[token["text"] for token in tokens],
        spaces=column("space"),
        tags=column("tag"),
        pos=column("pos"),
        morphs=column("morph"),
        lemmas=column("lemma"),
        heads=column("head") if deps else None,
        deps=deps,
        sent_starts=None if deps else column("sent_start"),
    )
    if row["text"] is not None and doc.text != row["text"]:
        raise ValueError(f"the tokens make {doc.text[:40]!r}, but the text is {row['text'][:40]!r}")
    for token, norm in zip(doc, column("norm") or (), strict=False):
        if norm is not None and norm != token.norm_:
            token.norm_ = norm
    _set_entities(doc, row.get("ents"), column("ent_iob"))
    doc.cats = {category["label"]: category["score"] for category in _items(row.get("cats"))}
    for span in _items(row.get("spans")):
        doc.spans.setdefault(span["key"]).append(_span(doc, span))
    return doc


def _set_entities(doc: Doc, ents: Any, letters: list[Any] | None) -> None:
    if ents is None:
        return
    spans = [_span(doc, ent) for ent in ents]
    inside = {position for span in spans for position in range(span.start, span.end)}
    blocked: list[Span] = []
    missing: list[Span] = []
    for position, letter in enumerate(letters or ()):
        if position not in inside and letter != "O":
            (blocked if letter == "B" else missing).append(doc[position : position + 1])
    doc.set_ents(spans, blocked=blocked, missing=missing, default="outside")


def _span(doc: Doc, row: dict[str, Any]) -> Span:
    return Span(
        doc,
        int(row["start"]),
        int(row["end"]),
        label=row["label"] or "",
        kb_id=row.get("kb_id") or "",
        span_id=row.get("id") or "",
    )


def _items(values: Any) -> list[Any]:
    return [] if values is None else list(values)
