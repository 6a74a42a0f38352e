"""`ner` and `beam_ner`: how an entity recognizer is made from a config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from thinc.api import Model

from ferrule._typing import Scores
from ferrule.pipeline.default_models import DEFAULT_NER_MODEL
from ferrule.pipeline.factories import factory
from ferrule.pipeline.ner import EntityRecognizer

__all__ = ["DEFAULT_NER_MODEL", "make_ner"]

# What spaCy's factory does not know.
_OWN_SETTINGS = {"threshold": 0.0, "scores_key": None}
# What spaCy's `ner` does not know, of `beam_ner`'s settings.
_GREEDY = {"beam_width": 1, "beam_density": 0.0, "beam_update_prob": 0.0}
_SETTINGS = {
    "moves": None,
    "update_with_oracle_cut_size": 100,
    "model": DEFAULT_NER_MODEL,
    "incorrect_spans_key": None,
    "scorer": {"@scorers": "spacy.ner_scorer.v1"},
    "save_activations": False,
    **_OWN_SETTINGS,
}
_ASSIGNS = ["doc.ents", "token.ent_iob", "token.ent_type"]
_SCORE_WEIGHTS = {"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None}


@factory(
    "ner",
    assigns=_ASSIGNS,
    default_config={**_SETTINGS, **_GREEDY},
    default_score_weights=_SCORE_WEIGHTS,
    own_settings={**_OWN_SETTINGS, **_GREEDY},
)
@factory(
    "beam_ner",
    assigns=_ASSIGNS,
    default_config={**_SETTINGS, "beam_width": 32, "beam_density": 0.01, "beam_update_prob": 0.5},
    default_score_weights=_SCORE_WEIGHTS,
    own_settings=_OWN_SETTINGS,
)
def make_ner(
    nlp: Any,
    name: str,
    model: Model[Any, Any],
    moves: Mapping[Any, Mapping[str, int]] | None,
    update_with_oracle_cut_size: int,
    incorrect_spans_key: str | None,
    scorer: Callable[..., Scores] | None,
    save_activations: bool,
    threshold: float,
    scores_key: str | None,
    beam_width: int,
    beam_density: float,
    beam_update_prob: float,
) -> EntityRecognizer:
    """Return an entity recognizer; the arguments are those of `EntityRecognizer`.

    Without a beam, `ner`, and with one, `beam_ner`: both have spaCy's settings and defaults. Training is
    greedy whatever `beam_update_prob` says: the network learns probabilities of single actions, whose
    products rank the analyses. The setting is kept and saved.
    """
    return EntityRecognizer(
        nlp.vocab,
        model,
        name,
        moves,
        update_with_oracle_cut_size=update_with_oracle_cut_size,
        incorrect_spans_key=incorrect_spans_key,
        scorer=scorer,
        save_activations=save_activations,
        threshold=threshold,
        scores_key=scores_key,
        beam_width=beam_width,
        beam_density=beam_density,
        beam_update_prob=beam_update_prob,
    )
