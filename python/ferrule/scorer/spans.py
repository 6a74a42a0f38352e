"""Scores of spans: entities, sentences, span groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ferrule._typing import Scores
from ferrule.scorer.counts import PRFScore, scores_per_label, sum_of

__all__ = ["count_ner", "get_ner_prf", "score_spans"]


def score_spans(
    examples: Iterable[Any],
    attr: str,
    *,
    getter: Callable[[Any, str], Iterable[Any]] = getattr,
    has_annotation: Callable[[Any], bool] | None = None,
    labeled: bool = True,
    allow_overlap: bool = False,
    **cfg: Any,
) -> Scores:
    """`{attr}_p`, `_r`, `_f` and, if `labeled`, `{attr}_per_type`; all None if there is no span at all.

    `getter(doc, attr)` gives a document's spans. A reference for which `has_annotation` is false is left out;
    a prediction for which it is false counts as having no span. With `labeled=False` only the ends matter.
    """
    total = PRFScore()
    per_type: dict[str, PRFScore] = {}
    for example in examples:
        reference, predicted = example.reference, example.predicted
        if has_annotation is not None and not has_annotation(reference):
            continue
        gold = list(getter(reference, attr))
        found: list[Any] = []
        if has_annotation is None or has_annotation(predicted):
            found = list(getter(predicted, attr))
        for span in (*gold, *found):
            per_type.setdefault(span.label_, PRFScore())
        gold_spans = {_key(span, labeled) for span in gold}
        found_spans = {_key(span, labeled) for span in example.get_aligned_spans_x2y(found, allow_overlap)}
        total.score_set(found_spans, gold_spans)
        if labeled:
            _count_per_label(per_type, found_spans, gold_spans)
    scores: Scores = dict.fromkeys((f"{attr}_p", f"{attr}_r", f"{attr}_f"))
    if len(total):
        scores = {f"{attr}_{key}": value for key, value in total.to_dict().items()}
    if labeled:
        scores[f"{attr}_per_type"] = scores_per_label(per_type) if len(total) else None
    return scores


def get_ner_prf(examples: Iterable[Any], **kwargs: Any) -> Scores:
    """`ents_p`, `ents_r`, `ents_f` and `ents_per_type`; all None if there is nothing to score.

    References without entity annotation are left out; a predicted entity over a token whose annotation is
    missing counts neither as right nor as wrong.
    """
    per_type: dict[str, PRFScore] = defaultdict(PRFScore)
    for example in examples:
        for label, score in count_ner(example).items():
            per_type[label] += score
    total = sum_of(per_type.values())
    if not len(total):
        return dict.fromkeys(("ents_p", "ents_r", "ents_f", "ents_per_type"))
    scores: Scores = {f"ents_{key}": value for key, value in total.to_dict().items()}
    scores["ents_per_type"] = scores_per_label(per_type)
    return scores


def count_ner(example: Any) -> dict[str, PRFScore]:
    """The entities of one example counted by label; see :func:`get_ner_prf`."""
    reference = example.reference
    per_type: dict[str, PRFScore] = defaultdict(PRFScore)
    if not reference.has_annotation("ENT_IOB"):
        return per_type
    gold = {(ent.label_, ent.start, ent.end) for ent in reference.ents}
    is_missing = np.asarray(reference.to_array(["ENT_IOB"])).ravel() == 0
    x2y = example.alignment.x2y
    for ent in example.predicted.ents:
        score = per_type[ent.label_]
        positions = x2y[ent.start : ent.end]
        if not len(positions):
            continue
        start, end = int(positions[0]), int(positions[-1]) + 1
        if is_missing[start:end].any():
            continue
        key = (ent.label_, start, end)
        score.score_set({key}, gold & {key})
        gold.discard(key)
    for label, _, _ in gold:
        per_type[label].fn += 1
    return per_type


def _key(span: Any, labeled: bool) -> tuple[Any, ...]:
    return (span.label_, span.start, span.end) if labeled else (span.start, span.end)


def _count_per_label(
    per_type: dict[str, PRFScore], found: set[tuple[Any, ...]], gold: set[tuple[Any, ...]]
) -> None:
    for label, _, _ in found & gold:
        per_type[label].tp += 1
    for label, _, _ in found - gold:
        per_type[label].fp += 1
    for label, _, _ in gold - found:
        per_type[label].fn += 1
