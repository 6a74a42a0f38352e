"""Scoring a pipeline on the development corpus while it trains."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ferrule._typing import Scores
from ferrule.errors import ConfigError
from ferrule.scorer import ConfusionCounts, Scorer, confusion_counts
from ferrule.training.report.figures import Confusion, confusion_of

if TYPE_CHECKING:
    from ferrule.language import Language
    from ferrule.training.example import Example

__all__ = ["Evaluator", "KeepingScorer", "breakdown"]


class Evaluator:
    """Called without arguments, gives the weighted score of `nlp` on `corpus` and all its scores.

    Warns where no score has a weight, and of one that the corpus has no annotation for. Raises ValueError for
    an empty corpus, and ConfigError when a weighted score is not among the scores.
    """

    def __init__(
        self,
        nlp: Language,
        corpus: Callable[[Language], Iterable[Example]],
        score_weights: dict[str, float | None],
    ) -> None:
        self.nlp = nlp
        self.corpus = corpus
        self.weights = {name: weight for name, weight in score_weights.items() if weight}
        self.examples: list[Example] = []  # of the latest evaluation, with its predictions
        if not self.weights:
            warnings.warn(
                "nothing is scored, so that no model is the best: model-best is that of the latest "
                "evaluation, and patience does not end the run. Score it with a component's score() and the "
                "default_score_weights of its factory, or name scores in [training.score_weights]",
                stacklevel=2,
            )

    def __call__(self) -> tuple[float, dict[str, Any]]:
        self.examples = list(self.corpus(self.nlp))
        if not self.examples:
            raise ValueError("the development corpus is empty; evaluation needs at least one document")
        scorer = KeepingScorer(self.nlp)
        scores = self.nlp.evaluate(self.examples, scorer=scorer)
        self.examples = scorer.examples
        total = 0.0
        for name, weight in self.weights.items():
            if name not in scores:
                raise ConfigError(
                    f"[training.score_weights] names the score {name!r}, and the pipeline gives "
                    f"{', '.join(sorted(scores))}"
                )
            value = scores[name]
            total += weight * value if isinstance(value, (int, float)) else 0.0
        unknown = [name for name in self.weights if not isinstance(scores[name], (int, float))]
        if unknown:
            warnings.warn(
                f"the development corpus has no annotation for {', '.join(unknown)}, which counts as 0 then "
                "in the score that chooses the best model; give it some, or another [training.score_weights]",
                stacklevel=2,
            )
        return total, scores


def breakdown(examples: list[Example]) -> tuple[dict[str, Confusion], dict[str, list[dict[str, Any]]]]:
    """What was taken for what in evaluated examples, and a row of scores a label, for each kind there is.

    Kinds are tags, entities (with the same first and last token) and exclusive categories; the label ""
    or "(none)" stands for nothing gold, or nothing predicted. A row has label, p, r, f, n (gold) and
    taken_for, the labels it was most often taken for. What the pipeline does not predict is left out.
    """
    tagged = [example for example in examples if example.predicted.has_annotation("TAG")]
    tables = {
        "tags": confusion_counts(tagged, "tag"),
        "entities": _counts(_entities(examples)),
        "categories": _counts(_categories(examples)),
    }
    found = {kind: table for kind, table in tables.items() if any(table.labels) and table.counts.any()}
    matrices = {kind: confusion_of(table.labels, table.counts.tolist()) for kind, table in found.items()}
    return matrices, {kind: _rows(table) for kind, table in found.items()}


MOST_TAKEN_FOR = 3
"""Wrong labels named beside a label."""


def _rows(table: ConfusionCounts) -> list[dict[str, Any]]:
    rows = []
    scores = table.per_label()
    for place, label in enumerate(table.labels):
        if label not in scores or not label:
            continue
        score, counts = scores[label], table.counts[place]
        wrong = sorted((-int(n), table.labels[at]) for at, n in enumerate(counts) if n and at != place)
        taken_for = {name or "(none)": -n for n, name in wrong[:MOST_TAKEN_FOR]}
        row = {"label": label, "p": score.precision, "r": score.recall, "f": score.fscore}
        rows.append({**row, "n": int(counts.sum()), "taken_for": taken_for})
    return rows


def _counts(pairs: Iterable[tuple[str, str]]) -> ConfusionCounts:
    seen = Counter(pairs)
    labels = sorted({label for pair in seen for label in pair}, key=lambda label: (not label, label))
    counts = [[seen[gold, predicted] for predicted in labels] for gold in labels]
    return ConfusionCounts(tuple(labels), np.array(counts, dtype=np.int64).reshape(len(labels), len(labels)))


def _entities(examples: Iterable[Example]) -> Iterator[tuple[str, str]]:
    """The gold and the predicted label of each entity that is either, "" where there is none."""
    for example in examples:
        if not all(doc.has_annotation("ENT_IOB") for doc in (example.reference, example.predicted)):
            continue
        gold = {(ent.start, ent.end): ent.label_ for ent in example.reference.ents}
        aligned = example.get_aligned_spans_x2y(example.predicted.ents)
        predicted = {(ent.start, ent.end): ent.label_ for ent in aligned}
        for place in gold.keys() | predicted.keys():
            yield gold.get(place, ""), predicted.get(place, "")


def _categories(examples: Iterable[Example]) -> Iterator[tuple[str, str]]:
    for example in examples:
        gold = [label for label, value in example.reference.cats.items() if value >= 0.5]
        cats = example.predicted.cats
        if len(gold) == 1 and cats:
            yield gold[0], max(cats, key=lambda label: cats[label])


class KeepingScorer(Scorer):
    """A scorer that keeps the examples it was given, predictions included."""

    def score(self, examples: Iterable[Any], *, per_component: bool = False) -> Scores:
        """As `Scorer.score`; afterwards `examples` has them."""
        self.examples = list(examples)
        return super().score(self.examples, per_component=per_component)
