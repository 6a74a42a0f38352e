"""`textcat` and `textcat_multilabel`: how a text classifier is made from a config."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thinc.api import Model

from ferrule._typing import Scores
from ferrule.pipeline.category_truths import LEARNING_SETTINGS
from ferrule.pipeline.default_models import DEFAULT_MULTILABEL_MODEL, DEFAULT_TEXTCAT_MODEL
from ferrule.pipeline.factories import factory
from ferrule.pipeline.textcat import TextCategorizer
from ferrule.pipeline.textcat_multilabel import MultiLabelTextCategorizer

__all__ = ["make_multilabel_textcat", "make_textcat"]

_SCORE_WEIGHTS = {
    "cats_score": 1.0,
    "cats_score_desc": None,
    "cats_micro_p": None,
    "cats_micro_r": None,
    "cats_micro_f": None,
    "cats_macro_p": None,
    "cats_macro_r": None,
    "cats_macro_f": None,
    "cats_macro_auc": None,
    "cats_f_per_type": None,
}


def _registered(
    name: str, kind: type[TextCategorizer], *, threshold: float, model: dict[str, Any]
) -> Callable[..., TextCategorizer]:
    """The factory `name` of components of the class `kind`, and the defaults in which it is of its own."""

    def make(
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
    ) -> TextCategorizer:
        """Return a text classifier; the arguments are those of `TextCategorizer`."""
        return kind(
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

    made: Callable[..., TextCategorizer] = factory(
        name,
        assigns=["doc.cats"],
        default_config={
            "threshold": threshold,
            "model": model,
            "scorer": {"@scorers": f"spacy.{name}_scorer.v2"},
            "save_activations": False,
            **LEARNING_SETTINGS,
        },
        default_score_weights=_SCORE_WEIGHTS,
        own_settings=LEARNING_SETTINGS,
        func=make,
    )
    return made


make_textcat = _registered("textcat", TextCategorizer, threshold=0.0, model=DEFAULT_TEXTCAT_MODEL)
make_multilabel_textcat = _registered(
    "textcat_multilabel", MultiLabelTextCategorizer, threshold=0.5, model=DEFAULT_MULTILABEL_MODEL
)
