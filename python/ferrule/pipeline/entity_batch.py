"""Documents and gold entities as the arrays that transitions are worked out on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ferrule import _core
from ferrule.attrs import ENT_IOB, ENT_TYPE, IS_SPACE, ORTH, SENT_START
from ferrule.errors import LabelError
from ferrule.ml.feature_extractor import all_native, extract_rows
from ferrule.pipeline.biluo_moves import BEGIN, IN, LAST, MISSING, OUT, UNIT, BiluoMoves

__all__ = ["EntityBatch", "count_entity_tokens", "gold_moves", "negative_spans", "write_entities"]

UInt32s = npt.NDArray[np.uint32]
UInt64s = npt.NDArray[np.uint64]

# By the entity code, and by whether the entity goes on behind the token.
_KIND_OF = np.array([[MISSING, MISSING], [LAST, IN], [OUT, OUT], [UNIT, BEGIN]], dtype=np.uint32)
_KINDS = {"B": BEGIN, "I": IN, "L": LAST, "U": UNIT, "O": OUT}


class EntityBatch:
    """A batch of documents, and what is set in them already.

    `core` is the ``_core.BiluoBatch``; `label_ids` (uint64) are the string ids of its labels, the first one
    standing for no label; `index` finds a label's number by its name, among those that `moves` know;
    `is_set`, bool (n_tokens,), says where an entity begins that is set already.
    """

    def __init__(self, docs: Sequence[Any], moves: BiluoMoves, strings: Any) -> None:
        labels = moves.labels
        self.index: dict[str, int] = {"": 0, **{label: i for i, label in enumerate(labels, start=1)}}
        known = np.array([0, *(strings.add(label) for label in labels)], dtype=np.uint64)
        rows, lengths = extract_rows(docs, [ENT_IOB, ENT_TYPE, SENT_START, IS_SPACE])
        self.label_ids = known
        self.lengths = lengths
        self.is_set = rows[:, 0] == 3
        tokens = np.zeros(rows.shape, dtype=np.uint32)
        tokens[:, 0] = rows[:, 0]
        tokens[:, 2] = rows[:, 2] == 1
        tokens[:, 3] = rows[:, 3] != 0
        if rows[:, 1].any():
            set_already = np.unique(rows[:, 1])
            self.label_ids = np.concatenate([known, set_already[~np.isin(set_already, known)]])
            tokens[:, 1] = _positions(self.label_ids, rows[:, 1])
        extra = range(len(known), len(self.label_ids))
        self.core = _core.BiluoBatch(moves.rows(self.index, extra), tokens, lengths.astype(np.uint32))


def gold_moves(examples: Sequence[Any], batch: EntityBatch, *, owner: str) -> UInt32s:
    """The gold kind and label of each token of the predictions: uint32 (n_tokens, 2), kind 0 where unknown.

    Raises LabelError for a label that the component does not have.
    """
    if all_native([example.reference for example in examples]):
        same = _moves_of_same_tokens(examples, batch, owner)
        if same is not None:
            return same
    rows = []
    for example in examples:
        for tag in example.get_aligned_ents_and_ner()[1]:
            letter, _, label = (tag or "-").partition("-")
            rows.append((_KINDS.get(letter, MISSING), _known(label, batch.index, owner)))
    return np.array(rows, dtype=np.uint32).reshape(len(rows), 2)


def negative_spans(examples: Sequence[Any], key: str | None, batch: EntityBatch, *, owner: str) -> UInt32s:
    """The spans of the group `key` that are no entities: uint32 (n_spans, 3), first, behind the last, label.

    Tokens are counted through the batch of predictions. Raises ValueError where a gold entity is among them,
    LabelError for a label that the component does not have.
    """
    rows: list[tuple[int, int, int]] = []
    firsts = np.cumsum([0, *batch.lengths])
    for example, first in zip(examples, firsts.tolist(), strict=False):
        if key is None or key not in example.reference.spans:
            continue
        spans = example.get_aligned_spans_y2x(example.reference.spans[key], allow_overlap=True)
        entities = {(span.start, span.end, span.label_) for span in example.get_aligned_ents_and_ner()[0]}
        for span in spans:
            if (span.start, span.end, span.label_) in entities:
                raise ValueError(
                    f"{owner}: tokens {span.start} to {span.end} are a gold entity {span.label_!r} and, in "
                    f"spans[{key!r}], no entity of that label; take one of them away."
                )
            label = _known(span.label_, batch.index, owner)
            rows.append((first + span.start, first + span.end, label))
    return np.array(rows, dtype=np.uint32).reshape(len(rows), 3)


def write_entities(
    docs: Sequence[Any], entities: tuple[UInt32s, UInt32s, UInt32s, UInt32s], label_ids: UInt64s
) -> None:
    """Write predicted entities into `docs`; tokens of which nothing was known become outside.

    entities: document, first token, behind the last one, label (an index into `label_ids`) of each.
    """
    if all_native(docs):
        _core.set_entities_of_docs(list(docs), entities, label_ids)
        return
    found: list[list[Any]] = [[] for _ in docs]
    for doc, start, end, label in zip(*(column.tolist() for column in entities), strict=True):
        span = docs[doc][start:end]
        span.label = int(label_ids[label])
        span.kb_id = docs[doc][start].ent_kb_id
        found[doc].append(span)
    for doc, spans in zip(docs, found, strict=True):
        if not doc.has_annotation("ENT_IOB"):
            doc.set_ents(spans, default="outside")
            continue
        taken = {token for span in spans for token in range(span.start, span.end)}
        outside = [doc[token.i : token.i + 1] for token in doc if not token.ent_iob and token.i not in taken]
        doc.set_ents(spans, outside=outside, default="unmodified")


def _moves_of_same_tokens(examples: Sequence[Any], batch: EntityBatch, owner: str) -> UInt32s | None:
    """The same without aligning, where predictions and references have the same tokens; else None."""
    predicted, lengths = extract_rows([example.predicted for example in examples], [ORTH, IS_SPACE])
    rows, reference_lengths = extract_rows([e.reference for e in examples], [ORTH, ENT_IOB, ENT_TYPE])
    if not np.array_equal(lengths, reference_lengths) or not np.array_equal(predicted[:, 0], rows[:, 0]):
        return None
    if not len(rows):
        return np.zeros((0, 2), dtype=np.uint32)
    iob, ids, is_space = rows[:, 1].astype(np.intp), rows[:, 2], predicted[:, 1] != 0
    # A token that begins without a label is blocked, of which gold annotation says nothing.
    known = np.where((iob == 3) & (ids == 0), 0, iob)
    if is_space.any():
        doc_of_token = np.repeat(np.arange(len(lengths)), lengths)
        annotated = np.bincount(doc_of_token, weights=iob != 0, minlength=len(lengths)) > 0
        known[is_space & annotated[doc_of_token] & (known == 0)] = 2
    goes_on = np.zeros(len(rows), dtype=np.intp)
    goes_on[:-1] = iob[1:] == 1
    goes_on[np.cumsum(lengths[lengths > 0]) - 1] = 0
    labelled = known % 2 == 1
    for label_id in np.unique(ids[labelled]).tolist():
        _known(examples[0].reference.vocab.strings[label_id], batch.index, owner)
    moves = np.zeros((len(rows), 2), dtype=np.uint32)
    moves[:, 0] = _KIND_OF[known, goes_on]
    moves[labelled, 1] = _positions(batch.label_ids, ids[labelled])
    return moves


def _known(label: str, index: Mapping[str, int], owner: str) -> int:
    if label not in index:
        names = ", ".join(name for name in index if name) or "none"
        raise LabelError(
            f"{owner}: the gold entities have the label {label!r}, which is not among the labels ({names}). "
            f"Add it with add_label({label!r}) first."
        )
    return index[label]


def _positions(values: UInt64s, wanted: UInt64s) -> UInt32s:
    """Where each of `wanted` is in `values`, which has them all."""
    order = np.argsort(values)
    return order[np.searchsorted(values, wanted, sorter=order)].astype(np.uint32)


def count_entity_tokens(examples: Iterable[Any]) -> dict[str, int]:
    """How many tokens of the references are in entities of each label."""
    counts: dict[str, int] = {}
    for example in examples:
        strings = example.reference.vocab.strings
        ids, numbers = np.unique(
            np.asarray(example.reference.to_array([ENT_TYPE]), dtype=np.uint64), return_counts=True
        )
        for label_id, number in zip(ids.tolist(), numbers.tolist(), strict=True):
            if label_id:
                label = strings[label_id]
                counts[label] = counts.get(label, 0) + number
    return counts
