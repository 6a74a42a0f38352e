"""Scores of what connects tokens and entities to others: dependencies, and links to a knowledge base."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Set
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ferrule._typing import Scores
from ferrule.scorer.counts import PRFScore, distinct_rows, macro_average, scores_per_label, sum_of
from ferrule.scorer.tokens import MISSING_VALUES
from ferrule.training.aligned_batch import aligned_batches

__all__ = ["dep_string", "score_deps", "score_links"]


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
    total, labelled = PRFScore(), PRFScore()
    per_label: dict[Any, PRFScore] = defaultdict(PRFScore)
    codes: dict[Any, int] = {}
    read = partial(_arcs, getters=(attr, getter, head_attr, head_getter), codes=codes)
    for batch in aligned_batches(examples):
        gold = read(batch.reference, batch.reference_columns, batch.y_lengths)
        found = read(batch.predicted, batch.predicted_columns, batch.x_lengths)
        ignored, missing = _codes_among(codes, frozenset(ignore_labels)), _codes_among(codes, missing_values)
        is_missing = np.isin(gold.deps, missing)
        counted = ~is_missing & ~np.isin(gold.deps, ignored)
        positions = batch.x2y.one_to_one().astype(np.int64)
        asked = (batch.predicted_columns("IS_SPACE")[:, 0] == 0) & ~np.isin(found.deps, ignored)
        asked[positions >= 0] &= ~is_missing[positions[positions >= 0]]
        arcs = np.stack([positions, positions[found.heads], found.deps], axis=1)[asked]
        placed = distinct_rows(arcs[(arcs[:, :2] >= 0).all(axis=1)])
        same_head = counted[placed[:, 0]] & (gold.heads[placed[:, 0]] == placed[:, 1])
        right = same_head & (gold.deps[placed[:, 0]] == placed[:, 2])
        n_astray, n_gold = int((arcs[:, :2] < 0).any(axis=1).sum()), int(counted.sum())
        labelled += _score(int(right.sum()), len(placed) + n_astray, n_gold)
        # Without labels, the arcs of several predicted tokens to one counterpart are one.
        n_same_head = len(np.unique(placed[same_head, 0]))
        total += _score(n_same_head, len(distinct_rows(placed[:, :2])) + n_astray, n_gold)
        for dep in np.union1d(placed[:, 2], gold.deps[counted]).tolist():
            of_found, of_gold = placed[:, 2] == dep, int((gold.deps[counted] == dep).sum())
            hits = int(right[of_found].sum())
            per_label[dep] += _score(hits, int(of_found.sum()), of_gold)
    if not len(total):
        return dict.fromkeys((f"{attr}_uas", f"{attr}_las", f"{attr}_las_per_type"))
    labels = list(codes)
    return {
        f"{attr}_uas": total.fscore,
        f"{attr}_las": labelled.fscore,
        f"{attr}_las_per_type": scores_per_label({labels[dep]: score for dep, score in per_label.items()}),
    }


class _Arcs(NamedTuple):
    """The head of each token of several documents, counted through them, and the code of its label."""

    heads: NDArray[np.int64]
    deps: NDArray[np.int64]


def dep_string(token: Any, attr: str) -> str:
    """The token's dependency label in lower case, whatever `attr` says: a getter for scores, as spaCy's."""
    dep: str = token.dep_
    return dep.lower()


def _arcs(
    docs: list[Any],
    columns: Callable[..., Any],
    lengths: NDArray[np.int64],
    *,
    getters: tuple[str, Callable[[Any, str], Any], str, Callable[[Any, str], Any]],
    codes: dict[Any, int],
) -> _Arcs:
    attr, getter, head_attr, head_getter = getters
    if (attr, head_attr, head_getter) == ("dep", "head", getattr) and getter in (getattr, dep_string):
        rows = columns("HEAD", "DEP").astype(np.int64)
        # A token without a label is its own head.
        heads = np.arange(len(rows)) + np.where(rows[:, 1] == 0, 0, rows[:, 0])
        ids, places = np.unique(columns("DEP")[:, 0], return_inverse=True)
        names = [docs[0].vocab.strings[int(dep)].lower() if getter is dep_string else int(dep) for dep in ids]
        table = [codes.setdefault(name, len(codes)) for name in names]
        return _Arcs(heads, np.asarray(table, dtype=np.int64)[places.ravel()])
    starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
    tokens = [token for doc in docs for token in doc]
    heads = starts + np.asarray([head_getter(token, head_attr).i for token in tokens], dtype=np.int64)
    deps = [codes.setdefault(getter(token, attr), len(codes)) for token in tokens]
    return _Arcs(heads, np.asarray(deps, dtype=np.int64))


def _codes_among(codes: dict[Any, int], values: Set[Any]) -> list[int]:
    return [code for value, code in codes.items() if value in values]


def _score(n_right: int, n_found: int, n_gold: int) -> PRFScore:
    return PRFScore(tp=n_right, fp=n_found - n_right, fn=n_gold - n_right)


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
