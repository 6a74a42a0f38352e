"""Scores of tokens: their boundaries, one attribute, and the features inside an attribute."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferrule._typing import Scores
from ferrule.scorer.counts import PRFScore, scores_per_label, sum_of
from ferrule.training.token_offsets import token_offsets

__all__ = [
    "MISSING_VALUES",
    "aligned_codes",
    "score_token_attr",
    "score_token_attr_per_feat",
    "score_tokenization",
]

MISSING_VALUES: frozenset[Any] = frozenset({0, None, ""})
MISSING = -1  # the code of a value that the reference does not give
_COLUMNS = {"tag": "TAG", "pos": "POS", "lemma": "LEMMA", "dep": "DEP", "ent_type": "ENT_TYPE"}

Getter = Callable[[Any, str], Any]


def score_tokenization(examples: Iterable[Any], **cfg: Any) -> Scores:
    """`token_acc`, `token_p`, `token_r`, `token_f`; all None if there is nothing to score.

    `token_acc` is the share of predicted tokens that have a single counterpart, the others compare character
    spans. Tokens of whitespace do not count, nor do references whose spaces are not known.
    """
    accuracy, spans = PRFScore(), PRFScore()
    for example in examples:
        if example.reference.has_unknown_spaces:
            continue
        counted = ~_is_space(example.predicted)
        n_single = int((example.alignment.x2y.lengths[counted] == 1).sum())
        accuracy += PRFScore(tp=n_single, fp=int(counted.sum()) - n_single)
        spans.score_set(_token_spans(example.predicted), _token_spans(example.reference))
    if not len(accuracy):
        return dict.fromkeys(("token_acc", "token_p", "token_r", "token_f"))
    return {
        "token_acc": accuracy.precision,
        "token_p": spans.precision,
        "token_r": spans.recall,
        "token_f": spans.fscore,
    }


def score_token_attr(
    examples: Iterable[Any],
    attr: str,
    *,
    getter: Getter = getattr,
    missing_values: Set[Any] = MISSING_VALUES,
    **cfg: Any,
) -> Scores:
    """`{attr}_acc`: the share of tokens with the right value; None if the reference has no value at all.

    `getter(token, attr)` gives a token's value. Tokens whose reference value is in `missing_values` do not
    count. Where tokens differ, this is the F score over (reference token, value), as in spaCy.
    """
    codes: dict[Any, int] = {}
    total = PRFScore()
    for example in examples:
        gold, positions, predicted = aligned_codes(example, attr, getter, codes, missing_values)
        hits = int((gold[positions] == predicted).sum())
        n_gold = int((gold != MISSING).sum())
        total += PRFScore(tp=hits, fp=len(positions) - hits, fn=n_gold - hits)
    return {f"{attr}_acc": total.fscore if len(total) else None}


def score_token_attr_per_feat(
    examples: Iterable[Any],
    attr: str,
    *,
    getter: Getter = getattr,
    missing_values: Set[Any] = MISSING_VALUES,
    **cfg: Any,
) -> Scores:
    """`{attr}_micro_p`, `_micro_r`, `_micro_f` and `{attr}_per_feat` for values like `Case=Nom|Number=Sing`.

    `getter(token, attr)` gives the value as a string, its id, or anything whose `str` is the value. All None
    if there is nothing to score.
    """
    codes: dict[Any, int] = {}
    per_feat: dict[str, PRFScore] = {}
    features = _Features(codes)
    for example in examples:
        gold, positions, predicted = aligned_codes(example, attr, getter, codes, missing_values)
        strings = example.reference.vocab.strings
        known = np.asarray(
            [bool(features.of(code, strings)) for code in gold[positions].tolist()], dtype=bool
        )
        positions, predicted = positions[known], predicted[known]
        gold_set = {(i, feat) for i, code in enumerate(gold.tolist()) for feat in features.of(code, strings)}
        pred_set = {
            (i, feat)
            for i, code in zip(positions.tolist(), predicted.tolist(), strict=True)
            for feat in features.of(code, strings)
        }
        for kind, items in (
            ("tp", pred_set & gold_set),
            ("fp", pred_set - gold_set),
            ("fn", gold_set - pred_set),
        ):
            for _, feat in items:
                score = per_feat.setdefault(feat.partition("=")[0], PRFScore())
                setattr(score, kind, getattr(score, kind) + 1)
    micro = sum_of(per_feat.values())
    keys = [f"{attr}_micro_p", f"{attr}_micro_r", f"{attr}_micro_f", f"{attr}_per_feat"]
    if not len(micro):
        return dict.fromkeys(keys)
    values = [micro.precision, micro.recall, micro.fscore, scores_per_label(per_feat)]
    return dict(zip(keys, values, strict=True))


def aligned_codes(
    example: Any, attr: str, getter: Getter, codes: dict[Any, int], missing_values: Set[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """`(gold, positions, predicted)`: what reference and prediction say, as ints that `codes` hands out.

    `gold`: int64 (n_reference_tokens,), -1 where missing. `positions`, `predicted`: int64 (n,), for each
    predicted token with a single counterpart that has a gold value, that counterpart and the predicted code;
    each pair once. `codes`: value -> code, in the order of the codes; new values are added.
    """
    gold = _codes_of(example.reference, attr, getter, codes)
    gold[np.isin(gold, [codes[value] for value in missing_values if value in codes])] = MISSING
    predicted = _codes_of(example.predicted, attr, getter, codes)
    positions = example.alignment.x2y.one_to_one().astype(np.int64)
    counted = (positions >= 0) & ~_is_space(example.predicted)
    counted[counted] = gold[positions[counted]] != MISSING
    positions, predicted = positions[counted], predicted[counted]
    if len(positions) > 1 and (np.diff(positions) == 0).any():
        positions, predicted = np.unique(np.stack([positions, predicted]), axis=1)
    return gold, positions, predicted


def _codes_of(doc: Any, attr: str, getter: Getter, codes: dict[Any, int]) -> NDArray[np.int64]:
    if getter is getattr and attr in _COLUMNS:
        column = np.asarray(doc.to_array([_COLUMNS[attr]])).ravel()
        values, places = np.unique(column, return_inverse=True)
        table = [_code(int(value), codes) for value in values]
        return np.asarray(table, dtype=np.int64)[places.ravel()]
    return np.asarray([_code(getter(token, attr), codes) for token in doc], dtype=np.int64)


def _code(value: Any, codes: dict[Any, int]) -> int:
    try:
        return codes.setdefault(value, len(codes))
    except TypeError:  # not hashable, such as a MorphAnalysis
        return codes.setdefault(str(value), len(codes))


class _Features:
    """The features of a value, split once for each value."""

    def __init__(self, codes: dict[Any, int]) -> None:
        self._codes = codes
        self._split: dict[int, list[str]] = {MISSING: []}

    def of(self, code: int, strings: Any) -> list[str]:
        if code not in self._split:
            value = next(itertools.islice(self._codes, code, None))
            morph = strings[value] if isinstance(value, int | np.integer) else str(value)
            self._split[code] = [] if morph in ("", "_") else morph.split("|")
        return self._split[code]


def _is_space(doc: Any) -> NDArray[np.bool_]:
    is_space: NDArray[np.bool_] = np.asarray(doc.to_array(["IS_SPACE"])).ravel() != 0
    return is_space


def _token_spans(doc: Any) -> set[tuple[int, int]]:
    starts, ends = token_offsets(doc)
    counted = ~_is_space(doc)
    return set(zip(starts[counted].tolist(), ends[counted].tolist(), strict=True))
