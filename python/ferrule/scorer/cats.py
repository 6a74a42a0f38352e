"""Scores of document categories."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ferrule._typing import Scores
from ferrule.scorer.counts import PRFScore, macro_average, scores_per_label, sum_of
from ferrule.scorer.roc_auc import ROCAUCScore

__all__ = ["score_cats"]


def score_cats(
    examples: Iterable[Any],
    attr: str,
    *,
    getter: Callable[[Any, str], Any] = getattr,
    labels: Iterable[str] = (),
    multi_label: bool = True,
    positive_label: str | None = None,
    threshold: float | None = None,
    **cfg: Any,
) -> Scores:
    """The scores of `getter(doc, attr)`, a dict label -> score, over `labels`.

    `{attr}_score` (which one, `{attr}_score_desc` says), `{attr}_micro_p/r/f`, `{attr}_macro_p/r/f`,
    `{attr}_macro_auc`, `{attr}_f_per_type`, `{attr}_auc_per_type` (None for a label without both kinds of
    documents).

    `multi_label`: each label is right or wrong by itself, at `threshold` (0.5), and labels that the reference
    leaves out do not count. Otherwise the highest label counts, left-out labels are 0.0, and `threshold` has
    no effect. `positive_label`: of two exclusive labels, the one whose F score is the overall score.
    Raises ValueError for a `positive_label` that is not one of the labels.
    """
    labels = list(dict.fromkeys(labels))
    if positive_label is not None and positive_label not in labels:
        raise ValueError(
            f"score_cats: positive_label is {positive_label!r}, but the labels are {labels}; choose one"
        )
    threshold = 0.5 if threshold is None else threshold
    per_label = {label: PRFScore() for label in labels}
    areas = {label: ROCAUCScore() for label in labels}
    for example in examples:
        predicted = _only(getter(example.predicted, attr), per_label)
        gold = _only(getter(example.reference, attr), per_label)
        for label, area in areas.items():
            truth = gold.get(label)
            if truth is None and not multi_label:
                truth = 0.0
            if truth is not None:
                area.score_set(predicted.get(label, 0.0), truth)
        if multi_label:
            _count_each(per_label, predicted, gold, threshold)
        else:
            _count_highest(per_label, predicted, gold)
    return _results(attr, per_label, areas, multi_label, positive_label)


def _only(cats: Mapping[str, float], labels: Mapping[str, Any]) -> dict[str, float]:
    return {label: score for label, score in cats.items() if label in labels}


def _count_each(
    per_label: Mapping[str, PRFScore],
    predicted: Mapping[str, float],
    gold: Mapping[str, float],
    threshold: float,
) -> None:
    for label, truth in gold.items():
        if truth is None:
            continue
        is_predicted = predicted.get(label, 0.0) >= threshold
        if truth > 0:
            per_label[label].tp += is_predicted
            per_label[label].fn += not is_predicted
        elif truth == 0:
            per_label[label].fp += is_predicted


def _count_highest(
    per_label: Mapping[str, PRFScore], predicted: Mapping[str, float], gold: Mapping[str, float]
) -> None:
    """Counts one document; the first of equally high labels is taken, on both sides."""
    found = max(predicted, key=predicted.__getitem__) if predicted else None
    truth = max(gold, key=lambda label: gold[label] or 0.0) if gold else None
    if found is not None and found == truth:
        per_label[found].tp += 1
        return
    if truth is not None and (found is not None or (gold[truth] or 0.0) > 0):
        per_label[truth].fn += 1
    if found is not None:
        per_label[found].fp += 1


def _results(
    attr: str,
    per_label: Mapping[str, PRFScore],
    areas: Mapping[str, ROCAUCScore],
    multi_label: bool,
    positive_label: str | None,
) -> Scores:
    micro, macro = sum_of(per_label.values()), macro_average(per_label.values())
    area_of = {label: area.score if area.is_binary() else None for label, area in areas.items()}
    # Labels without both kinds of documents count as 0, so that leaving labels out cannot raise the mean.
    macro_auc = sum(area or 0.0 for area in area_of.values()) / (len(area_of) or 1)
    if len(per_label) == 2 and not multi_label and positive_label:
        overall, description = per_label[positive_label].fscore, f"F ({positive_label})"
    elif not multi_label:
        overall, description = macro["f"], "macro F"
    else:
        overall, description = macro_auc, "macro AUC"
    return {
        f"{attr}_score": overall,
        f"{attr}_score_desc": description,
        **{f"{attr}_micro_{key}": value for key, value in micro.to_dict().items()},
        **{f"{attr}_macro_{key}": value for key, value in macro.items()},
        f"{attr}_macro_auc": macro_auc,
        f"{attr}_f_per_type": scores_per_label(per_label),
        f"{attr}_auc_per_type": area_of,
    }
