"""Scoring a pipeline on the development corpus while it trains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ferrule._typing import Scores
from ferrule.errors import ConfigError
from ferrule.scorer import Scorer, confusion_counts
from ferrule.training.report.figures import Confusion, confusion_of

if TYPE_CHECKING:
    from ferrule.language import Language
    from ferrule.training.example import Example

__all__ = ["Evaluator", "KeepingScorer", "confusions"]


class Evaluator:
    """Called without arguments, gives the weighted score of `nlp` on `corpus` and all its scores.

    Raises ValueError for an empty corpus and ConfigError when a weighted score is not among the scores.
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
        return total, scores


def confusions(examples: list[Example]) -> dict[str, Confusion]:
    """What was taken for what in evaluated examples, for the tags and exclusive categories there are."""
    tags = confusion_counts(examples, "tag")
    found = {"tags": confusion_of(tags.labels, tags.counts.tolist())} if any(tags.labels) else {}
    pairs = Counter(_categories(examples))
    if pairs:
        labels = sorted({label for pair in pairs for label in pair})
        counts = [[pairs[gold, predicted] for predicted in labels] for gold in labels]
        found["categories"] = confusion_of(labels, counts)
    return found


def _categories(examples: list[Example]) -> Iterator[tuple[str, str]]:
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
