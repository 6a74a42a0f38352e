"""`textcat_multilabel`: any number of categories for each document, each a question of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from thinc.api import Model

from ferrule._typing import Scores
from ferrule.pipeline.textcat import TextCategorizer
from ferrule.scorer.registered import textcat_multilabel_score

__all__ = ["MultiLabelTextCategorizer", "textcat_multilabel_score"]


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
