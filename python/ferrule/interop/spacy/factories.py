"""Ferrule's components as factories of spaCy 3.8: `ferrule_tagger` and the others, in a spaCy `Language`.

spaCy finds them by the entry points of the installed package; without those, import this module first. Each
is the component of the same name without ``ferrule_``, with the same settings and the same saved form, so a
pipeline changes over by its config alone: ``factory = "ner"`` becomes ``factory = "ferrule_ner"``. Model
architectures stay spaCy's; Ferrule runs their trees.

>>> import spacy
>>> nlp = spacy.blank("en")
>>> type(nlp.add_pipe("ferrule_tagger")).__module__
'ferrule.pipeline.tagger'
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

from spacy.language import Language
from spacy.pipeline import Tok2Vec
from thinc.api import Model

from ferrule.ml.fused import fuse
from ferrule.ml.resize import resize_output
from ferrule.ml.transition import run_as_own
from ferrule.pipeline.default_models import DEFAULT_TOK2VEC_MODEL
from ferrule.pipeline.factories import factory_meta
from ferrule.registry import registry

__all__ = [
    "make_ferrule_ner",
    "make_ferrule_tagger",
    "make_ferrule_textcat",
    "make_ferrule_textcat_multilabel",
    "make_ferrule_tok2vec",
]

_their_transitions = importlib.import_module("spacy.ml.tb_framework").forward


def _prepare_tagger(model: Model[Any, Any]) -> None:
    fuse(model)
    model.attrs.setdefault("resize_output", resize_output)


def _prepare_ner(model: Model[Any, Any]) -> None:
    fuse(model)
    if model._func is _their_transitions:
        run_as_own(model)


def _name_types(function: Callable[..., Any]) -> None:
    """Put types in place of their names among a function's annotations; spaCy checks settings by those."""
    function.__annotations__ = get_type_hints(function)


def _in_spacy(name: str, prepare: Callable[[Model[Any, Any]], Any]) -> Any:
    """Register Ferrule's factory `name` in spaCy; `prepare` is called with the model of each component."""
    make, meta = registry.factories.get(name), factory_meta(name)

    @functools.wraps(make)
    def made(*args: Any, **settings: Any) -> Any:
        component = make(*args, **settings)
        prepare(component.model)
        _name_types(type(component).initialize)
        return component

    # spaCy looks at the arguments of the function itself.
    made.__signature__ = inspect.signature(make)  # type: ignore[attr-defined]
    return Language.factory(
        f"ferrule_{name}",
        default_config=meta.default_config,
        assigns=list(meta.assigns),
        requires=list(meta.requires),
        retokenizes=meta.retokenizes,
        default_score_weights=meta.default_score_weights,
        func=made,
    )


make_ferrule_tagger = _in_spacy("tagger", _prepare_tagger)
make_ferrule_textcat = _in_spacy("textcat", fuse)
make_ferrule_textcat_multilabel = _in_spacy("textcat_multilabel", fuse)
make_ferrule_ner = _in_spacy("ner", _prepare_ner)


@Language.factory("ferrule_tok2vec", assigns=["doc.tensor"], default_config={"model": DEFAULT_TOK2VEC_MODEL})
def make_ferrule_tok2vec(nlp: Language, name: str, model: Model[Any, Any]) -> Tok2Vec:
    """Return spaCy's own shared encoder, whose listeners are spaCy's, with a model that Rust runs."""
    fuse(model)
    return Tok2Vec(nlp.vocab, model, name)
