"""Documents to Arrow, column by column: strings are looked up once a batch, not once a token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ferrule import attrs
from ferrule.interop.arrow.schema import CATEGORY, ENTITY, SCHEMA, SPAN, TOKEN
from ferrule.interop.arrow.scores import entity_scores, tag_scores
from ferrule.tokens import Doc

__all__ = ["docs_to_batch", "docs_to_batches", "docs_to_table"]

_ATTRIBUTES = (
    *(attrs.ORTH, attrs.LENGTH, attrs.SPACY, attrs.NORM, attrs.TAG, attrs.POS, attrs.MORPH, attrs.LEMMA),
    *(attrs.HEAD, attrs.DEP, attrs.SENT_START, attrs.ENT_IOB),
)
_IOB = pa.array([None, "I", "O", "B"], pa.string())


def docs_to_batches(docs: Iterable[Doc], *, batch_size: int = 1000) -> Iterator[pa.RecordBatch]:
    """The documents of a stream in record batches of `SCHEMA`, at most `batch_size` each.

    Raises ValueError if `batch_size` is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"docs_to_batches: batch_size must be at least 1, found {batch_size}")
    stream = iter(docs)
    while group := list(islice(stream, batch_size)):
        yield docs_to_batch(group)


def docs_to_table(docs: Iterable[Doc]) -> pa.Table:
    """The documents as one table of `SCHEMA`."""
    return pa.Table.from_batches(docs_to_batches(docs), schema=SCHEMA)


def docs_to_batch(docs: Sequence[Doc]) -> pa.RecordBatch:
    """The documents as one record batch of `SCHEMA`, a row each.

    Kept are text, tokens with their annotation, entities, categories and span groups; not vectors, tensors
    and user data. Raises TypeError for anything but documents.
    """
    for doc in docs:
        if not isinstance(doc, Doc):
            raise TypeError(f"docs_to_batch: expected Docs, found {type(doc).__name__}")
    columns = [
        pa.array([doc.text for doc in docs], pa.string()),
        _tokens(docs),
        _nested([_entities(doc) for doc in docs], ENTITY),
        _nested(
            [[{"label": name, "score": score} for name, score in doc.cats.items()] for doc in docs], CATEGORY
        ),
        _nested([_spans(doc) for doc in docs], SPAN),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _tokens(docs: Sequence[Doc]) -> pa.ListArray:
    blocks = [np.asarray(doc.to_array(list(_ATTRIBUTES))).reshape(len(doc), len(_ATTRIBUTES)) for doc in docs]
    rows = np.concatenate([np.zeros((0, len(_ATTRIBUTES)), dtype=np.uint64), *blocks])
    by_attr = {attr: rows[:, column] for column, attr in enumerate(_ATTRIBUTES)}
    counts = np.array([len(doc) for doc in docs], dtype=np.int64)
    firsts = np.concatenate([[0], np.cumsum(counts)])
    lengths = by_attr[attrs.LENGTH].astype(np.int64)
    spaces = by_attr[attrs.SPACY] != 0
    ends = _within_documents(lengths + spaces, firsts, counts) - spaces
    heads = by_attr[attrs.HEAD].astype(np.int64) + np.arange(len(rows)) - np.repeat(firsts[:-1], counts)
    starts_sentence = by_attr[attrs.SENT_START].astype(np.int64)
    strings = list({id(doc.vocab): doc.vocab.strings for doc in docs}.values())
    scores = tag_scores(docs)
    arrays = {
        "text": _strings(by_attr[attrs.ORTH], strings),
        "start": pa.array((ends - lengths).astype(np.int32)),
        "end": pa.array(ends.astype(np.int32)),
        "space": pa.array(spaces),
        "norm": _strings(by_attr[attrs.NORM], strings),
        "tag": _strings(by_attr[attrs.TAG], strings),
        "tag_score": pa.array(scores, mask=np.isnan(scores)),
        "pos": _strings(by_attr[attrs.POS], strings),
        "morph": _strings(by_attr[attrs.MORPH], strings),
        "lemma": _strings(by_attr[attrs.LEMMA], strings),
        "head": pa.array(heads.astype(np.int32), mask=by_attr[attrs.DEP] == 0),
        "dep": _strings(by_attr[attrs.DEP], strings),
        "sent_start": pa.array(starts_sentence > 0, mask=starts_sentence == 0),
        "ent_iob": _IOB.take(pa.array(by_attr[attrs.ENT_IOB].astype(np.int64))),
    }
    fields = [TOKEN.field(index) for index in range(TOKEN.num_fields)]
    values = pa.StructArray.from_arrays([arrays[field.name] for field in fields], fields=fields)
    return pa.ListArray.from_arrays(pa.array(firsts.astype(np.int32)), values)


def _within_documents(
    widths: npt.NDArray[np.int64], firsts: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The running sum of `widths`, begun anew with each document."""
    sums = np.concatenate([[0], np.cumsum(widths)])
    ends: npt.NDArray[np.int64] = sums[1:] - np.repeat(sums[firsts[:-1]], counts)
    return ends


def _strings(ids: npt.NDArray[np.uint64], stores: list[Any]) -> pa.Array:
    """The strings of `ids`, null for 0. The documents' vocabularies may be several."""
    distinct, places = np.unique(ids, return_inverse=True)
    names: list[str | None] = []
    for string_id in distinct.tolist():
        store = next((each for each in stores[:-1] if string_id in each), stores[-1] if stores else None)
        names.append(store[string_id] if string_id and store is not None else None)
    return pa.array(names, pa.string()).take(pa.array(places.reshape(-1)))


def _entities(doc: Doc) -> list[dict[str, Any]] | None:
    if not doc.has_annotation("ENT_IOB") and len(doc):
        return None
    scored = zip(doc.ents, entity_scores(doc), strict=True)
    return [{**_described(ent), "score": score} for ent, score in scored]


def _categories(doc: Doc) -> list[dict[str, Any]]:
    return [{"label": label, "score": score} for label, score in doc.cats.items()]


def _spans(doc: Doc) -> list[dict[str, Any]]:
    groups = doc.spans.items() if getattr(doc, "_spans", None) else ()
    return [{"key": key, **_described(span)} for key, group in groups for span in group]


def _described(span: Any) -> dict[str, Any]:
    return {
        **{"start": span.start, "end": span.end, "start_char": span.start_char, "end_char": span.end_char},
        **{"label": span.label_, "kb_id": span.kb_id_ or None, "id": span.id_ or None},
    }


def _nested(rows: list[Any], kind: pa.DataType) -> pa.Array:
    return pa.array(rows, pa.list_(kind))
