"""The scorers that configs name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from ferrule._typing import Scores
from ferrule.registry import registry
from ferrule.scorer.cats import score_cats
from ferrule.scorer.relations import dep_string, score_deps, score_links
from ferrule.scorer.spans import get_ner_prf, score_spans
from ferrule.scorer.tokens import morph_key, score_token_attr, score_token_attr_per_feat, score_tokenization

__all__ = [
    "lemmatizer_score",
    "morphologizer_score",
    "parser_score",
    "senter_score",
    "spancat_score",
    "tagger_score",
    "textcat_multilabel_score",
    "textcat_score",
]

ScoreFunction = Callable[..., Scores]


def tagger_score(examples: Iterable[Any], **kwargs: Any) -> Scores:
    """`tag_acc`, the share of right tags among aligned tokens with a gold tag."""
    return score_token_attr(examples, "tag", **kwargs)


def senter_score(examples: Iterable[Any], **kwargs: Any) -> Scores:
    """`sents_p`, `sents_r`, `sents_f` over the references that have sentences."""
    scores = score_spans(
        examples,
        "sents",
        **{**kwargs, "has_annotation": lambda doc: doc.has_annotation("SENT_START")},
    )
    del scores["sents_per_type"]
    return scores


def morphologizer_score(examples: Iterable[Any], **kwargs: Any) -> Scores:
    """`pos_acc`, `morph_acc` and the scores of each morphological feature."""
    examples = list(examples)
    kwargs = {**kwargs, "getter": morph_key}
    return {
        **score_token_attr(examples, "pos", **{**kwargs, "getter": getattr}),
        **score_token_attr(examples, "morph", **kwargs),
        **score_token_attr_per_feat(examples, "morph", **kwargs),
    }


def parser_score(examples: Iterable[Any], **kwargs: Any) -> Scores:
    """`sents_p/r/f`, `dep_uas`, `dep_las`, `dep_las_per_type`, over annotated references.

    Punctuation (`p`, `punct`) does not count.
    """
    examples = list(examples)
    dep_kwargs = {"ignore_labels": ("p", "punct"), **kwargs, "getter": dep_string}
    parsed = [example for example in examples if example.reference.has_annotation("DEP")]
    return {**senter_score(examples, **kwargs), **score_deps(parsed, "dep", **dep_kwargs)}


def lemmatizer_score(examples: Iterable[Any], **kwargs: Any) -> Scores:
    """`lemma_acc`."""
    return score_token_attr(examples, "lemma", **kwargs)


def textcat_score(examples: Iterable[Any], **kwargs: Any) -> Scores:
    """The scores of exclusive categories."""
    return score_cats(examples, "cats", **{**kwargs, "multi_label": False})


def textcat_multilabel_score(examples: Iterable[Any], **kwargs: Any) -> Scores:
    """The scores of categories that do not exclude each other."""
    return score_cats(examples, "cats", **{**kwargs, "multi_label": True})


def spancat_score(examples: Iterable[Any], *, spans_key: str = "sc", **kwargs: Any) -> Scores:
    """The scores of one group of `doc.spans`, which may overlap; keys begin with `spans_{spans_key}`."""
    attr = f"spans_{spans_key}"
    kwargs = {
        "allow_overlap": True,
        "labeled": True,
        **kwargs,
        "getter": lambda doc, _: doc.spans.get(spans_key, []),
        "has_annotation": lambda doc: spans_key in doc.spans,
    }
    return score_spans(examples, attr, **kwargs)


@registry.scorers("spacy.tokenizer_scorer.v1")
def make_tokenizer_scorer() -> ScoreFunction:
    """Scores token boundaries."""
    return score_tokenization


@registry.scorers("spacy.tagger_scorer.v1")
def make_tagger_scorer() -> ScoreFunction:
    """Scores tags."""
    return tagger_score


@registry.scorers("spacy.senter_scorer.v1")
def make_senter_scorer() -> ScoreFunction:
    """Scores sentence boundaries."""
    return senter_score


@registry.scorers("spacy.morphologizer_scorer.v1")
def make_morphologizer_scorer() -> ScoreFunction:
    """Scores coarse tags and morphological features."""
    return morphologizer_score


@registry.scorers("spacy.parser_scorer.v1")
def make_parser_scorer() -> ScoreFunction:
    """Scores dependencies and sentence boundaries."""
    return parser_score


@registry.scorers("spacy.lemmatizer_scorer.v1")
def make_lemmatizer_scorer() -> ScoreFunction:
    """Scores lemmas."""
    return lemmatizer_score


@registry.scorers("spacy.ner_scorer.v1")
def make_ner_scorer() -> ScoreFunction:
    """Scores entities."""
    return get_ner_prf


@registry.scorers("spacy.entity_ruler_scorer.v1")
def make_entity_ruler_scorer() -> ScoreFunction:
    """Scores entities."""
    return get_ner_prf


@registry.scorers("spacy.entity_linker_scorer.v1")
def make_entity_linker_scorer() -> ScoreFunction:
    """Scores links to a knowledge base; `NIL` means no link."""
    return partial(score_links, negative_labels=["NIL"])


@registry.scorers("spacy.textcat_scorer.v2")
def make_textcat_scorer() -> ScoreFunction:
    """Scores exclusive categories."""
    return textcat_score


@registry.scorers("spacy.textcat_multilabel_scorer.v2")
def make_textcat_multilabel_scorer() -> ScoreFunction:
    """Scores categories that do not exclude each other."""
    return textcat_multilabel_score


@registry.scorers("spacy.overlapping_labeled_spans_scorer.v1")
def make_overlapping_labeled_spans_scorer(spans_key: str = "sc") -> ScoreFunction:
    """Scores one span group."""
    return partial(spancat_score, spans_key=spans_key)


@registry.scorers("spacy.spancat_scorer.v1")
def make_spancat_scorer() -> ScoreFunction:
    """Scores span groups."""
    return spancat_score
