"""The gold label of each predicted token of a batch, as an index into a component's labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from ferrule.errors import LabelError, nearest_names
from ferrule.ml.class_loss import MISSING
from ferrule.ml.feature_extractor import column_ids, extract_rows
from ferrule.training.aligned_batch import AlignedBatch

__all__ = ["aligned_ids", "distinct_labels", "gold_classes"]

# Enough for a call into Rust to cost nothing, few enough to hold while a corpus streams by.
DOCS_AT_A_TIME = 1000

Ints = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
UInt64s = npt.NDArray[np.uint64]


def gold_classes(
    examples: Sequence[Any], attr: str, labels: Sequence[str], *, neg_prefix: str, owner: str
) -> tuple[Ints, Bools | None]:
    """Return int32 (n_tokens of the batch,), indices into `labels` or `MISSING`, and which ones are negative.

    attr: the token attribute that holds the label, such as ``"TAG"``. neg_prefix: what a gold label that
    says what the token is *not* starts with; "" for none. The second array is None where there is none.

    Raises LabelError, naming `owner`, when a gold label is not among `labels`.
    """
    ids = aligned_ids(examples, attr)
    index = {label: position for position, label in enumerate(labels)}
    strings: Any = examples[0].reference.vocab.strings if examples else {}
    distinct, places = np.unique(ids, return_inverse=True)
    classes = np.full(len(distinct), MISSING, dtype=np.int32)
    negative = np.zeros(len(distinct), dtype=np.bool_)
    for place, label_id in enumerate(distinct.tolist()):
        if not label_id:
            continue
        label = strings[label_id]
        negative[place] = bool(neg_prefix) and label not in index and label.startswith(neg_prefix)
        name = label[len(neg_prefix) :] if negative[place] else label
        if name not in index:
            raise _unknown_label(name, labels, owner)
        classes[place] = index[name]
    return classes[places], negative[places] if negative.any() else None


def distinct_labels(examples: Iterable[Any], attr: str) -> set[str]:
    """Return every label that the references of `examples` have in the token attribute `attr`."""
    references = (example.reference for example in examples)
    attr_ids = column_ids([attr])
    labels: set[str] = set()
    while docs := list(islice(references, DOCS_AT_A_TIME)):
        ids = np.unique(extract_rows(docs, attr_ids)[0])
        labels.update(docs[0].vocab.strings[label_id] for label_id in ids[ids != 0].tolist())
    return labels


def aligned_ids(examples: Iterable[Any], attr: str) -> UInt64s:
    """Return uint64 (n_tokens of the batch,): an attribute of the reference, for each predicted token.

    0 where the reference says nothing, or where its tokens do not fit the predicted one.
    """
    batch = AlignedBatch(list(examples))
    if not batch.examples:
        return np.zeros(0, dtype=np.uint64)
    return batch.x2y.agreed(batch.reference_columns(attr)[:, 0])[0]


def _unknown_label(label: str, labels: Sequence[str], owner: str) -> LabelError:
    near = nearest_names(label, labels)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return LabelError(
        f"{owner}: the gold label {label!r} is not among the {len(labels)} labels.{hint} Call "
        f"add_label({label!r}), or initialize with examples or labels that include it."
    )
