"""Scores of tokens: their boundaries, one attribute, and the features inside an attribute."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferrule._typing import Scores
from ferrule.scorer.counts import PRFScore, distinct_rows, scores_per_label, sum_of
from ferrule.training.aligned_batch import AlignedBatch, aligned_batches

__all__ = [
    "MISSING_VALUES",
    "aligned_codes",
    "morph_key",
    "score_token_attr",
    "score_token_attr_per_feat",
    "score_tokenization",
]

MISSING_VALUES: frozenset[Any] = frozenset({0, None, ""})
MISSING = -1  # the code of a value that the reference does not give
_COLUMNS = {
    "tag": "TAG",
    "pos": "POS",
    "lemma": "LEMMA",
    "dep": "DEP",
    "ent_type": "ENT_TYPE",
    "morph": "MORPH",
}

Getter = Callable[[Any, str], Any]


def score_tokenization(examples: Iterable[Any], **cfg: Any) -> Scores:
    """`token_acc`, `token_p`, `token_r`, `token_f`; all None if there is nothing to score.

    `token_acc` is the share of predicted tokens that have a single counterpart, the others compare character
    spans. Tokens of whitespace do not count, nor do references whose spaces are not known.
    """
    accuracy, spans = PRFScore(), PRFScore()
    known = (example for example in examples if not example.reference.has_unknown_spaces)
    for batch in aligned_batches(known):
        predicted = batch.predicted_columns("LENGTH", "SPACY", "IS_SPACE").astype(np.int64)
        reference = batch.reference_columns("LENGTH", "SPACY", "IS_SPACE").astype(np.int64)
        counted = predicted[:, 2] == 0
        n_single = int((batch.x2y.lengths[counted] == 1).sum())
        accuracy += PRFScore(tp=n_single, fp=int(counted.sum()) - n_single)
        found, gold = _character_spans(batch, predicted, reference)
        hits = int(np.isin(found, gold, assume_unique=True).sum())
        spans += PRFScore(tp=hits, fp=len(found) - hits, fn=len(gold) - hits)
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
    for batch in aligned_batches(examples):
        gold, positions, predicted = aligned_codes(batch, attr, getter, codes, missing_values)
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
    for batch in aligned_batches(examples):
        gold, positions, predicted = aligned_codes(batch, attr, getter, codes, missing_values)
        for gold_feats, found, n_tokens in _feature_sets(features, batch, gold, positions, predicted):
            kinds = {"tp": found & gold_feats, "fp": found - gold_feats, "fn": gold_feats - found}
            for kind, feats in kinds.items():
                for feat in feats:
                    score = per_feat.setdefault(feat.partition("=")[0], PRFScore())
                    setattr(score, kind, getattr(score, kind) + n_tokens)
    micro = sum_of(per_feat.values())
    keys = [f"{attr}_micro_p", f"{attr}_micro_r", f"{attr}_micro_f", f"{attr}_per_feat"]
    if not len(micro):
        return dict.fromkeys(keys)
    values = [micro.precision, micro.recall, micro.fscore, scores_per_label(per_feat)]
    return dict(zip(keys, values, strict=True))


def morph_key(token: Any, attr: str) -> Any:
    """The id of the token's features for the attribute `morph`, others as they are: a getter for scores."""
    return token.morph.key if attr == "morph" else getattr(token, attr)


def aligned_codes(
    batch: AlignedBatch, attr: str, getter: Getter, codes: dict[Any, int], missing_values: Set[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """`(gold, positions, predicted)`: what reference and prediction say, as ints that `codes` hands out.

    `gold`: int64 (n_reference_tokens,), -1 where missing. `positions`, `predicted`: int64 (n,), for each
    predicted token with a single counterpart that has a gold value, that counterpart and the predicted code;
    each pair once, ascending. `codes`: value -> code, in the order of the codes; new values are added.
    """
    gold = _codes_of(batch.reference, batch.reference_columns, attr, getter, codes)
    gold[np.isin(gold, [codes[value] for value in missing_values if value in codes])] = MISSING
    predicted = _codes_of(batch.predicted, batch.predicted_columns, attr, getter, codes)
    positions = batch.x2y.one_to_one().astype(np.int64)
    counted = (positions >= 0) & (batch.predicted_columns("IS_SPACE")[:, 0] == 0)
    counted[counted] = gold[positions[counted]] != MISSING
    positions, predicted = positions[counted], predicted[counted]
    if (np.diff(positions) <= 0).any():
        positions, predicted = distinct_rows(np.stack([positions, predicted], axis=1)).T
    return gold, positions, predicted


def _codes_of(
    docs: list[Any], columns: Callable[[str], Any], attr: str, getter: Getter, codes: dict[Any, int]
) -> NDArray[np.int64]:
    # An analysis is an object of its own, told from the id of its features.
    by_column = attr in _COLUMNS and (getter is morph_key or (getter is getattr and attr != "morph"))
    if not by_column:
        return np.asarray(
            [_code(getter(token, attr), codes) for doc in docs for token in doc], dtype=np.int64
        )
    values, places = np.unique(columns(_COLUMNS[attr])[:, 0], return_inverse=True)
    table = [_code(int(value), codes) for value in values]
    return np.asarray(table, dtype=np.int64)[places.ravel()]


def _feature_sets(
    features: _Features,
    batch: AlignedBatch,
    gold: NDArray[np.int64],
    positions: NDArray[np.int64],
    predicted: NDArray[np.int64],
) -> Iterator[tuple[set[str], set[str], int]]:
    """`(true features, predicted features, on how many tokens)`, of the gold tokens that have features."""
    has_features = np.asarray([bool(features.of(code, batch)) for code in range(len(features))], dtype=bool)
    gold = np.where((gold != MISSING) & has_features[gold], gold, MISSING)
    # A gold token that several predicted ones have as their counterpart is predicted what any of them says.
    counts = np.bincount(positions, minlength=len(gold))
    single = counts[positions] == 1
    of_token = np.full(len(gold), MISSING, dtype=np.int64)
    of_token[positions[single]] = predicted[single]
    once = (gold != MISSING) & (counts <= 1)
    for (true_code, code), n_tokens in Counter(
        zip(gold[once].tolist(), of_token[once].tolist(), strict=True)
    ).items():
        yield set(features.of(true_code, batch)), set(features.of(code, batch)), n_tokens
    for position in np.flatnonzero((gold != MISSING) & (counts > 1)).tolist():
        found = {feat for code in predicted[positions == position] for feat in features.of(int(code), batch)}
        yield set(features.of(int(gold[position]), batch)), found, 1


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

    def __len__(self) -> int:
        return len(self._codes)

    def of(self, code: int, batch: AlignedBatch) -> list[str]:
        if code not in self._split:
            value = next(itertools.islice(self._codes, code, None))
            morph = batch.string(int(value)) if isinstance(value, int | np.integer) else str(value)
            self._split[code] = [] if morph in ("", "_") else morph.split("|")
        return self._split[code]


def _character_spans(
    batch: AlignedBatch, predicted: NDArray[np.int64], reference: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    """Start and end of each token of either side, whitespace left out, as one number; equal for equal spans.

    `predicted`, `reference`: LENGTH, SPACY and IS_SPACE of the tokens.
    """
    sides = ((predicted, batch.x_lengths), (reference, batch.y_lengths))
    sizes = [_sums(columns[:, 0] + columns[:, 1], lengths) for columns, lengths in sides]
    room = np.maximum(*sizes)
    doc_starts = np.cumsum(room) - room
    keys = []
    for (columns, lengths), size in zip(sides, sizes, strict=True):
        n_chars = columns[:, 0] + columns[:, 1]
        starts = np.cumsum(n_chars) - n_chars + np.repeat(doc_starts - (np.cumsum(size) - size), lengths)
        keys.append(((starts << 32) + columns[:, 0])[columns[:, 2] == 0])
    return keys


def _sums(values: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sum of each document's values."""
    totals = np.concatenate([[0], np.cumsum(values)])
    ends = np.cumsum(lengths)
    return totals[ends] - totals[ends - lengths]
