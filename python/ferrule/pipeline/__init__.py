"""Pipeline components: the base classes `Pipe` and `TrainablePipe`, then one module a component."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ferrule.pipeline.pipe import Pipe
from ferrule.pipeline.trainable_pipe import TrainablePipe

if TYPE_CHECKING:
    from ferrule.pipeline.ner import EntityRecognizer as EntityRecognizer
    from ferrule.pipeline.tagger import Tagger as Tagger
    from ferrule.pipeline.textcat import TextCategorizer as TextCategorizer
    from ferrule.pipeline.textcat_multilabel import MultiLabelTextCategorizer as MultiLabel_TextCategorizer
    from ferrule.pipeline.tok2vec import Tok2Vec as Tok2Vec

# spaCy's name of a component's class -> where it is, imported when it is asked for.
_COMPONENTS = {
    "EntityRecognizer": ("ner", "EntityRecognizer"),
    "MultiLabel_TextCategorizer": ("textcat_multilabel", "MultiLabelTextCategorizer"),
    "Tagger": ("tagger", "Tagger"),
    "TextCategorizer": ("textcat", "TextCategorizer"),
    "Tok2Vec": ("tok2vec", "Tok2Vec"),
}

__all__ = [
    "EntityRecognizer",
    "MultiLabel_TextCategorizer",
    "Pipe",
    "Tagger",
    "TextCategorizer",
    "Tok2Vec",
    "TrainablePipe",
]


def __getattr__(name: str) -> Any:
    """The class of a component; AttributeError for what is none."""
    if name not in _COMPONENTS:
        raise AttributeError(f"module 'ferrule.pipeline' has no {name!r}; it has {', '.join(__all__)}")
    module, own_name = _COMPONENTS[name]
    return getattr(importlib.import_module(f"ferrule.pipeline.{module}"), own_name)
