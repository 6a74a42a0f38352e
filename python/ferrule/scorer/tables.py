"""Beyond the averages: scores of each label, and which label was taken for which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ferrule.scorer.counts import PRFScore
from ferrule.scorer.tokens import MISSING_VALUES, aligned_codes
from ferrule.training.aligned_batch import aligned_batches

__all__ = [
    "ConfusionCounts",
    "category_confusion_counts",
    "confusion_counts",
    "entity_confusion_counts",
]


@dataclass(frozen=True)
class ConfusionCounts:
    """How often each true label got each predicted label.

    `labels`: sorted; the last may be `""`, for no prediction. `counts`: int64 (n_labels, n_labels), a row for
    each true label, a column for each predicted one.
    """

    labels: tuple[str, ...]
    counts: NDArray[np.int64]

    def per_label(self) -> dict[str, PRFScore]:
        """The counts of each label that is true or predicted somewhere."""
        hits = np.diag(self.counts)
        missed = self.counts.sum(axis=1) - hits
        wrong = self.counts.sum(axis=0) - hits
        return {
            label: PRFScore(tp=int(hits[i]), fp=int(wrong[i]), fn=int(missed[i]))
            for i, label in enumerate(self.labels)
            if label
        }

    def most_confused(self, limit: int = 10) -> list[tuple[str, str, int]]:
        """`(true label, predicted label, count)`, the most frequent mistakes first."""
        wrong = self.counts.copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind="stable")[:limit]
        pairs = [divmod(int(flat), len(self.labels)) for flat in order]
        return [(self.labels[i], self.labels[j], int(wrong[i, j])) for i, j in pairs if wrong[i, j]]

    def table(self) -> str:
        """Precision, recall, F and the number of true tokens of each label, the most frequent first."""
        rows = sorted(self.per_label().items(), key=lambda row: (-(row[1].tp + row[1].fn), row[0]))
        width = max((len(label) for label, _ in rows), default=5)
        lines = [f"{'label':<{width}}      P      R      F       n"]
        for label, score in rows:
            p, r, f = (100 * value for value in score.to_dict().values())
            lines.append(f"{label:<{width}} {p:6.2f} {r:6.2f} {f:6.2f} {score.tp + score.fn:7d}")
        return "\n".join(lines)


def confusion_counts(
    examples: Iterable[Any], attr: str = "tag", *, getter: Callable[[Any, str], Any] = getattr
) -> ConfusionCounts:
    """Counts true against predicted values of a token attribute (`"tag"`, `"pos"`, `"lemma"`, `"dep"`…).

    Tokens without a true value, of whitespace, or without a single counterpart do not count.
    """
    codes: dict[Any, int] = {}
    pairs: list[NDArray[np.int64]] = []
    strings: Any = {}
    for batch in aligned_batches(examples):
        gold, positions, predicted = aligned_codes(batch, attr, getter, codes, MISSING_VALUES)
        pairs.append(np.stack([gold[positions], predicted]))
        strings = batch.reference[0].vocab.strings
    names = [_name(value, strings) for value in codes]
    together = np.concatenate(pairs, axis=1) if pairs else np.zeros((2, 0), dtype=np.int64)
    seen = {names[code] for code in np.unique(together)}
    labels = sorted(seen, key=lambda name: (not name, name))
    place = {name: i for i, name in enumerate(labels)}
    places = np.asarray([place.get(name, -1) for name in names], dtype=np.int64)
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(counts, (places[together[0]], places[together[1]]), 1)
    return ConfusionCounts(tuple(labels), counts)


def entity_confusion_counts(examples: Iterable[Any]) -> ConfusionCounts:
    """Counts true against predicted labels of entities with the same first and last token.

    An entity that only one side has stands against `""`. Examples whose reference says nothing of its
    entities do not count.

    >>> from ferrule.tokens import Doc
    >>> from ferrule.training import Example
    >>> from ferrule.vocab import Vocab
    >>> words, vocab = ["Ada", "met", "Bob"], Vocab()
    >>> predicted = Doc(vocab, words=words, ents=["B-ORG", "O", "O"])
    >>> gold = Doc(vocab, words=words, ents=["B-PERSON", "O", "B-PERSON"])
    >>> entity_confusion_counts([Example(predicted, gold)]).most_confused()
    [('PERSON', 'ORG', 1), ('PERSON', '', 1)]
    """
    pairs: list[tuple[str, str]] = []
    for example in examples:
        if not example.reference.has_annotation("ENT_IOB"):
            continue
        gold = {(ent.start, ent.end): ent.label_ for ent in example.reference.ents}
        for ent in example.predicted.ents:
            aligned = example.get_aligned_spans_x2y([ent])
            place = (aligned[0].start, aligned[0].end) if aligned else None
            pairs.append((gold.pop(place, "") if place else "", ent.label_))
        pairs.extend((label, "") for label in gold.values())
    return _counts_of(pairs)


def category_confusion_counts(examples: Iterable[Any]) -> ConfusionCounts:
    """Counts the true category of each document against the one with the best predicted score.

    For categories that exclude each other: the true one is that with the best score in the reference.
    Documents without a category above 0 there do not count; one without predictions stands against `""`.

    >>> from ferrule.training import Example
    >>> from ferrule.tokens import Doc
    >>> from ferrule.vocab import Vocab
    >>> predicted, gold = Doc(Vocab(), words=["hi"]), Doc(Vocab(), words=["hi"])
    >>> predicted.cats, gold.cats = {"spam": 0.9, "ham": 0.1}, {"spam": 0.0, "ham": 1.0}
    >>> category_confusion_counts([Example(predicted, gold)]).most_confused()
    [('ham', 'spam', 1)]
    """
    best = [
        (_best(example.reference.cats), _best(example.predicted.cats))
        for example in examples
        if any(score > 0 for score in example.reference.cats.values())
    ]
    return _counts_of(best)


def _best(cats: Mapping[str, float]) -> str:
    return max(cats, key=lambda label: cats[label], default="")


def _counts_of(pairs: Sequence[tuple[str, str]]) -> ConfusionCounts:
    seen = {label for pair in pairs for label in pair}
    labels = sorted(seen, key=lambda name: (not name, name))
    place = {label: i for i, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for gold, found in pairs:
        counts[place[gold], place[found]] += 1
    return ConfusionCounts(tuple(labels), counts)


def _name(value: Any, strings: Any) -> str:
    if value in MISSING_VALUES:
        return ""
    return str(strings[value] if isinstance(value, int | np.integer) else value)
