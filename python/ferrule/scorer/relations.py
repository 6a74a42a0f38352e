"""Scores of what connects tokens and entities to others: dependencies, and links to a knowledge base."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Set
from typing import Any

from ferrule._typing import Scores
from ferrule.scorer.counts import PRFScore, macro_average, scores_per_label, sum_of
from ferrule.scorer.tokens import MISSING_VALUES

__all__ = ["score_deps", "score_links"]


def score_deps(
    examples: Iterable[Any],
    attr: str,
    *,
    getter: Callable[[Any, str], Any] = getattr,
    head_attr: str = "head",
    head_getter: Callable[[Any, str], Any] = getattr,
    ignore_labels: Iterable[str] = (),
    missing_values: Set[Any] = MISSING_VALUES,
    **cfg: Any,
) -> Scores:
    """`{attr}_uas`, `{attr}_las` and `{attr}_las_per_type`; all None if there is nothing to score.

    Arcs whose label is in `ignore_labels` do not count, nor do tokens whose reference label is missing. A
    predicted token without a single counterpart, or whose head has none, is wrong. (spaCy carries the
    positions of missing labels over from one document to the next; this does not.)
    """
    ignored = frozenset(ignore_labels)
    unlabelled, labelled = PRFScore(), PRFScore()
    per_label: dict[Any, PRFScore] = defaultdict(PRFScore)
    for example in examples:
        gold: set[tuple[int, int, Any]] = set()
        missing: set[int] = set()
        for token in example.reference:
            dep = getter(token, attr)
            if dep in missing_values:
                missing.add(token.i)
            elif dep not in ignored:
                gold.add((token.i, head_getter(token, head_attr).i, dep))
        found: set[tuple[int, int, Any]] = set()
        positions = example.alignment.x2y.one_to_one().tolist()
        for token in example.predicted:
            dep = getter(token, attr)
            if token.is_space or positions[token.i] in missing or dep in ignored:
                continue
            arc = (positions[token.i], positions[head_getter(token, head_attr).i], dep)
            if min(arc[:2]) >= 0:
                found.add(arc)
            else:
                unlabelled.fp += 1
                labelled.fp += 1
        labelled.score_set(found, gold)
        unlabelled.score_set({arc[:2] for arc in found}, {arc[:2] for arc in gold})
        for dep in {arc[2] for arc in found | gold}:
            per_label[dep].score_set(
                {arc for arc in found if arc[2] == dep}, {arc for arc in gold if arc[2] == dep}
            )
    if not len(unlabelled):
        return dict.fromkeys((f"{attr}_uas", f"{attr}_las", f"{attr}_las_per_type"))
    return {
        f"{attr}_uas": unlabelled.fscore,
        f"{attr}_las": labelled.fscore,
        f"{attr}_las_per_type": scores_per_label(per_label),
    }


def score_links(examples: Iterable[Any], *, negative_labels: Iterable[str], **cfg: Any) -> Scores:
    """`nel_score`, `nel_score_desc`, `nel_micro_p/r/f`, `nel_macro_p/r/f` and `nel_f_per_type`.

    Compares the knowledge base ids of the entities that prediction and reference both have, so that finding
    entities is not scored again. `negative_labels` are ids that mean "not in the knowledge base"; agreeing on
    one counts as nothing, and a wrong id as a false positive and a false negative.
    """
    negative = frozenset(negative_labels)
    per_label: dict[str, PRFScore] = {}
    for example in examples:
        gold_ents = {(ent.start_char, ent.end_char): ent for ent in example.reference.ents}
        for ent in example.predicted.ents:
            gold = gold_ents.get((ent.start_char, ent.end_char))
            if gold is not None:
                score = per_label.setdefault(gold.label_, PRFScore())
                score.score_set({ent.kb_id_} - negative, {gold.kb_id_} - negative)
    micro = sum_of(per_label.values())
    return {
        "nel_score": micro.fscore,
        "nel_score_desc": "micro F",
        **{f"nel_micro_{key}": value for key, value in micro.to_dict().items()},
        **{f"nel_macro_{key}": value for key, value in macro_average(per_label.values()).items()},
        "nel_f_per_type": scores_per_label(per_label),
    }
