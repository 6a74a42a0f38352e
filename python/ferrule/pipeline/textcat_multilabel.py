"""`textcat_multilabel`: any number of categories for each document, each a question of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from thinc.api import Model

from ferrule._typing import Scores
from ferrule.pipeline.category_truths import LEARNING_SETTINGS
from ferrule.pipeline.default_models import DEFAULT_MULTILABEL_MODEL
from ferrule.pipeline.factories import factory
from ferrule.pipeline.textcat import (
    CATEGORY_SCORES,
    TextCategorizer,
)
from ferrule.registry import registry

__all__ = ["MultiLabelTextCategorizer", "make_multilabel_textcat", "textcat_multilabel_score"]


@factory(
    "textcat_multilabel",
    assigns=["doc.cats"],
    default_config={
        "threshold": 0.5,
        "model": DEFAULT_MULTILABEL_MODEL,
        "scorer": {"@scorers": "spacy.textcat_multilabel_scorer.v2"},
        "save_activations": False,
        **LEARNING_SETTINGS,
    },
    default_score_weights=CATEGORY_SCORES,
    own_settings=LEARNING_SETTINGS,
)
def make_multilabel_textcat(
    nlp: Any,
    name: str,
    model: Model[Any, Any],
    threshold: float,
    scorer: Callable[..., Scores] | None,
    save_activations: bool,
    loss: str,
    label_smoothing: float,
    class_weights: dict[str, float],
    ngram_dropout: float,
) -> MultiLabelTextCategorizer:
    """Return a text classifier for categories that do not exclude each other; see `TextCategorizer`."""
    return MultiLabelTextCategorizer(
        nlp.vocab,
        model,
        name,
        threshold=threshold,
        scorer=scorer,
        save_activations=save_activations,
        loss=loss,
        label_smoothing=label_smoothing,
        class_weights=class_weights,
        ngram_dropout=ngram_dropout,
    )


def textcat_multilabel_score(examples: Iterable[Any], **kwargs: Any) -> Scores:
    """Return the scores of ``doc.cats``, as `Scorer.score_cats` computes them for independent categories."""
    from ferrule.scorer import Scorer

    return dict(Scorer.score_cats(examples, "cats", multi_label=True, **kwargs))


@registry.scorers("spacy.textcat_multilabel_scorer.v2")
def make_textcat_multilabel_scorer() -> Callable[..., Scores]:
    """Return `textcat_multilabel_score`."""
    return textcat_multilabel_score


class MultiLabelTextCategorizer(TextCategorizer):
    """Predicts ``doc.cats``: a probability for each category, of which any number may be true.

    A category that an example does not mention is unknown there, and has no gradient. The arguments are
    those of `TextCategorizer`.
    """

    # So that `Language.update` need not copy them.
    update_leaves_documents = True

    _missing_is_unknown = True

    def __init__(
        self,
        vocab: Any,
        model: Model[Any, Any],
        name: str = "textcat_multilabel",
        *,
        threshold: float,
        scorer: Callable[..., Scores] | None = textcat_multilabel_score,
        save_activations: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(
            vocab,
            model,
            name,
            threshold=threshold,
            scorer=scorer,
            save_activations=save_activations,
            **settings,
        )
        del self.cfg["positive_label"]

    def initialize(  # type: ignore[override]
        self,
        get_examples: Callable[[], Iterable[Any]],
        *,
        nlp: Any = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        """Set up the categories and the model's first weights; see `TextCategorizer.initialize`."""
        super().initialize(get_examples, nlp=nlp, labels=labels)
        del self.cfg["positive_label"]

    def _check_exclusive(self, cats: dict[str, float]) -> None:
        """Any number of categories may be true."""

    def _check_labels(self, positive_label: str | None) -> None:
        self._require_labels()
