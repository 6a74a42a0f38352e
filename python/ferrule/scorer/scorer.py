"""`Scorer`: every score of a pipeline, and each kind of score by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ferrule._typing import Scores
from ferrule.scorer.cats import score_cats
from ferrule.scorer.relations import score_deps, score_links
from ferrule.scorer.spans import get_ner_prf, score_spans
from ferrule.scorer.tokens import score_token_attr, score_token_attr_per_feat, score_tokenization
from ferrule.training.example import validate_examples

__all__ = ["Scorer"]


class Scorer:
    """Scores examples with the components of a pipeline; its static methods score one thing each.

    With `nlp`, :meth:`score` asks the tokenizer and each component that has a `score` method. Without, it
    scores whatever the references are annotated with, as spaCy's default components would. `**cfg` is passed
    on to each. The names of the scores are spaCy's.
    """

    def __init__(
        self,
        nlp: Any = None,
        default_lang: str = "xx",
        default_pipeline: Iterable[str] = (),
        **cfg: Any,
    ) -> None:
        self.nlp = nlp
        self.cfg = cfg

    def score(self, examples: Iterable[Any], *, per_component: bool = False) -> Scores:
        """All scores in one dict or, with `per_component`, a dict for each component's name.

        `examples` are read once. A score is None where there is nothing to score.
        TypeError for what is no Example.
        """
        examples = list(examples)
        validate_examples(examples, "Scorer.score")
        if self.nlp is None:
            return _score_annotations(examples, self.cfg, per_component)
        scores: Scores = {}
        for name, component in (("tokenizer", self.nlp.tokenizer), *self.nlp.pipeline):
            if not hasattr(component, "score"):
                continue
            component_scores = component.score(examples, **self.cfg)
            if per_component:
                scores[name] = component_scores
            else:
                scores.update(component_scores)
        return scores

    score_tokenization = staticmethod(score_tokenization)
    score_token_attr = staticmethod(score_token_attr)
    score_token_attr_per_feat = staticmethod(score_token_attr_per_feat)
    score_spans = staticmethod(score_spans)
    score_cats = staticmethod(score_cats)
    score_links = staticmethod(score_links)
    score_deps = staticmethod(score_deps)


def _score_annotations(examples: list[Any], cfg: dict[str, Any], per_component: bool) -> Scores:
    from ferrule.scorer import registered

    labels = dict.fromkeys(label for example in examples for label in example.reference.cats)
    parts: dict[str, Scores] = {
        "tokenizer": score_tokenization(examples, **cfg),
        "senter": registered.senter_score(examples, **cfg),
        "tagger": score_token_attr(examples, "tag", **cfg),
        "morphologizer": registered.morphologizer_score(examples, **cfg),
        "parser": registered.parser_score(examples, **cfg),
        "ner": get_ner_prf(examples, **cfg),
        "textcat": registered.textcat_score(examples, **{"labels": list(labels), **cfg}),
    }
    if per_component:
        return parts
    return {key: value for scores in parts.values() for key, value in scores.items()}
